package ledger

import (
	"context"
	"fmt"
	"testing"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/record"
)

// filled puts realistic runs, of about 2.5 KB each, into a ledger's branch.
func filled(b *testing.B, dir string, count int) {
	b.Helper()
	repo, err := gitdb.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer repo.Close()
	files := make([]gitdb.File, count)
	for i := range files {
		f := run(fmt.Sprintf("experiment-%d", i%20), i*20, realistic)
		files[i] = gitdb.File{Path: f.Path, Data: f.Data}
	}
	_, err = repo.Update(context.Background(), "refs/heads/plumb/ledger", func(w *gitdb.Writer, _ string) (string, error) {
		tree, err := w.Tree("", files)
		if err != nil {
			return "", err
		}
		return w.Commit(tree, gitdb.CommitInfo{Message: "many"})
	})
	if err != nil {
		b.Fatal(err)
	}
}

func realistic(r *record.Run) {
	for i := range 12 {
		name := fmt.Sprintf("metric_%d", i)
		r.Result.Metrics[name] = float64(i) / 7
		if r.Result.Valid == nil {
			r.Result.Valid = map[string]float64{}
		}
		r.Result.Valid[name] = float64(i) / 9
		r.Features = append(r.Features, fmt.Sprintf("origin.mean_delay_%dh", i))
		r.Inputs[fmt.Sprintf("feature.view-%d", i%4)] = fmt.Sprintf("sha256:%064d", i)
	}
	p := record.Pointer{SHA256: fmt.Sprintf("%064d", 7), Bytes: 123456, Type: "application/vnd.apache.parquet", Rows: 1000, OID: fmt.Sprintf("%040d", 7)}
	r.Artifact, r.Evaluation, r.Detail = p, p, p
}

// The budget: 10,000 runs listed cold in less than a second.
func BenchmarkList10000Runs(b *testing.B) {
	for _, packed := range []bool{true, false} {
		b.Run(fmt.Sprintf("packed=%v", packed), func(b *testing.B) {
			dir := benchRepository(b)
			filled(b, dir, 10_000)
			if packed {
				benchGit(b, dir, "gc", "-q")
			}
			for b.Loop() {
				l, repo, err := openAt(dir)
				if err != nil {
					b.Fatal(err)
				}
				v, err := l.Read(context.Background())
				if err != nil || len(v.Runs()) != 10_000 {
					b.Fatal(err, len(v.Problems()))
				}
				repo.Close()
			}
		})
	}
}

// The budget: one record pushed without others in the way in less than 150 ms, also onto a long ledger.
func BenchmarkAppend(b *testing.B) {
	for _, records := range []int{0, 10_000} {
		for _, remote := range []bool{false, true} {
			b.Run(fmt.Sprintf("records=%d/remote=%v", records, remote), func(b *testing.B) {
				dir := benchRepository(b)
				if records > 0 {
					filled(b, dir, records)
				}
				if remote {
					bare := b.TempDir()
					benchGit(b, dir, "clone", "-q", "--bare", dir, bare)
					dir = b.TempDir()
					benchGit(b, dir, "clone", "-q", bare, dir)
				}
				l, repo, err := openAt(dir)
				if err != nil {
					b.Fatal(err)
				}
				defer repo.Close()
				if _, err := l.Append(context.Background(), adding(run("warm", 0))); err != nil {
					b.Fatal(err)
				}
				n := 0
				for b.Loop() {
					n++
					if _, err := l.Append(context.Background(), adding(run("bench", n))); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkAppendPrivate(b *testing.B) {
	l, repo, err := openAt(benchRepository(b))
	if err != nil {
		b.Fatal(err)
	}
	defer repo.Close()
	n := 0
	for b.Loop() {
		n++
		if err := l.AppendPrivate(context.Background(), []File{run("bench", n)}); err != nil {
			b.Fatal(err)
		}
	}
}
