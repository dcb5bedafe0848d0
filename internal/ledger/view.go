package ledger

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// View is the records at one moment. Records are decoded when they are asked for, and shared: do not change what they hold.
type View struct {
	Tip     string // commit of the ledger's branch; "" when there is none yet
	Offline string // why the remote was not read; "" when it was, or when there is none

	Rewritten []Rewritten // what the branch has lost since this clone first saw it

	ledger  *Ledger
	sources []source // the one that counts first

	mu       sync.Mutex
	loaded   map[string]bool // top folders whose files are known; "" stands for all
	files    map[string]file
	sorted   []string         // paths; nil when files has grown since
	failure  error            // why not all could be loaded
	decoded  map[string][]any // kind → records
	problems problem.List     // the first of them
	reported map[string]bool  // paths
	unread   int              // that reported does not hold
	strays   []string         // paths of TOML files that are no record's

	disownOnce sync.Once
	disowned   disownings

	dropOnce sync.Once
	dropped  map[string]record.Decision // by blob
}

// source is a commit that holds records.
type source struct {
	repo    *gitdb.Repo
	ref     string
	tip     string // "" for none yet
	private bool
}

// file is where the bytes of a path are.
type file struct {
	repo    *gitdb.Repo
	oid     string
	private bool
}

// load learns which files there are in a top folder ("runs"), or in all for "": a writer who asks for versions need not list all runs. The caller holds
// v.mu. What goes wrong is kept for whoever asks with err.
func (v *View) load(folder string) {
	if v.loaded[""] || v.loaded[folder] {
		return
	}
	for _, from := range v.sources {
		if from.tip == "" {
			continue
		}
		entries, err := from.list(folder)
		if err != nil {
			v.failure = errors.Join(v.failure, err)
			continue
		}
		for _, entry := range entries {
			if top, _, _ := strings.Cut(entry.Path, "/"); folder != "" || !v.loaded[top] {
				v.add(from, entry)
			}
		}
	}
	v.loaded[folder] = true
	v.sorted = nil
}

// add takes in a file; one that is there already stays as it is.
func (v *View) add(from source, entry gitdb.Entry) {
	if _, err := record.ParsePath(entry.Path); err != nil {
		if MayBeRecord(entry.Path) {
			v.strays = append(v.strays, entry.Path)
			v.report(entry.Path, err)
		}
		return
	}
	old, ok := v.files[entry.Path]
	switch {
	case !ok:
		v.files[entry.Path] = file{from.repo, entry.OID, from.private}
	case old.oid != entry.OID && from.private:
		v.report(entry.Path, fmt.Errorf("this clone has other bytes at %s than the ledger, whose count", entry.Path))
	case old.oid != entry.OID:
		v.report(entry.Path, fmt.Errorf("%s is there twice, with other bytes", entry.Path))
	}
}

// err says why the view is not whole.
func (v *View) err() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.failure
}

// at gives the file at a path.
func (v *View) at(path string) (file, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	top, _, _ := strings.Cut(path, "/")
	v.load(top)
	f, ok := v.files[path]
	return f, ok
}

// under lists the paths in a folder ("runs/"), or all, sorted. The caller holds v.mu and does not change the list.
func (v *View) under(folder string) []string {
	v.load(strings.TrimSuffix(folder, "/"))
	if v.sorted == nil {
		v.sorted = slices.Sorted(maps.Keys(v.files))
	}
	start, _ := slices.BinarySearch(v.sorted, folder)
	end := start + sort.Search(len(v.sorted)-start, func(i int) bool { return !strings.HasPrefix(v.sorted[start+i], folder) })
	return v.sorted[start:end]
}

// list lists the files in a folder of a source, or all for "".
func (s source) list(folder string) ([]gitdb.Entry, error) {
	entries, err := s.repo.FilesUnder(s.tip, folder)
	if !s.private && errors.As(err, new(*gitdb.OddError)) {
		return nil, problem.Failedf("`plumb verify --mend` takes it out by a commit on top, and nothing that was recorded is lost; then restrict who may push there", "%w", err)
	}
	if !s.private && errors.Is(err, gitdb.ErrTooLarge) {
		return nil, problem.Failedf("a ledger is never so large: in a clone of the branch, take out by a commit on top what is none of it, and see who brought it (`git log`)", "%w", err)
	}
	return entries, err
}

// Paths lists all records, sorted.
func (v *View) Paths() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.under(""))
}

// maxRecord is the largest record that is read, in bytes. One is 3 KB.
const maxRecord = 1 << 20

// maxFile is the largest file, in bytes, that may lie on the branch in a record's place and be told of and taken out; what is larger is not fetched.
const maxFile = 16 << 20

// Bytes gives a record as it is stored. The error is gitdb.ErrNotFound when there is none.
func (v *View) Bytes(path string) ([]byte, error) {
	f, ok := v.at(path)
	if !ok {
		return nil, fmt.Errorf("reading record %s: %w", path, gitdb.ErrNotFound)
	}
	return f.read(path)
}

func (f file) read(path string) ([]byte, error) {
	data, err := f.repo.BlobLimit(f.oid, maxRecord)
	if err != nil {
		return nil, fmt.Errorf("reading record %s: %w", path, err)
	}
	return data, nil
}

// ObjectID is Git's name of the bytes of a record, or of what stands in its place; "" when there is none.
func (v *View) ObjectID(path string) string {
	f, _ := v.at(path)
	return f.oid
}

// Private says whether a record is only in this clone so far.
func (v *View) Private(path string) bool {
	f, _ := v.at(path)
	return f.private
}

// PathOf gives the path of the record with an id ("20010630T120000Z-0123456789ab"), or "".
func (v *View) PathOf(id string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, p := range v.under("") {
		if id != "" && strings.HasSuffix(p, "/"+id+".toml") {
			return p
		}
	}
	return ""
}

// folderOf names the folder of each kind.
var folderOf = map[string]string{record.KindRun: "runs/", record.KindSnapshot: "snapshots/", record.KindComparison: "comparisons/",
	record.KindVersion: "versions/", record.KindStage: "stages/", record.KindDecision: "decisions/", record.KindMonitor: "monitors/"}

// all decodes the records of a kind that count, once, ordered by path.
func (v *View) all(kind string) []any {
	off := v.Disowned()
	v.mu.Lock()
	defer v.mu.Unlock()
	if records, ok := v.decoded[kind]; ok {
		return records
	}
	records := v.decode(counting(v.under(folderOf[kind]), off))
	if v.decoded == nil {
		v.decoded = map[string][]any{}
	}
	v.decoded[kind] = records
	return records
}

// decode reads and decodes on all cores. The caller holds v.mu.
func (v *View) decode(paths []string) []any {
	type result struct {
		record any
		err    error
	}
	results := make([]result, len(paths))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(paths)); i = next.Add(1) - 1 {
				data, err := v.files[paths[i]].read(paths[i])
				if err == nil {
					results[i].record, err = record.Decode(paths[i], data)
				}
				results[i].err = err
			}
		})
	}
	workers.Wait()
	var records []any
	for i, r := range results {
		if r.err != nil {
			v.report(paths[i], r.err)
			continue
		}
		records = append(records, r.record)
	}
	return records
}

func of[T any](v *View, kind string, keep func(*T) bool) []T {
	var out []T
	for _, r := range v.all(kind) {
		if t, ok := r.(*T); ok && (keep == nil || keep(t)) {
			out = append(out, *t)
		}
	}
	return out
}

// Snapshots lists all snapshots by time, then id.
func (v *View) Snapshots() []record.Snapshot {
	all := of[record.Snapshot](v, record.KindSnapshot, nil)
	slices.SortFunc(all, func(a, b record.Snapshot) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID)) })
	return all
}

// Monitors lists a monitor's results by the windows that they are of, the newest of a window last; those of all monitors, by name, for "".
func (v *View) Monitors(id string) []record.Monitor {
	all := of(v, record.KindMonitor, func(m *record.Monitor) bool { return id == "" || m.Monitor == id })
	slices.SortFunc(all, func(a, b record.Monitor) int {
		return cmp.Or(cmp.Compare(a.Monitor, b.Monitor), a.Before.Compare(b.Before), a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// Comparisons lists all comparisons by time, then id.
func (v *View) Comparisons() []record.ComparisonRecord {
	all := of[record.ComparisonRecord](v, record.KindComparison, nil)
	slices.SortFunc(all, func(a, b record.ComparisonRecord) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID)) })
	return all
}

// Versions lists a model's versions by number; those of all models, by name, for "".
func (v *View) Versions(model string) []record.Version {
	all := of(v, record.KindVersion, func(r *record.Version) bool { return model == "" || r.Model == model })
	slices.SortFunc(all, func(a, b record.Version) int {
		return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Number, b.Number))
	})
	return all
}

// Stages lists what a model's stage held, by number; "" stands for all models or stages.
func (v *View) Stages(model, stage string) []record.Stage {
	all := of(v, record.KindStage, func(r *record.Stage) bool {
		return (model == "" || r.Model == model) && (stage == "" || r.Stage == stage)
	})
	slices.SortFunc(all, func(a, b record.Stage) int {
		return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Number, b.Number))
	})
	return all
}
