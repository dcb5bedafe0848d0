package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

const (
	blobRefs = "refs/plumb/blobs/"
	// maxGitBlob is what GitHub warns about; twice that it refuses.
	maxGitBlob   = 50 << 20
	refsPerPush  = 100
	blobIdentity = "plumb"
)

// gitStore keeps blobs in the repository itself.
type gitStore struct {
	repo *gitdb.Repo
	now  time.Time
}

func (s *gitStore) day() time.Time {
	now := s.now
	if now.IsZero() {
		now = time.Now()
	}
	return now.UTC().Truncate(24 * time.Hour)
}

// Put makes one commit of the blobs, also of those that are there already: nothing that a young ref names is dropped by retention. Commit and ref follow from
// the blobs and the day alone, so the same Put twice, or on two machines, is the same ref.
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
		if pointers[i].Bytes > maxGitBlob {
			return nil, problem.Failedf("set [store] url in plumb.toml to a folder or object storage (file://, s3://, gs://, azblob://)",
				"storing: a blob of %d MB is too big for the git store (%d MB)", pointers[i].Bytes>>20, maxGitBlob>>20)
		}
	}
	ref, commit, err := s.write(ctx, blobs, pointers)
	if err == nil {
		err = s.point(ctx, ref, commit)
	}
	if err != nil {
		return nil, fmt.Errorf("storing: %w", err)
	}
	return pointers, nil
}

func (s *gitStore) write(ctx context.Context, blobs []Blob, pointers []record.Pointer) (ref, commit string, err error) {
	err = s.repo.Write(ctx, func(w *gitdb.Writer) error {
		files := map[string]gitdb.File{}
		for i, b := range blobs {
			oid, err := w.Blob(b.Data)
			if err != nil {
				return err
			}
			pointers[i].OID = oid
			path := fanned(pointers[i].SHA256)
			files[path] = gitdb.File{Path: path, OID: oid}
		}
		list := make([]gitdb.File, 0, len(files))
		for _, f := range files {
			list = append(list, f)
		}
		tree, err := w.Tree("", list)
		if err != nil {
			return err
		}
		day := s.day()
		ref = blobRefs + day.Format(time.DateOnly) + "/" + tree[:20]
		who := &gitdb.Identity{Name: blobIdentity, Email: "plumb@localhost"}
		commit, err = w.Commit(tree, gitdb.CommitInfo{Message: "blobs\n", Author: who, Time: day})
		return err
	})
	return ref, commit, err
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

// Get looks in this clone, then asks the remote for the very object, then goes through the remote's refs, newest first.
func (s *gitStore) Get(ctx context.Context, p record.Pointer) ([]byte, error) {
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("reading blob: %w", err)
	}
	if data, ok := s.local(s.repo, p); ok {
		return data, nil
	}
	mirror, err := s.repo.Mirror(ctx)
	if errors.Is(err, gitdb.ErrNoRemote) {
		return nil, errNotHere(p)
	}
	if err != nil {
		return nil, fmt.Errorf("reading blob: %w", err)
	}
	if data, ok := s.local(mirror.Repo, p); ok {
		return data, nil
	}
	if p.OID != "" && mirror.Fetch(ctx, false, p.OID) == nil {
		if data, ok := s.local(mirror.Repo, p); ok {
			return data, nil
		}
	}
	return s.search(ctx, mirror, p)
}

func errNotHere(p record.Pointer) error {
	return problem.Failedf("whoever made it has to run `plumb push`", "reading blob %s: %w", p.SHA256, ErrNotFound)
}

// local looks for a blob by its object id, else through the trees of the refs. Bytes that are not the pointer's do not count.
func (s *gitStore) local(repo *gitdb.Repo, p record.Pointer) ([]byte, bool) {
	if data, ok := s.read(repo, p, p.OID); ok {
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

// search fetches the remote's refs day by day, from the last, until one has the blob.
func (s *gitStore) search(ctx context.Context, mirror *gitdb.Mirror, p record.Pointer) ([]byte, error) {
	remote, err := mirror.ListRemote(ctx, blobRefs)
	if err != nil {
		return nil, fmt.Errorf("reading blob %s: %w", p.SHA256, err)
	}
	days := map[string][]string{}
	for ref, oid := range remote {
		if known, err := mirror.Ref(ref); err != nil || known != oid {
			day, _, _ := strings.Cut(strings.TrimPrefix(ref, blobRefs), "/")
			days[day] = append(days[day], ref)
		}
	}
	for _, day := range sortedDown(days) {
		if err := mirror.Fetch(ctx, false, days[day]...); err != nil {
			return nil, fmt.Errorf("reading blob %s: %w", p.SHA256, err)
		}
		if data, ok := s.local(mirror.Repo, p); ok {
			return data, nil
		}
	}
	return nil, errNotHere(p)
}

func sortedDown(days map[string][]string) []string {
	var names []string
	for day, refs := range days {
		slices.Sort(refs)
		names = append(names, day)
	}
	slices.Sort(names)
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

// Push sends the refs that the remote does not have. Without a remote there is nothing to send. One that the remote has with another commit is nobody's loss:
// its name follows from its tree, so the blobs are there.
func (s *gitStore) Push(ctx context.Context) error {
	refs, err := s.repo.Refs(blobRefs)
	if err != nil {
		return fmt.Errorf("pushing blobs: %w", err)
	}
	if len(refs) == 0 {
		return nil
	}
	remote, err := s.repo.ListRemote(ctx, blobRefs)
	if errors.Is(err, gitdb.ErrNoRemote) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("pushing blobs: %w", err)
	}
	var specs []string
	for _, ref := range refs {
		if remote[ref.Name] == "" {
			specs = append(specs, ref.OID+":"+ref.Name)
		}
	}
	for batch := range slices.Chunk(specs, refsPerPush) {
		if err := s.repo.Push(ctx, batch...); err != nil {
			return fmt.Errorf("pushing blobs: %w", err)
		}
	}
	return nil
}
