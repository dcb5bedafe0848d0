package flow

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/plumb-ml/plumb/internal/dataset"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/templates"
)

// InitOptions say what `plumb init` makes.
type InitOptions struct {
	Data   string   // a file, anywhere; "" with Action alone
	Label  string   // a column, or an expression
	Task   string   // binary, multiclass or regression; "" finds out
	Time   string   // the column that says when the question is asked; "" finds one, "none" uses none
	Train  []string // a program of the person's own and its arguments; nil: a built-in learner
	Action string   // OWNER/REPO@SHA of the GitHub Action; "" writes no workflow
	DryRun bool
}

// Inited says what was written: plumb.init/v1.
type Inited struct {
	Schema  string   `json:"schema"`
	Folder  string   `json:"folder"`
	Files   []string `json:"files"`
	Found   []string `json:"found"`           // what it found out, as sentences
	Lines   []string `json:"lines,omitempty"` // what the program of --train lacks
	Ignored bool     `json:"ignored"`
	Next    []string `json:"next"`
}

// keepInGit is the largest data file that init leaves to Git; a larger one is ignored there and goes to the store with `plumb push`.
const keepInGit = 10 << 20

// Init writes a project around a data file: plumb.toml, the dataset and its lock, a model and one experiment. When anything fails it removes
// what it wrote.
func Init(ctx context.Context, opt Options, o InitOptions) (result *Inited, err error) {
	root, err := filepath.Abs(opt.Dir)
	if err != nil {
		return nil, err
	}
	s := &scaffold{root: root, opt: opt, out: &Inited{Schema: "plumb.init/v1", Folder: root, Files: []string{}, Found: []string{}}, dry: o.DryRun}
	defer func() {
		if err != nil {
			s.undo()
		}
	}()
	if o.Data == "" && o.Action == "" {
		return nil, problem.Wrongf("plumb init --data churn.csv --label churned", "init needs --data and --label, or --action")
	}
	if o.Action != "" {
		if err := s.workflows(o.Action); err != nil {
			return nil, err
		}
	}
	if o.Data != "" {
		if err := s.project(ctx, o); err != nil {
			return nil, err
		}
	}
	return s.out, nil
}

// scaffold writes files and remembers how to take them back, so that a failed init leaves nothing.
type scaffold struct {
	root  string
	opt   Options
	dry   bool
	out   *Inited
	undos []func()
}

// undo takes back what was done, the last first.
func (s *scaffold) undo() {
	for _, back := range slices.Backward(s.undos) {
		back()
	}
}

// folder makes a folder and those above it, and remembers the ones that were not there.
func (s *scaffold) folder(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if up := filepath.Dir(dir); up != dir {
		if err := s.folder(up); err != nil {
			return err
		}
	}
	err := os.Mkdir(dir, 0o755)
	if err == nil {
		s.undos = append(s.undos, func() { os.Remove(dir) }) // only when it is empty
	}
	if errors.Is(err, fs.ErrExist) { // another init was faster
		return nil
	}
	return err
}

// write makes a new file; one that is there is never overwritten.
func (s *scaffold) write(name string, data []byte) error {
	file := filepath.Join(s.root, filepath.FromSlash(name))
	s.out.Files = append(s.out.Files, name)
	if s.dry {
		return nil
	}
	if err := s.folder(filepath.Dir(file)); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return problem.Wrongf("move it away, or edit it: init never overwrites", "%s is there already", name)
	}
	if err != nil {
		return err
	}
	s.undos = append(s.undos, func() { os.Remove(file) })
	if _, err := f.Write(data); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}

var actionPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+(/[A-Za-z0-9._/-]+)?@[0-9a-f]{40}$`)

// workflows writes the workflow files, with the Action where the user says that it lives.
func (s *scaffold) workflows(action string) error {
	if !actionPattern.MatchString(action) && action != "./" {
		return problem.Wrongf("for example --action my-org/plumb@0123456789abcdef0123456789abcdef01234567; a branch or tag can be moved, a commit can't",
			"--action %q is not OWNER/REPO@SHA with a full commit", action)
	}
	entries, err := fs.ReadDir(templates.FS, "workflow")
	if err != nil {
		return err
	}
	branch := "main"
	if p := doc.LoadProject(os.DirFS(s.root)); p.Branch != "" {
		branch = p.Branch
	}
	up, below, err := s.place()
	if err != nil {
		return err
	}
	for _, e := range entries {
		text, err := fs.ReadFile(templates.FS, "workflow/"+e.Name())
		if err != nil {
			return err
		}
		filled := strings.NewReplacer("__PLUMB_ACTION__", action, "__PLUMB_BRANCH__", branch).Replace(string(text))
		if below != "." {
			filled = strings.ReplaceAll(filled, "        with:\n          command:", "        with:\n          working-directory: "+strconv.Quote(below)+"\n          command:")
		}
		if err := s.write(path.Join(up, ".github/workflows", e.Name()), []byte(filled)); err != nil {
			return err
		}
	}
	s.out.Next = append(s.out.Next, "protect the branch plumb/ledger: a rule that forbids force pushes and deletion, and lets only the publishing job push")
	return nil
}

// place gives the way from the project's folder up to the repository's root, where CI looks for workflows, and back down.
func (s *scaffold) place() (up, below string, err error) {
	repo, err := gitdb.Open(s.root)
	if err != nil || repo.Root() == "" {
		return ".", ".", nil
	}
	root, err := filepath.EvalSymlinks(s.root)
	if err != nil {
		return "", "", err
	}
	if up, err = filepath.Rel(root, repo.Root()); err != nil {
		return "", "", err
	}
	below, err = filepath.Rel(repo.Root(), root)
	return filepath.ToSlash(up), filepath.ToSlash(below), err
}

// project reads the data, finds out what it can, and writes the documents.
func (s *scaffold) project(ctx context.Context, o InitOptions) error {
	if o.Label == "" {
		return problem.Wrongf("plumb init --data "+o.Data+" --label COLUMN", "which column is to be predicted?")
	}
	if _, err := os.Stat(filepath.Join(s.root, "plumb.toml")); err == nil {
		return problem.Wrongf("edit its documents, or start in another folder", "there is a plumb.toml here already")
	}
	var own *ownProgram
	if len(o.Train) > 0 {
		var err error
		if own, err = findProgram(os.DirFS(s.root), o.Train); err != nil {
			return err
		}
	}
	temp, remove, err := s.workplace(ctx)
	if err != nil {
		return err
	}
	defer remove()
	from, name, err := s.bring(o.Data)
	if err != nil {
		return err
	}
	db, err := engine.Open(ctx, engine.Options{Read: []string{from, temp}, Temp: temp})
	if err != nil {
		return fmt.Errorf("starting the engine: %w", err)
	}
	defer db.Close()
	ds := &doc.Dataset{Head: doc.Head{Schema: 1, ID: slug(strings.TrimSuffix(filepath.Base(name), filepath.Ext(name)), "data")}, Source: doc.Source{Path: name}}
	ds.Path = "datasets/" + ds.ID + ".toml"
	if s.opt.Progress != nil {
		s.opt.Progress("reading " + name)
	}
	lock, err := dataset.Pin(ctx, db, from, ds)
	if err != nil {
		return err
	}
	if lock.Rows == 0 {
		return problem.Wrongf("", "%s has a header and no rows", o.Data)
	}
	g := guess{ctx: ctx, db: db, lock: lock, options: o, rows: lock.Rows, relation: dataset.Relation([]string{filepath.Join(from, filepath.FromSlash(name))}, lock)}
	if err := g.all(); err != nil {
		return err
	}
	s.out.Found = append(s.out.Found, g.found...)
	g.own = own
	if err := s.documents(ds, lock, &g); err != nil {
		return err
	}
	if own != nil {
		s.tell(own, g.task)
	}
	return nil
}

// workplace gives a temporary folder: in the repository around the root, which is made where there is none, or for a dry run in the system's.
func (s *scaffold) workplace(ctx context.Context) (dir string, remove func(), err error) {
	repo, err := gitdb.Open(s.root)
	switch {
	case err == nil && !s.dry:
	case s.dry:
		if dir, err = os.MkdirTemp("", "plumb-init-"); err != nil {
			return "", nil, err
		}
		return dir, func() { os.RemoveAll(dir) }, nil
	default:
		if repo, err = s.repository(); err != nil {
			return "", nil, err
		}
	}
	return repo.TempDir(ctx)
}

// repository makes one with the branch main.
func (s *scaffold) repository() (*gitdb.Repo, error) {
	if err := s.folder(s.root); err != nil {
		return nil, fmt.Errorf("making the folder: %w", err)
	}
	git := filepath.Join(s.root, ".git")
	if _, err := os.Lstat(git); errors.Is(err, fs.ErrNotExist) {
		s.undos = append(s.undos, func() { os.RemoveAll(git) })
	}
	repo, err := gitdb.Init(s.root, "main")
	if err != nil {
		return nil, err
	}
	s.out.Found = append(s.out.Found, "there was no Git repository here; made one with the branch main")
	return repo, nil
}

// ignore adds a line to .gitignore, unless it is there.
func (s *scaffold) ignore(line string) error {
	file := filepath.Join(s.root, ".gitignore")
	old, err := os.ReadFile(file)
	fresh := errors.Is(err, fs.ErrNotExist)
	if err != nil && !fresh {
		return err
	}
	if slices.Contains(strings.Split(string(old), "\n"), line) || s.dry {
		return nil
	}
	text := string(old)
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	s.undos = append(s.undos, func() {
		if fresh {
			os.Remove(file)
		} else if err := os.WriteFile(file, old, 0o644); err != nil {
			return // init has failed already, and says so
		}
	})
	return os.WriteFile(file, []byte(text+line+"\n"), 0o644)
}

// documents writes the five files, and checks them as `plumb check` would before it says that all is well.
func (s *scaffold) documents(ds *doc.Dataset, lock *doc.Lock, g *guess) error {
	name := slug(filepath.Base(s.root), "project")
	model := slug(g.labelName, "model")
	files := []struct{ name, text string }{
		{"plumb.toml", fmt.Sprintf("schema = 1\nname = %q\n", name)},
		{"datasets/" + ds.ID + ".toml", g.datasetDocument(ds)},
		{"datasets/" + ds.ID + ".lock.toml", string(lock.Encode())},
		{"models/" + model + ".toml", g.modelDocument(ds.ID)},
		{"experiments/baseline.toml", g.experimentDocument(model)},
	}
	for _, f := range files {
		if err := s.write(f.name, []byte(f.text)); err != nil {
			return err
		}
	}
	if err := s.ignore("/_site/"); err != nil {
		return err
	}
	s.out.Next = append([]string{"plumb run", "plumb report", "git add -A && git commit"}, s.out.Next...)
	if s.dry {
		return nil
	}
	if set := load(os.DirFS(s.root)); set.Problems.Errors() > 0 {
		return &DocumentsError{List: &set.Problems, FS: os.DirFS(s.root)}
	}
	return nil
}

var notSlug = regexp.MustCompile(`[^a-z0-9]+`)

// slug makes an id of any text; other where nothing of it can be used.
func slug(text, other string) string {
	id := strings.Trim(notSlug.ReplaceAllString(strings.ToLower(text), "-"), "-")
	if len(id) > 63 {
		id = strings.Trim(id[:63], "-")
	}
	if id == "" {
		return other
	}
	return id
}
