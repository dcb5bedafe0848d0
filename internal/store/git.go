package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

const (
	blobRefs = "refs/plumb/blobs/"
	// MaxGitBlob is the largest blob that the Git store takes: what GitHub warns about; twice that it refuses.
	MaxGitBlob   = 50 << 20
	blobIdentity = "plumb"
)

// gitStore keeps blobs in the repository itself.
type gitStore struct {
	repo *gitdb.Repo
	opts Options

	mu  sync.Mutex
	ids map[string]string // object ids of blobs that were looked up
}

func (s *gitStore) String() string { return "git" }

func (s *gitStore) day() time.Time {
	now := s.opts.Now
	if now.IsZero() {
		now = time.Now()
	}
	return now.UTC().Truncate(24 * time.Hour)
}

// Put makes one commit of the blobs. Commit and ref follow from the blobs and the day alone, so the same Put twice, or on two machines, is the same ref.
func (s *gitStore) Put(ctx context.Context, blobs []Blob) ([]record.Pointer, error) {
	if len(blobs) == 0 {
		return nil, nil
	}
	pointers := make([]record.Pointer, len(blobs))
	for i, b := range blobs {
		pointers[i] = b.pointer()
		if err := pointers[i].Check(); err != nil {
			return nil, fmt.Errorf("storing: %w", err)
		}
		if err := checkGitSize("a blob", pointers[i].Bytes); err != nil {
			return nil, fmt.Errorf("storing: %w", err)
		}
	}
	_, _, err := s.write(ctx, func(w *gitdb.Writer) ([]gitdb.File, error) {
		files := make([]gitdb.File, len(blobs))
		for i, b := range blobs {
			oid, err := w.Blob(b.Data)
			if err != nil {
				return nil, err
			}
			pointers[i].OID = oid
			s.opts.noteMade(pointers[i])
			files[i] = gitdb.File{Path: fanned(pointers[i].SHA256), OID: oid}
		}
		return files, nil
	})
	if err != nil {
		return nil, fmt.Errorf("storing: %w", err)
	}
	return pointers, nil
}

func checkGitSize(what string, size int64) error {
	if size <= MaxGitBlob {
		return nil
	}
	return problem.Failedf("set [store] url in plumb.toml to object storage, a registry or a folder (s3://, gs://, azblob://, oci://, file://); `plumb store copy git NEW-URL` brings along what is there",
		"%s of %d MB is too big for the git store (%d MB)", what, size>>20, MaxGitBlob>>20)
}

// write makes the commit of a day with the blobs that list gives, and its ref.
func (s *gitStore) write(ctx context.Context, list func(w *gitdb.Writer) ([]gitdb.File, error)) (ref, commit string, err error) {
	err = s.repo.Write(ctx, func(w *gitdb.Writer) error {
		files, err := list(w)
		if err == nil {
			ref, commit, err = commitBlobs(w, period{s.day(), false}, files)
		}
		return err
	})
	if err != nil {
		return "", "", err
	}
	return ref, commit, s.point(ctx, ref, commit)
}

// commitBlobs makes the commit of a period that holds files, and says how its ref is called: both follow from the period and the files alone.
func commitBlobs(w *gitdb.Writer, p period, files []gitdb.File) (ref, commit string, err error) {
	seen := map[string]bool{}
	files = slices.DeleteFunc(slices.Clone(files), func(f gitdb.File) bool {
		again := seen[f.Path]
		seen[f.Path] = true
		return again
	})
	tree, err := w.Tree("", files)
	if err != nil {
		return "", "", err
	}
	who := &gitdb.Identity{Name: blobIdentity, Email: "plumb@localhost"}
	commit, err = w.Commit(tree, gitdb.CommitInfo{Message: "blobs\n", Author: who, Time: p.day})
	return blobRefs + p.String() + "/" + tree[:20], commit, err
}

func (s *gitStore) point(ctx context.Context, ref, commit string) error {
	err := s.repo.Swap(ctx, ref, "", commit)
	if errors.Is(err, gitdb.ErrMoved) {
		if now, refErr := s.repo.Ref(ref); refErr == nil && now == commit {
			return nil
		}
	}
	return err
}

// Get looks in this clone, then asks the remote for the very object, whose id is in the pointer or, for pinned data, in the trees of the remote's refs. Where
// the server does not hand out single objects, the ref is fetched.
func (s *gitStore) Get(ctx context.Context, p record.Pointer) ([]byte, error) {
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("reading blob: %w", err)
	}
	if err := s.opts.allow(ctx, p); err != nil {
		return nil, err
	}
	return s.get(ctx, p)
}

func (s *gitStore) get(ctx context.Context, p record.Pointer) ([]byte, error) {
	if data, ok := s.local(s.repo, p); ok {
		return data, nil
	}
	mirror, err := s.repo.Mirror(ctx)
	if errors.Is(err, gitdb.ErrNoRemote) {
		return nil, notHere(p, "git")
	}
	if err != nil {
		return nil, fmt.Errorf("reading blob: %w", err)
	}
	if data, ok := s.local(mirror.Repo, p); ok {
		return data, nil
	}
	if p.OID != "" && mirror.Fetch(ctx, false, p.OID) == nil {
		if data, ok := s.read(mirror.Repo, p, p.OID); ok {
			return data, nil
		}
	}
	return s.search(ctx, mirror, p)
}

// Open gives what Get gives: blobs here are small.
func (s *gitStore) Open(ctx context.Context, p record.Pointer) (io.ReadCloser, error) {
	data, err := s.Get(ctx, p)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(readerOf(data)), nil
}

// local looks for a blob by its object id, else through the trees of the refs. Bytes that are not the pointer's do not count.
func (s *gitStore) local(repo *gitdb.Repo, p record.Pointer) ([]byte, bool) {
	if data, ok := s.read(repo, p, s.idOf(p)); ok {
		return data, true
	}
	refs, err := repo.Refs(blobRefs)
	if err != nil {
		return nil, false
	}
	for _, ref := range slices.Backward(refs) {
		oid, err := repo.Lookup(ref.OID, fanned(p.SHA256))
		if err != nil || oid == "" {
			continue
		}
		if data, ok := s.read(repo, p, oid); ok {
			return data, true
		}
	}
	return nil, false
}

func (s *gitStore) read(repo *gitdb.Repo, p record.Pointer, oid string) ([]byte, bool) {
	if oid == "" {
		return nil, false
	}
	data, err := repo.Blob(oid)
	return data, err == nil && verify(p, data) == nil
}

const searches = 3

// search looks into the trees of the remote's refs. It begins anew when the ref that it found was packed into another before it could be fetched.
func (s *gitStore) search(ctx context.Context, mirror *gitdb.Mirror, p record.Pointer) ([]byte, error) {
	shelf, err := s.shelf(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading blob %s: %w", p.SHA256, err)
	}
	defer shelf.close()
	for range searches {
		refs, err := shelf.refs(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading blob %s: %w", p.SHA256, err)
		}
		ref, oid := "", ""
		for _, name := range sortedDown(refs) {
			if oid, err = shelf.repo.Lookup(refs[name], fanned(p.SHA256)); err == nil && oid != "" {
				ref = name
				break
			}
		}
		if ref == "" {
			return nil, notHere(p, "git")
		}
		for _, want := range []string{oid, ref} {
			if mirror.Fetch(ctx, false, want) != nil {
				continue
			}
			if data, ok := s.read(mirror.Repo, p, oid); ok {
				return data, nil
			}
			if data, err := mirror.Blob(oid); err == nil {
				return nil, fmt.Errorf("reading blob of %s: %w", ref, verify(p, data))
			}
		}
	}
	return nil, problem.Failedf("run it again", "reading blob %s: the refs of the remote changed again and again", p.SHA256)
}

// sortedDown gives the names of refs, the youngest day first.
func sortedDown(refs map[string]string) []string {
	names := slices.Sorted(maps.Keys(refs))
	slices.Reverse(names)
	return names
}

// Has looks in this clone and in what was fetched before.
func (s *gitStore) Has(ctx context.Context, p record.Pointer) bool {
	if p.Check() != nil {
		return false
	}
	if _, ok := s.local(s.repo, p); ok {
		return true
	}
	mirror, err := s.repo.Mirror(ctx)
	if err != nil {
		return false
	}
	_, ok := s.local(mirror.Repo, p)
	return ok
}
