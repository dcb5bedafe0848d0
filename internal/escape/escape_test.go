package escape

import (
	"bytes"
	"encoding/csv"
	"html"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	rendererhtml "github.com/yuin/goldmark/renderer/html"
)

// hostile is text that does something in one sink or another.
var hostile = []string{
	"", " ", "plain", "two  spaces ", "    code", "\tcode", "a\nb", "a\r\n\r\n# b", "# h", "## h", "> q", "- l", "+ l", "* l", "1. l", "1) l", "12. l", "---", "===", "***", "___",
	"a | b", `a \| b`, `a \\| b`, `\`, `a\`, "|---|", ":--", "`code`", "``", "```\nx\n```", "~~~", "~~s~~", "*e*", "**b**", "_e_", "__b__", "<b>x</b>", "<script>alert(1)</script>",
	"</details>", "<!-- plumb:v1 kind=pr -->", "-->", "&lt;b&gt;", "&#64;ann", "&commat;ann", "@ann", "x @org/team y", "a@example.com", "[x](http://e.example)", "![x](y)", "[x]: http://e.example",
	"[^1]", "http://e.example", "https://e.example/a?b=c", "ftp://e.example", "HTTP://E.example", "www.e.example", "//e.example", "javascript:alert(1)", "<javascript:alert(1)>", "mailto:a@b.example", "#12", "o/r#1", "GH-12",
	"0123456789abcdef0123456789abcdef01234567", "a1b2c3d", ":x:", ":a:b:c:", ":+1:", "$x$", "$$x$$", "$`x`$", "/merge", "atlantis apply", "\u202eevil", "a\u200bb", "\u2066x\u2069", "\x1b[31mred\x1b[0m", "\x00", "\x80\xff",
	"=1+1", "+1", "-1", "-0.5", "@SUM(A1)", "-cmd|' /C calc'!A0", "::error::x", "  ::error::x", ":::x", "a ##[error]x", "###[x", "%0A::error::x", "a%b,c:d", "\ufeffx", "🏳️‍🌈", "naïve – Größe", "[ ] task", "[x] task", "^sup^", "a_b_c", "1.5", "v1.2", "\"q\"", "'q'",
	"\U000e0041tag", "term\n: definition", "x\\\ny", "a  \nb", "&", "&amp;", "&nbsp;", "&#x3c;b&#x3e;", "a<b>c", "<a@b.example>", "`a", "a`", "x`|`y",
}

var forbiddenText = regexp.MustCompile(`(?i)@[a-z0-9]|https?://|ftp://|www\.[a-z]|#[0-9]|gh-[0-9]|:[a-z0-9_+-]+:|mailto:[a-z]|javascript:[a-z]`)

var tag = regexp.MustCompile(`<[^>]*>`)

func render(t testing.TB, source string) string {
	t.Helper()
	var out bytes.Buffer
	md := goldmark.New(goldmark.WithExtensions(extension.GFM, extension.Footnote, extension.DefinitionList), goldmark.WithRendererOptions(rendererhtml.WithUnsafe()))
	if err := md.Convert([]byte(source), &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// visible is rendered HTML as a reader sees it, tags left where there are any that the frame did not bring.
func visible(rendered string, frame ...string) string {
	for _, f := range frame {
		rendered = strings.ReplaceAll(rendered, f, "")
	}
	return strings.ReplaceAll(html.UnescapeString(strings.TrimSuffix(rendered, "\n")), zeroWidth, "")
}

func checkMarkdown(t *testing.T, text string) {
	t.Helper()
	want := Clean(text)
	rendered := strings.TrimSuffix(render(t, "x"+Markdown(text)+"x"), "\n")
	inner := strings.TrimSuffix(strings.TrimPrefix(rendered, "<p>x"), "x</p>")
	if tag.MatchString(inner) {
		t.Fatalf("%q makes markup: %s", text, rendered)
	}
	if got := visible(inner); got != want {
		t.Fatalf("%q reads %q, want %q", text, got, want)
	}
	if m := forbiddenText.FindString(html.UnescapeString(inner)); m != "" {
		t.Fatalf("%q leaves %q to link", text, m)
	}
	// At the start of a line it is a paragraph, never a block of another kind.
	if rendered := render(t, Markdown(text)); rendered != "" && (!strings.HasPrefix(rendered, "<p>") || strings.Count(rendered, "<") != 2) {
		t.Fatalf("%q at a line's start makes %s", text, rendered)
	}
	// In a table it stays in its cell.
	table := render(t, "|a|b|\n|---|---|\n|"+MarkdownCell(text)+"|end|\n")
	cells := regexp.MustCompile(`<td>([^\n]*)</td>`).FindAllStringSubmatch(table, -1)
	if len(cells) != 2 || cells[1][1] != "end" || tag.MatchString(cells[0][1]) {
		t.Fatalf("%q breaks its table: %s", text, table)
	}
	if got := visible(cells[0][1]); got != strings.TrimSpace(want) {
		t.Fatalf("%q reads %q in a cell", text, got)
	}
}

func TestMarkdown(t *testing.T) {
	for _, text := range hostile {
		checkMarkdown(t, text)
		for _, other := range []string{"|", "`", "\\", "*", "[", "<", "@ann"} {
			checkMarkdown(t, text+other)
			checkMarkdown(t, other+text)
		}
	}
}

func FuzzMarkdown(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) < 2000 {
			checkMarkdown(t, text)
		}
	})
}

func TestMarkdownCode(t *testing.T) {
	for text, want := range map[string]string{"models/delay.toml": "`models/delay.toml`", "a|b": "a&#124;b", "": "", "a`b": "a\\`b", "(+0.037, $1)": "(+0.037, \\$" + zeroWidth + "1)", "@x": "@" + zeroWidth + "x"} {
		if got := MarkdownCode(text); got != want {
			t.Errorf("MarkdownCode(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestClean(t *testing.T) {
	for _, text := range hostile {
		for _, sink := range []func(string) string{Clean, Terminal} {
			got := sink(text)
			if i := strings.IndexFunc(got, func(r rune) bool { return unicode.IsControl(r) || isOverride(r) || isHidden(r) }); i >= 0 {
				t.Errorf("%q keeps %q", text, got[i:])
			}
			if sink(got) != got {
				t.Errorf("cleaning %q twice differs", text)
			}
			if got := Terminal(text); strings.HasPrefix(strings.TrimSpace(got), "::") || strings.Contains(got, "##[") {
				t.Errorf("%q is a command: %q", text, got)
			}
		}
	}
}

// A runner decodes %25, %0D, %0A (and %3A, %2C in properties) and nothing else.
func TestWorkflow(t *testing.T) {
	data := strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%")
	property := strings.NewReplacer("%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%")
	for _, text := range hostile {
		d, p := WorkflowData(text), WorkflowProperty(text)
		if strings.ContainsAny(d, "\r\n\x1b") || strings.ContainsAny(p, "\r\n\x1b:,") {
			t.Errorf("%q: %q, %q", text, d, p)
		}
		if want := keepBreaks(text); data.Replace(d) != want || property.Replace(p) != want {
			t.Errorf("%q does not come back: %q, %q", text, d, p)
		}
	}
}

func TestCSV(t *testing.T) {
	for _, text := range hostile {
		got := CSV(text)
		_, err := strconv.ParseFloat(got, 64)
		if err != nil && got != "" && strings.ContainsRune("=+-@\t\r\n", rune(got[0])) {
			t.Errorf("%q begins a formula: %q", text, got)
		}
		if strings.TrimPrefix(got, "'") != strings.TrimPrefix(text, "'") {
			t.Errorf("%q became %q", text, got)
		}
		var out bytes.Buffer
		w := csv.NewWriter(&out)
		if err := w.Write([]string{got, "x"}); err != nil {
			t.Fatal(err)
		}
		w.Flush()
	}
	for _, number := range []string{"-0.5", "+1", "-1e-9"} {
		if CSV(number) != number {
			t.Errorf("%s is a number", number)
		}
	}
}

func FuzzSinks(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsAny(WorkflowData(text), "\r\n") || strings.ContainsAny(WorkflowProperty(text), "\r\n:,") || strings.ContainsAny(Terminal(text), "\r\n\x1b\a\b") {
			t.Fatalf("%q escapes", text)
		}
	})
}
