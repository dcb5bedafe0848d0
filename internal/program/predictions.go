package program

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/job"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/table"
)

// The most that predictions may be.
const (
	maxAnswers = 2 << 30 // bytes of the file
	maxColumns = 512
)

// sumTolerance is how far the probabilities of a row's classes may be from adding up to 1: programs write float32, and round.
const sumTolerance = 0.01

// answers is a file of scores that a program wrote.
type answers struct {
	room   *job.Room
	file   string // as out/predictions.parquet
	called string // how messages name it
}

// scores reads a file of scores and gives one column a class (else one) of the wanted rows, in their order. It errs, and says what and where, when a
// row is missing, doubled or unknown, and when a score is none.
func (p *Program) scores(ctx context.Context, a answers, wanted []int64) ([][]float64, error) {
	data, err := a.room.Read(a.file, maxAnswers)
	if err != nil {
		return nil, err
	}
	var f table.Frame
	if p.Format == CSV {
		f, err = readCSV(data)
	} else {
		f, err = p.readParquet(ctx, data, len(wanted))
	}
	if err == nil {
		var scores [][]float64
		if scores, err = p.arrange(f, wanted); err == nil {
			return scores, nil
		}
	}
	return nil, fmt.Errorf("%s %w", a.called, err)
}

// readParquet asks a file's sizes before it reads rows: a small one may stand for more than there is memory.
func (p *Program) readParquet(ctx context.Context, data []byte, rows int) (table.Frame, error) {
	file, err := os.CreateTemp(p.Temp, "scores-*.parquet")
	if err != nil {
		return table.Frame{}, err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(data)
	if err = errors.Join(err, file.Close()); err != nil {
		return table.Frame{}, err
	}
	m, err := p.DB.MeasureParquet(ctx, file.Name())
	switch {
	case err != nil:
		return table.Frame{}, problem.Failedf("", "can't be read: %.300s", strings.ReplaceAll(err.Error(), file.Name(), filepath.Base(file.Name())))
	case m.Columns > maxColumns || m.Bytes > 4*maxAnswers:
		return table.Frame{}, problem.Failedf("", "has %d columns and %s unpacked, which is too much", m.Columns, job.Size(m.Bytes))
	case m.Rows > 2*int64(rows)+1000: // so many that it is not worth reading which
		return table.Frame{}, problem.Failedf("write each row of the valid and the test part once", "has %d rows, and there should be %d", m.Rows, rows)
	}
	relation := "read_parquet(" + engine.Literal(file.Name()) + ")"
	columns, err := p.DB.Columns(ctx, "select * from "+relation)
	if err != nil {
		return table.Frame{}, fmt.Errorf("can't be read: %w", err)
	}
	var names []string
	for _, c := range columns {
		if !isAnswer(c.Name) {
			continue
		}
		if c.Type != table.Int64 && c.Type != table.Float64 { // text may unpack to anything
			return table.Frame{}, problem.Failedf("row_id is a whole number as it was given, scores are numbers", "has a %s of type %s", c.Name, strings.ToLower(c.Raw))
		}
		names = append(names, engine.Ident(c.Name))
	}
	if len(names) == 0 {
		return table.Frame{}, noColumns(columns)
	}
	f, err := p.DB.Frame(ctx, "select "+strings.Join(names, ", ")+" from "+relation)
	if err != nil {
		return f, fmt.Errorf("can't be read: %w", err)
	}
	return f, nil
}

func isAnswer(name string) bool {
	return name == rowID || name == scoreColumn || strings.HasPrefix(name, scorePrefix)
}

func noColumns(columns []engine.Described) error {
	var names []string
	for _, c := range columns[:min(len(columns), 6)] {
		names = append(names, fmt.Sprintf("%.40q", c.Name))
	}
	return problem.Failedf("name them row_id and score", "has no column row_id, but %s", strings.Join(names, ", "))
}

// readCSV reads columns of numbers. Text that is no number, R's NA among it, is NaN, which has no place in scores and is named later.
func readCSV(data []byte) (table.Frame, error) {
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(data), "\ufeff")))
	r.ReuseRecord = true
	head, err := r.Read()
	if err != nil {
		return table.Frame{}, problem.Failedf("write a header, row_id,score", "has no header: %.200v", err)
	}
	var f table.Frame
	var from []int
	for c, name := range head {
		if name = strings.TrimSpace(name); !isAnswer(name) {
			continue
		}
		v := table.Vector{Column: table.Column{Name: strings.Clone(name), Type: table.Float64}, Floats: []float64{}}
		if name == rowID {
			v.Type, v.Floats, v.Ints = table.Int64, nil, []int64{}
		}
		f.Columns, from = append(f.Columns, v), append(from, c)
	}
	for ; ; f.N++ {
		line, err := r.Read()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return f, problem.Failedf("", "can't be read: %.200v", err)
		}
		for i := range f.Columns {
			v, text := &f.Columns[i], strings.TrimSpace(line[from[i]])
			if v.Type == table.Float64 {
				x, err := strconv.ParseFloat(text, 64)
				if err != nil && !math.IsInf(x, 0) {
					x = math.NaN()
				}
				v.Floats = append(v.Floats, x)
				continue
			}
			id, err := readID(text)
			if err != nil {
				return f, problem.Failedf("write row_id as it was given", "has a row_id %.40q in line %d", text, f.N+2)
			}
			v.Ints = append(v.Ints, id)
		}
	}
}

// readID reads a whole number, also as R writes large ones: 1e+05.
func readID(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err == nil {
		return id, nil
	}
	x, err := strconv.ParseFloat(text, 64)
	if err == nil && (x != math.Trunc(x) || math.Abs(x) > 1<<53) {
		err = strconv.ErrSyntax
	}
	return int64(x), err
}

// arrange puts scores into the order of the wanted rows and looks at every value.
func (p *Program) arrange(f table.Frame, wanted []int64) ([][]float64, error) {
	ids := f.Column(rowID)
	if ids == nil {
		return nil, problem.Failedf("name them row_id and score", "has no column row_id")
	}
	if ids.Ints == nil || ids.Type != table.Int64 {
		return nil, problem.Failedf("write row_id as it was given, a whole number", "has a row_id of type %s", ids.Type)
	}
	if i := slices.Index(ids.Null, true); i >= 0 {
		return nil, problem.Failedf("write row_id as it was given", "has no row_id in row %d", i)
	}
	order, err := match(ids.Ints, wanted)
	if err != nil {
		return nil, err
	}
	names, err := p.columns(&f)
	if err != nil {
		return nil, err
	}
	out := make([][]float64, len(names))
	for c, name := range names {
		out[c] = make([]float64, len(wanted))
		v := f.Column(name)
		if v == nil { // a class that is never answered
			continue
		}
		if v.Floats == nil && v.Ints == nil || v.Type != table.Int64 && v.Type != table.Float64 {
			return nil, problem.Failedf("write scores as numbers", "has a %s of type %s", name, v.Type)
		}
		for i, at := range order {
			x := v.Float(at)
			if why := p.wrongScore(x, v.IsNull(at)); why != "" {
				return nil, problem.Failedf(p.scoreHint(), "has %s as the %s of row_id %d", why, name, wanted[i])
			}
			out[c][i] = x
		}
	}
	return out, p.addUp(out, wanted)
}

// columns names the columns of scores that the task has.
func (p *Program) columns(f *table.Frame) ([]string, error) {
	if p.Task != record.TaskMulticlass {
		if f.Column(scoreColumn) == nil {
			return nil, problem.Failedf("name them row_id and score", "has no column score")
		}
		return []string{scoreColumn}, nil
	}
	names, found := make([]string, len(p.Classes)), 0
	for c, class := range p.Classes {
		if names[c] = scorePrefix + class; f.Column(names[c]) != nil {
			found++
		}
	}
	if found == 0 {
		return nil, problem.Failedf("a multiclass task has a column a class, named by the label's values", "has none of the columns %s", strings.Join(names[:min(len(names), 8)], ", "))
	}
	return names, nil
}

func (p *Program) scoreHint() string {
	switch p.Task {
	case record.TaskRegression:
		return "every score is a finite number"
	case record.TaskMulticlass:
		return "the score of a class is its probability, and those of a row add up to 1"
	}
	return "the score of a binary task is the probability of label 1, as predict_proba(X)[:, 1]"
}

// wrongScore says what is wrong with a value; "" when nothing is.
func (p *Program) wrongScore(x float64, null bool) string {
	switch {
	case null:
		return "nothing"
	case math.IsNaN(x):
		return "NaN"
	case math.IsInf(x, 0) || p.Task != record.TaskRegression && (x < 0 || x > 1):
		return strconv.FormatFloat(x, 'g', 6, 64)
	}
	return ""
}

// addUp holds that the classes of a row have probabilities.
func (p *Program) addUp(scores [][]float64, wanted []int64) error {
	if p.Task != record.TaskMulticlass {
		return nil
	}
	for i, id := range wanted {
		sum := 0.0
		for c := range scores {
			sum += scores[c][i]
		}
		if math.Abs(sum-1) > sumTolerance {
			return problem.Failedf(p.scoreHint(), "has scores of row_id %d that add up to %.4g", id, sum)
		}
	}
	return nil
}

// match gives, for each wanted row, where it is among those given: each exactly once.
func match(given, wanted []int64) ([]int, error) {
	at := make(map[int64]int, len(wanted))
	for _, id := range wanted {
		at[id] = -1
	}
	var doubled, unknown []int64
	for i, id := range given {
		switch was, ok := at[id]; {
		case !ok:
			unknown = append(unknown, id)
		case was >= 0:
			doubled = append(doubled, id)
		default:
			at[id] = i
		}
	}
	order := make([]int, len(wanted))
	var missing []int64
	for i, id := range wanted {
		if order[i] = at[id]; order[i] < 0 {
			missing = append(missing, id)
		}
	}
	const hint = "every row of the valid and the test part has one score, by its row_id"
	switch {
	case len(doubled) > 0:
		return nil, problem.Failedf(hint, "has %s twice: row_id %s", countOf(len(doubled), "row"), some(doubled))
	case len(unknown) > 0:
		return nil, problem.Failedf(hint, "has %s that %s asked for: row_id %s", countOf(len(unknown), "row"), wasOrWere(len(unknown)), some(unknown))
	case len(missing) > 0:
		return nil, problem.Failedf(hint, "lacks %d of %d rows: row_id %s", len(missing), len(wanted), some(missing))
	}
	return order, nil
}

func countOf(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func wasOrWere(n int) string {
	if n == 1 {
		return "was not"
	}
	return "were not"
}

// some names the first few.
func some(ids []int64) string {
	var names []string
	for _, id := range ids[:min(len(ids), 3)] {
		names = append(names, strconv.FormatInt(id, 10))
	}
	if len(ids) > 3 {
		names = append(names, "…")
	}
	return strings.Join(names, ", ")
}
