package dataset

import (
	"context"
	"fmt"
	"slices"

	"github.com/plumb-ml/plumb/internal/doc"
)

// The states of a lock beside its source.
const (
	Current = "current"
	Behind  = "behind" // the source has more files: normal between retrains
	Broken  = "broken" // a listed file is gone or differs
)

// State compares a lock with the working folder, and says why it is behind or broken. Data that lies elsewhere, in a tree or the store, is not
// looked for: a file that Git ignores on another machine is broken here until it is fetched.
func State(ctx context.Context, root string, ds *doc.Dataset, lock *doc.Lock) (state, why string, err error) {
	m := materialiser{Sources: Sources{WorkDir: root}}
	if m.root, err = openRoot(root); err != nil {
		return "", "", err
	}
	defer m.root.Close()
	var listed []string
	for _, f := range lock.Files {
		listed = append(listed, f.Path)
		here, err := m.working(ctx, f)
		if err != nil {
			return "", "", err
		}
		if here == "" {
			return Broken, fmt.Sprintf("%s is not the pinned file; `plumb data pin %s` pins what is there", f.Path, ds.ID), nil
		}
	}
	found, err := expand(root, ds.Source.Path)
	if err != nil {
		return "", "", err
	}
	more := 0
	for _, f := range found {
		if !slices.Contains(listed, f) {
			more++
		}
	}
	if more > 0 {
		return Behind, fmt.Sprintf("the source has %d more files", more), nil
	}
	return Current, "", nil
}
