package trainset_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/table"
	"github.com/plumb-ml/plumb/internal/trainset"
)

// odd computes one view's features over rows given as SQL, with the columns of a lock.
func odd(t *testing.T, relation string, columns []doc.LockColumn, view string, items ...string) (table.Frame, error) {
	t.Helper()
	lock := lockOf(columns...)
	var uses []string
	for _, item := range items {
		uses = append(uses, "v."+item)
	}
	docs := project(t, map[string]string{"datasets/rows.lock.toml": lock, "datasets/other.lock.toml": lock,
		"datasets/rows.toml":  "schema = 1\n[source]\npath = \"data/*.csv\"\n[time]\nevent = \"at\"\n",
		"datasets/other.toml": "schema = 1\n[source]\npath = \"data/*.csv\"\n[time]\nevent = \"at\"\n",
		"features/v.toml":     "schema = 1\ndataset = \"rows\"\n" + view, "experiments/one.toml": experiment(uses...)})
	data := trainset.Data{DB: open(t), Relations: map[string]string{"rows": relation, "other": relation}}
	n, err := data.DB.Query(t.Context(), "select count(*) from ("+relation+")")
	if err != nil {
		t.Fatal(err)
	}
	return trainset.Features(context.Background(), data, docs, "one", all(int(n.Values[0][0].(int64))))
}

func cells(f table.Frame) string {
	var out []string
	for c := range f.Columns {
		var column []string
		for i := range f.N {
			if f.Columns[c].IsNull(i) {
				column = append(column, "null")
			} else {
				column = append(column, f.Columns[c].Text(i))
			}
		}
		out = append(out, strings.Join(column, " "))
	}
	return strings.Join(out, " | ")
}

const three = `select * from (values (0::bigint, 'a', timestamp '2001-01-01', 1::bigint, 0::bigint), (1, 'a', timestamp '2001-01-02', 2, 1), (2, 'b', timestamp '2001-01-03', 3, 0)) as v(row_id, e, "at", x, z)`

var threeColumns = []doc.LockColumn{{Name: "e", Type: "string"}, {Name: "at", Type: "timestamp"}, {Name: "x", Type: "int64"}, {Name: "z", Type: "int64"}}

// Queries that yield odd things: nothing, columns twice, what is no number.
func TestOddQueries(t *testing.T) {
	for _, c := range []struct{ sql, want string }{
		{`select e, "at" as feature_time, x as value from rows where false`, "null null null"},
		{`select e, "at" as feature_time, x as value, x as value from rows`, "!value twice"},
		{`select e, e, "at" as feature_time, x as value from rows`, "!e twice"},
		{`select e, "at" as feature_time, "at" as FEATURE_TIME, x as value from rows`, "!twice"},
		{`select E as E, "at" as Feature_Time, x as VALUE from ROWS`, "1 2 3"},
		{`select e, "at" as feature_time, x / 0 as value from rows`, "null null null"},
		{`select e, "at" as feature_time, 'NaN'::double as value from rows`, "null null null"},
		{`select e, "at" as feature_time, 'inf'::double as value from rows`, "null null null"},
		{`select e, "at" as feature_time, x > 1 as value from rows`, "false true true"},
		{`select e, "at" as feature_time, x::decimal(9, 2) / 4 as value from rows`, "0.25 0.5 0.75"},
		{`select e, "at" as feature_time, sum(x) over (order by "at")::decimal(12, 3) as value from rows`, "1 3 6"},
		{`select e, "at" as feature_time, x::hugeint * 10000000000000000000 as value from rows`, "!beyond int64"},
		{`select e, "at" as feature_time, upper(e) as value from rows`, "A A B"},
		{`select e, "at" as feature_time, "at" as value from rows`, "!nothing can learn from"},
		{`select e, "at" as feature_time, [x] as value from rows`, "!nothing can learn from"},
		{`select e, "at" as feature_time, "at" - "at" as value from rows`, "!nothing can learn from"},
		{`select e, x as feature_time, x as value from rows`, "!feature_time is of type bigint and must be a time"},
		{`select e, '2001-01-01' as feature_time, x as value from rows`, "!feature_time is of type varchar"},
		{`select e, "at" as feature_time, 5 as known_time, x as value from rows`, "!known_time is of type integer"},
		{`select e, "at" as feature_time, x as created_time, x as value from rows`, "!created_time is of type bigint"},
		{`select 1 as e, "at" as feature_time, x as value from rows`, "!the view's e is int64 and the asking row's e is string"},
		{`select e, 'infinity'::timestamp as feature_time, x as value from rows`, "null null null"},
		{`select e, '-infinity'::timestamp as feature_time, x as value from rows`, "2 2 3"},
		{`with rows as (select * from rows where x > 1) select e, "at" as feature_time, x as value from rows`, "null 2 3"},
		{`select e, feature_time, x as value from (select *, "at" as feature_time from rows) as the_rows`, "1 2 3"},
		{`select e, "at" as feature_time, x as value from the_questions`, `!reads "the_questions"`},
		{`select e, "at" as feature_time, x as value from temp.plumb_keep_1`, "!not a dataset"},
		{`select e, "at" as feature_time, (select count(*) from read_csv('/etc/passwd')) as value from rows`, "!read_csv"},
		{`select e, "at" as feature_time, x as value from '/etc/passwd'`, "!not a dataset"},
		{`select e, "at" as feature_time, current_setting('threads') as value from rows`, "!current_setting"},
		{`select e, "at" as feature_time, random() as value from rows`, "!random"},
		{`select e, CURRENT_DATE as feature_time, x as value from rows`, "!CURRENT_DATE"},
		{`select e, ago(interval 1 day) as feature_time, x as value from rows`, "!ago"},
		{`select e, "at" as feature_time, x as value from rows order by x desc limit 1`, "null null 3"},
		{`select e, "at" as feature_time, x as value from rows limit 1`, "!limit without order by"},
		{`select e, "at" as feature_time, first(x) over (partition by e) as value from rows`, "!order in which rows are read"},
		{`select e, "at" as feature_time, error('boom') as value from rows`, "!boom"},
		{`select e, "at" as feature_time, cast(e as integer) as value from rows`, "!Could not convert"},
	} {
		got, err := odd(t, three, threeColumns, "entity = [\"e\"]\n[feature.item]\nsql = '''"+c.sql+"'''\n", "item")
		says, fails := strings.CutPrefix(c.want, "!")
		if fails && (err == nil || !strings.Contains(err.Error(), says)) || !fails && (err != nil || cells(got) != c.want) {
			t.Errorf("%s:\n  got %s, %v\n  want %s", c.sql, cells(got), err, c.want)
		}
	}
}

// Columns may be called as plumb calls its own, and as SQL calls its words.
func TestOddNames(t *testing.T) {
	names := []string{"t", "k", "q", "ts", "e0", "a0", "f0", "v0", "d", "u", "s", "w", "n", "o", "m", "seen", "known", "created", "newest", "latest", "value", "feature_time",
		"the_view", "select", "order", "a b", `quo"te`, "ümlaut", "own0", "there", "moved", "was", "try", "c0"}
	relation, columns := `select row_id, e, "at", x, z`, append([]doc.LockColumn{}, threeColumns...)
	for i, name := range names {
		relation += fmt.Sprintf(`, x + %d as "%s"`, i, strings.ReplaceAll(name, `"`, `""`))
		columns = append(columns, doc.LockColumn{Name: name, Type: "int64"})
	}
	relation += " from (" + three + ")"
	for i, name := range names {
		view := fmt.Sprintf("entity = [%q]\n[feature.w]\nagg = %q\nwindow = \"5d\"\n[feature.item]\nsql = '''select \"%s\", \"at\" as feature_time, x as value from (select \"%s\", \"at\", x from rows)'''\n",
			name, fmt.Sprintf("sum(col(%q))", name), strings.ReplaceAll(name, `"`, `""`), strings.ReplaceAll(name, `"`, `""`))
		if name == "feature_time" || name == "value" {
			view = view[:strings.Index(view, "[feature.item]")] + "[feature.item]\nagg = \"count()\"\nwindow = \"5d\"\n"
		}
		got, err := odd(t, relation, columns, view, "w", "item")
		want := "null null null | 1 2 3"
		if name == "feature_time" || name == "value" {
			want = "null null null | 0 0 0"
		}
		if err != nil || cells(got) != want {
			t.Errorf("%s (%d): %s, %v", name, i, cells(got), err)
		}
	}
}

// No rows at all, and rows that are all of one moment.
func TestOddDatasets(t *testing.T) {
	view := `entity = ["e"]
[feature.w]
agg = "sum(x)"
window = "15000w"
[feature.item]
sql = 'select e, "at" as feature_time, x as value from rows'
ttl = "15000w"
`
	for relation, want := range map[string]string{
		"select * from (" + three + ") where false":                                                                                              " | ",
		`select row_id, 'a' as e, timestamp '2001-01-01' as "at", x, z from (` + three + ")":                                                     "5 4 3 | 3 3 3",
		`select row_id, null::varchar as e, timestamp '2001-01-01' as "at", x, z from (` + three + ")":                                           "null null null | null null null",
		`select row_id, 'a' as e, timestamp '0001-01-01' + row_id * interval '3000' year as "at", x, z from (` + three + ")":                     "null null null | 1 2 3",
		`select row_id, 'a' as e, timestamp '1970-01-01' - row_id * interval '0.000001' second as "at", x, z from (` + three + ")":               "5 3 null | 1 2 3",
		`select row_id, repeat('x', 100000) as e, timestamp '1970-01-01' + row_id * interval '1' microsecond as "at", x, z from (` + three + ")": "null 1 3 | 1 2 3",
	} {
		got, err := odd(t, relation, threeColumns, view, "w", "item")
		if err != nil || cells(got) != want {
			t.Errorf("%s:\n  got %s, %v\n  want %s", relation, cells(got), err, want)
		}
	}
}

// 200 features of one view: half windows, half queries of which most are one query.
func TestManyFeatures(t *testing.T) {
	var view strings.Builder
	view.WriteString("entity = [\"e\"]\n")
	var items []string
	for i := range 200 {
		item := fmt.Sprintf("i%d", i)
		items = append(items, item)
		if i%2 == 0 {
			fmt.Fprintf(&view, "[feature.%s]\nagg = \"sum(x + %d)\"\nwindow = \"%dd\"\n", item, i, 1+i%7)
			continue
		}
		fmt.Fprintf(&view, "[feature.%s]\nsql = '''select e, \"at\" as feature_time, x + %d as value from rows'''\n", item, i%3)
	}
	got, err := odd(t, three, threeColumns, view.String(), items...)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Columns) != 200 || got.Columns[199].Text(2) != "4" || got.Columns[198].Text(1) != "199" {
		t.Errorf("%d columns, %s, %s", len(got.Columns), got.Columns[199].Text(2), got.Columns[198].Text(1))
	}
}
