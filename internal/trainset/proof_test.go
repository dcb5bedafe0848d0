package trainset_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/trainset"
)

// departures are 3,000 flights of 7 airports in 30 days, in no order of time, and forecasts of each airport's wind, which are corrected later.
const departures = `select i as row_id, timestamp '2001-03-01' + s * interval '1' second as date, 'A' || (s * 7 // 131) % 7 as origin, 'A' || (s * 3 // 17) % 7 as destination,
	(200 + s % 977) as distance, ((s * 48271) % 2147483647 % 90 - 30) as delay
	from (select i, (i * 16807 + 11) % 2147483647 % 2592000 as s from range(3000) as r(i))`

const forecasts = `select i as row_id, timestamp '2001-03-01' + (i // 7) * interval '3' hour as made, 'A' || i % 7 as airport, timestamp '2001-03-01' + (i // 7 * 3 + 3) * interval '1' hour as valid_from,
	(i * 48271) % 2147483647 % 40 as wind from range(1700) as r(i)`

var departureFiles = map[string]string{
	"datasets/rows.toml": `schema = 1
[source]
path = "data/*.csv"
[time]
event = "date"
known = "date + minutes(40 + distance / 7.5 + max(delay, 0))"
[column.delay]
late = true
`,
	"datasets/other.toml": "schema = 1\n[source]\npath = \"data/*.csv\"\n[time]\nevent = \"made\"\n",
	"datasets/rows.lock.toml": lockOf(doc.LockColumn{Name: "date", Type: "timestamp"}, doc.LockColumn{Name: "origin", Type: "string"},
		doc.LockColumn{Name: "destination", Type: "string"}, doc.LockColumn{Name: "distance", Type: "int64"}, doc.LockColumn{Name: "delay", Type: "int64"}),
	"datasets/other.lock.toml": lockOf(doc.LockColumn{Name: "made", Type: "timestamp"}, doc.LockColumn{Name: "airport", Type: "string"},
		doc.LockColumn{Name: "valid_from", Type: "timestamp"}, doc.LockColumn{Name: "wind", Type: "int64"}),
	"models/m.toml":        strings.Replace(modelDocument, "z == 1", "delay > 15", 1),
	"experiments/one.toml": strings.Replace(experiment("distance"), "glm", "gbdt", 1),
}

func lockOf(columns ...doc.LockColumn) string {
	lock := doc.Lock{Content: "sha256:" + strings.Repeat("0", 64), Format: "csv", Columns: columns}
	return string(lock.Encode())
}

// proofs tries every feature of the views in a folder, and gives a line each.
func proofs(t *testing.T, folder string) map[string]trainset.Proved {
	t.Helper()
	files := map[string]string{}
	for name, text := range departureFiles {
		files[name] = text
	}
	documents, err := filepath.Glob(filepath.Join("testdata", folder, "*.toml"))
	if err != nil || len(documents) == 0 {
		t.Fatal("no views in", folder, err)
	}
	for _, file := range documents {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		files["features/"+filepath.Base(file)] = string(text)
	}
	docs := project(t, files)
	db := open(t)
	data := trainset.Data{DB: db, Relations: map[string]string{}}
	for id, sql := range map[string]string{"rows": departures, "other": forecasts} {
		kept, _, err := db.Keep(context.Background(), sql)
		if err != nil {
			t.Fatal(err)
		}
		data.Relations[id] = "select * from " + kept
	}
	var uses []doc.Use
	for id, v := range docs.Features {
		for _, item := range v.Order {
			uses = append(uses, doc.Use{Name: id + "__" + item, Kind: doc.UseView, View: id, Item: item})
		}
	}
	proof, err := trainset.Prove(context.Background(), data, docs, "m", uses, trainset.ProofOptions{Seed: 1, Cuts: 5})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]trainset.Proved{}
	for _, f := range proof.Features {
		out[f.Use.Item] = f
		t.Log(f.Use.Item, line(f))
	}
	return out
}

func line(f trainset.Proved) string {
	switch {
	case f.Untried != "":
		return "untried: " + f.Untried
	case f.Unstable != nil:
		return fmt.Sprintf("unstable: row %d: %s, %s", f.Unstable.RowID, text(f.Unstable.Before), text(f.Unstable.After))
	case f.Leak != nil:
		return fmt.Sprintf("%s sees %s: row %d: %s, %s; %d of %d", f.Leak.Pass, strings.Join(f.Leak.Sees, " "), f.Leak.RowID, text(f.Leak.Before), text(f.Leak.After), f.Leak.Changed, f.Leak.Asked)
	}
	return fmt.Sprintf("fine: %d", f.Asked)
}

func text(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}

// TestLeaksAreFound: each feature of testdata/leaks sees what its name says, and no rule of the documents names it.
func TestLeaksAreFound(t *testing.T) {
	for item, f := range proofs(t, "leaks") {
		if f.Leak == nil {
			t.Errorf("%s: %s", item, line(f))
		}
	}
}

// TestHeldOutLeaksAreFound: and those on which nothing was tuned.
func TestHeldOutLeaksAreFound(t *testing.T) {
	for item, f := range proofs(t, "leaks-held-out") {
		if f.Leak == nil {
			t.Errorf("%s: %s", item, line(f))
		}
	}
}

// TestHonestPass: nothing is found of features that keep to their times.
func TestHonestPass(t *testing.T) {
	for item, f := range proofs(t, "honest") {
		if f.Leak != nil || f.Unstable != nil || f.Untried != "" || f.Asked == 0 {
			t.Errorf("%s: %s", item, line(f))
		}
	}
}
