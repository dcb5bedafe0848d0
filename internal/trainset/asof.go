package trainset

import (
	"fmt"
	"strings"
)

// The as-of join: for each asking row at time t, the newest row of a view's query with t − ttl ≤ feature_time ≤ t and known_time ≤ t, ties to the
// newest created_time. What ties in that too is answered by the largest value: some rule has to make the answer one.
//
// The newest feature_time is found first and the values by it, so that ties cost nothing where there are none. Joining all pairs and ranking them
// is the definition word by word, and does not end on 1 M questions over 10 M rows; an ASOF join over a struct of all the times took twice as long.
const asOfSQL = `with {source}, the_view as ({query}
),
the_rows as materialized (select {columns} from the_view as v where {present}),
the_questions as materialized (select row_id, cast({event} as timestamp) as t, {asked} from ({questions}) as d),
the_newest as materialized (select * from ({newest}) as n where {fresh}),
the_candidates as (select n.row_id, {v.values} from the_rows as v join the_newest as n on {same} and v.ft = n.ft{seen}),
the_latest as ({latest}),
the_answers as (select row_id, {largest} from the_latest group by row_id)
select q.row_id, {a.values} from the_questions as q left join the_answers as a on a.row_id = q.row_id order by q.row_id`

// Which feature_time is the newest, and which of the rows that have it count.
const (
	// A row that is known at its feature_time: the engine's own join, which takes one inequality.
	newestAtOnce = `select n.row_id, n.t, {n.entities}, v.ft from the_questions as n asof join the_rows as v on {same} and n.t >= v.ft`
	// A row may be known later. Questions and rows go into one stream by the time at which they can be seen; the answer is a running maximum.
	newestKnown = `select row_id, seen as t, {entities}, newest as ft from (
select *, max(ft) over (partition by {entities} order by seen range between unbounded preceding and current row) as newest from (
select null as row_id, {entities}, greatest(ft, known) as seen, ft from the_rows
union all select row_id, {entities}, t, null from the_questions)) where row_id is not null`

	latestAny     = `select * from the_candidates`
	latestCreated = `select * from (select *, max(created) over (partition by row_id) as latest from the_candidates) where created is not distinct from latest`
)

// asOf writes the join of one query. It yields row_id and v0, v1, …: every question once, ordered.
func (b *builder) asOf(q *viewQuery) string {
	entities, values := named("e", len(q.view.Entity)), named("v", len(q.values))
	newest, latest, fresh, seen := newestAtOnce, latestAny, "n.ft is not null", ""
	if q.known {
		newest, seen = newestKnown, " and v.known <= n.t"
	}
	if q.created {
		latest = latestCreated
	}
	if q.ttl > 0 {
		fresh = "n.ft >= n.t - " + interval(q.ttl)
	}
	var same, largest []string
	for _, e := range entities {
		same = append(same, fmt.Sprintf("v.%s = n.%s", e, e))
	}
	for _, v := range values {
		largest = append(largest, fmt.Sprintf("max(%s) as %s", v, v))
	}
	carried := "v." + strings.Join(values, ", v.")
	if q.created {
		carried += ", v.created"
	}
	words := []string{"{source}", q.source, "{query}", q.sql, "{columns}", strings.Join(q.columns(), ", "), "{present}", q.present(),
		"{event}", quote(b.dataset.Time.Event), "{asked}", strings.Join(b.askedEntities(q.view), ", "), "{questions}", b.data.Relations[b.dataset.ID],
		"{fresh}", fresh, "{latest}", latest, "{same}", strings.Join(same, " and "), "{largest}", strings.Join(largest, ", "),
		"{entities}", strings.Join(entities, ", "), "{n.entities}", "n." + strings.Join(entities, ", n."),
		"{seen}", seen, "{v.values}", carried, "{a.values}", "a." + strings.Join(values, ", a.")}
	words = append(words, "{newest}", strings.NewReplacer(words...).Replace(newest))
	return strings.NewReplacer(words...).Replace(asOfSQL)
}

// named gives e0, e1, … for "e".
func named(letter string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprint(letter, i)
	}
	return out
}
