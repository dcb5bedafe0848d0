package doc

import (
	"reflect"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/tomlio"
)

// extend fills in what experiments take from others. Each is resolved once, its own base first; cycles and unknown bases are reported and left as they are.
func (l *loader) extend() {
	done := map[string]bool{}
	for _, id := range sortedKeys(l.set.Experiments) {
		l.extendOne(id, done, nil)
	}
}

func (l *loader) extendOne(id string, done map[string]bool, above []string) {
	e := l.set.Experiments[id]
	if done[id] || e.Extends == "" {
		done[id] = true
		return
	}
	done[id] = true
	at := l.papers[e.Path].Value("extends")
	base := l.set.Experiments[e.Extends]
	if base == nil {
		l.reference(l.checker(e.Head), "experiments", e.Extends, "extends")
		return
	}
	above = append(above, id)
	if i := slices.Index(above, e.Extends); i >= 0 {
		l.set.Problems.Errorf(at, "extends", "experiments extend each other in a circle: %s", strings.Join(append(above[i:], e.Extends), " → "))
		return
	}
	if len(above) > maxExtends {
		l.set.Problems.Errorf(at, "extends", "more than %d experiments extend one another", maxExtends)
		return
	}
	l.extendOne(e.Extends, done, above)
	inherit(reflect.ValueOf(e).Elem(), reflect.ValueOf(base).Elem(), l.papers[e.Path], nil)
}

// maxExtends is how long a chain of experiments may be.
const maxExtends = 16

// ownClaims are what an experiment says for itself only.
var ownClaims = []string{"schema", "hypothesis", "expect", "extends"}

// inherit sets the keys of a struct that its document does not have to those of base: tables key by key, lists and single values whole.
func inherit(v, base reflect.Value, pos *tomlio.Positions, path []string) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name := f.Tag.Get("toml")
		if f.Anonymous || name == "-" || (len(path) == 0 && slices.Contains(ownClaims, name)) {
			continue
		}
		key := append(slices.Clone(path), name)
		switch {
		case f.Type.Kind() == reflect.Struct:
			inherit(v.Field(i), base.Field(i), pos, key)
		case f.Type.Kind() == reflect.Map:
			inheritMap(v.Field(i), base.Field(i), pos, key)
		case !pos.Has(key...):
			v.Field(i).Set(base.Field(i))
		}
	}
}

func inheritMap(v, base reflect.Value, pos *tomlio.Positions, path []string) {
	merged := reflect.MakeMap(v.Type())
	for it := base.MapRange(); it.Next(); {
		if !pos.Has(append(slices.Clone(path), it.Key().String())...) {
			merged.SetMapIndex(it.Key(), it.Value())
		}
	}
	for it := v.MapRange(); it.Next(); {
		merged.SetMapIndex(it.Key(), it.Value())
	}
	if merged.Len() > 0 {
		v.Set(merged)
	}
}

// inherits says whether an experiment takes a key from one that it extends.
func (l *loader) inherits(e *Experiment, key []string) bool {
	for range maxExtends {
		if e = l.set.Experiments[e.Extends]; e == nil {
			return false
		}
		if l.has(e.Path, key...) {
			return true
		}
	}
	return false
}

// unknownExperiment is the error of a command that names one.
func (s *Set) unknownExperiment(name string) error {
	return problem.Wrongf(s.suggestExperiment(name), "there is no experiment %q", name)
}
