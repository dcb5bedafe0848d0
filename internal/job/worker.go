package job

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"time"
)

// What one question and one answer of a worker may take.
const (
	maxAnswer  = 64 << 20 // bytes of a line
	answerTime = time.Minute
)

// Worker is a program that stays and scores rows: it reads one JSON line {"columns":[…],"rows":[[…]]} and writes one, {"scores":[…]} with a score
// a row (multiclass: a list with a score a class), or {"error":"…"}. What it prints beside must go to its standard error.
type Worker struct {
	process *Process
	in, out *os.File
	reader  *bufio.Reader
	patient time.Duration
}

// StartWorker starts a worker in the room. Its limits are the spec's, but for the time: that is of one answer (0: a minute). The caller closes it.
func (r *Room) StartWorker(ctx context.Context, s Spec) (*Worker, error) {
	inRead, inWrite, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer inRead.Close()
	outRead, outWrite, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, inWrite.Close())
	}
	defer outWrite.Close()
	w := &Worker{in: inWrite, out: outRead, reader: bufio.NewReaderSize(outRead, 1<<16), patient: s.Limits.Time}
	if w.patient <= 0 {
		w.patient = answerTime
	}
	s.stdin, s.stdout, s.Limits.Time = inRead, outWrite, forever
	if w.process, err = r.Start(ctx, s); err != nil {
		return nil, errors.Join(err, inWrite.Close(), outRead.Close())
	}
	return w, nil
}

const forever = 100 * 365 * 24 * time.Hour

// Close ends the worker and gives its log.
func (w *Worker) Close() (Result, error) {
	_ = w.in.Close() // an honest worker ends here
	got, err := w.ended()
	return got, errors.Join(err, w.out.Close())
}

// ended waits a moment for the worker to end by itself, then ends it.
func (w *Worker) ended() (Result, error) {
	select {
	case <-w.process.done:
	case <-after(time.Second):
		w.process.End(errClosed)
	}
	got, err := w.process.Wait()
	if errors.Is(err, errClosed) {
		err = nil
	}
	return got, err
}

var errClosed = errors.New("it was not needed any more")

// question is what a worker reads.
type question struct {
	Columns []string `json:"columns"`
	Rows    [][]any  `json:"rows"`
}

// Score asks for the scores of rows, each with a value a column. It gives one column of scores, or for a multiclass task one a class.
func (w *Worker) Score(columns []string, rows [][]any, classes int) ([][]float64, error) {
	text, err := json.Marshal(question{columns, rows})
	if err != nil {
		return nil, fmt.Errorf("asking the worker: %w", err)
	}
	line, err := w.ask(append(text, '\n'))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Scores []json.RawMessage `json:"scores"`
		Error  *string           `json:"error"`
	}
	switch err := json.Unmarshal(line, &answer); {
	case err != nil:
		return nil, wrongf("print messages to standard error: standard output is for answers", "its worker answered with no JSON object: %.80q", bytes.TrimSpace(w.process.spec.Secrets.Redact(line)))
	case answer.Error != nil:
		return nil, wrongf("", "its worker says: %.400s", w.process.spec.Secrets.Text(*answer.Error))
	case len(answer.Scores) != len(rows):
		return nil, wrongf("", "its worker answered with %d scores for %d rows", len(answer.Scores), len(rows))
	}
	return scoresOf(answer.Scores, classes)
}

// ask sends a line and waits for one.
func (w *Worker) ask(text []byte) ([]byte, error) {
	until := time.Now().Add(w.patient)
	_ = w.in.SetDeadline(until) // pipes have deadlines
	_ = w.out.SetDeadline(until)
	_, err := w.in.Write(text)
	var line []byte
	for err == nil {
		var piece []byte
		piece, err = w.reader.ReadSlice('\n')
		if line = append(line, piece...); len(line) > maxAnswer {
			return nil, wrongf("", "its worker's answer has more than %s", Size(maxAnswer))
		}
		if err == nil {
			return line, nil
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			err = nil
		}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		w.process.End(wrongf("", "its worker did not answer within %s", w.patient))
		_, err := w.process.Wait()
		return nil, err
	}
	_, err = w.ended()
	return nil, errors.Join(wrongf("a worker ends when its standard input does, not before", "its worker ended without an answer"), err)
}

func scoresOf(items []json.RawMessage, classes int) ([][]float64, error) {
	out := make([][]float64, max(classes, 1))
	for c := range out {
		out[c] = make([]float64, len(items))
	}
	for i, item := range items {
		var values []float64
		if classes == 0 {
			values = []float64{math.NaN()}
			if err := json.Unmarshal(item, &values[0]); err != nil || bytes.Equal(item, []byte("null")) {
				return nil, wrongf("", "its worker answered %.40s for row %d, not a number", item, i)
			}
		} else if err := json.Unmarshal(item, &values); err != nil || len(values) != classes {
			return nil, wrongf("", "its worker answered %.80s for row %d, not a list of %d numbers", item, i, classes)
		}
		for c, v := range values {
			out[c][i] = v
		}
	}
	return out, nil
}
