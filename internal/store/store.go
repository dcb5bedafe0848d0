// Package store keeps what is too big for a record: models, evaluations, details, data. A blob is named by the SHA-256 of its bytes and never changes.
//
// It is not a cache and knows no records; what nobody names any more is removed by retention, not here.
//
// It stores, by the store's URL:
//
//	git        blobs in the repository: those of one Put are one commit (tree <first 2 hex>/<sha256>) under refs/plumb/blobs/<yyyy-mm-dd>/<tree>,
//	           which no ordinary clone fetches; Push sends them to the remote
//	file://DIR files DIR/<first 2 hex>/<sha256>; a relative DIR is inside the project
package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// ErrNotFound says that the store does not have a blob.
var ErrNotFound = errors.New("the store does not have this blob")

// Blob is bytes to keep.
type Blob struct {
	Data []byte
	Type string // media type
	Rows int64  // of a table; 0 otherwise
}

// Store keeps blobs.
type Store interface {
	// Put keeps blobs and gives their pointers, in order. A blob that is there already costs nothing more.
	Put(ctx context.Context, blobs []Blob) ([]record.Pointer, error)
	// Get gives a blob's bytes, of exactly the pointer's SHA-256 and size. The error is ErrNotFound when the store does not have them.
	Get(ctx context.Context, p record.Pointer) ([]byte, error)
	// Has says whether Get would find the blob on this machine.
	Has(ctx context.Context, p record.Pointer) bool
	// Push sends what Put kept to where others read it.
	Push(ctx context.Context) error
}

// Options say how a store is reached.
type Options struct {
	Root      string    // the project's folder, for relative file:// URLs; "" is the top of the working tree
	Token     string    // for https remotes
	TokenHost string    // the only host that gets the token; "" stands for the remote's
	Now       time.Time // for the day in a ref's name; zero is the clock
}

// Open gives the store at url: "git" (also "") or file://DIR.
func Open(repo *gitdb.Repo, url string, opts Options) (Store, error) {
	if opts.Root == "" {
		opts.Root = repo.Root()
	}
	if opts.Token != "" {
		repo.SetToken(opts.Token, opts.TokenHost)
	}
	scheme, path, isURL := strings.Cut(url, "://")
	switch {
	case url == "" || url == "git":
		return &gitStore{repo: repo, now: opts.Now}, nil
	case isURL && scheme == "file":
		return openFiles(path, opts.Root)
	}
	return nil, problem.Wrongf(`use "git" or "file://DIR"`, "opening store: %q is not a store that this program knows", url)
}

// pointer names a blob.
func (b Blob) pointer() record.Pointer {
	sum := sha256.Sum256(b.Data)
	return record.Pointer{SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(b.Data)), Type: b.Type, Rows: b.Rows}
}

// verify holds bytes that came from anywhere against the pointer.
func verify(p record.Pointer, data []byte) error {
	if int64(len(data)) != p.Bytes {
		return fmt.Errorf("blob %s has %d bytes, %d are recorded", p.SHA256, len(data), p.Bytes)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != p.SHA256 {
		return fmt.Errorf("blob %s holds other bytes: its SHA-256 is %x", p.SHA256, sum)
	}
	return nil
}

// fanned is a blob's path in a tree or folder.
func fanned(sha256 string) string { return sha256[:2] + "/" + sha256 }
