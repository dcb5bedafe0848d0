// Package program is the contract with a person's program that learns: what it is given, what it must leave, and what of that is believed.
//
// Where and under which limits it runs is internal/job's business; what an experiment or a run is, internal/flow's. It reads no documents and stores
// nothing: everything lies in rooms that are gone when a call returns.
//
// # Training
//
// The command runs in a fresh folder that holds the files of train.code and the lock, nothing else. Its environment is PATH, LANG, HOME and TMPDIR
// (fresh and empty), TZ=UTC, the variables that train.env names, and
//
//	PLUMB_TRAIN, PLUMB_VALID, PLUMB_TEST  paths of the three parts, Parquet (CSV with `format = "csv"`)
//	PLUMB_PARAMS                          [params] as JSON, the very text that was digested
//	PLUMB_FEATURES                        the names of the feature columns, a JSON list
//	PLUMB_SEED                            a whole number
//	PLUMB_OUT                             a folder to write to; the model goes to PLUMB_OUT/model/
//
// Columns are row_id, entity and time columns, features in the document's order, then in the train and valid parts label and, when it is declared,
// weight. The test part has neither, and nothing that the label is made of is among the other columns.
//
// It must end with 0 and leave a model: any files in PLUMB_OUT/model. Scores of every row of the valid and the test part, once each, come from
// PLUMB_OUT/predictions.parquet (.csv), or from the predict command, which wins where there is one. PLUMB_OUT/metrics.jsonl may hold learning curves,
// a line as {"step": 1, "name": "log_loss", "value": 0.6, "split": "valid"}: they are shown as the program's own word, and decide nothing.
//
// # Scoring
//
// predict is run in a folder like train's with {in}, {out} and {model} replaced: rows as the test part has them, where to write row_id and score, and
// a read-only folder with the model's files. A worker is asked in batches instead (job.Worker). The score of a binary task is the probability of 1;
// a multiclass task has one column score_<class> a class, each row adding up to 1, and a class that has no column is never answered.
package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/digest"
	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/job"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/table"
)

// The formats of what goes in and comes out.
const (
	Parquet = "parquet"
	CSV     = "csv"
)

// Program is a person's program and how it is run.
type Program struct {
	Train, Predict, Worker []string // argv each; of the last two at most one
	Files                  []File   // of train.code, and the lock
	Format                 string   // Parquet or CSV
	Env                    []string // of plumb, as of os.Environ
	Named                  []string // the variables of Env that it gets
	Limits                 job.Limits
	Hidden                 []string // folders that it must not see
	Task                   string
	Classes                []string // multiclass
	Params                 []byte   // JSON
	Features               []string
	Seed                   int64
	DB                     *engine.DB       // reads and writes Parquet
	Temp                   string           // a folder that DB may read
	Tell                   func(now string) // told now and then how it goes; nil: nobody is

	known *escape.Secrets
}

// File is a file of the program.
type File struct {
	Path   string // slash-separated, from the project's root
	Mode   fs.FileMode
	SHA256 string // digest of its bytes
	Open   func() (io.ReadCloser, error)
}

// Lesson is what a program learns from: frames that begin with row_id.
type Lesson struct {
	Train, Valid table.Frame
	Test         table.Frame // without label and weight
}

// Learned is what training left.
type Learned struct {
	Model   Model
	Scores  [][]float64 // of the test rows, then the valid rows, each in the lesson's order; nil: Score has to be asked
	Curves  []record.ReportedCurve
	Log     []byte
	Notes   []string // what of its output was not understood
	Sandbox string
	Version string // of the interpreter, where it tells
	Took    time.Duration
}

// Failure is a program's error together with what it printed.
type Failure struct {
	Command string // "train.command"
	Err     error
	Log     []byte
}

func (f *Failure) Error() string {
	said := f.Command + ": " + f.Err.Error()
	if last := lastLine(f.Log); last != "" {
		said += "; its last words: " + last
	}
	return said
}

// Unwrap gives what went wrong.
func (f *Failure) Unwrap() error { return f.Err }

func lastLine(log []byte) string {
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	return escape.Terminal(clip(lines[len(lines)-1], 200))
}

func clip(text string, most int) string {
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// Learn runs the training. The error is a *Failure when the program is to blame.
func (p *Program) Learn(ctx context.Context, l Lesson) (*Learned, error) {
	room, err := p.room()
	if err != nil {
		return nil, err
	}
	defer room.Close()
	out := &Learned{}
	paths := map[string]string{}
	for name, frame := range map[string]table.Frame{"train": l.Train, "valid": l.Valid, "test": l.Test} {
		if paths[name], err = p.write(ctx, frame, filepath.Join(room.Data(), name)); err != nil {
			return nil, fmt.Errorf("writing the %s part: %w", name, err)
		}
	}
	if err := os.Mkdir(filepath.Join(room.Out(), "model"), 0o700); err != nil {
		return nil, err
	}
	if out.Version, err = p.version(ctx, room); err != nil {
		return nil, err
	}
	spec, err := p.spec(room, p.Train, "PLUMB_TRAIN="+paths["train"], "PLUMB_VALID="+paths["valid"], "PLUMB_TEST="+paths["test"], "PLUMB_OUT="+room.Out())
	if err != nil {
		return nil, err
	}
	spec.Watch = p.watch(room)
	done, err := room.Run(ctx, spec)
	out.Log, out.Sandbox, out.Took = done.Log, done.Sandbox, done.Took
	if err == nil {
		err = p.collect(ctx, room, l, out)
	}
	return out, p.blame("train.command", err, done.Log)
}

// collect takes what the program left. Nobody runs in the room any more.
func (p *Program) collect(ctx context.Context, room *job.Room, l Lesson, out *Learned) error {
	var err error
	if out.Model, err = p.model(room); err != nil {
		return err
	}
	out.Curves, out.Notes = p.curves(room)
	if len(p.Predict)+len(p.Worker) > 0 {
		return nil
	}
	name := "predictions." + p.Format
	wanted := append(append([]int64{}, l.Test.Column(rowID).Ints...), l.Valid.Column(rowID).Ints...)
	out.Scores, err = p.scores(ctx, answers{room: room, file: "out/" + name, called: "PLUMB_OUT/" + name}, wanted)
	if errors.Is(err, fs.ErrNotExist) {
		return problem.Failedf(fmt.Sprintf("write row_id and score of every row of the valid and the test part to $PLUMB_OUT/%s, or add [predict] command", name),
			"it ended well and left no predictions: there is no PLUMB_OUT/%s and no [predict] command", name)
	}
	return err
}

// blame makes a failure of what a program did; other errors stay what they are.
func (p *Program) blame(command string, err error, log []byte) error {
	if err == nil {
		return nil
	}
	secrets := p.secrets()
	if text := err.Error(); secrets.Text(text) != text { // what a program names may be a secret too
		err = problem.Failedf(secrets.Text(problem.Hint(err)), "%s", secrets.Text(text))
	}
	return &Failure{Command: command, Err: err, Log: log}
}

// secrets are what must not leave. A Program is used by one goroutine at a time.
func (p *Program) secrets() *escape.Secrets {
	if p.known == nil {
		p.known = escape.SecretsOf(p.Env, p.Named)
	}
	return p.known
}

// room makes a room with the program's files in its work folder.
func (p *Program) room() (*job.Room, error) {
	r, err := job.NewRoom()
	if err != nil {
		return nil, err
	}
	for _, f := range p.Files {
		if err := put(r, f); err != nil {
			return nil, errors.Join(fmt.Errorf("copying %s: %w", f.Path, err), r.Close())
		}
	}
	return r, nil
}

// put copies a file, which must be the one that was digested: a working folder may change meanwhile.
func put(r *job.Room, f File) error {
	from, err := f.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	content, err := io.ReadAll(from)
	switch {
	case err != nil:
		return err
	case digest.Bytes(content) != f.SHA256:
		return problem.Failedf("run it again", "it changed while the run began")
	}
	return r.Put("work/"+f.Path, f.Mode, strings.NewReader(string(content)))
}

// spec is how a command of the program is run in a room.
func (p *Program) spec(r *job.Room, argv []string, set ...string) (job.Spec, error) {
	features, err := digest.Canonical(p.Features)
	if err != nil {
		return job.Spec{}, err
	}
	set = append(set, "PLUMB_PARAMS="+string(p.Params), "PLUMB_FEATURES="+string(features), fmt.Sprintf("PLUMB_SEED=%d", p.Seed))
	s := job.Spec{Argv: argv, Env: r.Environment(p.Env, p.Named, set...), Hidden: p.Hidden, Limits: p.Limits, Secrets: p.secrets()}
	for _, pair := range p.Env {
		switch name, value, _ := strings.Cut(pair, "="); {
		case name == "HOME":
			s.Home = value
		default:
			for _, named := range p.Named {
				if name == named {
					s.Read = append(s.Read, paths(value)...)
				}
			}
		}
	}
	return s, nil
}

// paths are the absolute ones in a variable that the program is given: what is named on purpose may be read.
func paths(value string) []string {
	var out []string
	for _, part := range filepath.SplitList(value) {
		if filepath.IsAbs(part) {
			out = append(out, part)
		}
	}
	return out
}

// version asks an interpreter which it is. It is written down beside a run, and decides nothing.
func (p *Program) version(ctx context.Context, r *job.Room) (string, error) {
	known := false
	for _, name := range []string{"python", "Rscript", "julia", "node", "ruby", "perl"} {
		known = known || strings.HasPrefix(filepath.Base(p.Train[0]), name)
	}
	if !known {
		return "", nil
	}
	spec, err := p.spec(r, []string{p.Train[0], "--version"})
	if err != nil {
		return "", err
	}
	spec.Limits = job.Limits{Time: 20 * time.Second}
	got, err := r.Run(ctx, spec)
	if err != nil {
		return "", p.blame("train.command", err, got.Log)
	}
	first, _, _ := strings.Cut(string(got.Log), "\n")
	return escape.Terminal(clip(strings.TrimSpace(first), 80)), nil
}

// watch tells how a training goes: its last curve value, else its last line.
func (p *Program) watch(room *job.Room) func(job.Now) {
	if p.Tell == nil {
		return nil
	}
	return func(n job.Now) {
		said := p.lastStep(room)
		if said == "" {
			said = n.Line
		}
		now := fmt.Sprintf("%.0f s, %d MiB", n.Took.Seconds(), n.Memory>>20)
		if said != "" {
			now += ": " + said
		}
		p.Tell(now)
	}
}
