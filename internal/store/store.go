// Package store keeps what is too big for a record: models, evaluations, details, data. A blob is named by the SHA-256 of its bytes and never changes.
//
// It knows no records and no retention: what nobody names any more is found and removed by others, through List and Remove.
//
// It stores, by the store's URL (doc.ParseStoreURL):
//
//	git            blobs in the repository: those of one Put are one commit (tree <first 2 hex>/<sha256>) under refs/plumb/blobs/<yyyy-mm-dd>/<tree>,
//	               which no ordinary clone fetches. One Push is one such commit at the remote. Pack folds them into one ref a day, then one a month
//	file://DIR     files DIR/<first 2 hex>/<sha256>; a relative DIR is inside the project
//	s3:// gs:// azblob://  objects <prefix>/<first 2 hex>/<sha256>; also what has arrived of a large one that is on its way: on S3 and Azure under that key,
//	               where nobody sees it, on Google's as objects <prefix>/.plumb/parts/<first 2 hex>/<sha256>/…
//	oci://         artifacts of a registry's repository, tagged <sha256>; a large one is several layers
//
// For object storage and registries, what Put keeps lies in .git/plumb/outbox until Push has sent it: a run needs no network. What was read from there is
// also kept in .git/plumb/cache/blobs, which may be deleted. What such a store does not have is looked for in the Git store too, so that a project that has
// moved still reads what it recorded before.
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"sync"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/objects"
	"github.com/plumb-ml/plumb/internal/oci"
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

// Named is a blob that a record or a lock names, to be sent or looked for.
type Named struct {
	record.Pointer
	File string // a file with its bytes that the store was not given: pinned data. Records' blobs have none
	What string // for messages: "the model of run 20010630T120000Z-0123456789ab"
}

// Sent says what a Push did.
type Sent struct {
	Blobs   int   `json:"blobs"`   // sent
	Bytes   int64 `json:"bytes"`   // of these, also what was there of a blob whose upload went on
	Already int   `json:"already"` // that were there
}

// Item is a blob that the store has.
type Item struct {
	SHA256   string
	Bytes    int64     // -1 when the store can't say
	Modified time.Time // when it was last named by a Push, to the day in the Git store; zero when the store can't say

	oid string // in the Git store
}

// Store keeps blobs. Its methods may be called from several goroutines.
type Store interface {
	// Put keeps blobs on this machine (file://: in the folder) and gives their pointers, in order. A blob that is there already costs nothing more.
	Put(ctx context.Context, blobs []Blob) ([]record.Pointer, error)
	// Get gives a blob's bytes, of exactly the pointer's SHA-256 and size. The error is ErrNotFound when the store does not have them.
	Get(ctx context.Context, p record.Pointer) ([]byte, error)
	// Open gives the same as a stream: when the bytes are not the pointer's, the last Read says so.
	Open(ctx context.Context, p record.Pointer) (io.ReadCloser, error)
	// Has says whether Get would find the blob without asking elsewhere.
	Has(ctx context.Context, p record.Pointer) bool
	// Missing gives those that others can't read yet.
	Missing(ctx context.Context, named []Named) ([]Named, error)
	// Push brings blobs to where others read them, those that are there already only by name: they are young again. Killed, it may be run again.
	Push(ctx context.Context, named []Named) (Sent, error)
	// Bring makes reading many blobs fast, where reading them one by one is slow.
	Bring(ctx context.Context, pointers []record.Pointer) error
	// List gives every blob that others can read.
	List(ctx context.Context) iter.Seq2[Item, error]
	// Remove takes blobs away from where others read and from this machine. Those that are not there are a success; with a time, those that a Push named
	// since then stay.
	Remove(ctx context.Context, sums []string, before time.Time) error
	// Claims gives the projects that have pushed to the store. A store that belongs to its repository has none.
	Claims(ctx context.Context) ([]string, error)
	// String is the store's address, for messages.
	String() string

	// shared reads from where others read, whatever this machine has.
	shared(ctx context.Context, p record.Pointer) (io.ReadCloser, error)
	// receive takes blobs of another store and gives those that can't be read there.
	receive(ctx context.Context, from Store, batch []record.Pointer, arrived func(record.Pointer)) (failed map[string]error, err error)
}

// Options say how a store is reached.
type Options struct {
	Root     string        // the project's folder, for relative file:// URLs; "" is the top of the working tree
	Now      time.Time     // for the day in a ref's name; zero is the clock
	Project  string        // who pushes, as "flights-1a2b3c4d": shared stores keep a list, so that nobody removes what another needs
	Patience time.Duration // how long a service may make no progress; zero is a minute

	// Refuse is asked before a blob's bytes are handed out, but for what this process made: an error says why they may not be read. nil: all may.
	Refuse func(ctx context.Context, sha256 string) error

	Update func(done, total int, note string) // told how many MB of how many a Push has sent; nil: nobody is

	made *sync.Map // SHA-256 of what this process put
}

// noteMade remembers what this process made: it may read it.
func (o Options) noteMade(p record.Pointer) {
	if o.made != nil {
		o.made.Store(p.SHA256, true)
	}
}

// allow asks Options.Refuse.
func (o Options) allow(ctx context.Context, p record.Pointer) error {
	if o.Refuse == nil {
		return nil
	}
	if _, made := o.made.Load(p.SHA256); made {
		return nil
	}
	return o.Refuse(ctx, p.SHA256)
}

// Open gives the store at a [store] url. Nothing is asked of it yet.
func Open(repo *gitdb.Repo, url string, opts Options) (Store, error) {
	at, err := doc.ParseStoreURL(url)
	if err != nil {
		return nil, fmt.Errorf("opening store: %w", err)
	}
	opts.made = &sync.Map{}
	if opts.Root == "" {
		opts.Root = repo.Root()
	}
	if opts.Update == nil {
		opts.Update = func(int, int, string) {}
	}
	git := &gitStore{repo: repo, opts: opts}
	private := filepath.Join(repo.GitDir(), "plumb")
	s := &shelved{opts: opts, git: git, outbox: &folder{filepath.Join(private, "outbox")}, cache: &folder{filepath.Join(repo.PrivateDir(), "cache", "blobs")}}
	switch at.Scheme {
	case "git":
		return git, nil
	case "file":
		dir, err := folderOf(at.Path, opts.Root)
		if err != nil {
			return nil, fmt.Errorf("opening store: %w", err)
		}
		s.shelf, s.outbox, s.cache = dir, dir, nil
	case "oci":
		repository, err := oci.Open(at.Host, at.Path, opts.Patience)
		if err != nil {
			return nil, fmt.Errorf("opening store: %w", err)
		}
		s.shelf = registry{repository}
	default:
		s.shelf = &bucket{place: objects.Place{Scheme: at.Scheme, Bucket: at.Host, Prefix: at.Path, Query: at.Query, Patience: opts.Patience}}
	}
	return s, nil
}

// fanned is a blob's path in a tree, folder or bucket.
func fanned(sha256 string) string { return sha256[:2] + "/" + sha256 }
