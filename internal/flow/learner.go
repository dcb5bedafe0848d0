package flow

import (
	"context"
	"fmt"
	"time"

	"github.com/plumb-ml/plumb/internal/digest"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/learn"
	"github.com/plumb-ml/plumb/internal/model"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
	"github.com/plumb-ml/plumb/internal/table"
	"github.com/plumb-ml/plumb/internal/trainset"
)

// sheet is rows with what a learner is told of them. All have one entry a row, in one order.
type sheet struct {
	rows     *trainset.Rows
	features table.Frame // one column a feature, in the document's order
	kept     map[string]sheet
	beside   table.Frame // for a person\'s program only: entity and time columns
}

// keep makes selections of parts once, for many trainings that only read them.
func (s *sheet) keep(selections ...[]trainset.Part) {
	kept := map[string]sheet{}
	for _, parts := range selections {
		kept[fmt.Sprint(parts)] = s.of(parts...)
	}
	s.kept = kept
}

// of gives the rows of these parts, part after part.
func (s sheet) of(parts ...trainset.Part) sheet {
	if kept, ok := s.kept[fmt.Sprint(parts)]; ok {
		return kept
	}
	var index []int
	for _, p := range parts {
		index = append(index, s.rows.Of(p)...)
	}
	return s.pick(index)
}

func (s sheet) pick(index []int) sheet {
	return sheet{rows: s.rows.Select(index), features: s.features.Select(index), beside: s.beside.Select(index)}
}

// scorer is a model that was trained, whatever trained it: it answers for any rows that have its features.
type scorer interface {
	// score gives one column of as many scores as the sheet has rows; multiclass has one column a class, in the order of the rows' classes.
	score(ctx context.Context, s sheet) ([][]float64, error)
	// importance is each feature's share by name; nil when the model can't say.
	importance() map[string]float64
}

// trained is what training leaves: how the model scores, its bytes, and what of it enters the result.
type trained struct {
	scorer
	artifact store.Blob
	digest   string      // of the model, where the same inputs give the same bytes: built-in learners only
	scores   [][]float64 // what training itself said of the test rows, then of the valid rows; nil: the model is asked

	// Of a person's program only.
	name     string // of the model's file
	log      []byte
	reported []record.ReportedCurve
	sandbox  string
	version  string   // of its interpreter
	notes    []string // what the reader should know
}

// train lets the experiment's learner learn from the train and the valid rows. seed is the document's, or that of a repeat.
func (w *workshop) train(ctx context.Context, t *Tree, e *doc.Experiment, s sheet, seed int64) (*trained, error) {
	if e.Train.Learner == learnerCommand {
		return w.trainCommand(ctx, t, e, s, seed)
	}
	return w.trainBuiltin(ctx, e, s, seed)
}

// scorerOf reads back the model of a run, to score rows with what the tree says: its inputs are those of the run, so its code is too.
func (w *workshop) scorerOf(t *Tree, run record.Run, artifact []byte) (scorer, error) {
	if run.Learner == learnerCommand {
		return w.commandModel(t, run, artifact)
	}
	m, err := model.Load(artifact)
	if err != nil {
		return nil, fmt.Errorf("reading the model of run %s: %w", run.ID, err)
	}
	return builtin{m}, nil
}

// builtin is a model of plumb's own learners.
type builtin struct{ model.Model }

func (b builtin) score(_ context.Context, s sheet) ([][]float64, error) { return b.Score(s.features) }
func (b builtin) importance() map[string]float64                        { return b.Importance() }

func (w *workshop) trainBuiltin(ctx context.Context, e *doc.Experiment, s sheet, seed int64) (*trained, error) {
	part := func(p trainset.Part) learn.Set {
		kept := s.of(p)
		return learn.Set{X: kept.features, Y: kept.rows.Label, W: kept.rows.Weight}
	}
	last := time.Now()
	m, err := learn.Train(ctx, learn.Job{Task: s.rows.Task, Learner: e.Train.Learner, Params: told(e), Seed: seed, Classes: s.rows.Classes,
		Train: part(trainset.Train), Valid: part(trainset.Valid), Threads: w.threads,
		Progress: func(step, total int, _ map[string]float64) {
			if time.Since(last) > time.Second {
				last = time.Now()
				w.p.progress("%s: training, step %d of %d", e.ID, step, total)
			}
		}})
	if err != nil {
		return nil, err
	}
	encoded, err := m.Encode()
	if err != nil {
		return nil, fmt.Errorf("writing the model: %w", err)
	}
	return &trained{scorer: builtin{m}, artifact: store.Blob{Data: encoded, Type: typeModel}, digest: digest.Bytes(encoded)}, nil
}
