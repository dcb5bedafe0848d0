package flow

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/rule"
)

// guess finds out from the data what init does not ask: the task, the label as an expression, the event time, the features.
type guess struct {
	own      *ownProgram // nil: a built-in learner
	ctx      context.Context
	db       *engine.DB
	lock     *doc.Lock
	relation string
	options  InitOptions
	rows     int64

	labelName, label, task string
	imbalanced             bool // most rows are of one class
	event                  string
	test, valid            int // days
	features               []string
	row                    map[string]string // row features
	found                  []string
}

// What init takes for what.
const (
	mostCategories  = 1000 // a text column with more values names rows rather than describes them
	fewestTimeDays  = 30   // fewer days than this give no test part in time
	shareOfTestDays = 0.2
	fewestOfClass   = 50  // fewer rows of a class than this split into parts that say little
	mostLabelValues = 21  // fewer values of a whole number than this may be classes
	mostOddNumbers  = 0.1 // a smaller share of cells that are no number than this are marks for missing ones
	mostNamed       = 20  // columns named in a hint
)

func (g *guess) all() error {
	if err := g.findLabel(); err != nil {
		return err
	}
	if err := g.findTime(); err != nil {
		return err
	}
	return g.findFeatures()
}

// findTime takes the only date or timestamp column as the event time, when it spans enough days to test on the newest of them.
func (g *guess) findTime() error {
	var candidates []string
	for _, c := range g.lock.Columns {
		if c.Type == "date" || c.Type == "timestamp" {
			candidates = append(candidates, c.Name)
		}
	}
	switch {
	case g.options.Time == "none":
		return nil
	case g.options.Time != "" && !slices.Contains(candidates, g.options.Time):
		return problem.Wrongf("dates and times here: "+list(candidates), "--time %q is no column of dates or times", g.options.Time)
	case g.options.Time != "":
		candidates = []string{g.options.Time}
	case len(candidates) != 1:
		if len(candidates) > 1 {
			g.found = append(g.found, "several columns are times ("+list(candidates)+"): split by hash; --time COLUMN splits by time")
		}
		return nil
	}
	name := engine.Ident(candidates[0])
	f, err := g.db.Frame(g.ctx, fmt.Sprintf("select cast(min(%[1]s) as timestamp) as a, cast(max(%[1]s) as timestamp) as b, count(*) - count(%[1]s) as nulls from (%[2]s) as d", name, g.relation))
	if err != nil {
		return fmt.Errorf("reading the time: %w", err)
	}
	if f.Column("nulls").Ints[0] > 0 || f.Column("a").IsNull(0) {
		g.found = append(g.found, candidates[0]+" is missing in some rows: split by hash")
		return nil
	}
	days := int((f.Column("b").Ints[0] - f.Column("a").Ints[0]) / (24 * time.Hour).Microseconds())
	if days < fewestTimeDays {
		g.found = append(g.found, fmt.Sprintf("%s spans only %d days: split by hash", candidates[0], days))
		return nil
	}
	g.event, g.test, g.valid = candidates[0], max(1, int(float64(days)*shareOfTestDays)), max(1, int(float64(days)*shareOfTestDays/2))
	g.found = append(g.found, fmt.Sprintf("%s says when: the newest %d days are the test part", g.event, g.test))
	return nil
}

// findFeatures takes every column but the label's, those that name rows, those that say nothing, and times.
func (g *guess) findFeatures() error {
	taken := []string{g.labelName}
	if expr, err := rule.Parse(g.label, doc.Environment(g.lock, &doc.Dataset{})); err == nil {
		taken = append(taken, expr.Columns()...)
	}
	var counts []string
	for i, c := range g.lock.Columns {
		counts = append(counts, fmt.Sprintf("count(distinct %s) as c%d", engine.Ident(c.Name), i))
	}
	numbered, dates, numbers, err := g.lookAlike()
	if err != nil {
		return err
	}
	f, err := g.db.Frame(g.ctx, fmt.Sprintf("select %s from (%s) as d", strings.Join(counts, ", "), g.relation))
	if err != nil {
		return fmt.Errorf("counting values: %w", err)
	}
	var left []string
	for i, c := range g.lock.Columns {
		distinct := f.Columns[i].Ints[0]
		switch {
		case slices.Contains(taken, c.Name) || c.Name == g.event:
		case distinct < 2:
			left = append(left, c.Name+" (one value)")
		case dates[c.Name] != "":
			left = append(left, fmt.Sprintf("%s (dates as text, as %q: stored as dates, or in a CSV as 2024-01-31, they can split by time)", c.Name, dates[c.Name]))
		case numbers[c.Name] != "":
			left = append(left, fmt.Sprintf("%s (numbers, but %s: leave those cells empty to learn from it)", c.Name, numbers[c.Name]))
		case c.Type == "string" && distinct > min(mostCategories, max(20, g.rows/2)):
			left = append(left, c.Name+" (names rows)")
		case c.Type == "int64" && distinct == g.rows && g.rows > 20 && (namesRows(c.Name) || numbered[c.Name]):
			left = append(left, c.Name+" (names rows)")
		case c.Type == "date" || c.Type == "timestamp":
			left = append(left, c.Name+" (a time)")
		default:
			g.features = append(g.features, c.Name)
		}
	}
	if g.event != "" {
		g.row = map[string]string{"weekday": fmt.Sprintf("weekday(%s)", rule.Name(g.event))}
	}
	if len(left) > 0 {
		g.found = append(g.found, "left out: "+list(left))
	}
	if len(g.features)+len(g.row) == 0 {
		return problem.Wrongf("the data needs a column beside the label that says something about it", "no column is left to learn from")
	}
	return nil
}

// lookAlike finds columns that are not what their type says: whole numbers without a gap, which number the rows; texts that are dates, with one of
// their values, since a person knows best what format that is; and texts that are numbers in nearly all rows, with what the others say.
func (g *guess) lookAlike() (numbered map[string]bool, dates, numbers map[string]string, err error) {
	var asks []string
	for _, c := range g.lock.Columns {
		name := engine.Ident(c.Name)
		switch c.Type {
		case "int64":
			asks = append(asks, fmt.Sprintf("cast(max(%[1]s) as double) - cast(min(%[1]s) as double) + 1 = count(*), null, null", name))
		case "string":
			asks = append(asks, fmt.Sprintf("case when bool_and(regexp_full_match(trim(%[1]s), %[2]s)) then min(%[1]s) end, "+
				"count(*) filter (%[1]s is not null and try_cast(%[1]s as double) is null), min(%[1]s) filter (try_cast(%[1]s as double) is null)", name, textDate))
		default:
			asks = append(asks, "null, null, null")
		}
	}
	rows, err := g.db.Query(g.ctx, fmt.Sprintf("select %s from (%s) as d", strings.Join(asks, ", "), g.relation))
	if err != nil {
		return nil, nil, nil, fmt.Errorf("looking at values: %w", err)
	}
	numbered, dates, numbers = map[string]bool{}, map[string]string{}, map[string]string{}
	for i, c := range g.lock.Columns {
		said := rows.Values[0][3*i : 3*i+3]
		numbered[c.Name], _ = said[0].(bool)
		dates[c.Name], _ = said[0].(string)
		if odd, _ := said[1].(int64); odd > 0 && float64(odd) < mostOddNumbers*float64(g.rows) {
			numbers[c.Name] = fmt.Sprintf("%v in %d rows", quoted(said[2]), odd)
		}
	}
	return numbered, dates, numbers, nil
}

func quoted(v any) string {
	text, _ := v.(string)
	if len(text) > 20 {
		text = text[:20] + "…"
	}
	return fmt.Sprintf("%q", text)
}

// textDate matches what people and spreadsheets write for a date, with or without a time after it, and ISO dates that a file's own types hold as text.
const textDate = `'([0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2,4}|[0-9]{4}[./-][0-9]{1,2}[./-][0-9]{1,2}|[0-9]{1,2}[ -][A-Za-z]{3,9}\.?,?[ -][0-9]{2,4}|[A-Za-z]{3,9}\.? [0-9]{1,2},? [0-9]{4})([T ,].*)?'`

func namesRows(column string) bool {
	c := strings.ToLower(column)
	return c == "id" || c == "index" || c == "key" || strings.HasSuffix(c, "id") || strings.HasSuffix(c, "_no") || strings.HasPrefix(c, "unnamed") || strings.HasPrefix(c, "column0")
}

func (g *guess) column(name string) *doc.LockColumn {
	for i := range g.lock.Columns {
		if g.lock.Columns[i].Name == name {
			return &g.lock.Columns[i]
		}
	}
	return nil
}

func number(text string) float64 {
	var x float64
	if _, err := fmt.Sscan(text, &x); err != nil {
		return 0
	}
	return x
}
