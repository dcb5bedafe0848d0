package trainset_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/dataset"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/trainset"
)

// BenchmarkFlightsWindows computes two windows of the flights example for all its rows.
func BenchmarkFlightsWindows(b *testing.B) {
	root, err := filepath.Abs("../../examples/flights")
	if err != nil {
		b.Fatal(err)
	}
	docs := doc.Load(os.DirFS(root))
	docs.Features["origin"] = &doc.Feature{Head: doc.Head{ID: "origin"}, Dataset: "flights", Entity: []string{"origin"}, Order: []string{"mean", "n"},
		Features: map[string]doc.FeatureItem{"mean": {Agg: "avg(delay)", Window: "12h"}, "n": {Agg: "count()", Window: "12h"}}}
	docs.Experiments["baseline"].Features.Use = []string{"origin.mean", "origin.n"}
	ctx := context.Background()
	db, err := engine.Open(ctx, engine.Options{Read: []string{root}, Temp: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	var files []string
	for _, f := range docs.Locks["flights"].Files {
		files = append(files, filepath.Join(root, f.Path))
	}
	kept, drop, err := db.Keep(ctx, "select * from "+dataset.Relation(files, docs.Locks["flights"]))
	if err != nil {
		b.Fatal(err)
	}
	defer drop()
	data := trainset.Data{DB: db, Relations: map[string]string{"flights": "select * from " + kept}}
	rows := all(int(docs.Locks["flights"].Rows))
	for b.Loop() {
		if _, err := trainset.Features(ctx, data, docs, "baseline", rows); err != nil {
			b.Fatal(err)
		}
	}
}

// millionView is what BenchmarkMillion computes, beside 16 windows m0 to m15.
const millionView = `schema = 1
dataset = "other"
entity = ["e"]
[feature.at_once]
sql = 'select e, "at" as feature_time, x as value from other'
[feature.ttl]
sql = 'select e, "at" as feature_time, x as value from other'
ttl = "7d"
[feature.created]
sql = '''select e, date_trunc('hour', "at") as feature_time, "at" as created_time, x as value from other'''
[feature.known]
sql = 'select e, "at" as feature_time, kn as known_time, x as value from other'
[feature.window]
agg = "avg(x)"
window = "7d"
`

// BenchmarkMillion joins views over 10 M rows of 100,000 entities to 1 M questions. The budget of an as-of join is 3 s on two idle cores;
// cpu-s counts what all cores did, which a busy machine changes less, and peak-MB is of the process so far: run one at a time to read it.
//
//	go test -run - -bench 'Million/^known$' -benchtime 1x ./internal/trainset
func BenchmarkMillion(b *testing.B) {
	data := million(b)
	many := millionView
	for i := range 16 {
		many += fmt.Sprintf("[feature.m%d]\nagg = \"avg(x + %d)\"\nwindow = \"%dd\"\n", i, i, 1+i)
	}
	lock := doc.Lock{Content: "sha256:" + strings.Repeat("0", 64), Format: "csv", Columns: []doc.LockColumn{{Name: "e", Type: "int64"}, {Name: "at", Type: "timestamp"},
		{Name: "kn", Type: "timestamp"}, {Name: "x", Type: "int64"}, {Name: "f", Type: "float64"}, {Name: "z", Type: "int64"}}}
	docs := project(b, map[string]string{"datasets/rows.lock.toml": string(lock.Encode()), "datasets/other.lock.toml": string(lock.Encode()),
		"datasets/other.toml": strings.ReplaceAll(factsDocument, "[column.x]\nlate = true\n", ""), "experiments/one.toml": experiment("e"), "features/v.toml": many})
	for _, c := range []struct{ name, uses string }{{"at-once", "at_once"}, {"ttl", "ttl"}, {"created", "created"}, {"known", "known"}, {"window", "window"},
		{"16-windows", "m0 m1 m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m12 m13 m14 m15"}, {"all", "at_once ttl created known window m0 m1 m2 m3"}} {
		b.Run(c.name, func(b *testing.B) {
			var uses []doc.Use
			for _, item := range strings.Fields(c.uses) {
				uses = append(uses, doc.Use{Name: "v__" + item, Kind: doc.UseView, View: "v", Item: item})
			}
			before := cpuSeconds()
			for b.Loop() {
				got, err := trainset.Values(context.Background(), data, docs, "m", uses)
				if err != nil {
					b.Fatal(err)
				}
				if got.N != 1_000_000 {
					b.Fatalf("%d rows", got.N)
				}
			}
			b.ReportMetric((cpuSeconds()-before)/float64(b.N), "cpu-s/op")
			b.ReportMetric(peakMB(), "peak-MB")
		})
	}
}

func million(b *testing.B) trainset.Data {
	db, err := engine.Open(context.Background(), engine.Options{Temp: b.TempDir(), Threads: 2})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	data := trainset.Data{DB: db, Relations: map[string]string{}}
	for id, n := range map[string]int{"rows": 1_000_000, "other": 10_000_000} {
		kept, _, err := db.Keep(context.Background(), fmt.Sprintf(`select i as row_id, (hash(i + %d) %% 100000)::bigint as e, timestamp '2020-01-01' + s * interval '1' second as "at",
			timestamp '2020-01-01' + (s + (hash(i * 11) %% 3600)::bigint) * interval '1' second as kn, (hash(i * 13) %% 1000)::bigint as x, (hash(i * 17) %% 1000) / 7.0 as f, i %% 2 as z
			from (select i, (hash(i * 7 + %d) %% 8640000)::bigint as s from range(%d) as r(i))`, n, n, n))
		if err != nil {
			b.Fatal(err)
		}
		data.Relations[id] = "select * from " + kept
	}
	return data
}

// peakMB is the most memory that this process has held; 0 where the system does not say.
func peakMB() float64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var kb float64
		if n, _ := fmt.Sscanf(s.Text(), "VmHWM: %f kB", &kb); n == 1 {
			return kb / 1024
		}
	}
	return 0
}

// cpuSeconds is what this process has used of all cores; 0 where the system does not say.
func cpuSeconds() float64 {
	text, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	var user, system float64
	fmt.Sscan(fields[11], &user)
	fmt.Sscan(fields[12], &system)
	return (user + system) / 100 // USER_HZ
}
