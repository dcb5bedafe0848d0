package doc

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/tomlio"
)

// maxDocuments bounds how many files one folder of documents may hold; a pull request can bring any number.
const maxDocuments = 5000

// loader reads documents and remembers where their keys stand until they are checked.
type loader struct {
	set    *Set
	papers map[string]*tomlio.Positions // by path
	known  map[string]bool              // every path that was listed, read or not
}

// Load reads every document of a tree and checks each by itself and against the others. It never fails: what is wrong is in Problems, and what could be read
// is in the set.
func Load(fsys fs.FS) *Set {
	s := &Set{fsys: fsys, Datasets: map[string]*Dataset{}, Locks: map[string]*Lock{}, Features: map[string]*Feature{},
		Models: map[string]*Model{}, Experiments: map[string]*Experiment{}, Monitors: map[string]*Monitor{}, sources: map[string][]byte{}}
	s.papers = map[string]*tomlio.Positions{}
	l := &loader{set: s, papers: s.papers, known: map[string]bool{}}
	l.project()
	l.datasets()
	for id, file := range l.folder("features") {
		l.feature(id, file)
	}
	for id, file := range l.folder("models") {
		l.model(id, file)
	}
	for id, file := range l.folder("experiments") {
		if e, _ := read[Experiment](l, file, id); e != nil {
			s.Experiments[id] = e
		}
	}
	for id, file := range l.folder("monitors") {
		l.monitor(id, file)
	}
	l.extend()
	l.checkAll()
	slices.Sort(s.Files)
	return s
}

// LoadProject reads plumb.toml alone: what is not said there, or the whole of it when the file is missing or can't be read, has its default.
func LoadProject(fsys fs.FS) *Project {
	l := &loader{set: &Set{fsys: fsys, sources: map[string][]byte{}}, papers: map[string]*tomlio.Positions{}, known: map[string]bool{}}
	l.project()
	if l.set.Project != nil {
		return l.set.Project
	}
	var p Project
	var none problem.List
	tomlio.Decode("plumb.toml", nil, &p, &none)
	return &p
}

func (l *loader) project() {
	if l.exists("plumb.toml") {
		l.set.Project, _ = read[Project](l, "plumb.toml", "plumb")
	}
	if l.exists("design.toml") {
		l.set.Design, _ = read[Design](l, "design.toml", "design")
	}
}

func (l *loader) exists(file string) bool {
	_, err := fs.Stat(l.set.fsys, file)
	return !errors.Is(err, fs.ErrNotExist)
}

func (l *loader) datasets() {
	files := l.folder("datasets")
	for id, file := range files {
		if base, isLock := strings.CutSuffix(id, ".lock"); isLock {
			if lock, _ := read[Lock](l, file, base); lock != nil {
				l.set.Locks[base] = lock
			}
			continue
		}
		d, pos := read[Dataset](l, file, id)
		if d == nil {
			continue
		}
		d.Order = pos.Keys("check")
		for name, check := range d.Checks {
			d.Checks[name] = check.complete(name)
		}
		d.Order = slices.DeleteFunc(slices.Clone(d.Order), func(name string) bool { return !has(d.Checks, name) })
		l.set.Datasets[id] = d
	}
	for id := range l.set.Locks {
		if _, ok := files[id]; !ok {
			l.set.Problems.Warnf(problem.Pos{File: files[id+".lock"]}, "lock", "there is no dataset %q to which this lock belongs", id)
		}
	}
}

func (l *loader) feature(id, file string) {
	f, pos := read[Feature](l, file, id)
	if f == nil {
		return
	}
	f.Order = slices.DeleteFunc(slices.Clone(pos.Keys("feature")), func(name string) bool { return !has(f.Features, name) })
	l.set.Features[id] = f
}

func (l *loader) model(id, file string) {
	m, pos := read[Model](l, file, id)
	if m == nil {
		return
	}
	m.Order = slices.DeleteFunc(slices.Clone(pos.Keys("metric")), func(name string) bool { return !has(m.Metrics, name) })
	for name, contract := range m.Metrics {
		contract.Name = name
		m.Metrics[name] = contract
	}
	l.set.Models[id] = m
}

func (l *loader) monitor(id, file string) {
	m, pos := read[Monitor](l, file, id)
	if m == nil {
		return
	}
	m.Order = slices.DeleteFunc(slices.Clone(pos.Keys("trigger")), func(name string) bool { return !has(m.Triggers, name) })
	l.set.Monitors[id] = m
}

// folder lists the documents of a folder by id. Names that are no id are reported and left out; what does not end in .toml is none of ours.
func (l *loader) folder(dir string) map[string]string {
	out := map[string]string{}
	entries, err := fs.ReadDir(l.set.fsys, dir)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			l.set.Problems.Errorf(problem.Pos{File: dir}, "read", "%v", err)
		}
		return out
	}
	for _, entry := range entries {
		id, ok := strings.CutSuffix(entry.Name(), ".toml")
		if !ok || entry.IsDir() || strings.HasPrefix(id, ".") {
			continue
		}
		file := path.Join(dir, entry.Name())
		at := problem.Pos{File: file}
		base, isLock := strings.CutSuffix(id, ".lock")
		switch {
		case len(out) >= maxDocuments:
			l.set.Problems.Errorf(problem.Pos{File: dir}, "size", "more than %d documents", maxDocuments)
			return out
		case !ValidID(base) || (isLock && dir != "datasets"):
			l.set.Problems.Errorf(at, "id", "the file's name is the id, and %q is none: %s", id, idRule)
		case !entry.Type().IsRegular():
			l.set.Problems.Errorf(at, "read", "not a plain file")
			l.set.Problems.Hint("links are not followed")
		default:
			out[id] = file
			l.known[file] = true
		}
	}
	return out
}

// paper is a pointer to a document's struct.
type paper[T any] interface {
	*T
	head() *Head
}

// read decodes one document. It gives nil when the file could not be read, was refused, or has a schema of another version.
func read[T any, P paper[T]](l *loader, file, id string) (P, *tomlio.Positions) {
	at := problem.Pos{File: file}
	l.set.Files = append(l.set.Files, file)
	var v T
	doc := P(&v)
	_, isLock := any(doc).(*Lock)
	limit, decode := tomlio.MaxDocument, tomlio.Decode
	if isLock {
		limit, decode = tomlio.MaxLock, tomlio.DecodeLock
	}
	src, err := readFile(l.set.fsys, file, limit)
	if err != nil {
		l.set.Problems.Errorf(at, "read", "%v", err)
		return nil, nil
	}
	var list problem.List
	pos := decode(file, src, doc, &list)
	l.set.sources[file] = pos.Source()
	head := doc.head()
	if pos.Has("schema") && head.Schema != SchemaVersion && !pos.Refused() {
		if head.Schema != 0 || list.Errors() == 0 {
			list = problem.List{}
			list.Errorf(pos.Value("schema"), "schema", "schema %d is not one that this plumb knows: it reads %d", head.Schema, SchemaVersion)
			list.Hint("the document may be newer than this program")
			l.set.Problems.Add(list.All()...)
			return nil, pos
		}
	} else if !pos.Has("schema") && !pos.Refused() {
		list.Errorf(problem.Pos{File: file, Line: 1, Col: 1}, "schema", "schema is missing")
		list.Hint("begin the file with: schema = %d", SchemaVersion)
	}
	l.set.Problems.Add(list.All()...)
	if pos.Refused() {
		return nil, pos
	}
	head.ID, head.Path = id, file
	l.papers[file] = pos
	return doc, pos
}

// readFile reads at most one byte more than the limit, so that a file that is too large is told apart and never held.
func readFile(fsys fs.FS, file string, limit int) ([]byte, error) {
	f, err := fsys.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, int64(limit)+1))
}

// has says whether a document has a key.
func (l *loader) has(file string, key ...string) bool {
	pos := l.papers[file]
	return pos != nil && pos.Has(key...)
}

func (l *loader) checker(h Head) checker {
	return checker{pos: l.papers[h.Path], list: &l.set.Problems}
}

func (l *loader) checkAll() {
	s := l.set
	if s.Project != nil {
		s.Project.check(l.checker(s.Project.Head))
	}
	if s.Design != nil {
		s.Design.check(l.checker(s.Design.Head))
	}
	for _, lock := range s.Locks {
		lock.check(l.checker(lock.Head))
	}
	for _, d := range s.Datasets {
		d.check(l.checker(d.Head))
		l.crossDataset(d, l.checker(d.Head))
	}
	for _, f := range s.Features {
		f.check(l.checker(f.Head))
		l.crossFeature(f, l.checker(f.Head))
	}
	for _, m := range s.Models {
		m.check(l.checker(m.Head))
		l.crossModel(m, l.checker(m.Head))
	}
	for _, m := range s.Monitors {
		m.check(l.checker(m.Head))
		l.crossMonitor(m, l.checker(m.Head))
	}
	for _, e := range s.Experiments {
		c := l.checker(e.Head)
		c.inherited = func(key []string) bool { return l.inherits(e, key) }
		e.check(c)
		l.crossExperiment(e, c)
	}
}
