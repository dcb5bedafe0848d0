package trainset_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/trainset"
)

// asked is a question over rows written as SQL.
type asked struct {
	columns string // of the lock, as "at timestamp, y int64"
	dataset string // the document, "" for one without time
	model   string // after the first two lines
	rows    string // SQL with row_id
}

func (a asked) ask(t testing.TB) (*trainset.Rows, error) {
	t.Helper()
	lock := doc.Lock{Content: "sha256:" + strings.Repeat("0", 64), Format: "csv"}
	for _, c := range strings.Split(a.columns, ", ") {
		name, kind, _ := strings.Cut(c, " ")
		lock.Columns = append(lock.Columns, doc.LockColumn{Name: name, Type: kind})
	}
	docs := project(t, map[string]string{"datasets/rows.lock.toml": string(lock.Encode()), "models/m.toml": "schema = 1\n" + a.model,
		"datasets/rows.toml": "schema = 1\n[source]\npath = \"data/*.csv\"\n" + a.dataset, "experiments/one.toml": strings.Replace(experiment("one"), "[train]", "[features.row]\none = \"1\"\n[train]", 1)})
	return trainset.Ask(context.Background(), trainset.Data{DB: open(t), Relations: map[string]string{"rows": a.rows}}, docs, "m")
}

func (a asked) must(t testing.TB) *trainset.Rows {
	t.Helper()
	rows, err := a.ask(t)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

const binaryByTime = "task = \"binary\"\n[question]\ndataset = \"rows\"\nlabel = \"y == 1\"\nsplit = { by = \"time\", test = \"1d\", valid = \"1d\" }\n"

// parts writes the parts by row id: t, v, x for test, - for a row that is not among them.
func parts(rows *trainset.Rows, n int) string {
	out := []byte(strings.Repeat("-", n))
	for i, id := range rows.RowID {
		out[id] = " tvx"[rows.Part[i]]
	}
	return string(out)
}

// TestSplitByTime holds the rule at its edges, to the microsecond: test is event > T − test, valid above T − test − valid, T the newest event
// of the pinned rows whether they have a label or not, and a label known only in the next part is left out and counted.
func TestSplitByTime(t *testing.T) {
	event := func(sql string) string {
		return "select row_id, at, kn, y from (values " + sql + `) as v(row_id, "at", kn, y)`
	}
	rows := asked{"at timestamp, kn timestamp, y int64", "[time]\nevent = \"at\"\nknown = \"kn\"\n[column.y]\nlate = true\n", binaryByTime, strings.ReplaceAll(event(`
		(0::bigint, timestamp '2001-01-08 12:00:00', timestamp '2001-01-08 12:00:00', 1::bigint),
		(1, timestamp '2001-01-08 12:00:00.000001', timestamp '2001-01-09', 0),
		(2, timestamp '2001-01-09 12:00:00', timestamp '2001-01-09 12:00:00', 1),
		(3, timestamp '2001-01-09 12:00:00.000001', timestamp '2001-01-20', 0),
		(4, timestamp '2001-01-10 12:00:00', null, null),
		(5, timestamp '2001-01-01', timestamp '2001-01-08 12:00:00', 0),
		(6, timestamp '2001-01-01', timestamp '2001-01-08 12:00:00.000001', 0),
		(7, timestamp '2001-01-08 13:00:00', timestamp '2001-01-09 12:00:00.000001', 0),
		(8, timestamp '2001-01-01', null, 0),
		(9, timestamp '0044-03-15', timestamp '0044-03-15', 0)`), "row_id, at,", `row_id, "at",`)}.must(t)
	if got := parts(rows, 10); got != "tvvx-t---t" {
		t.Errorf("parts %s", got)
	}
	if want := (record.RowCounts{Train: 3, Valid: 2, Test: 1, NoLabel: 1, LeftOut: 3}); rows.Counts != want {
		t.Errorf("counts %+v", rows.Counts)
	}
	if want := time.Date(2001, 1, 9, 12, 0, 0, 0, time.UTC); !rows.Split.Test.Equal(want) || !rows.Split.Valid.Equal(want.AddDate(0, 0, -1)) {
		t.Errorf("cuts %v %v", rows.Split.Valid, rows.Split.Test)
	}
}

// TestSplitByTimeOfOtherTypes: a date is its midnight; a time with a zone is its instant.
func TestSplitByTimeOfOtherTypes(t *testing.T) {
	for kind, sql := range map[string]string{
		"date":      `select i as row_id, date '2001-01-01' + i::int as "at", i % 2 as y from range(5) as r(i)`,
		"timestamp": `select i as row_id, timestamptz '2001-01-01 02:00:00+02' + to_days(i::int) as "at", i % 2 as y from range(5) as r(i)`,
	} {
		rows := asked{"at " + kind + ", y int64", "[time]\nevent = \"at\"\n", binaryByTime, sql}.must(t)
		if got := parts(rows, 5); got != "tttvx" {
			t.Errorf("%s: parts %s", kind, got)
		}
		if got := rows.Group[4]; got != "2001-01-05T00" { // one test day: grouped by the hour
			t.Errorf("%s: group %s", kind, got)
		}
	}
}

// TestSplitByHash holds the buckets against sha256 of Python's hashlib over canonical JSON written by hand. It also found that 0.1 + 0.2 took one
// bucket too many, and that numbers, times and some characters of a key were not written as RFC 8785 has them.
func TestSplitByHash(t *testing.T) {
	for _, c := range []struct {
		columns, values string
		key             string
		bucket          int
	}{
		{"k string", "'a'", `"a"`, 9999},
		{"k string", "'é' || chr(8232) || '<&>'", "\"é\u2028<&>\"", 9929},
		{"k float64", "1e6::double", "1000000", 9383},
		{"k float64", "1e21::double", "1e+21", 588},
		{"k float64", "0.1::double", "0.1", 6467},
		{"k float64", "'-0.0'::double", "0", 5742},
		{"k float64", "'nan'::double", "null", 8473},
		{"k int64", "7::bigint", "7", 3989},
		{"k int64", "9007199254740993::bigint", "9007199254740993", 8264},
		{"k bool", "true", "true", 9739},
		{"k timestamp", "timestamp '2001-06-30 12:00:00.5'", `"2001-06-30T12:00:00.5Z"`, 1551},
		{"k date", "date '2001-06-30'", `"2001-06-30"`, 5080},
		{"k decimal", "1.50::decimal(9,2)", `"1.50"`, 1156},
		{"k string", "null::varchar", "null", 8473},
		{"k string, l int64", "'a', 7::bigint", `["a",7]`, 5911},
		{"k string, l date", "null::varchar, date '2001-06-30'", `[null,"2001-06-30"]`, 9071},
	} {
		if got := trainset.Bucket("split", c.key); got != c.bucket {
			t.Errorf("bucket of %s is %d, hashlib says %d", c.key, got, c.bucket)
		}
		var names []string
		for _, column := range strings.Split(c.columns, ", ") {
			names = append(names, strings.Fields(column)[0])
		}
		sql := fmt.Sprintf("select i as row_id, i %% 2 as y, %s from (select i, %s from range(3) as r(i)) as v(i, %[1]s)", strings.Join(names, ", "), c.values)
		// All rows have one key, so one part only; the others are empty, which Ask says.
		rows, err := asked{c.columns + ", y int64", fmt.Sprintf("key = [\"%s\"]\n", strings.Join(names, `", "`)),
			"task = \"binary\"\n[question]\ndataset = \"rows\"\nlabel = \"y == 1\"\nsplit = { by = \"hash\", test = 0.1, valid = 0.2 }\n", sql}.ask(t)
		var wrong *problem.Failure
		if !errors.As(err, &wrong) || rows == nil || rows.Key[0] != c.key {
			t.Fatalf("%s: %v, key %v", c.key, err, rows)
		}
		if want := map[bool]trainset.Part{true: trainset.Test}[c.bucket < 1000]; want == trainset.Test && rows.Part[0] != want {
			t.Errorf("%s: part %v", c.key, rows.Part[0])
		}
	}
}

// TestSplitByOrdinal counts what shares mean: bucket/10000 < test is test, then valid.
func TestSplitByOrdinal(t *testing.T) {
	const n = 60000
	rows := asked{"y int64", "", "task = \"binary\"\n[question]\ndataset = \"rows\"\nlabel = \"y == 1\"\nsplit = { by = \"hash\", test = 0.1, valid = 0.2 }\n",
		fmt.Sprintf("select i as row_id, i %% 2 as y from range(%d) as r(i)", n)}.must(t)
	edges := map[int]bool{}
	for i, id := range rows.RowID {
		b := trainset.Bucket("split", fmt.Sprint(id))
		edges[b] = true
		want := trainset.Train
		if b < 3000 {
			want = trainset.Valid
		}
		if b < 1000 {
			want = trainset.Test
		}
		if rows.Part[i] != want {
			t.Fatalf("row %d in bucket %d plays %v", id, b, rows.Part[i])
		}
	}
	if !edges[999] || !edges[1000] || !edges[2999] || !edges[3000] {
		t.Error("no row lies at the edges")
	}
	if rows.Group != nil || rows.Event != nil {
		t.Error("a split by hash has no default group")
	}
}

// TestSplitByColumn: other values than the three names play no part and are counted.
func TestSplitByColumn(t *testing.T) {
	a := asked{"p string, y int64", "", "task = \"binary\"\n[question]\ndataset = \"rows\"\nlabel = \"y == 1\"\nsplit = { by = \"column\", column = \"p\" }\n",
		`select * from (values (0::bigint, 'test', 1::bigint), (1, 'train', 0), (2, 'valid', 1), (3, 'Test', 1), (4, null, 1), (5, 'train', null)) as v(row_id, p, y)`}
	rows := a.must(t)
	if got, want := parts(rows, 6), "xtv---"; got != want || rows.Counts.LeftOut != 2 || rows.Counts.NoLabel != 1 {
		t.Errorf("parts %s, counts %+v", got, rows.Counts)
	}
	a.rows = strings.ReplaceAll(a.rows, "'valid'", "'train'")
	if _, err := a.ask(t); err == nil || !strings.Contains(err.Error(), "valid part") {
		t.Errorf("an empty part: %v", err)
	}
}

// TestPartsUnder: the base's recorded split on head's rows.
func TestPartsUnder(t *testing.T) {
	byTime := asked{"at timestamp, y int64", "[time]\nevent = \"at\"\n", binaryByTime,
		`select i as row_id, timestamp '2001-01-01' + to_hours((6 * i)::int) as "at", i % 2 as y from range(20) as r(i)`}.must(t)
	day := time.Date(2001, 1, 5, 0, 0, 0, 0, time.UTC)
	old := record.Split{By: "time", Valid: day.AddDate(0, 0, -2), Test: day.AddDate(0, 0, -1)}
	under, err := byTime.PartsUnder(old, false)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range byTime.Event {
		want := trainset.Train
		if e > old.Valid.UnixMicro() {
			want = trainset.Valid
		}
		if e > old.Test.UnixMicro() {
			want = trainset.Test
		}
		if under[i] != want {
			t.Errorf("row %d plays %v under the old cuts", i, under[i])
		}
	}
	hash := "task = \"binary\"\n[question]\ndataset = \"rows\"\nlabel = \"y == 1\"\nsplit = { by = \"hash\"%s }\n"
	sql := "select i as row_id, i % 2 as y, i * 3 as k from range(200) as r(i)"
	for _, c := range []struct {
		name, key, model string
		known            bool // in other data too
	}{{"ordinal", "", fmt.Sprintf(hash, ""), false}, {"key of the row", "key = [\"k\"]\n", fmt.Sprintf(hash, ""), true}, {"key of the split", "", fmt.Sprintf(hash, `, key = "k"`), true}} {
		rows := asked{"y int64, k int64", c.key, c.model, sql}.must(t)
		for _, same := range []bool{true, false} {
			under, err := rows.PartsUnder(rows.Split, same)
			if known := same || c.known; known != (err == nil) || known && !slices.Equal(under, rows.Part) {
				t.Errorf("%s, same data %v: %v", c.name, same, err)
			}
		}
	}
}

// TestDefaultGroup: the event's day, or its hour when the test part has fewer than 20 days.
func TestDefaultGroup(t *testing.T) {
	for days, want := range map[int]string{19: "2001-01-01T06", 20: "2001-01-01"} {
		model := strings.ReplaceAll(binaryByTime, `test = "1d"`, fmt.Sprintf(`test = "%dd"`, days))
		rows := asked{"at timestamp, y int64", "[time]\nevent = \"at\"\n", model,
			`select i as row_id, timestamp '2001-01-01' + to_hours((6 * i)::int) as "at", i % 2 as y from range(160) as r(i)`}.must(t)
		if got := rows.Group[1]; got != want {
			t.Errorf("%d days: group %s", days, got)
		}
	}
}

// TestEvaluationOrder: test then valid, by row id, with the columns of each row; classes are those of all rows, sorted.
func TestEvaluationOrder(t *testing.T) {
	rows := asked{"p string, c string, w float64, g string", "key = [\"g\"]\n",
		"task = \"multiclass\"\n[question]\ndataset = \"rows\"\nlabel = \"c\"\nweight = \"w\"\ngroup = \"g\"\nslices = [\"g\", \"p\"]\nsplit = { by = \"column\", column = \"p\" }\n",
		`select * from (values (0::bigint, 'valid', 'b', 1::double, 'q'), (1, 'test', 'a', 2, 'r'), (2, 'train', 'c', 3, 's'), (3, 'test', null, null, 't'),
		(4, 'valid', 'c', 5, 'u'), (5, 'test', 'b', 6, null)) as v(row_id, p, c, w, g)`}.must(t)
	scores := make([]float64, len(rows.RowID))
	for i, id := range rows.RowID {
		scores[i] = float64(id)
	}
	e := rows.Evaluation([][]float64{scores, scores, scores})
	got := fmt.Sprint(e.Classes, e.Part, e.RowID, e.Key, e.Label, e.Scores[2], e.Weight, e.Group, e.Slices)
	want := `[a b c] [test test valid valid] [1 5 0 4] ["r" null "q" "u"] [0 1 1 2] [1 5 0 4] [2 6 1 5] [r  q u] map[g:[r  q u] p:[test test valid valid]]`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestRefused lists rows that no question can have. The weight of a row without a label is nobody's business: it used to be refused.
func TestRefused(t *testing.T) {
	byColumn := "task = \"%s\"\n[question]\ndataset = \"rows\"\nlabel = \"y\"\nweight = \"w\"\nsplit = { by = \"column\", column = \"p\" }\n"
	sql := `select * from (values (0::bigint, 'test', %s::double, %s::double), (1, 'train', 0, 1), (2, 'valid', 1, 1), (3, 'train', null, null)) as v(row_id, p, y, w)`
	for _, c := range []struct{ task, label, weight, says string }{
		{"regression", "2", "-1", "weights are"}, {"regression", "2", "null", "weights are"}, {"regression", "2", "'inf'", "weights are"},
		{"regression", "'inf'", "1", "label"}, {"regression", "'-inf'", "1", "label"}, {"regression", "'nan'", "1", "test part"}, {"regression", "2", "1", ""},
	} {
		_, err := asked{"p string, y float64, w float64", "", fmt.Sprintf(byColumn, c.task), fmt.Sprintf(sql, c.label, c.weight)}.ask(t)
		text := fmt.Sprint(err, problem.Hint(err))
		if (err == nil) != (c.says == "") || !strings.Contains(text, c.says) {
			t.Errorf("%+v: %v", c, text)
		}
	}
}
