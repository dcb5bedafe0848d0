package program

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/plumb-ml/plumb/internal/job"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/table"
)

// ErrNoPredict says that a program has no command to score rows with.
var ErrNoPredict = errors.New("it has no [predict] command, and can't score other rows than it was trained with")

// workerBatch is how many rows a worker is asked at once.
const workerBatch = 1000

// Score lets the program score rows, a frame that begins with row_id, with a model that it left. It gives one column a class (else one) in their
// order, and what the program printed.
func (p *Program) Score(ctx context.Context, m Model, rows table.Frame) ([][]float64, []byte, error) {
	if len(p.Predict)+len(p.Worker) == 0 {
		return nil, nil, ErrNoPredict
	}
	if len(p.Worker) > 0 {
		return p.work(ctx, m, rows)
	}
	room, err := p.room()
	if err != nil {
		return nil, nil, err
	}
	defer room.Close()
	if err := m.unpack(room); err != nil {
		return nil, nil, fmt.Errorf("laying out the model: %w", err)
	}
	return p.predict(ctx, room, rows)
}

func (p *Program) predict(ctx context.Context, room *job.Room, rows table.Frame) ([][]float64, []byte, error) {
	in, err := p.write(ctx, rows, filepath.Join(room.Data(), "in"))
	if err != nil {
		return nil, nil, fmt.Errorf("writing the rows to score: %w", err)
	}
	out := "out." + p.Format
	spec, err := p.spec(room, fill(p.Predict, "{in}", in, "{out}", filepath.Join(room.Out(), out), "{model}", room.Model()))
	if err != nil {
		return nil, nil, err
	}
	spec.Watch = p.watch(room)
	done, err := room.Run(ctx, spec)
	var scores [][]float64
	if err == nil {
		scores, err = p.scores(ctx, answers{room: room, file: "out/" + out, called: "its {out}"}, rows.Column(rowID).Ints)
		if errors.Is(err, fs.ErrNotExist) {
			err = problem.Failedf("write row_id and score of every row of {in} to {out}", "it ended well and wrote no {out}")
		}
	}
	return scores, done.Log, p.blame("predict.command", err, done.Log)
}

// fill replaces placeholders anywhere in the arguments.
func fill(argv []string, pairs ...string) []string {
	r := strings.NewReplacer(pairs...)
	out := make([]string, len(argv))
	for i, a := range argv {
		out[i] = r.Replace(a)
	}
	return out
}

// Session is a worker that was started and stays.
type Session struct {
	program *Program
	room    *job.Room
	worker  *job.Worker
}

// Open starts the program's worker with a model. The caller closes it.
func (p *Program) Open(ctx context.Context, m Model) (*Session, error) {
	if len(p.Worker) == 0 {
		return nil, errors.New("it has no worker")
	}
	room, err := p.room()
	if err != nil {
		return nil, err
	}
	s := &Session{program: p, room: room}
	if err := s.start(ctx, m); err != nil {
		room.Close()
		return nil, err
	}
	return s, nil
}

func (s *Session) start(ctx context.Context, m Model) error {
	p, room := s.program, s.room
	if err := m.unpack(room); err != nil {
		return fmt.Errorf("laying out the model: %w", err)
	}
	spec, err := p.spec(room, fill(p.Worker, "{model}", room.Model()))
	if err != nil {
		return err
	}
	spec.Watch = p.watch(room)
	if s.worker, err = room.StartWorker(ctx, spec); err != nil {
		return p.blame("predict.worker", err, nil)
	}
	return nil
}

// Score asks the worker for the scores of rows, as Program.Score does.
func (s *Session) Score(ctx context.Context, rows table.Frame) ([][]float64, error) {
	return s.program.ask(ctx, s.worker, rows)
}

// Close ends the worker and gives what it printed. err is what went wrong before, if anything did: what the program is to blame for is said of it.
func (s *Session) Close(err error) ([]byte, error) {
	defer s.room.Close()
	done, closing := s.worker.Close()
	return done.Log, s.program.blame("predict.worker", errors.Join(err, closing), done.Log)
}

// work asks a worker batch by batch.
func (p *Program) work(ctx context.Context, m Model, rows table.Frame) ([][]float64, []byte, error) {
	s, err := p.Open(ctx, m)
	if err != nil {
		return nil, nil, err
	}
	scores, err := s.Score(ctx, rows)
	log, err := s.Close(err)
	return scores, log, err
}

// ask gives a worker the columns but for row_id, which is plumb's own business.
func (p *Program) ask(ctx context.Context, w *job.Worker, rows table.Frame) ([][]float64, error) {
	ids := rows.Column(rowID).Ints
	classes := 0
	if p.Task == record.TaskMulticlass {
		classes = len(p.Classes)
	}
	var names []string
	var columns []*table.Vector
	for c := range rows.Columns {
		if v := &rows.Columns[c]; v.Name != rowID {
			names, columns = append(names, v.Name), append(columns, v)
		}
	}
	out := make([][]float64, max(classes, 1))
	for from := 0; from < rows.N; from += workerBatch {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		to := min(from+workerBatch, rows.N)
		batch := make([][]any, 0, to-from)
		for i := from; i < to; i++ {
			values := make([]any, len(columns))
			for c, v := range columns {
				values[c] = plain(v, i)
			}
			batch = append(batch, values)
		}
		scores, err := w.Score(names, batch, classes)
		if err != nil {
			return nil, err
		}
		for c := range out {
			for i, x := range scores[c] {
				if why := p.wrongScore(x, false); why != "" {
					return nil, problem.Failedf(p.scoreHint(), "its worker answered %s for row_id %d", why, ids[from+i])
				}
			}
			out[c] = append(out[c], scores[c]...)
		}
	}
	if err := p.addUp(out, ids); err != nil {
		return nil, fmt.Errorf("its worker %w", err)
	}
	return out, nil
}

// plain is a value as JSON has it; what is missing, a NaN or an infinity is null, and a time is text as in CSV.
func plain(v *table.Vector, i int) any {
	switch {
	case v.IsNull(i):
		return nil
	case v.Type == table.Date, v.Type == table.Timestamp:
		return cell(v, i)
	case v.Floats != nil:
		if x := v.Floats[i]; x-x == 0 {
			return x
		}
		return nil
	case v.Ints != nil:
		return v.Ints[i]
	case v.Bools != nil:
		return v.Bools[i]
	}
	return v.Text(i)
}
