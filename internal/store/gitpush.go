package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/problem"
)

// Missing looks into the trees of the refs that others see.
func (s *gitStore) Missing(ctx context.Context, named []Named) ([]Named, error) {
	named, err := unique(named)
	if err != nil || len(named) == 0 {
		return nil, err
	}
	shelf, err := s.shelf(ctx)
	if err != nil {
		return nil, fmt.Errorf("looking for blobs: %w", err)
	}
	defer shelf.close()
	refs, err := shelf.refs(ctx)
	if err != nil {
		return nil, fmt.Errorf("looking for blobs: %w", err)
	}
	there := map[string]string{}
	for _, ref := range sortedDown(refs) {
		blobs, _, err := shelf.blobsOf(refs[ref])
		if err != nil {
			return nil, fmt.Errorf("looking for blobs: %w", err)
		}
		for sum, oid := range blobs {
			there[sum] = cmp.Or(there[sum], oid) // the youngest counts, as for who reads
		}
	}
	return slices.DeleteFunc(named, func(n Named) bool {
		oid := there[n.SHA256]
		return oid != "" && (n.OID == "" || n.OID == oid)
	}), nil
}

// Push makes one commit of all that is named, also of what the remote has, so that retention, which spares young refs, can't drop it meanwhile, and sends it
// under a ref of today. Refs of this clone whose blobs it holds have done their work and go.
func (s *gitStore) Push(ctx context.Context, named []Named) (Sent, error) {
	named, err := unique(named)
	if err != nil || len(named) == 0 {
		return Sent{}, err
	}
	for _, n := range named {
		if err := checkGitSize(n.What, n.Bytes); err != nil {
			return Sent{}, fmt.Errorf("sending blobs: %w", err)
		}
	}
	oids, err := s.collect(ctx, named)
	if err != nil {
		return Sent{}, fmt.Errorf("sending blobs: %w", err)
	}
	ref, commit, err := s.write(ctx, func(*gitdb.Writer) ([]gitdb.File, error) {
		files := make([]gitdb.File, 0, len(oids))
		for sum, oid := range oids {
			files = append(files, gitdb.File{Path: fanned(sum), OID: oid})
		}
		return files, nil
	})
	if err != nil {
		return Sent{}, fmt.Errorf("sending blobs: %w", err)
	}
	sent := Sent{Blobs: len(named)}
	for _, n := range named {
		sent.Bytes += n.Bytes
	}
	s.opts.Update(0, len(named), fmt.Sprintf("sending blobs, %d MB in all", sent.Bytes/megabyte))
	if err := s.sendRef(ctx, ref, commit); err != nil {
		return Sent{}, fmt.Errorf("sending blobs: %w", err)
	}
	return sent, s.tidy(ctx, ref, oids)
}

// sendRef pushes a ref. That the remote has it with another commit is nobody's loss: its name follows from its tree, so the blobs are there.
func (s *gitStore) sendRef(ctx context.Context, ref, commit string) error {
	err := s.repo.Push(ctx, commit+":"+ref)
	if err == nil || errors.Is(err, gitdb.ErrNoRemote) {
		return nil
	}
	if now, listErr := s.repo.ListRemote(ctx, ref); listErr == nil && now[ref] != "" {
		return nil
	}
	return err
}

// collect makes sure that every blob is an object of this repository, and gives their ids.
func (s *gitStore) collect(ctx context.Context, named []Named) (map[string]string, error) {
	oids := map[string]string{}
	var nowhere []Named
	for _, n := range named {
		if n.OID != "" && s.repo.Has(n.OID) {
			oids[n.SHA256] = n.OID
			continue
		}
		data, err := s.bytesOf(ctx, n)
		switch {
		case errors.Is(err, ErrNotFound):
			nowhere = append(nowhere, n)
			continue
		case err != nil:
			return nil, err
		}
		err = s.repo.Write(ctx, func(w *gitdb.Writer) error {
			oids[n.SHA256], err = w.Blob(data)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if len(nowhere) > 0 {
		return nil, problem.Failedf("push from the machine that made them, or run what they belong to again", "%s is neither at the remote nor on this machine", listNamed(nowhere))
	}
	return oids, nil
}

func (s *gitStore) bytesOf(ctx context.Context, n Named) ([]byte, error) {
	if n.File == "" {
		return s.Get(ctx, n.Pointer)
	}
	if data, ok := s.local(s.repo, n.Pointer); ok {
		return data, nil
	}
	file, err := os.Open(n.File)
	if err != nil {
		return nil, err
	}
	return readAll(verifying(n.Pointer, n.File, file), n.Bytes)
}

// tidy deletes this clone's refs whose blobs all are in one that was pushed, where that is not the place others read.
func (s *gitStore) tidy(ctx context.Context, pushed string, oids map[string]string) error {
	if _, ok := s.repo.Remote(); !ok {
		return nil
	}
	local := gitShelf{repo: s.repo}
	refs, err := local.here()
	if err != nil {
		return err
	}
	done := map[string]string{}
	for ref, commit := range refs {
		if _, ours := periodOf(ref); !ours || ref == pushed {
			continue
		}
		blobs, foreign, err := local.blobsOf(commit)
		if err != nil || foreign {
			continue // broken or not only ours: it stays
		}
		whole := true
		for sum := range blobs {
			whole = whole && oids[sum] != ""
		}
		if whole {
			done[ref] = commit
		}
	}
	if err := s.repo.Drop(ctx, done); err != nil {
		return fmt.Errorf("tidying refs of blobs that were sent: %w", err)
	}
	return nil
}

// List gives the blobs of the refs that others see; their sizes are not known.
func (s *gitStore) List(ctx context.Context) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		shelf, err := s.shelf(ctx)
		if err != nil {
			yield(Item{}, fmt.Errorf("listing blobs: %w", err))
			return
		}
		defer shelf.close()
		if _, err := shelf.refs(ctx); err != nil {
			yield(Item{}, fmt.Errorf("listing blobs: %w", err))
			return
		}
		for item, err := range s.listRefs(shelf) {
			if err != nil {
				err = fmt.Errorf("listing blobs: %w", err)
			}
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}

// Claims is empty: the repository is the project's own.
func (s *gitStore) Claims(context.Context) ([]string, error) { return nil, nil }
