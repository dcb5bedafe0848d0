package doc

import (
	"errors"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/table"
	"github.com/plumb-ml/plumb/internal/tomlio"
)

// checker puts the problems of one document on the list, at the places of its keys.
type checker struct {
	pos  *tomlio.Positions
	list *problem.List
	// inherited says of a key that this document does not have it and takes it from another by `extends`; what is wrong with it is said there.
	inherited func(key []string) bool
}

// spot is a place where something is wrong.
type spot struct {
	list *problem.List
	pos  problem.Pos
	rule string
}

// at gives the place of a key's value.
func (c checker) at(rule string, key ...string) spot {
	if !c.pos.Has(key...) && c.inherited != nil && c.pos.Has("extends") {
		return spot{c.list, c.pos.Value("extends"), rule}
	}
	return spot{c.list, c.pos.Value(key...), rule}
}

// atKey gives the place of the key itself.
func (c checker) atKey(rule string, key ...string) spot { return spot{c.list, c.pos.At(key...), rule} }

func (s spot) errorf(format string, args ...any) spot {
	s.list.Errorf(s.pos, s.rule, format, args...)
	return s
}

func (s spot) warnf(format string, args ...any) spot {
	s.list.Warnf(s.pos, s.rule, format, args...)
	return s
}

func (s spot) hint(format string, args ...any) { s.list.Hint(format, args...) }

// nearest hints at the known name that was probably meant, or lists them when they are few.
func (s spot) nearest(word string, known []string) {
	if near := problem.Nearest(word, known); near != "" {
		s.hint("did you mean %q?", near)
		return
	}
	if len(known) > 0 && len(known) <= 12 {
		s.hint("there is %s", strings.Join(known, ", "))
	}
}

func (c checker) has(key ...string) bool { return c.pos.Has(key...) }

// required reports a key that is missing and says whether it is there and could be read.
func (c checker) required(key ...string) bool {
	if c.pos.Broken(key...) {
		return false
	}
	if c.pos.Has(key...) || (c.inherited != nil && c.inherited(key)) {
		return true
	}
	name, table := key[len(key)-1], strings.Join(key[:len(key)-1], ".")
	where := ""
	if table != "" {
		where = " in [" + table + "]"
	}
	s := c.atKey("missing", key...)
	if s.pos.Line == 0 {
		s.pos.Line, s.pos.Col = 1, 1
	}
	s.errorf("%s is missing%s", name, where)
	return false
}

func (c checker) oneOf(word string, known []string, key ...string) bool {
	if slices.Contains(known, word) {
		return true
	}
	c.atKey("choice", key...).errorf("%q is not %s", word, problem.Or(known)).nearest(word, known)
	return false
}

func (c checker) notNegative(v float64, key ...string) {
	if v < 0 {
		c.at("range", key...).errorf("%s can't be negative", key[len(key)-1])
	}
}

// size gives a check of a size, which may be absent.
func (c checker) size(key ...string) func(string) {
	return func(text string) {
		if text == "" && !c.has(key...) {
			return
		}
		if _, err := Bytes(text); err != nil {
			c.at("size", key...).errorf("%v", err)
		}
	}
}

// duration reports a duration that is none or is zero.
func (c checker) duration(text string, key ...string) {
	d, err := Duration(text)
	switch {
	case err != nil:
		c.at("duration", key...).errorf("%v", err)
	case d == 0:
		c.at("duration", key...).errorf("%s must be longer than nothing", key[len(key)-1])
	}
}

// expression parses one, reports what is wrong with it at its place in the file, and says whether it can be used.
func (c checker) expression(src string, env rule.Env, key ...string) (rule.Expr, bool) {
	e, err := rule.Parse(src, env)
	if err == nil {
		return e, true
	}
	s := c.at("expression", key...)
	offset := 0
	var at *rule.Error
	if errors.As(err, &at) {
		offset = at.Offset
	}
	if c.pos.Has(key...) {
		s.pos = c.pos.Inside(offset, key...)
	}
	if at == nil {
		s.errorf("%v", err)
		return e, false
	}
	s = s.errorf("%s", at.Msg)
	if at.Hint != "" {
		s.hint("%s", at.Hint)
	}
	return e, false
}

// number parses an expression that must give a number.
func (c checker) number(src string, env rule.Env, key ...string) (rule.Expr, bool) {
	e, ok := c.expression(src, env, key...)
	if ok && !numeric(e.Type()) {
		c.at("expression", key...).errorf("%s must be a number; this is %s", key[len(key)-1], typeName(e.Type()))
		return e, false
	}
	return e, ok
}

// truth parses an expression that must be true or false.
func (c checker) truth(src string, env rule.Env, key ...string) {
	e, ok := c.expression(src, env, key...)
	if ok && e.Type() != table.Bool {
		c.at("expression", key...).errorf("%s must be true or false; this is %s", key[len(key)-1], typeName(e.Type()))
	}
}

func numeric(t table.Type) bool { return t == table.Int64 || t == table.Float64 || t == table.Decimal }

func temporal(t table.Type) bool { return t == table.Date || t == table.Timestamp }

// typeName says a type in words.
func typeName(t table.Type) string {
	switch t {
	case table.Int64:
		return "a whole number"
	case table.Float64, table.Decimal:
		return "a number"
	case table.Bool:
		return "true or false"
	case table.String:
		return "text"
	case table.Date:
		return "a date"
	case table.Timestamp:
		return "a time"
	}
	return "of type " + string(t)
}
