package engine

import (
	"path/filepath"
	"testing"
)

func BenchmarkFrame(b *testing.B) {
	db, err := Open(b.Context(), Options{Temp: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	name, drop, err := db.Keep(b.Context(), `select i as id, i / 7 as x, i / 3 as y, i % 7 as k, 'cat' || (i % 100) as s, timestamp '2001-01-01' + interval (i) second as ts,
		date '2001-01-01' + (i % 365)::int as d, 'airport' || (i % 300) as u, i % 2 = 0 as b, case when i % 5 = 0 then null else i end as n from range(200000) t(i)`)
	if err != nil {
		b.Fatal(err)
	}
	defer drop()
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := db.Frame(b.Context(), "select * from "+name); err != nil {
				b.Fatal(err)
			}
		}
	})
	f, err := db.Frame(b.Context(), "select * from "+name)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("write", func(b *testing.B) {
		path := filepath.Join(b.TempDir(), "f.parquet")
		for b.Loop() {
			if err := db.WriteFrame(b.Context(), f, path); err != nil {
				b.Fatal(err)
			}
		}
	})
}
