package flow

import (
	"context"
	"fmt"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/ledger"
)

// checkData profiles and checks the pinned datasets whose lock no snapshot of the ledger stands for. What fails is shown; what landed has landed.
func (l *landing) checkData(ctx context.Context) (string, error) {
	var checked []string
	for _, id := range keys(l.head.Docs.Datasets) {
		lock := l.head.Docs.Locks[id]
		if hasSnapshot(l.view, id, lock) {
			continue
		}
		w, err := l.p.workshop(ctx, l.head.Docs.Project)
		if err != nil {
			return "", err
		}
		s, err := w.snapshot(ctx, l.head, l.head.Docs.Datasets[id])
		w.close()
		if err != nil {
			return "", fmt.Errorf("checking %s: %w", id, err)
		}
		l.out.Records = append(l.out.Records, s.record)
		l.out.Blobs = append(l.out.Blobs, s.blobs...)
		l.out.Result.Data = append(l.out.Result.Data, s.change(lock, false))
		checked = append(checked, id)
	}
	if len(checked) == 0 {
		return "", skip("every pinned dataset has its snapshot")
	}
	return list(checked), nil
}

func hasSnapshot(v *ledger.View, dataset string, lock *doc.Lock) bool {
	for _, s := range v.Snapshots() {
		if s.Dataset == dataset && s.Lock == lock.Digest() {
			return true
		}
	}
	return false
}
