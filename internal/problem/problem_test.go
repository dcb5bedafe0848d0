package problem

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	var l List
	l.Errorf(Pos{File: "b.toml", Line: 2, Col: 8}, "unknown-key", "unknown key %q", "aek")
	l.Hint("did you mean %q?", "age")
	l.Warnf(Pos{File: "a.toml"}, "lock", "no\x1b[2J lock")
	l.Errorf(Pos{File: "b.toml", Line: 9, Col: 1}, "missing", "beyond the end")
	l.Errorf(Pos{File: "b.toml", Line: 2, Col: 8}, "unknown-key", "unknown key %q", "aek")
	l.Hint("did you mean %q?", "age")
	got := l.Text(func(string) []byte { return []byte("one\r\nté = \"\x07aek\"\r\n") })
	want := "a.toml: warning: no\ufffd[2J lock [lock]\n" +
		"b.toml:2:8: unknown key \"aek\" [unknown-key]\n    2 | té = \"\ufffdaek\"\n      |       ^\n  hint: did you mean \"age\"?\n" +
		"b.toml:9:1: beyond the end [missing]\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if l.Errors() != 2 || l.Len() != 4 {
		t.Errorf("%d errors of %d", l.Errors(), l.Len())
	}
}

func TestReport(t *testing.T) {
	var l List
	out, err := json.Marshal(l.Report(0))
	if err != nil || string(out) != `{"schema":"plumb.check/v1","documents":0,"problems":[]}` {
		t.Errorf("%s %v", out, err)
	}
	l.Errorf(Pos{File: "a.toml", Line: 1, Col: 2}, "type", "wrong")
	out, _ = json.Marshal(l.Report(1))
	want := `{"schema":"plumb.check/v1","documents":1,"problems":[{"file":"a.toml","line":1,"col":2,"rule":"type","level":"error","message":"wrong","hint":""}]}`
	if string(out) != want {
		t.Errorf("%s", out)
	}
}

// TestLongLine holds that the caret stays under its place and the line on two lines of a terminal.
func TestLongLine(t *testing.T) {
	for _, at := range []int{0, 50, 500, 9_990, 10_000} {
		src := strings.Repeat("x", at) + "@" + strings.Repeat("y", 10_000-at)
		var l List
		l.Errorf(Pos{File: "f", Line: 1, Col: at + 1}, "r", "m")
		lines := strings.Split(l.Text(func(string) []byte { return []byte(src) }), "\n")
		caret := strings.Index(lines[2], "^")
		if shown := []rune(lines[1]); len(shown) > 8+maxShown+1 || shown[caret] != '@' {
			t.Errorf("at %d: %s", at, lines[1])
		}
	}
}

// TestNearest: distances of the classic pairs are those of Levenshtein 1966 and Wagner and Fischer 1974; a swap counts one.
func TestNearest(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"kitten", "sitting", 3}, {"saturday", "sunday", 3}, {"", "abc", 3}, {"abc", "abc", 0}, {"ab", "ba", 1}, {"größe", "grosse", 3}} {
		if got := Distance(c.a, c.b); got != c.want || Distance(c.b, c.a) != c.want {
			t.Errorf("%s to %s: %d", c.a, c.b, got)
		}
	}
	known := []string{"model", "features", "train", "hypothesis"}
	for word, want := range map[string]string{"modle": "model", "MODEL": "model", "feature": "features", "hypotesis": "hypothesis", "zzz": "", "": "", "x": ""} {
		if got := Nearest(word, known); got != want {
			t.Errorf("%q: %q", word, got)
		}
	}
}

func TestExit(t *testing.T) {
	wrong := Wrongf("do this", "bad %s", "thing")
	for _, c := range []struct {
		err  error
		exit int
		hint string
	}{
		{nil, 0, ""}, {errors.New("x"), 3, ""}, {wrong, 2, "do this"}, {fmt.Errorf("reading: %w", wrong), 2, "do this"},
		{Nof("", "gate"), 1, ""}, {Failedf("retry", "down: %w", errors.New("x")), 3, "retry"},
	} {
		if Exit(c.err) != c.exit || Hint(c.err) != c.hint {
			t.Errorf("%v: %d %q", c.err, Exit(c.err), Hint(c.err))
		}
	}
}

func TestWords(t *testing.T) {
	if got := Or([]string{"a", "b", "c"}) + "; " + And([]string{"a"}) + "; " + Or(nil); got != "a, b or c; a; " {
		t.Error(got)
	}
}
