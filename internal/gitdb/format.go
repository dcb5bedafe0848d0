package gitdb

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// format is how objects are named: by SHA-1, or by SHA-256.
type format struct {
	name   string // as in extensions.objectFormat
	digits int    // of an object id in hexadecimal
}

var (
	sha1Format   = format{"sha1", 2 * sha1.Size}
	sha256Format = format{"sha256", 2 * sha256.Size}
)

// is says whether text is an object id.
func (f format) is(text string) bool {
	return len(text) == f.digits && strings.Trim(text, "0123456789abcdef") == ""
}

func (f format) new() hash.Hash {
	if f == sha256Format {
		return sha256.New()
	}
	return sha1.New() //nolint:gosec // it is Git's choice
}

// hasher gives the hash of an object of a known size; its content is to be written into it.
func (f format) hasher(of kind, size int64) hash.Hash {
	h := f.new()
	fmt.Fprintf(h, "%s %d\x00", of, size)
	return h
}

func (f format) sum(of kind, data []byte) string {
	h := f.hasher(of, int64(len(data)))
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}
