package flow

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/program"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/tomlio"
)

// ownProgram is a person's program as init finds it: `plumb init … --train -- python train.py`.
type ownProgram struct {
	argv    []string
	code    []string // patterns of train.code
	scripts []string // the files that argv names
	lock    string
	format  string
	predict []string
}

// locks are the files that pin what a program needs, the first that is there counts.
var locks = []string{"uv.lock", "poetry.lock", "requirements.txt", "pylock.toml", "renv.lock", "R.lock", "Manifest.toml", "package-lock.json"}

// maxScript bounds the source that is looked into.
const maxScript = 1 << 20

// findProgram finds out what a command is made of, in the project's folder.
func findProgram(fsys fs.FS, argv []string) (*ownProgram, error) {
	p := &ownProgram{argv: argv, format: program.Parquet}
	for i, arg := range argv {
		name := path.Clean(filepath.ToSlash(arg))
		switch info, err := fs.Stat(fsys, name); {
		case i > 0 && argv[i-1] == "-m": // python -m package.module
			top, _, _ := strings.Cut(arg, ".")
			p.code = append(p.code, localModule(fsys, ".", top)...)
		case err == nil && info.Mode().IsRegular() && fs.ValidPath(name):
			p.scripts = append(p.scripts, name)
			p.code = append(p.code, name)
		}
	}
	if len(p.code) == 0 {
		return nil, problem.Wrongf("call it in the project's folder, as `plumb init --data data.csv --label y --train -- python train.py`",
			"none of %q is a file here, so nobody knows which code the program is made of", argv)
	}
	p.follow(fsys)
	for _, name := range locks {
		if _, err := fs.Stat(fsys, name); err == nil {
			p.lock = name
			break
		}
	}
	if p.lock == "" {
		return nil, problem.Wrongf(lockHint(p), "nothing here pins what %s needs: there is no uv.lock, poetry.lock or requirements.txt", argv[0])
	}
	p.beside(fsys)
	return p, nil
}

func lockHint(p *ownProgram) string {
	if p.isR() {
		return `renv::snapshot() writes renv.lock; for base R alone: Rscript -e 'writeLines(R.version.string, "R.lock")'`
	}
	return "`uv lock`, or `pip freeze > requirements.txt`; a program in another language takes any file of these names that changes when its tools do"
}

func (p *ownProgram) isR() bool {
	return strings.HasPrefix(filepath.Base(p.argv[0]), "Rscript") || slices.ContainsFunc(p.scripts, func(s string) bool { return strings.EqualFold(path.Ext(s), ".r") })
}

func (p *ownProgram) isPython() bool {
	return strings.HasPrefix(filepath.Base(p.argv[0]), "python") || slices.ContainsFunc(p.scripts, func(s string) bool { return path.Ext(s) == ".py" })
}

// beside finds a script for scoring, and the format that the language reads without help.
func (p *ownProgram) beside(fsys fs.FS) {
	if !p.isPython() {
		p.format = program.CSV
	}
	for _, script := range p.scripts {
		other := path.Join(path.Dir(script), "predict"+path.Ext(script))
		if _, err := fs.Stat(fsys, other); err != nil || other == script || len(p.predict) > 0 {
			continue
		}
		at := slices.IndexFunc(p.argv, func(a string) bool { return path.Clean(filepath.ToSlash(a)) == script })
		p.predict = append(append([]string{}, p.argv[:at]...), other, "{in}", "{out}", "{model}")
		if at == 0 { // the script is the program
			p.predict[0] = "./" + other
		}
		p.code = append(p.code, other)
	}
	slices.Sort(p.code)
	p.code = slices.Compact(p.code)
}

var (
	pythonImport = regexp.MustCompile(`(?m)^[ \t]*(?:from|import)[ \t]+\.?([A-Za-z_][A-Za-z0-9_]*)`)
	rSource      = regexp.MustCompile(`(?m)\bsource\(\s*["']([^"']+)["']`)
)

// follow adds the local files that the scripts import, and those that they import.
func (p *ownProgram) follow(fsys fs.FS) {
	for queue := slices.Clone(p.scripts); len(queue) > 0; queue = queue[1:] {
		text := readScript(fsys, queue[0])
		var found []string
		for _, m := range pythonImport.FindAllStringSubmatch(text, -1) {
			if path.Ext(queue[0]) == ".py" {
				found = append(found, localModule(fsys, path.Dir(queue[0]), m[1])...)
			}
		}
		for _, m := range rSource.FindAllStringSubmatch(text, -1) {
			if name := path.Clean(m[1]); fs.ValidPath(name) && p.isR() {
				if _, err := fs.Stat(fsys, name); err == nil {
					found = append(found, name)
				}
			}
		}
		for _, f := range found {
			if !slices.Contains(p.code, f) {
				p.code, queue = append(p.code, f), append(queue, f)
			}
		}
	}
}

// localModule gives the pattern of a Python module beside a script: a file or a package; nothing when it is installed elsewhere.
func localModule(fsys fs.FS, dir, name string) []string {
	if _, err := fs.Stat(fsys, path.Join(dir, name+".py")); err == nil {
		return []string{path.Join(dir, name+".py")}
	}
	if found, err := fs.Glob(fsys, path.Join(dir, name, "*.py")); err == nil && len(found) > 0 {
		return []string{path.Join(dir, name) + "/**/*.py"}
	}
	return nil
}

func readScript(fsys fs.FS, name string) string {
	f, err := fsys.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() > maxScript {
		return ""
	}
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return ""
	}
	return string(text)
}

// train is the [train] table of the experiment.
func (p *ownProgram) train() string {
	var b strings.Builder
	fmt.Fprintf(&b, `
[train]                          # a program of your own; `+"`plumb run --help`"+` says what it is given and must leave
learner = "command"
command = %s
code = %s # the files that it is made of; it sees no others
lock = %s # what pins what it needs
`, tomlList(p.argv), tomlList(p.code), tomlio.Quote(p.lock))
	if p.format != program.Parquet {
		fmt.Fprintf(&b, "format = %q # of what it is given and writes: parquet | csv\n", p.format)
	}
	if len(p.predict) > 0 {
		fmt.Fprintf(&b, "\n[predict]                        # scores rows with a model that it left\ncommand = %s\n", tomlList(p.predict))
	}
	return b.String()
}

func tomlList(items []string) string {
	quoted := make([]string, len(items))
	for i, item := range items {
		quoted[i] = tomlio.Quote(item)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// missing gives the lines to add to a script that does not read what it is given; nothing when it does.
func (p *ownProgram) missing(fsys fs.FS, task string) (script string, lines []string) {
	for _, s := range p.scripts {
		if strings.Contains(readScript(fsys, s), "PLUMB_TRAIN") {
			return "", nil
		}
	}
	for _, c := range p.code { // the script may leave reading to a module
		if !strings.Contains(c, "*") && strings.Contains(readScript(fsys, c), "PLUMB_TRAIN") {
			return "", nil
		}
	}
	if len(p.scripts) == 0 {
		return "", nil
	}
	script = p.scripts[0]
	switch {
	case p.isR():
		return script, []string{
			`train <- read.csv(Sys.getenv("PLUMB_TRAIN")); test <- read.csv(Sys.getenv("PLUMB_TEST")); held <- rbind(read.csv(Sys.getenv("PLUMB_VALID"))[names(test)], test)`,
			`saveRDS(model, file.path(Sys.getenv("PLUMB_OUT"), "model", "model.rds"))`,
			`write.csv(data.frame(row_id = held$row_id, score = predict(model, held, type = "response")), file.path(Sys.getenv("PLUMB_OUT"), "predictions.csv"), row.names = FALSE)`,
		}
	case p.isPython():
		return script, []string{
			`train, held = pd.read_parquet(os.environ["PLUMB_TRAIN"]), pd.concat(pd.read_parquet(os.environ[part]) for part in ("PLUMB_VALID", "PLUMB_TEST"))`,
			`joblib.dump(model, os.environ["PLUMB_OUT"] + "/model/model.joblib")  # X = train[json.loads(os.environ["PLUMB_FEATURES"])], y = train["label"]`,
			scoreLine(task),
		}
	}
	return script, []string{
		"read rows from the CSV files that PLUMB_TRAIN and PLUMB_VALID name, with the label in the column label",
		"write the model into the folder $PLUMB_OUT/model",
		"write row_id,score of every row of PLUMB_VALID and PLUMB_TEST to $PLUMB_OUT/predictions.csv",
	}
}

// scoreLine writes the scores of a scikit-learn model.
func scoreLine(task string) string {
	const rows, to = `held[json.loads(os.environ["PLUMB_FEATURES"])]`, `.to_parquet(os.environ["PLUMB_OUT"] + "/predictions.parquet")`
	switch task {
	case record.TaskRegression:
		return `held.assign(score=model.predict(` + rows + `))[["row_id", "score"]]` + to
	case record.TaskMulticlass:
		return `held[["row_id"]].assign(**{f"score_{c}": s for c, s in zip(model.classes_, model.predict_proba(` + rows + `).T)})` + to
	}
	return `held.assign(score=model.predict_proba(` + rows + `)[:, 1])[["row_id", "score"]]` + to
}

// tell adds what was found of a program, and what its script lacks.
func (s *scaffold) tell(p *ownProgram, task string) {
	s.out.Found = append(s.out.Found, fmt.Sprintf("the program is %s, pinned by %s", list(p.code), p.lock))
	script, lines := p.missing(os.DirFS(s.root), task)
	if script == "" {
		return
	}
	s.out.Found = append(s.out.Found, script+" does not read PLUMB_TRAIN: it needs lines such as these")
	s.out.Lines = lines
	s.out.Next = append([]string{"add the lines to " + script}, s.out.Next...)
}
