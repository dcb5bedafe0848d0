package dataset

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/table"
)

const (
	// Columns that are aggregated at once: exact quantiles and distinct counts keep their values in memory, whatever the engine's limit says.
	profileBatch  = 10
	profileValues = 2_000_000 // values in one batch, if need be of a single column
	maxBins       = 20
	topValues     = 10
)

var quantiles = []float64{0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99}

const quantileList = "0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99"

// Profile says what the lock's columns of a relation look like. Counts, quantiles and histograms are exact; sums of floats depend on the number
// of threads in their last digits, so that all numbers are rounded to 10 significant digits. Values of text, and the most common values, are
// told only of columns that ds marks public.
func Profile(ctx context.Context, db *engine.DB, relation string, lock *doc.Lock, ds *doc.Dataset) (record.Profile, error) {
	// Kept, because each column's most common values are a question of their own, and CSV would be read again for every one.
	kept, drop, err := db.Keep(ctx, "select * from "+relation)
	if err != nil {
		return record.Profile{}, fmt.Errorf("reading the rows: %w", err)
	}
	defer drop()
	p := profiler{ctx: ctx, db: db, from: kept, out: record.Profile{Schema: "plumb.profile/v1", Dataset: ds.ID, Rows: lock.Rows}}
	for _, c := range Columns(lock) {
		p.out.Columns = append(p.out.Columns, record.ColumnProfile{Name: c.Name, Type: string(c.Type), Public: ds.Columns[c.Name].Public})
	}
	at := int(min(profileBatch, max(1, profileValues/max(1, lock.Rows))))
	for from := 0; from < len(p.out.Columns); from += at {
		if err := p.batch(p.out.Columns[from:min(from+at, len(p.out.Columns))]); err != nil {
			return record.Profile{}, fmt.Errorf("profiling %s: %w", ds.ID, err)
		}
	}
	return p.out, nil
}

type profiler struct {
	ctx  context.Context
	db   *engine.DB
	from string // a table
	out  record.Profile
}

func (p *profiler) batch(cols []record.ColumnProfile) error {
	if err := p.aggregates(cols); err != nil {
		return err
	}
	if err := p.histograms(cols); err != nil {
		return err
	}
	for i := range cols {
		if err := p.top(&cols[i]); err != nil {
			return err
		}
	}
	return nil
}

func isTime(c *record.ColumnProfile) bool {
	return c.Type == string(table.Date) || c.Type == string(table.Timestamp)
}

func isNumber(c *record.ColumnProfile) bool {
	return c.Type == string(table.Int64) || c.Type == string(table.Float64) || c.Type == string(table.Decimal)
}

// measure is the SQL of the number that stands for a value: itself, seconds since 1970, 0 or 1, a text's length. Floats that are no number or
// infinite are null here and counted apart.
func measure(c *record.ColumnProfile) string {
	name := engine.Ident(c.Name)
	switch {
	case c.Type == string(table.Float64):
		return "case when isfinite(" + name + ") then " + name + " end"
	case c.Type == string(table.Decimal):
		return "cast(" + name + " as double)"
	case c.Type == string(table.Bool):
		return "cast(" + name + " as bigint)"
	case isTime(c):
		return "case when isfinite(" + name + ") then epoch(" + name + ") end"
	case c.Type == string(table.String):
		return "length(" + name + ")"
	}
	return name
}

// perColumn is how many answers aggregates asks for each column, its quantiles apart.
const perColumn = 9

func (p *profiler) aggregates(cols []record.ColumnProfile) error {
	var items []string
	for i := range cols {
		c := &cols[i]
		name, x := engine.Ident(c.Name), measure(c)
		nan, infinite := "0", "0"
		if c.Type == string(table.Float64) {
			nan, infinite = "count(case when isnan("+name+") then 1 end)", "count(case when isinf("+name+") then 1 end)"
		}
		zeros := "0"
		if isNumber(c) {
			zeros = "count(case when " + name + " = 0 then 1 end)"
		}
		items = append(items, "count(*) - count("+name+")", "count(distinct "+name+")", "min("+x+")", "max("+x+")",
			"avg("+x+")", "stddev_samp(cast("+x+" as double))", nan, infinite, zeros)
		if isNumber(c) || isTime(c) {
			items = append(items, fmt.Sprintf("cast(to_json(quantile_disc(%s, [%s])) as varchar)", x, quantileList))
		}
	}
	rows, err := p.db.Query(p.ctx, "select "+strings.Join(items, ", ")+" from "+p.from)
	if err != nil {
		return err
	}
	values := rows.Values[0]
	for i := range cols {
		if values, err = fill(&cols[i], values); err != nil {
			return err
		}
	}
	return nil
}

// fill takes a column's answers off values.
func fill(c *record.ColumnProfile, values []any) ([]any, error) {
	c.Nulls, c.Distinct = count(values[0]), count(values[1])
	c.Min, c.Max = shown(c, values[2]), shown(c, values[3])
	c.Mean, c.Deviation = number(values[4]), number(values[5])
	c.NaN, c.Infinite, c.Zeros = count(values[6]), count(values[7]), count(values[8])
	if c.NaN > 0 {
		c.Distinct-- // the NaNs are one value to the engine, but none to anybody else
	}
	values = values[perColumn:]
	if !isNumber(c) && !isTime(c) {
		return values, nil
	}
	text, ok := values[0].(string)
	if !ok { // no value, no quantiles
		return values[1:], nil
	}
	var points []json.Number
	if err := json.Unmarshal([]byte(text), &points); err != nil || len(points) != len(quantiles) {
		return nil, fmt.Errorf("reading the quantiles of %q: %s", c.Name, text)
	}
	for i, q := range quantiles {
		c.Quantiles = append(c.Quantiles, record.ProfilePoint{Share: q, Value: shown(c, jsonNumber(points[i]))})
	}
	return values[1:], nil
}

func jsonNumber(n json.Number) any {
	if i, err := n.Int64(); err == nil {
		return i
	}
	f, _ := n.Float64()
	return f
}

func count(v any) int64 {
	n, _ := v.(int64)
	return n
}

// number gives a float rounded to 10 significant digits, nil when it does not exist.
func number(v any) *float64 {
	f, ok := float(v)
	if !ok {
		return nil
	}
	f = round(f)
	return &f
}

func float(v any) (float64, bool) {
	switch x := v.(type) {
	case int64:
		return float64(x), true
	case float64:
		return x, !math.IsNaN(x) && !math.IsInf(x, 0)
	}
	return 0, false
}

func round(f float64) float64 {
	out, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 10, 64), 64)
	if err != nil {
		return f
	}
	return out
}

// shown gives a measure as people read it: integers whole, times as RFC 3339.
func shown(c *record.ColumnProfile, v any) any {
	if i, ok := v.(int64); ok && !isTime(c) {
		return i
	}
	f, ok := float(v)
	switch {
	case !ok:
		return nil
	case c.Type == string(table.Date):
		return time.Unix(int64(f), 0).UTC().Format(time.DateOnly)
	case c.Type == string(table.Timestamp):
		return time.UnixMicro(int64(math.Round(f * 1e6))).UTC().Format(time.RFC3339Nano)
	}
	return round(f)
}

// histograms counts all columns of a batch in one pass, now that their ranges are known.
func (p *profiler) histograms(cols []record.ColumnProfile) error {
	var items []string
	var which []*record.ColumnProfile
	var cuts []bins
	for i := range cols {
		if b, ok := binsOf(&cols[i]); ok {
			items = append(items, fmt.Sprintf("cast(to_json(histogram(%s)) as varchar)", b.sql(&cols[i])))
			which, cuts = append(which, &cols[i]), append(cuts, b)
		}
	}
	if len(items) == 0 {
		return nil
	}
	rows, err := p.db.Query(p.ctx, "select "+strings.Join(items, ", ")+" from "+p.from)
	if err != nil {
		return err
	}
	for i, c := range which {
		text, _ := rows.Values[0][i].(string)
		counts := map[string]int64{}
		if err := json.Unmarshal([]byte(text), &counts); err != nil {
			return fmt.Errorf("reading the histogram of %q: %w", c.Name, err)
		}
		c.Histogram = cuts[i].fill(c, counts)
	}
	return nil
}

// bins divide a range into n parts of equal width. Integers get whole widths, so that no bin holds more of them than its neighbour.
type bins struct {
	low, width float64
	n          int
}

func binsOf(c *record.ColumnProfile) (bins, bool) {
	low, okLow := seconds(c, c.Min)
	high, okHigh := seconds(c, c.Max)
	if !isNumber(c) && !isTime(c) || !okLow || !okHigh || math.IsInf(high-low, 0) {
		return bins{}, false
	}
	b := bins{low: low, n: maxBins, width: (high - low) / maxBins}
	switch {
	case c.Type == string(table.Int64):
		b.width = max(1, math.Ceil((high-low+1)/maxBins))
		b.n = int(math.Floor((high-low)/b.width)) + 1
	case c.Type == string(table.Date):
		b.width = 86400 * max(1, math.Ceil(((high-low)/86400+1)/maxBins))
		b.n = int(math.Floor((high-low)/b.width)) + 1
	case b.width == 0:
		b.n = 1
	}
	return b, true
}

// seconds brings what shown gave back to the measure.
func seconds(c *record.ColumnProfile, v any) (float64, bool) {
	text, ok := v.(string)
	if !ok {
		return float(v)
	}
	layout := time.RFC3339Nano
	if c.Type == string(table.Date) {
		layout = time.DateOnly
	}
	t, err := time.Parse(layout, text)
	return float64(t.UnixMicro()) / 1e6, err == nil
}

func (b bins) sql(c *record.ColumnProfile) string {
	x := "cast(" + measure(c) + " as double)"
	if b.width == 0 {
		return "case when " + x + " is not null then 0 end"
	}
	// least and greatest pass over nulls, which must stay out of all bins.
	return fmt.Sprintf("case when %s is not null then cast(greatest(0, least(%d, floor((%s - (%s)) / %s))) as integer) end", x, b.n-1, x, sqlFloat(b.low), sqlFloat(b.width))
}

func sqlFloat(f float64) string { return strconv.FormatFloat(f, 'e', -1, 64) + "::double" }

func (b bins) fill(c *record.ColumnProfile, counts map[string]int64) []record.ProfileBin {
	out := make([]record.ProfileBin, b.n)
	for i := range out {
		from, to := b.low+float64(i)*b.width, b.low+float64(i+1)*b.width
		out[i] = record.ProfileBin{From: shown(c, from), To: shown(c, to), Rows: counts[strconv.Itoa(i)]}
	}
	return out
}

// top finds the most common values. A column of which every value is another has none.
func (p *profiler) top(c *record.ColumnProfile) error {
	if c.Distinct == 0 || c.Distinct+c.Nulls == p.out.Rows && c.Distinct > topValues {
		return nil
	}
	name := engine.Ident(c.Name)
	rows, err := p.db.Query(p.ctx, fmt.Sprintf("select %s as v, count(*) as n from %s where %s is not null group by v order by n desc, v limit %d", name, p.from, name, topValues))
	if err != nil {
		return err
	}
	for _, row := range rows.Values {
		c.TopCounts = append(c.TopCounts, count(row[1]))
		if c.Public {
			c.Top = append(c.Top, record.ProfileCount{Value: plainValue(c, row[0]), Rows: count(row[1])})
		}
	}
	return nil
}

// plainValue gives a value that JSON can hold.
func plainValue(c *record.ColumnProfile, v any) any {
	switch x := v.(type) {
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Sprint(x)
		}
		return round(x)
	case time.Time:
		if c.Type == string(table.Date) {
			return x.Format(time.DateOnly)
		}
		return x.Format(time.RFC3339Nano)
	}
	return v
}
