package action

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/problem"
)

// job gives a writer in a job, its log, and what its files hold.
func job(t *testing.T) (w *Writer, log *bytes.Buffer, output, summary func() string) {
	t.Helper()
	dir := t.TempDir()
	read := func(name string) func() string {
		return func() string {
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			return string(data)
		}
	}
	log = &bytes.Buffer{}
	w = NewWriter([]string{"GITHUB_ACTIONS=true", "GITHUB_OUTPUT=" + filepath.Join(dir, "o"), "GITHUB_STEP_SUMMARY=" + filepath.Join(dir, "s")}, log)
	return w, log, read("o"), read("s")
}

// parse reads a file of outputs as the runner does.
func parse(t *testing.T, text string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for text != "" {
		first, rest, _ := strings.Cut(text, "\n")
		name, delimiter, ok := strings.Cut(first, "<<")
		if !ok {
			t.Fatalf("not an output: %q", first)
		}
		value, after, ok := strings.Cut(rest, "\n"+delimiter+"\n")
		if !ok {
			t.Fatalf("output %s does not end", name)
		}
		out[name], text = value, after
	}
	return out
}

func TestOutput(t *testing.T) {
	w, _, output, _ := job(t)
	values := map[string]string{
		"verdict": "better", "empty": "", "lines": "a\nb\n", "hostile": "x\nplumb-\nverdict<<EOF\nworse\nEOF\n", "report-path": "_site/ä.html",
	}
	for name, value := range values {
		if err := w.Output(name, value); err != nil {
			t.Error(err)
		}
	}
	got := parse(t, output())
	for name, value := range values {
		if got[name] != value {
			t.Errorf("%s: %q, want %q", name, got[name], value)
		}
	}
	if len(got) != len(values) {
		t.Errorf("%d outputs, want %d", len(got), len(values))
	}
	for _, bad := range [][2]string{{"a=b", "x"}, {"", "x"}, {"A", "x"}, {"a\nb", "x"}, {"ok", "\xff"}, {"ok", "\x00"}, {"ok", strings.Repeat("x", OutputBytes+1)}} {
		if err := w.Output(bad[0], bad[1]); err == nil {
			t.Errorf("%.20q was taken", bad)
		}
	}
}

func TestSummary(t *testing.T) {
	w, _, _, summary := job(t)
	big := strings.Repeat("é", 300<<10) // 600 KiB
	if err := w.Summary("### first\n", big, big, "### last"); err != nil {
		t.Fatal(err)
	}
	text := summary()
	if len(text) > SummaryBytes || !strings.HasPrefix(text, "### first\n\n") || strings.Contains(text, "last") || !strings.Contains(text, "2 sections are left out") {
		t.Errorf("%d bytes, ends %q", len(text), text[len(text)-100:])
	}
	for range 5 {
		if err := w.Summary(big[:400<<10], "\xff"); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(summary()); n > SummaryBytes {
		t.Errorf("the summary has grown to %d bytes", n)
	}
}

func TestAnnotate(t *testing.T) {
	w, log, _, _ := job(t)
	w.Prefix = "ml"
	list := []problem.Problem{
		{Pos: problem.Pos{File: "models/a,b:c.toml", Line: 3, Col: 7}, Rule: "unknown-key", Level: problem.LevelError, Message: "100% wrong\n::error::x", Hint: "did you mean \"label\"?"},
		{Pos: problem.Pos{File: "plumb.toml"}, Rule: "missing", Level: problem.LevelWarning, Message: "gone"},
		{Level: problem.LevelError, Message: "\x1b[2Jboom"},
	}
	for i := range 20 {
		list = append(list, problem.Problem{Pos: problem.Pos{File: "x.toml", Line: i + 1}, Level: problem.LevelError, Message: "no"})
	}
	if err := w.Annotate(list); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	want := []string{
		`::error file=ml/models/a%2Cb%3Ac.toml,line=3,col=7,title=plumb%3A unknown-key::100%25 wrong%0A::error::x%0Ahint: did you mean "label"?`,
		`::warning file=ml/plumb.toml,title=plumb%3A missing::gone`,
		"::error ::\ufffd[2Jboom",
	}
	for i := range want {
		if lines[i] != want[i] {
			t.Errorf("line %d\ngot  %q\nwant %q", i, lines[i], want[i])
		}
	}
	if len(lines) != AnnotationsPerLevel+2 || lines[len(lines)-1] != "::notice::12 more errors and 0 more warnings are in the log" {
		t.Errorf("%d lines, last %q", len(lines), lines[len(lines)-1])
	}
}

func TestGroupAndQuote(t *testing.T) {
	w, log, _, _ := job(t)
	failure := errors.New("failure")
	err := w.Group("train\n::error::x", func() error {
		return w.Quote(func(to io.Writer) error {
			fmt.Fprint(to, "::set-output name=exit::0\n::endgroup::\nno end")
			return failure
		})
	})
	if !errors.Is(err, failure) {
		t.Errorf("%v", err)
	}
	form := regexp.MustCompile(`^::group::train%0A::error::x\n::stop-commands::(\w{20,})\n::set-output name=exit::0\n::endgroup::\nno end\n::(\w+)::\n::endgroup::\n$`)
	if m := form.FindStringSubmatch(log.String()); m == nil || m[1] != m[2] {
		t.Errorf("%q", log)
	}
	var kept io.Writer
	log.Reset()
	if err := w.Quote(func(to io.Writer) error { kept = to; return nil }); err != nil {
		t.Error(err)
	}
	if _, err := io.WriteString(kept, "::error::late"); err == nil || strings.Contains(log.String(), "late") {
		t.Error("the log was written to after its end")
	}
}

func TestWriterOutsideActions(t *testing.T) {
	dir, log := t.TempDir(), &bytes.Buffer{}
	w := NewWriter([]string{"GITHUB_OUTPUT=" + filepath.Join(dir, "o"), "GITHUB_STEP_SUMMARY=" + filepath.Join(dir, "s")}, log)
	err := errors.Join(w.Output("a", "b"), w.Summary("x"), w.Annotate([]problem.Problem{{Message: "m"}}),
		w.Group("100%", func() error {
			return w.Quote(func(to io.Writer) error { _, err := fmt.Fprintln(to, "::x"); return err })
		}))
	entries, _ := os.ReadDir(dir)
	if err != nil || len(entries) != 0 || log.String() != "100%\n::x\n" || w.Guard(log) != io.Writer(log) {
		t.Errorf("%v, %d files, log %q", err, len(entries), log)
	}
}

func TestGuard(t *testing.T) {
	const in = "::error::x\n a::b \t::warning::y\r::z::\n##[add-mask]q ###[x]# #[y]\n: :\n"
	const want = ":\u200b:error::x\n a::b \t::warning::y\r:\u200b:z::\n##\u200b[add-mask]q ###\u200b[x]# #[y]\n: :\n"
	for size := 1; size < len(in); size++ {
		w, log, _, _ := job(t)
		g := w.Guard(log)
		for rest := in; rest != ""; {
			n := min(size, len(rest))
			if got, err := io.WriteString(g, rest[:n]); got != n || err != nil {
				t.Fatal(got, err)
			}
			rest = rest[n:]
		}
		if log.String() != want {
			t.Fatalf("pieces of %d\ngot  %q\nwant %q", size, log, want)
		}
	}
}

func FuzzGuard(f *testing.F) {
	f.Add("::error::x", "##", "[y]")
	f.Add(" \u00a0:", ":x", "\u2028::")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		var log bytes.Buffer
		w := NewWriter([]string{"GITHUB_ACTIONS=true"}, &log)
		g := w.Guard(&log)
		for _, s := range []string{a, b, c} {
			io.WriteString(g, s)
		}
		for line := range strings.FieldsFuncSeq(log.String(), func(r rune) bool { return r == '\n' || r == '\r' }) {
			if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##[") {
				t.Errorf("%q is a command", line)
			}
		}
		if got := strings.ReplaceAll(log.String(), apart, ""); got != strings.ReplaceAll(a+b+c, apart, "") {
			t.Errorf("the text changed: %q", got)
		}
	})
}
