package trainset

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func labelled(names []string, parts []Part) *Rows {
	r := &Rows{Label: make([]float64, len(names)), Part: parts}
	for i, name := range names {
		if name == "null" {
			r.Label[i] = math.NaN()
		}
	}
	return r
}

// Classes are those of rows that play a part, in whichever of them; a row without a label, or without a part, makes none.
func TestClassify(t *testing.T) {
	names := []string{"b", "a", "null", "c", "d"}
	r := labelled(names, []Part{Train, Valid, Train, Test, None})
	if err := r.classify(names, "kind"); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(r.Classes, []string{"a", "b", "c"}) || r.Label[0] != 1 || r.Label[1] != 0 || !math.IsNaN(r.Label[2]) || r.Label[3] != 2 {
		t.Errorf("%v, %v", r.Classes, r.Label)
	}
	many := make([]string, 5000)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	for want, names := range map[string][]string{
		"is \"a\" in every row":    {"a", "a"},
		"has 5000 classes":         many,
		"differ by capitals only":  {"Ä", "ä", "b"},
		"a name has at most 200":   {"a", strings.Repeat("x", 201)},
		"is no text":               {"a", "b\xff"},
		"is no text (a zero byte)": {"a", "b\x00"},
	} {
		want, _, _ = strings.Cut(want, " (")
		err := labelled(names, slices.Repeat([]Part{Train}, len(names))).classify(names, "kind")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	limit := labelled(many[:MaxClasses], slices.Repeat([]Part{Train}, MaxClasses))
	if err := limit.classify(many[:MaxClasses], "kind"); err != nil {
		t.Error(err)
	}
}
