package ledger

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// View is the records at one moment. Records are decoded when they are asked for, and shared: do not change what they hold.
type View struct {
	Tip     string // commit of the ledger's branch; "" when there is none yet
	Offline string // why the remote was not read; "" when it was, or when there is none

	files map[string]file
	paths []string

	mu       sync.Mutex
	decoded  map[string][]any // kind → records
	problems problem.List
}

// file is where the bytes of a path are.
type file struct {
	repo    *gitdb.Repo
	oid     string
	private bool
}

// add takes in the files of a commit; a path that is there already stays as it is.
func (v *View) add(repo *gitdb.Repo, tip string, private bool) error {
	if tip == "" {
		return nil
	}
	entries, err := repo.Files(tip)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if _, err := record.ParsePath(entry.Path); err != nil {
			if path.Ext(entry.Path) == ".toml" { // others are notes that people leave
				v.report(entry.Path, err)
			}
			continue
		}
		if old, ok := v.files[entry.Path]; ok {
			if old.oid != entry.OID {
				v.report(entry.Path, fmt.Errorf("this clone has other bytes at %s than the ledger, whose count", entry.Path))
			}
			continue
		}
		v.files[entry.Path] = file{repo, entry.OID, private}
	}
	return nil
}

func (v *View) sortPaths() { v.paths = slices.Sorted(maps.Keys(v.files)) }

func (v *View) report(path string, err error) {
	v.problems.Add(problem.Problem{Pos: problem.Pos{File: path}, Rule: "ledger-record", Level: problem.LevelWarning, Message: err.Error(),
		Hint: "the record is left out; records are never edited, so see `git log` of the ledger for who changed it"})
}

// Paths lists all records, sorted.
func (v *View) Paths() []string { return slices.Clone(v.paths) }

// Bytes gives a record as it is stored. The error is gitdb.ErrNotFound when there is none.
func (v *View) Bytes(path string) ([]byte, error) {
	f, ok := v.files[path]
	if !ok {
		return nil, fmt.Errorf("reading record %s: %w", path, gitdb.ErrNotFound)
	}
	data, err := f.repo.Blob(f.oid)
	if err != nil {
		return nil, fmt.Errorf("reading record %s: %w", path, err)
	}
	return data, nil
}

// Private says whether a record is only in this clone so far.
func (v *View) Private(path string) bool { return v.files[path].private }

// PathOf gives the path of the record with an id ("20010630T120000Z-0123456789ab"), or "".
func (v *View) PathOf(id string) string {
	for _, p := range v.paths {
		if id != "" && strings.HasSuffix(p, "/"+id+".toml") {
			return p
		}
	}
	return ""
}

// Problems lists what is wrong with the records that were decoded so far, and with paths that are no record's. Such records are left out everywhere else.
func (v *View) Problems() []problem.Problem {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.problems.All()
}

// folderOf names the folder of each kind.
var folderOf = map[string]string{record.KindRun: "runs/", record.KindSnapshot: "snapshots/", record.KindComparison: "comparisons/",
	record.KindVersion: "versions/", record.KindStage: "stages/", record.KindDecision: "decisions/"}

// all decodes the records of a kind, once, ordered by path.
func (v *View) all(kind string) []any {
	v.mu.Lock()
	defer v.mu.Unlock()
	if records, ok := v.decoded[kind]; ok {
		return records
	}
	start, _ := slices.BinarySearch(v.paths, folderOf[kind])
	end := start
	for end < len(v.paths) && strings.HasPrefix(v.paths[end], folderOf[kind]) {
		end++
	}
	records := v.decode(v.paths[start:end])
	if v.decoded == nil {
		v.decoded = map[string][]any{}
	}
	v.decoded[kind] = records
	return records
}

// decode reads one by one, because Git's storage is not for two at a time, and decodes on all cores.
func (v *View) decode(paths []string) []any {
	type result struct {
		data   []byte
		record any
		err    error
	}
	results := make([]result, len(paths))
	work := make(chan int, 64)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := range work {
				results[i].record, results[i].err = record.Decode(paths[i], results[i].data)
				results[i].data = nil
			}
		})
	}
	for i, p := range paths {
		if results[i].data, results[i].err = v.Bytes(p); results[i].err == nil {
			work <- i
		}
	}
	close(work)
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

// Runs lists all runs by time, then id.
func (v *View) Runs() []record.Run {
	runs := of[record.Run](v, record.KindRun, nil)
	slices.SortFunc(runs, func(a, b record.Run) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID)) })
	return runs
}

// Run gives the run with an id.
func (v *View) Run(id string) (record.Run, bool) {
	for _, run := range of(v, record.KindRun, func(r *record.Run) bool { return r.ID == id }) {
		return run, true
	}
	return record.Run{}, false
}

// RunsByInputs lists the runs whose inputs have a digest, the one that counts first: ci before human, pushed before private, then the earlier one, then by
// id. Earlier should be by commit of the ledger; a clone without the ledger's history knows only the records' own times, so these decide.
func (v *View) RunsByInputs(digest string) []record.Run {
	runs := of(v, record.KindRun, func(r *record.Run) bool { return digest != "" && r.Inputs["digest"] == any(digest) })
	slices.SortFunc(runs, func(a, b record.Run) int {
		return cmp.Or(
			compareBool(a.Actor != record.ActorCI, b.Actor != record.ActorCI),
			compareBool(v.Private(runPath(a)), v.Private(runPath(b))),
			a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID))
	})
	return runs
}

func runPath(r record.Run) string {
	return "runs/" + r.Experiment + "/" + r.Time.UTC().Format("2006-01") + "/" + r.ID + ".toml"
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// Snapshots lists all snapshots by time, then id.
func (v *View) Snapshots() []record.Snapshot {
	all := of[record.Snapshot](v, record.KindSnapshot, nil)
	slices.SortFunc(all, func(a, b record.Snapshot) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID)) })
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
