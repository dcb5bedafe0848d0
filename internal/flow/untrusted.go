package flow

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/table"
)

// What an evaluation of somebody else may hold beside as many rows as are expected. Parquet keeps a repeated text once, so a small file can
// stand for more memory than there is: sizes are asked before anything is read.
const (
	maxEvaluationColumns = 512
	maxEvaluationText    = 256 << 20 // bytes of all texts, each row counted
	maxExpansion         = 1 << 30   // bytes of all pages, unpacked
)

// untrusted reads an evaluation that may come from anyone, of exactly so many rows.
func (w *workshop) untrusted(ctx context.Context, data []byte, task string, rows int) (record.Evaluation, error) {
	if err := w.measureParquet(ctx, data, rows); err != nil {
		return record.Evaluation{}, fmt.Errorf("reading an evaluation: %w", err)
	}
	return w.evaluation(ctx, data, task)
}

// measureParquet refuses a file whose metadata or texts are too large, without reading its rows into memory.
func (w *workshop) measureParquet(ctx context.Context, data []byte, rows int) error {
	path := filepath.Join(w.dir, "untrusted.parquet")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return err
	}
	defer os.Remove(path)
	name := engine.Literal(path)
	m, err := w.db.MeasureParquet(ctx, path)
	switch {
	case err != nil:
		return err
	case m.Rows != int64(rows):
		return fmt.Errorf("%d rows, and there should be %d", m.Rows, rows)
	case m.Columns > maxEvaluationColumns || m.Bytes > maxExpansion:
		return fmt.Errorf("%d columns and %d bytes unpacked are too many", m.Columns, m.Bytes)
	}
	described, err := w.db.Columns(ctx, "select * from read_parquet("+name+")")
	if err != nil {
		return err
	}
	var lengths []string
	for _, c := range described {
		if c.Type == table.String {
			lengths = append(lengths, `coalesce(sum(strlen(`+engine.Ident(c.Name)+`::varchar)), 0)::bigint`)
		}
	}
	if len(lengths) == 0 {
		return errors.New("it has no part")
	}
	text, err := w.db.Query(ctx, "select "+strings.Join(lengths, " + ")+" from read_parquet("+name+")")
	if err != nil {
		return err
	}
	if total, ok := text.Values[0][0].(int64); !ok || total > maxEvaluationText {
		return fmt.Errorf("its texts have %v bytes, and at most %d are read", text.Values[0][0], maxEvaluationText)
	}
	return nil
}

// plainText says whether a text of the measuring job is short and can be shown.
func plainText(s string, most int) bool {
	return len(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f })
}

const maxSeconds = 366 * 24 * 3600

// duration says whether a number can be seconds that something took.
func duration(seconds float64) bool { return seconds >= 0 && seconds <= maxSeconds }

// sameScores says whether two models' answers are one: to the last digit on one kind of machine, nearly so on two.
func sameScores(a, b [][]float64) bool {
	if len(a) != len(b) {
		return false
	}
	for c := range a {
		if len(a[c]) != len(b[c]) {
			return false
		}
		for i, x := range a[c] {
			if y := b[c][i]; !(math.Abs(x-y) <= 1e-9*max(1, math.Abs(y))) {
				return false
			}
		}
	}
	return true
}

// checkSteps holds the steps of a result against those of the flow; what they say of themselves is bounded text.
func checkSteps(steps []record.Step, want []string) error {
	if len(steps) > len(want) {
		return fmt.Errorf("result.json has %d steps, and the flow has %d", len(steps), len(want))
	}
	for i, s := range steps {
		known := s.State == "done" || s.State == "skipped" || s.State == "failed"
		if s.Name != want[i] || !known || !plainText(s.Why, 4000) || !duration(s.Seconds) {
			return fmt.Errorf("step %d of result.json is not one of the flow", i+1)
		}
	}
	return nil
}

func names[S any](steps []step[S]) []string {
	var out []string
	for _, s := range steps {
		out = append(out, s.name)
	}
	return out
}
