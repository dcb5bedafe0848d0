package trainset

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// What a class may be. An evaluation has a column a class, and who reads one from a stranger has to bound them; a name is a column's name.
const (
	MaxClasses   = 200
	maxClassName = 200 // bytes
)

// classify makes indices of the class names of a multiclass label. The classes are those of the rows that play a part, so that each has rows to be
// seen in; record.SortClasses says in which order. Called once the parts are known.
//
// A class that the train part lacks is a class all the same: no model can answer it, and every metric says what that costs. Dropping its rows
// would hide that, and a new class in fresh data is the commonest way for a served model to go wrong.
func (r *Rows) classify(names []string, model string) error {
	seen := map[string]int{}
	for i, name := range names {
		if !math.IsNaN(r.Label[i]) && r.Part[i] != None {
			seen[name]++
		}
	}
	r.Classes = make([]string, 0, len(seen))
	for name := range seen {
		r.Classes = append(r.Classes, name)
	}
	record.SortClasses(r.Classes)
	if err := checkClasses(r.Classes, model); err != nil {
		return err
	}
	at := make(map[string]float64, len(r.Classes))
	for c, name := range r.Classes {
		at[name] = float64(c)
	}
	for i, name := range names {
		if !math.IsNaN(r.Label[i]) {
			r.Label[i] = at[name]
		}
	}
	return nil
}

func checkClasses(classes []string, model string) error {
	switch {
	case len(classes) == 1:
		return problem.Wrongf("choose another label", "the label of model %q is %q in every row, so there is nothing to predict", model, classes[0])
	case len(classes) > MaxClasses:
		return problem.Wrongf("keep the common ones, as label = \"make in ['audi', 'bmw'] ? make : 'other'\", or ask for one, as task = \"binary\" and label = \"make == 'audi'\"",
			"the label of model %q has %d classes, as %s; at most %d are allowed", model, len(classes), list(classes[:3]), MaxClasses)
	}
	for _, name := range classes {
		switch {
		case len(name) > maxClassName:
			return problem.Wrongf("a class is a name, not a text: choose another label", "a class of model %q has %d bytes, and a name has at most %d", model, len(name), maxClassName)
		case !utf8.ValidString(name) || strings.ContainsRune(name, 0):
			return problem.Wrongf("write the column as UTF-8", "the class %q of model %q is no text", name, model)
		}
	}
	if one, other, clash := record.ClassesClash(classes); clash {
		return problem.Wrongf("make them one, as label = \"lower(kind)\", or tell them apart by more", "the classes %q and %q of model %q differ by capitals only", one, other, model)
	}
	return nil
}

func list(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = strconv.Quote(name)
	}
	return strings.Join(quoted, ", ")
}
