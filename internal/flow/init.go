package flow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
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
	Data   string // a file, anywhere; "" with Action alone
	Label  string // a column, or an expression
	Time   string // the column that says when the question is asked; "" finds one, "none" uses none
	Action string // OWNER/REPO@SHA of the GitHub Action; "" writes no workflow
	DryRun bool
}

// Inited says what was written: plumb.init/v1.
type Inited struct {
	Schema  string   `json:"schema"`
	Folder  string   `json:"folder"`
	Files   []string `json:"files"`
	Found   []string `json:"found"` // what it found out, as sentences
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

// scaffold writes files and remembers them, so that a failed init leaves nothing.
type scaffold struct {
	root string
	opt  Options
	dry  bool
	out  *Inited
	made []string
}

func (s *scaffold) undo() {
	for _, f := range s.made {
		os.Remove(f)
		os.Remove(filepath.Dir(f)) // only when it is empty now
	}
}

// write makes a new file; one that is there is never overwritten.
func (s *scaffold) write(name string, data []byte) error {
	path := filepath.Join(s.root, filepath.FromSlash(name))
	s.out.Files = append(s.out.Files, name)
	if s.dry {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return problem.Wrongf("move it away, or edit it: init never overwrites", "%s is there already", name)
	}
	if err != nil {
		return err
	}
	s.made = append(s.made, path)
	if _, err := f.Write(data); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}

var actionPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+(/[A-Za-z0-9._/-]+)?@[0-9a-f]{40}$`)

// workflows writes the two workflow files, with the Action where the user says that it lives.
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
	for _, e := range entries {
		text, err := fs.ReadFile(templates.FS, "workflow/"+e.Name())
		if err != nil {
			return err
		}
		filled := strings.NewReplacer("__PLUMB_ACTION__", action, "__PLUMB_BRANCH__", branch).Replace(string(text))
		if err := s.write(".github/workflows/"+e.Name(), []byte(filled)); err != nil {
			return err
		}
	}
	s.out.Next = append(s.out.Next, "protect the branch plumb/ledger: a rule that forbids force pushes and deletion, and lets only the publishing job push")
	return nil
}

// project reads the data, finds out what it can, and writes the documents.
func (s *scaffold) project(ctx context.Context, o InitOptions) error {
	if o.Label == "" {
		return problem.Wrongf("plumb init --data "+o.Data+" --label COLUMN", "which column is to be predicted?")
	}
	if _, err := os.Stat(filepath.Join(s.root, "plumb.toml")); err == nil {
		return problem.Wrongf("edit its documents, or start in another folder", "there is a plumb.toml here already")
	}
	repo, err := s.repository()
	if err != nil {
		return err
	}
	name, err := s.bring(o.Data)
	if err != nil {
		return err
	}
	dir, remove, err := repo.TempDir(ctx)
	if err != nil {
		return err
	}
	defer remove()
	db, err := engine.Open(ctx, engine.Options{Read: []string{s.root, dir}, Temp: dir})
	if err != nil {
		return fmt.Errorf("starting the engine: %w", err)
	}
	defer db.Close()
	ds := &doc.Dataset{Head: doc.Head{Schema: 1, ID: slug(strings.TrimSuffix(filepath.Base(name), filepath.Ext(name)))}, Source: doc.Source{Path: name}}
	ds.Path = "datasets/" + ds.ID + ".toml"
	if s.opt.Progress != nil {
		s.opt.Progress("reading " + name)
	}
	lock, err := dataset.Pin(ctx, db, s.root, ds)
	if err != nil {
		return fmt.Errorf("reading %s: %w", o.Data, err)
	}
	g := guess{ctx: ctx, db: db, lock: lock, options: o, rows: lock.Rows, relation: dataset.Relation([]string{filepath.Join(s.root, filepath.FromSlash(name))}, lock)}
	if err := g.all(); err != nil {
		return err
	}
	s.out.Found = append(s.out.Found, g.found...)
	return s.documents(ds, lock, &g)
}

// repository is the one around the folder, or a new one.
func (s *scaffold) repository() (*gitdb.Repo, error) {
	if err := os.MkdirAll(s.root, 0o755); err != nil {
		return nil, err
	}
	repo, err := gitdb.Open(s.root)
	if err == nil {
		return repo, nil
	}
	s.out.Found = append(s.out.Found, "there was no Git repository here; made one with the branch main")
	return gitdb.Init(s.root, "main")
}

// bring gives the data file's path inside the project, and copies it to data/ when it lies outside.
func (s *scaffold) bring(file string) (string, error) {
	if !filepath.IsAbs(file) {
		file = filepath.Join(s.root, file)
	}
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return "", problem.Wrongf("", "there is no data file %s", file)
	case !info.Mode().IsRegular():
		return "", problem.Wrongf("name one CSV, Parquet or JSON-lines file", "%s is no file", file)
	case doc.Format(file) == "":
		return "", problem.Wrongf("CSV, Parquet or JSON lines", "%s is of no format that plumb reads", filepath.Base(file))
	}
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return "", err
	}
	rootReal, err := filepath.EvalSymlinks(s.root)
	if err != nil {
		return "", err
	}
	if inside, err := filepath.Rel(rootReal, real); err == nil && filepath.IsLocal(inside) {
		return filepath.ToSlash(inside), nil
	}
	name := "data/" + plainName(filepath.Base(file))
	if s.dry {
		return "", problem.Wrongf("copy the file into the project first", "a dry run can't read a file outside the project")
	}
	if err := s.copyIn(file, name); err != nil {
		return "", err
	}
	s.out.Found = append(s.out.Found, "copied "+filepath.Base(file)+" to "+name)
	if info.Size() > keepInGit {
		if err := s.ignore("/" + name); err != nil {
			return "", err
		}
		s.out.Ignored = true
		s.out.Found = append(s.out.Found, name+" is large: Git ignores it, and its bytes go to the store with `plumb push`")
	}
	return name, nil
}

func (s *scaffold) copyIn(file, name string) error {
	from, err := os.Open(file)
	if err != nil {
		return err
	}
	defer from.Close()
	if err := s.write(name, nil); err != nil {
		return err
	}
	to, err := os.OpenFile(filepath.Join(s.root, filepath.FromSlash(name)), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := io.Copy(to, from); err != nil {
		return errors.Join(err, to.Close())
	}
	return to.Close()
}

// ignore adds a line to .gitignore.
func (s *scaffold) ignore(line string) error {
	path := filepath.Join(s.root, ".gitignore")
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(old) > 0 && !strings.HasSuffix(string(old), "\n") {
		old = append(old, '\n')
	}
	return os.WriteFile(path, append(old, line+"\n"...), 0o644)
}

// documents writes the five files, and checks them as `plumb check` would before it says that all is well.
func (s *scaffold) documents(ds *doc.Dataset, lock *doc.Lock, g *guess) error {
	name := slug(filepath.Base(s.root))
	model := slug(g.labelName)
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
	s.out.Next = append([]string{"plumb run", "plumb report", "git add -A && git commit"}, s.out.Next...)
	if s.dry {
		return nil
	}
	if set := doc.Load(os.DirFS(s.root)); set.Problems.Errors() > 0 {
		return &DocumentsError{List: &set.Problems, FS: os.DirFS(s.root)}
	}
	return nil
}

var notSlug = regexp.MustCompile(`[^a-z0-9]+`)

// slug makes an id of any text.
func slug(text string) string {
	id := strings.Trim(notSlug.ReplaceAllString(strings.ToLower(text), "-"), "-")
	if len(id) > 63 {
		id = strings.Trim(id[:63], "-")
	}
	if id == "" {
		return "model"
	}
	return id
}

// plainName keeps a file name to what every system and the engine's globs take.
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", r) {
			return r
		}
		return '-'
	}, name)
}
