package ledger

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

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

// computing reports how long this process and its children computed: how long they took depends on what else the machine does.
func computing(b *testing.B, do func()) {
	b.Helper()
	used := func() (total time.Duration) {
		for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
			var u syscall.Rusage
			if err := syscall.Getrusage(who, &u); err != nil {
				b.Fatal(err)
			}
			total += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
		return total
	}
	n, before := 0, used()
	for b.Loop() {
		do()
		n++
	}
	b.ReportMetric(float64((used()-before).Milliseconds())/float64(n), "cpu-ms/op")
}

// The budget: 10,000 runs listed cold in less than a second, 100,000 in less than ten.
func BenchmarkList(b *testing.B) {
	for _, runs := range []int{10_000, 100_000} {
		for _, packed := range []bool{true, false} {
			b.Run(fmt.Sprintf("runs=%d/packed=%v", runs, packed), func(b *testing.B) {
				dir := benchRepository(b)
				filled(b, dir, runs)
				if packed {
					benchGit(b, dir, "gc", "-q")
				}
				computing(b, func() {
					l, repo, err := openAt(dir)
					if err != nil {
						b.Fatal(err)
					}
					v, err := l.Read(context.Background())
					if err != nil || len(v.Runs()) != runs {
						b.Fatal(err, len(v.Problems()))
					}
					repo.Close()
				})
			})
		}
	}
}

// The budget: one record pushed without others in the way in less than 150 ms, also onto a long ledger.
func BenchmarkAppend(b *testing.B) {
	for _, records := range []int{0, 10_000, 100_000} {
		for _, remote := range []bool{false, true} {
			b.Run(fmt.Sprintf("records=%d/remote=%v", records, remote), func(b *testing.B) {
				dir := benchRepository(b)
				if records > 0 {
					filled(b, dir, records)
					benchGit(b, dir, "gc", "-q")
				}
				if remote {
					dir = benchClone(b, dir)
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
				computing(b, func() {
					n++
					if _, err := l.Append(context.Background(), adding(run("bench", n))); err != nil {
						b.Fatal(err)
					}
				})
			})
		}
	}
}

// benchClone is a clone of a bare copy of a repository, whose ledger it has not seen yet.
func benchClone(b *testing.B, dir string) string {
	b.Helper()
	bare, clone := b.TempDir(), b.TempDir()
	benchGit(b, dir, "clone", "-q", "--bare", dir, bare)
	benchGit(b, dir, "clone", "-q", "--branch=main", "--single-branch", bare, clone)
	return clone
}

// What a fresh clone pays: the ledger without its history comes over, and one record goes back.
func BenchmarkFirstAppend(b *testing.B) {
	for _, records := range []int{0, 10_000, 100_000} {
		b.Run(fmt.Sprintf("records=%d", records), func(b *testing.B) {
			dir := benchRepository(b)
			if records > 0 {
				filled(b, dir, records)
				benchGit(b, dir, "gc", "-q")
			}
			n := 0
			computing(b, func() {
				b.StopTimer()
				clone := benchClone(b, dir)
				b.StartTimer()
				l, repo, err := openAt(clone)
				if err != nil {
					b.Fatal(err)
				}
				n++
				if _, err := l.Append(context.Background(), adding(run("bench", n))); err != nil {
					b.Fatal(err)
				}
				repo.Close()
			})
		})
	}
}

func BenchmarkAppendPrivate(b *testing.B) {
	l, repo, err := openAt(benchRepository(b))
	if err != nil {
		b.Fatal(err)
	}
	defer repo.Close()
	n := 0
	computing(b, func() {
		n++
		if err := l.AppendPrivate(context.Background(), []File{run("bench", n)}); err != nil {
			b.Fatal(err)
		}
	})
}
