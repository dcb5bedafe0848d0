package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/program"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
	"github.com/plumb-ml/plumb/internal/table"
	"github.com/plumb-ml/plumb/internal/trainset"
)

const (
	learnerCommand = "command"
	typeLog        = "text/plain"
	maxLog         = 8 << 20 // bytes of a log: twice head and tail of training and scoring, and what stands between
)

// commanded is the model of a person's program: it scores by running the program's predict command with the code of the tree that has its inputs.
type commanded struct {
	shop       *workshop
	tree       *Tree
	experiment *doc.Experiment
	model      program.Model
	seed       int64
	log        []byte // what scoring printed
}

// errOtherJob is why a publishing job does not ask a person's program.
var errOtherJob = errors.New("a person's program is not run by the job that publishes")

// canScore says whether the program can score rows at all.
func (c *commanded) canScore() bool {
	return len(c.experiment.Predict.Command)+len(c.experiment.Predict.Worker) > 0
}

func (c *commanded) importance() map[string]float64 { return nil }

func (c *commanded) score(ctx context.Context, s sheet) ([][]float64, error) {
	p, err := c.shop.program(c.tree, c.experiment, c.seed)
	if err != nil {
		return nil, err
	}
	p.Task, p.Classes = s.rows.Task, s.rows.Classes
	c.shop.p.progress("%s: its program scores %d rows", c.experiment.ID, len(s.rows.RowID))
	scores, log, err := p.Score(ctx, c.model, s.given())
	c.log = log
	c.shop.p.tellLog(c.experiment.ID+": scoring", log)
	return scores, err
}

// given is what a program sees of a sheet: row_id, entity and time columns, features.
func (s sheet) given() table.Frame {
	f := table.Frame{N: len(s.rows.RowID), Columns: []table.Vector{{Column: table.Column{Name: "row_id", Type: table.Int64}, Ints: s.rows.RowID}}}
	f.Columns = append(f.Columns, s.beside.Columns...)
	f.Columns = append(f.Columns, s.features.Columns...)
	return f
}

// taught is what a program learns from: given, with the label and, where it is declared, the weight.
func (s sheet) taught() table.Frame {
	f := s.given()
	label := table.Vector{Column: table.Column{Name: "label", Type: table.Float64}, Floats: s.rows.Label}
	switch s.rows.Task {
	case record.TaskBinary:
		label.Type, label.Floats, label.Ints = table.Int64, nil, make([]int64, f.N)
		for i, y := range s.rows.Label {
			label.Ints[i] = int64(y)
		}
	case record.TaskMulticlass:
		label.Type, label.Floats, label.Strings = table.String, nil, make([]string, f.N)
		for i, y := range s.rows.Label {
			label.Strings[i] = s.rows.Classes[int(y)]
		}
	}
	f.Columns = append(f.Columns, label)
	if s.rows.Weight != nil {
		f.Columns = append(f.Columns, table.Vector{Column: table.Column{Name: "weight", Type: table.Float64}, Floats: s.rows.Weight})
	}
	return f
}

// program is an experiment's program as a tree has it.
func (w *workshop) program(t *Tree, e *doc.Experiment, seed int64) (*program.Program, error) {
	if w.publishes {
		return nil, errOtherJob
	}
	p := &program.Program{Train: e.Train.Command, Predict: e.Predict.Command, Worker: e.Predict.Worker, Format: cmp.Or(e.Train.Format, program.Parquet),
		Env: w.p.opt.Env, Named: e.Train.Env, Seed: seed, DB: w.db, Temp: w.dir, Hidden: w.hidden(),
		Tell: func(now string) { w.p.meter(0, 0, now) }}
	var err error
	if p.Params, err = t.Docs.ParamsJSON(e.ID); err != nil {
		return nil, err
	}
	uses, err := t.Docs.Uses(e.ID)
	if err != nil {
		return nil, err
	}
	for _, u := range uses {
		p.Features = append(p.Features, u.Name)
	}
	if e.Train.Timeout != "" {
		if p.Limits.Time, err = doc.Duration(e.Train.Timeout); err != nil {
			return nil, err
		}
	}
	if e.Train.Memory != "" {
		if p.Limits.Memory, err = doc.Bytes(e.Train.Memory); err != nil {
			return nil, err
		}
	}
	p.Files, err = codeOf(t, e)
	return p, err
}

// hidden are the folders that a program must not see: in the repository lie the labels of the test part.
func (w *workshop) hidden() []string {
	out := []string{w.p.Repo.Root(), w.p.Root, w.p.Repo.GitDir(), w.dir}
	if dir, ok := strings.CutPrefix(doc.LoadProject(os.DirFS(w.p.Root)).Store.URL, "file://"); ok {
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(w.p.Root, dir)
		}
		out = append(out, dir)
	}
	return out
}

// codeOf lists the files of a program, and its lock, as the tree has them.
func codeOf(t *Tree, e *doc.Experiment) ([]program.File, error) {
	code, err := t.Docs.CodeFiles(e.ID)
	if err != nil {
		return nil, err
	}
	var out []program.File
	for _, f := range code {
		mode := fs.FileMode(0o644)
		if f.Mode == "100755" {
			mode = 0o755
		}
		out = append(out, fileOf(t, f.Path, mode, f.SHA256))
	}
	if slices.ContainsFunc(code, func(f doc.CodeFile) bool { return f.Path == e.Train.Lock }) {
		return out, nil
	}
	in, err := inputs(t.Docs, e.ID)
	if err != nil {
		return nil, err
	}
	lock, _ := in["environment"].(string)
	return append(out, fileOf(t, e.Train.Lock, 0o644, lock)), nil
}

func fileOf(t *Tree, path string, mode fs.FileMode, sha256 string) program.File {
	return program.File{Path: path, Mode: mode, SHA256: sha256, Open: func() (io.ReadCloser, error) { return t.FS.Open(path) }}
}

// trainCommand lets a person's program learn.
func (w *workshop) trainCommand(ctx context.Context, t *Tree, e *doc.Experiment, s sheet, seed int64) (*trained, error) {
	p, err := w.program(t, e, seed)
	if err != nil {
		return nil, err
	}
	p.Task, p.Classes = s.rows.Task, s.rows.Classes
	learned, err := p.Learn(ctx, program.Lesson{Train: s.of(trainset.Train).taught(), Valid: s.of(trainset.Valid).taught(), Test: s.of(trainset.Test).given()})
	if learned != nil {
		w.p.tellLog(e.ID+": training", learned.Log)
	}
	if err != nil {
		return nil, err
	}
	return &trained{scorer: &commanded{shop: w, tree: t, experiment: e, model: learned.Model, seed: seed}, scores: learned.Scores,
		artifact: store.Blob{Data: learned.Model.Data, Type: learned.Model.Type}, name: learned.Model.Name,
		log: learned.Log, reported: learned.Curves, sandbox: learned.Sandbox, version: learned.Version, notes: learned.Notes}, nil
}

// told is the text of a run's log blob: what training printed, then what scoring did.
func (l *trained) told() []byte {
	log := l.log
	if c, ok := l.scorer.(*commanded); ok && len(c.log) > 0 {
		log = append(append(slices.Clone(log), "\n[scoring]\n"...), c.log...)
	}
	return []byte(strings.ToValidUTF8(string(log), "\ufffd"))
}

// commandModel reads back the model of a program's run.
func (w *workshop) commandModel(t *Tree, run record.Run, artifact []byte) (scorer, error) {
	e := t.Docs.Experiments[run.Experiment]
	if e == nil || digestsDiffer(served(t.Docs, run.Experiment), run.Inputs.Key()) { // it was made for another experiment with the same inputs
		for _, id := range keys(t.Docs.Experiments) {
			if served(t.Docs, id) == run.Inputs.Key() {
				e = t.Docs.Experiments[id]
			}
		}
	}
	if e == nil {
		return nil, fmt.Errorf("no experiment here has the inputs %s of run %s, so its program is not known", shortDigest(run.Inputs.Key()), run.ID)
	}
	return &commanded{shop: w, tree: t, experiment: e, seed: e.Train.Seed, model: program.Model{Data: artifact, Type: run.Artifact.Type, Name: run.Artifact.Name}}, nil
}
