package trainset_test

import (
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/dataset"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/trainset"
)

// TestOffersByHand works the features of the example out from its files with Go's own times: local ones with their offsets, in two zones and across
// the days on which clocks change, questions and visits of different datasets under different names, a price list that was corrected.
func TestOffersByHand(t *testing.T) {
	root, err := filepath.Abs("../../examples/offers")
	if err != nil {
		t.Fatal(err)
	}
	docs := doc.Load(os.DirFS(root))
	db, err := engine.Open(context.Background(), engine.Options{Read: []string{root}, Temp: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	data := trainset.Data{DB: db, Relations: map[string]string{}}
	for id, lock := range docs.Locks {
		var files []string
		for _, f := range lock.Files {
			files = append(files, filepath.Join(root, f.Path))
		}
		data.Relations[id] = "select * from " + dataset.Relation(files, lock)
	}
	offers, visits, prices := lines(t, root, "offers"), lines(t, root, "visits"), lines(t, root, "prices")
	got, err := trainset.Features(context.Background(), data, docs, "history", all(len(offers)))
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range offers {
		at, customer, product := moment(t, o[0]), o[1], o[2]
		want := map[string]*float64{"price_per_order": nil, "no_orders": pointer(0.0), "customer__took_60d": nil, "visits__pages_30d": nil}
		if orders := number(got.Column("orders"), i); *orders == 0 {
			want["no_orders"] = pointer(1.0)
		} else {
			want["price_per_order"] = pointer(figure(t, o[3]) / *orders)
		}
		want["visits__n_7d"] = pointer(0.0)
		var pages, taken []float64
		for _, v := range visits {
			if v[1] != customer {
				continue
			}
			before := at.Sub(moment(t, v[0]))
			if before >= 0 && before < 7*24*time.Hour {
				*want["visits__n_7d"]++
			}
			if before >= 0 && before < 30*24*time.Hour {
				pages = append(pages, figure(t, v[2]))
			}
		}
		for _, p := range offers {
			if p[1] != customer {
				continue
			}
			if before := at.Sub(moment(t, p[0]).Add(7 * 24 * time.Hour)); before >= 0 && before < 60*24*time.Hour {
				taken = append(taken, figure(t, p[5]))
			}
		}
		want["visits__pages_30d"], want["customer__took_60d"] = aggregate("avg", pages), aggregate("avg", taken)
		var newest, published time.Time
		want["price__now"] = nil
		for _, p := range prices {
			if p[0] != product {
				continue
			}
			from, known := moment(t, p[1]), moment(t, p[2])
			if from.After(at) || known.After(at) || at.Sub(from) > 14*24*time.Hour || from.Before(newest) || from.Equal(newest) && known.Before(published) {
				continue
			}
			newest, published = from, known
			want["price__now"] = pointer(figure(t, p[3]))
		}
		for name, w := range want {
			if have := number(got.Column(name), i); !near(w, have) {
				t.Fatalf("row %d, %s: %s is %s, by hand %s", i, o[0], name, show(have), show(w))
			}
		}
	}
}

func moment(t *testing.T, text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func figure(t *testing.T, text string) float64 {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// lines reads a CSV file of the example without its header.
func lines(t *testing.T, root, name string) [][]string {
	f, err := os.Open(filepath.Join(root, "data", name+".csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all[1:]
}
