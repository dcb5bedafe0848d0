// Package digest is how plumb names content: SHA-256 of bytes, of a value's canonical JSON (RFC 8785), and of a column's values.
//
// It is not a serialiser: canonical JSON is only made to be hashed (and handed to user code as the very bytes that were hashed).
// It stores nothing.
package digest

import (
	"crypto/sha256"
	"encoding/hex"
)

// Prefix starts every digest that plumb writes; 64 lower-case hex digits follow.
const Prefix = "sha256:"

// Bytes gives "sha256:<64 hex>" of b.
func Bytes(b []byte) string {
	sum := sha256.Sum256(b)
	return Prefix + hex.EncodeToString(sum[:])
}

// Of gives the digest of v's canonical JSON. Errors are those of Canonical.
func Of(v any) (string, error) {
	b, err := Canonical(v)
	if err != nil {
		return "", err
	}
	return Bytes(b), nil
}
