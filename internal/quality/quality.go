// Package quality judges the checks of a dataset: Plan says what to ask an engine, Judge what the answers mean.
//
// It runs nothing and knows no clock. Kinds of check carry Great Expectations' names and mean what they mean there: nulls are left out of row
// checks, `mostly` is the share of the rest that must pass, and a check that sees no value holds, which its reason then says. What plumb adds
// is the score of a dimension. Nothing is stored here.
package quality

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/table"
)

const (
	maxShown     = 20  // unexpected rows that are named
	itemsByQuery = 600 // aggregates in one question: few passes over the rows, and a query that is still planned fast
)

// Plan gives the questions whose answers Judge takes, by name. relation is SQL in brackets or a table's name, with the lock's columns and
// row_id. It is read once for every 200 checks or so, and once more for each check of uniqueness; keep it in a table when reading it is slow.
func Plan(ds *doc.Dataset, lock *doc.Lock, relation string) []table.Query {
	p := planner{relation: relation, known: map[string]bool{}}
	p.item("n_rows", "count(*)")
	for _, a := range compileAll(ds, lock) {
		p.ask(a)
	}
	p.flush()
	return p.queries
}

type planner struct {
	relation string
	items    []string
	known    map[string]bool // aliases that are asked already
	queries  []table.Query
}

// item asks for one aggregate under an alias, once.
func (p *planner) item(alias, sql string) {
	if p.known[alias] {
		return
	}
	p.known[alias] = true
	p.items = append(p.items, sql+" as "+alias)
	if len(p.items) >= itemsByQuery {
		p.flush()
	}
}

func (p *planner) flush() {
	if len(p.items) > 0 {
		p.queries = append(p.queries, table.Query{Name: fmt.Sprintf("rows %d", len(p.queries)), SQL: "select " + strings.Join(p.items, ", ") + " from " + p.relation})
		p.items = nil
	}
}

func (p *planner) ask(a ask) {
	switch {
	case a.problem != "":
	case a.aggregate != "":
		p.item(a.alias("a"), a.aggregate)
	case a.keys != nil:
		p.queries = append(p.queries, table.Query{Name: "check " + strconv.Itoa(a.index), SQL: a.duplicates(p.relation)})
		p.item(a.seenAlias, a.seen)
	case a.bad != "":
		// One expression for the count and for the row ids: the engine computes it once.
		row := "case when " + a.bad + " then row_id end"
		p.item(a.seenAlias, a.seen)
		p.item(a.alias("b"), "count("+row+")")
		p.item(a.alias("i"), firstRows(row))
		if a.public {
			p.item(a.alias("v"), firstValues(a.value, row))
		}
	}
}

// firstRows is the SQL of the lowest row ids as text; both DuckDB and Trino have min(x, n).
func firstRows(row string) string {
	return fmt.Sprintf("array_to_string(list_sort(min(%s, %d)), ',')", row, maxShown)
}

func firstValues(value, row string) string {
	return fmt.Sprintf("cast(to_json(min_by(%s, %s, %d)) as varchar)", value, row, maxShown)
}

// Judge says what the answers to Plan's questions mean. Checks that need the time are not assessed; JudgeAt has it.
func Judge(ds *doc.Dataset, lock *doc.Lock, answers map[string]table.Rows) record.Quality {
	return JudgeAt(ds, lock, answers, time.Time{})
}

// JudgeAt is Judge at a moment, which newest_event_within compares with.
func JudgeAt(ds *doc.Dataset, lock *doc.Lock, answers map[string]table.Rows, now time.Time) record.Quality {
	j := judge{values: map[string]any{}, now: now}
	for _, rows := range answers {
		if len(rows.Values) == 0 {
			continue
		}
		for i, c := range rows.Columns {
			j.values[c.Name] = rows.Values[0][i]
		}
	}
	out := record.Quality{Schema: "plumb.quality/v1", Dataset: ds.ID, Rows: lock.Rows, Columns: len(lock.Columns), Success: true, Checks: []record.QualityCheck{}}
	if n, ok := j.values["n_rows"].(int64); ok {
		out.Rows = n
	}
	for _, a := range compileAll(ds, lock) {
		c := j.check(a)
		out.Checks = append(out.Checks, c)
		if failed(c) && c.Level != record.LevelInfo {
			out.Success = false
		}
	}
	out.Scores = scores(out.Checks)
	return out
}

func failed(c record.QualityCheck) bool {
	return c.State == record.CheckFail || c.State == record.CheckError
}
