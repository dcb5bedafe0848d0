package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/index"
	"github.com/plumb-ml/plumb/internal/record"
)

const (
	runsFolder = "runs"
	// leastIndexed is the number of runs from which on an index is kept; fewer are read in less time than a person notices.
	leastIndexed = 64
	staleIndex   = 30 * 24 * time.Hour
)

// RunTable gives the runs by column. Those of each commit that holds records come from its index (see package index), which is made here when there is none: of
// an older commit's index and the difference, where there is one. Close lets go of the files; the table can't be read afterwards.
func (v *View) RunTable(ctx context.Context) (t *index.Table, close func(), err error) {
	var files []*index.File
	close = func() {
		for _, f := range files {
			_ = f.Close() // read only
		}
	}
	var segments []*index.Segment
	private := -1 // the first segment of a private source
	for _, from := range v.sources {
		if from.tip == "" {
			continue
		}
		if from.private && private < 0 {
			private = len(segments)
		}
		parts, problems, file, err := v.indexed(ctx, from)
		if err != nil {
			close()
			return nil, nil, fmt.Errorf("reading runs: %w", err)
		}
		if file != nil {
			files = append(files, file)
		}
		segments = append(segments, parts...)
		v.mu.Lock()
		for _, p := range problems.first {
			v.report(p.Path, errors.New(p.Message))
		}
		v.unread += problems.more
		v.mu.Unlock()
	}
	t = index.NewTable(segments...)
	if private >= 0 {
		if err = dropTwins(t, private); err != nil {
			close()
			return nil, nil, fmt.Errorf("reading runs: %w", err)
		}
	}
	if err = v.dropDisowned(t); err != nil {
		close()
		return nil, nil, fmt.Errorf("reading runs: %w", err)
	}
	return t, close, nil
}

// dropTwins leaves out private runs that the ledger, or another private source, has too.
func dropTwins(t *index.Table, private int) error {
	ids, err := t.Column("id", "string")
	if err != nil || private >= t.Segments() {
		return err
	}
	own := map[string]int{} // how often an id is private
	start := t.Start(private)
	t.OwnFrom = start
	for i := start; i < t.Len(); i++ {
		own[ids.Text(i)]++
	}
	seen := map[string]bool{}
	for i := range start {
		if id := ids.Text(i); own[id] > 0 {
			seen[id] = true
		}
	}
	var twins []int
	for i := start; i < t.Len(); i++ {
		if id := ids.Text(i); seen[id] {
			twins = append(twins, i)
		} else {
			seen[id] = true
		}
	}
	t.Drop(twins)
	return nil
}

// indexed gives the runs of one source.
func (v *View) indexed(ctx context.Context, from source) ([]*index.Segment, unread, *index.File, error) {
	dir := v.ledger.indexDir()
	path := filepath.Join(dir, "index-"+from.tip)
	if f, err := index.Open(path); err == nil && f.Tip == from.tip && f.Ref == from.name() {
		return f.Segments, unread{f.Problems, f.More}, f, nil
	} else if err == nil {
		_ = f.Close()
	}
	old, added, err := v.newest(dir, from)
	if err != nil {
		return nil, unread{}, nil, err
	}
	var segments []*index.Segment
	var problems unread
	if old != nil {
		defer old.Close()
		segments, problems = old.Segments, unread{slices.Clone(old.Problems), old.More}
	}
	if len(added) > 0 {
		fresh, more, err := v.columns(ctx, from.repo, added)
		if err != nil {
			return nil, unread{}, nil, err
		}
		segments = append(slices.Clone(segments), fresh)
		problems.take(more)
	}
	total := 0
	for _, s := range segments {
		total += s.Len()
	}
	if total < leastIndexed && old == nil {
		return segments, problems, nil, nil
	}
	meta := index.Meta{Ref: from.name(), Tip: from.tip, Problems: problems.first, More: problems.more}
	f, err := v.ledger.keepIndex(ctx, path, meta, segments)
	if err == nil {
		return f.Segments, problems, f, nil
	}
	if ctx.Err() != nil {
		return nil, unread{}, nil, ctx.Err()
	}
	// A cache that can't be written is none: a folder that belongs to somebody else, a full disk, an old index that is damaged.
	all, err := from.list(runsFolder)
	if err != nil {
		return nil, unread{}, nil, err
	}
	one, problems, err := v.columns(ctx, from.repo, all)
	return []*index.Segment{one}, problems, nil, err
}

// name tells the sources of one repository apart.
func (s source) name() string {
	if s.private {
		return "private " + s.ref
	}
	return s.ref
}

// DropIndexes removes all indexes, for who found one damaged: they are made anew.
func (l *Ledger) DropIndexes() {
	for _, path := range indexFiles(l.indexDir()) {
		_ = os.Remove(path) // one that stays is overwritten or found damaged again, which its reader tells
	}
}

func (l *Ledger) indexDir() string { return l.repo.PrivateDir() }

// newest opens the youngest index of an older commit of the source, and lists what the commit adds to it; without one, nil and all runs.
func (v *View) newest(dir string, from source) (*index.File, []gitdb.Entry, error) {
	var best *index.File
	var since time.Time
	for _, path := range indexFiles(dir) {
		info, err := os.Stat(path)
		if err != nil || best != nil && !info.ModTime().After(since) {
			continue
		}
		f, err := index.Open(path)
		if err != nil {
			continue
		}
		if f.Ref != from.name() {
			_ = f.Close()
			continue
		}
		if best != nil {
			_ = best.Close()
		}
		best, since = f, info.ModTime()
	}
	if best != nil {
		if added, ok := additions(from, best.Tip); ok {
			return best, added, nil
		}
		_ = best.Close()
	}
	all, err := from.list(runsFolder)
	return nil, all, err
}

func indexFiles(dir string) []string {
	entries, _ := os.ReadDir(dir) // there is none yet
	var paths []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "index-") && e.Type().IsRegular() {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	return paths
}

// additions lists the runs that a commit has and an older one had not; not ok when the older one is not here any more, or when a run of it was changed or is gone.
func additions(from source, old string) ([]gitdb.Entry, bool) {
	if !from.repo.Has(old) {
		return nil, false
	}
	changes, err := from.repo.ChangesUnder(old, from.tip, runsFolder)
	if err != nil {
		return nil, false
	}
	added := make([]gitdb.Entry, 0, len(changes))
	for _, c := range changes {
		if c.Old != "" {
			return nil, false
		}
		added = append(added, gitdb.Entry{Path: c.Path, OID: c.New})
	}
	return added, true
}

// leastApart is how many runs a core is given at least.
const leastApart = 500

// columns reads and decodes runs and keeps their columns. Every core takes its share of the list and waits for no other.
func (v *View) columns(ctx context.Context, repo *gitdb.Repo, entries []gitdb.Entry) (*index.Segment, unread, error) {
	cores := min(runtime.GOMAXPROCS(0), 1+len(entries)/leastApart)
	each := max(1, (len(entries)+cores-1)/cores)
	parts := make([]*part, 0, cores)
	var workers sync.WaitGroup
	for share := range slices.Chunk(entries, each) {
		p := &part{}
		parts = append(parts, p)
		workers.Go(func() { p.read(ctx, repo, share) })
	}
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return nil, unread{}, err
	}
	var segments []*index.Segment
	var problems unread
	for _, p := range parts {
		segments = append(segments, p.rows.Segment())
		problems.take(p.problems)
	}
	one, err := index.Join(segments...)
	return one, problems, err
}

// part is what one core reads.
type part struct {
	rows     index.Builder
	problems unread
}

func (p *part) read(ctx context.Context, repo *gitdb.Repo, entries []gitdb.Entry) {
	for _, e := range entries {
		if ctx.Err() != nil {
			return
		}
		switch row, err := rowAt(repo, e); {
		case row != nil:
			p.rows.Add(row)
		case err != nil:
			p.problems.add(index.Problem{Path: e.Path, Message: err.Error()})
		}
	}
}

// rowAt reads one run; neither a row nor an error for a note that somebody put beside them.
func rowAt(repo *gitdb.Repo, e gitdb.Entry) (index.Row, error) {
	if !MayBeRecord(e.Path) {
		return nil, nil
	}
	data, err := repo.BlobLimit(e.OID, maxRecord)
	if err != nil {
		return nil, err
	}
	r, err := record.Decode(e.Path, data)
	if err != nil {
		return nil, err
	}
	run, ok := r.(*record.Run)
	if !ok {
		return nil, fmt.Errorf("%s is no run", e.Path)
	}
	return index.RowOf(run), nil
}

// keepIndex writes an index beside and renames it, so that another process sees all of it or nothing, then removes those that it stands for. Two processes write
// the same.
func (l *Ledger) keepIndex(ctx context.Context, path string, meta index.Meta, segments []*index.Segment) (*index.File, error) {
	temp, remove, err := l.repo.TempDir(ctx)
	if err != nil {
		return nil, err
	}
	defer remove()
	fresh := filepath.Join(temp, "index")
	if err := index.Write(fresh, meta, segments); err != nil {
		return nil, err
	}
	if err := os.Rename(fresh, path); err != nil {
		return nil, err
	}
	for _, other := range indexFiles(filepath.Dir(path)) {
		if other != path && outdated(other, meta.Ref) {
			_ = os.Remove(other) // another process may have been faster, or reads it where an open file can't go
		}
	}
	return index.Open(path)
}

// outdated says whether an index is of an older commit of a ref, can't be read by anybody, or was left by what is long gone.
func outdated(path, ref string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	f, err := index.Open(path)
	if err != nil {
		return errors.Is(err, index.ErrUnusable)
	}
	defer f.Close()
	return f.Ref == ref || time.Since(info.ModTime()) > staleIndex
}
