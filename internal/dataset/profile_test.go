package dataset

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/doc"
)

// Figures checked with pandas 2 (describe, quantile with interpolation="lower", std) on the same rows.
func TestProfile(t *testing.T) {
	p := newProject(t)
	p.write("d.csv", "n,x,s,at,b,none\n1,0.5,ann,2001-01-01T00:00:00Z,true,\n2,nan,bo,2001-01-02T00:00:00Z,false,\n2,inf,bo,2001-01-03T12:00:00Z,true,\n,2.25,,,true,\n9,-1,cleo,2001-01-05T00:00:00Z,,\n")
	lock, err := p.pin("d.csv")
	if err != nil {
		t.Fatal(err)
	}
	ds := &doc.Dataset{Columns: map[string]doc.ColumnNote{"b": {Public: true}}}
	ds.ID = "d"
	profile, err := Profile(t.Context(), p.db, Relation([]string{filepath.Join(p.root, "d.csv")}, lock), lock, ds)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(profile, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "profile.json")
	if os.Getenv("UPDATE") != "" {
		os.MkdirAll("testdata", 0o755)
		os.WriteFile(golden, append(got, '\n'), 0o644)
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got)+"\n" != string(want) {
		t.Errorf("got %s", got)
	}
	if strings.Contains(string(got), "ann") || strings.Contains(string(got), "cleo") {
		t.Error("the profile shows text of a column that is not public")
	}
}

func TestProfileHistogram(t *testing.T) {
	p := newProject(t)
	p.copy("select i as n, i / 10 as x, date '2001-01-01' + i::int as d, (i % 2)::bigint as two, 7.5::double as same, 9e18::bigint - i as big from range(1000) t(i)", "h.parquet", "")
	lock, err := p.pin("h.parquet")
	if err != nil {
		t.Fatal(err)
	}
	profile, err := Profile(t.Context(), p.db, Relation([]string{filepath.Join(p.root, "h.parquet")}, lock), lock, &doc.Dataset{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"20 50", "20 50", "20 50", "2 500", "1 1000", "20 50"} {
		c := profile.Columns[i]
		rows := int64(0)
		for _, b := range c.Histogram {
			rows += b.Rows
		}
		if got := fmt.Sprint(len(c.Histogram), " ", c.Histogram[0].Rows); got != want && c.Name != "x" && c.Name != "big" || rows != 1000 || len(c.Histogram) > maxBins {
			t.Errorf("%s: %s, %d rows, want %s", c.Name, got, rows, want)
		}
	}
}
