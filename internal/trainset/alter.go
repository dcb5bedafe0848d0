package trainset

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/table"
)

// stage is a dataset laid out for a proof: a table with row_id, t (event), k (when its late columns are known; t where there are none) and its
// columns as c0, c1, …, so that no name of a person's is in the way.
type stage struct {
	id      string
	table   string
	drop    func()
	rows    int64
	timed   bool // it has an event time, so that rows come at a time
	asks    bool // its rows are the questions
	columns []staged
	known   string // SQL over the columns by their names
}

// staged is one column of a stage.
type staged struct {
	name     string
	typ      table.Type
	late     bool
	up, down string // SQL that is added to or taken from a number to get beyond all that there are; "" where that is not sound
}

// stage lays a dataset out.
func (p *prover) stage(id string) (*stage, error) {
	ds, lock := p.docs.Datasets[id], p.docs.Locks[id]
	s := &stage{id: id, timed: ds.Time.Event != "", asks: id == p.docs.Models[p.model].Question.Dataset}
	env, event, late := doc.Environment(lock, ds), "null", ds.Late()
	if s.timed {
		event = quote(ds.Time.Event)
	}
	if s.known = event; ds.Time.Known != "" {
		sql, err := expression(ds.Time.Known, env)
		if err != nil {
			return nil, fmt.Errorf("known of %s: %w", ds.Path, err)
		}
		s.known = sql
	}
	columns := ""
	for i, c := range lock.Columns {
		s.columns = append(s.columns, staged{name: c.Name, typ: table.Type(c.Type), late: slices.Contains(late, c.Name)})
		columns += fmt.Sprintf(", %s as c%d", quote(c.Name), i)
	}
	var err error
	s.table, s.drop, err = p.data.DB.Keep(p.ctx, fmt.Sprintf("select row_id, cast(%s as timestamp) as t, cast(%s as timestamp) as k%s from (%s) as d order by row_id",
		event, s.known, columns, p.data.Relations[id]))
	if err != nil {
		return nil, err
	}
	return s, s.measure(p)
}

// measure finds how many rows there are, and the range of each number.
func (s *stage) measure(p *prover) error {
	ask := []string{"count(*)"}
	for i, c := range s.columns {
		switch c.typ {
		case table.Int64, table.Float64:
			column := fmt.Sprintf("cast(c%d as double)", i)
			if c.typ == table.Float64 {
				column = fmt.Sprintf("case when isfinite(c%d) then c%d end", i, i)
			}
			ask = append(ask, fmt.Sprintf("min(%s), max(%s)", column, column))
		default:
			ask = append(ask, "null, null")
		}
	}
	rows, err := p.data.DB.Query(p.ctx, "select "+strings.Join(ask, ", ")+" from "+s.table)
	if err != nil {
		return err
	}
	answer := rows.Values[0]
	s.rows = answer[0].(int64)
	for i := range s.columns {
		least, ok := answer[1+2*i].(float64)
		most, _ := answer[2+2*i].(float64)
		const sound = 1e15 // whole numbers stay exact, and what a query makes of them in range
		if !ok || math.Abs(least) > sound || math.Abs(most) > sound {
			continue
		}
		span := math.Ceil(most-least) + 1
		s.columns[i].up = fmt.Sprintf(" + %.0f", span)
		if least < 0 { // what never was negative, as a count or a price, stays so: queries take logarithms
			s.columns[i].down = fmt.Sprintf(" - %.0f", span)
		}
	}
	return nil
}

// as gives the columns under their own names.
func (s *stage) as() string {
	out := make([]string, len(s.columns))
	for i, c := range s.columns {
		out[i] = fmt.Sprintf("c%d as %s", i, quote(c.name))
	}
	return strings.Join(out, ", ")
}

func (s *stage) names() string {
	out := make([]string, len(s.columns))
	for i, c := range s.columns {
		out[i] = quote(c.name)
	}
	return strings.Join(out, ", ")
}

func (s *stage) reversed() string {
	return fmt.Sprintf("select row_id, %s from %s order by row_id desc", s.as(), s.table)
}

// alteration is the future as it might have been.
type alteration struct {
	cut    int64
	later  string // what happens to rows whose event is later: PassDrop, PassRandomise, or "": nothing
	late   bool   // late columns that are not known by the cut hold other values
	only   *int64 // of this row of the questions' dataset alone
	except *int64 // of all but this row
	plain  bool   // take only values that some row has
	donors [tries][2]uint64
}

// tries is how many other values are drawn for a row, of which the first that agrees with when it is known is taken.
const tries = 6

// donors draws which rows lend their values: of row r, the one at (a·r + b) mod n, whatever n is.
func (p *prover) donors() (out [tries][2]uint64) {
	for i := range out {
		out[i] = [2]uint64{1 + p.rand.Uint64N(math.MaxInt32), p.rand.Uint64N(math.MaxInt32)}
	}
	return out
}

// A row is there from its event, or from when it is known if that is earlier. Values are taken from other rows (donors), so that they are of the
// kind that a query can read, every second one moved beyond the range of all values, where sums and extremes must notice it, and one that differs is taken first. Other values must not
// be known by the cut either: where the known time depends on them, as when a flight's delay says when it landed, a row that would have been
// known keeps what it has. Late times keep their distance from the event.
const alterSQL = `with there as (select *, least(t, coalesce(k, t)) <= {cut} as there from {table}),
drawn as ({drawn}),
judged as (select d.*, cast({known} as timestamp) as k from (select row_id, try, was, moved, {as} from drawn) as d),
chosen as (select * from (select *, row_number() over (partition by row_id order by moved desc, (row_id + try) % {tries}, try) as n
	from judged where k > {cut} or (k is null and was is null)) where n = 1)
select row_id, {names} from chosen
union all select row_id, {as} from there where {kept} and row_id not in (select row_id from chosen)
order by row_id`

// altered is the dataset with its future changed.
func (s *stage) altered(a alteration) string {
	cut := "timestamp '" + time.UnixMicro(a.cut).UTC().Format("2006-01-02 15:04:05.999999") + "'"
	var drawn []string
	for i := range tries {
		if a.late {
			of := "r.there and (r.k is null or r.k > " + cut + ")" + a.rows(s)
			drawn = append(drawn, s.draw(a, i, of, func(c staged) bool { return c.late }))
		}
		if a.later == PassRandomise && i < 2 { // one as it is and one moved: that it is later needs no search
			drawn = append(drawn, s.draw(a, i, "not r.there", func(c staged) bool { return c.typ != table.Timestamp && c.typ != table.Date }))
		}
	}
	if len(drawn) == 0 {
		drawn = []string{s.draw(a, 0, "false", func(staged) bool { return false })}
	}
	kept := "there"
	if a.later == "" {
		kept = "true"
	}
	return strings.NewReplacer("{cut}", cut, "{table}", s.table, "{drawn}", strings.Join(drawn, "\nunion all "), "{known}", s.known, "{as}", s.as(),
		"{names}", s.names(), "{tries}", fmt.Sprint(tries), "{kept}", kept).Replace(alterSQL)
}

// rows narrows the rows whose late columns change. The row that asks is one of the questions' dataset.
func (a alteration) rows(s *stage) string {
	switch {
	case a.only != nil && !s.asks:
		return " and false"
	case a.only != nil:
		return fmt.Sprintf(" and r.row_id = %d", *a.only)
	case a.except != nil && s.asks:
		return fmt.Sprintf(" and r.row_id <> %d", *a.except)
	}
	return ""
}

// draw is one other version of some rows: the columns for which other is true come from the donor.
func (s *stage) draw(a alteration, try int, of string, other func(staged) bool) string {
	columns, moved := make([]string, len(s.columns)), "false"
	for i, c := range s.columns {
		columns[i] = fmt.Sprintf("r.c%d", i)
		if other(c) {
			columns[i] = c.from(i, try, a.plain)
			moved += fmt.Sprintf(" or %s is distinct from r.c%d", columns[i], i)
		}
		columns[i] += fmt.Sprintf(" as c%d", i)
	}
	return fmt.Sprintf("select r.row_id, %d as try, r.k as was, %s as moved, %s from there as r join there as d on d.row_id = (%d * r.row_id + %d) %% %d where %s",
		try, moved, strings.Join(columns, ", "), a.donors[try][0], a.donors[try][1], max(s.rows, 1), of)
}

// from is a donor's value for a column.
func (c staged) from(i, try int, plain bool) string {
	switch {
	case c.typ == table.Timestamp:
		return fmt.Sprintf("r.t + (d.c%d - d.t)", i)
	case c.typ == table.Date:
		return fmt.Sprintf("cast(r.t as date) + (d.c%d - cast(d.t as date))", i)
	case plain || try%2 == 0:
		return fmt.Sprintf("d.c%d", i)
	case try%4 == 3 && c.down != "":
		return fmt.Sprintf("cast(d.c%d%s as %s)", i, c.down, sqlType(c.typ))
	case c.up != "":
		return fmt.Sprintf("cast(d.c%d%s as %s)", i, c.up, sqlType(c.typ))
	}
	return fmt.Sprintf("d.c%d", i)
}

func sqlType(t table.Type) string {
	if t == table.Int64 {
		return "bigint"
	}
	return "double"
}
