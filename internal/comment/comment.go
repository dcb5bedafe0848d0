// Package comment makes the one comment that a pull request gets: Markdown from a plumb.ci/v1 result, nothing else.
//
// It is not a client: it neither finds nor posts a comment, it only gives the body and the marker by which the comment is found again. The result is
// hostile data, since a pull request names what is in it, so every text goes through package escape. It stores nothing.
package comment

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/record"
)

// The limits of a comment. GitHub refuses more than 65,536.
const (
	MaxBytes = 60_000
	MaxLines = 25 // visible ones: not blank, not folded
)

// Options is what the result itself does not know.
type Options struct {
	ReportURL string // of the site; "" leaves the link out
	RunURL    string // of the CI run; "" leaves the link out
	LedgerTip string // commit, repeated in the marker so that a rewritten ledger shows
}

// section is a part of the comment that is shown whole or not at all.
type section struct {
	name     string // as the note about what was left out calls it
	priority int    // the highest number goes first when there is no room
	body     string
}

// Render gives the comment's body. Its first line says the verdict, its last is the marker.
func Render(ci record.CI, opt Options) string {
	b := brief.Of(ci)
	title := "### " + strings.TrimSpace(brief.Symbol(b.Verdict)+" "+escape.Markdown(b.Sentence))
	if b.Fails && brief.Symbol(b.Verdict) != "✗" {
		title = "### ✗ " + escape.Markdown(b.Sentence)
	}
	sections := []section{
		{"what needs you", 1, needs(b)},
		{"the table", 2, table(b)},
		{"hypotheses", 4, lines("", b.Claims, 2)},
		{"gates", 3, gates(b)},
		{"what changed", 5, changed(ci, b)},
		{"what happens on merge", 2, onMerge(ci)},
		{"all metrics", 7, allMetrics(ci, b)},
		{"slices", 10, slices(ci)},
		{"how it was measured", 8, method(ci, b)},
		{"data checks", 7, checks(ci)},
		{"problems", 6, problems(ci)},
		{"runs made", 11, runs(ci)},
		{"steps", 9, steps(ci)},
	}
	foot := footer(ci, opt)
	// What this run happened to do anew is shown, but a second run that only found it all done is no reason to write again.
	lasting := fit(title, append([]section(nil), sections[:len(sections)-2]...), foot)
	body := fit(title, sections, foot)
	return body + "\n" + marker(ci, opt, lasting) + "\n"
}

// fit joins what there is room for: while the whole is too long, the section of the highest priority number that is still there goes, whole.
func fit(title string, sections []section, foot string) string {
	var left []string
	for {
		body := join(title, sections, left, foot)
		if len(body) <= MaxBytes-500 && visibleLines(body) <= MaxLines {
			return body
		}
		worst := -1
		for i, s := range sections {
			if s.body != "" && (worst < 0 || s.priority > sections[worst].priority) {
				worst = i
			}
		}
		if worst < 0 {
			return body
		}
		left = append(left, sections[worst].name)
		sections[worst].body = ""
	}
}

func join(title string, sections []section, left []string, foot string) string {
	parts := []string{title}
	for _, s := range sections {
		if s.body != "" {
			parts = append(parts, s.body)
		}
	}
	if len(left) > 0 {
		parts = append(parts, "Left out for length: "+strings.Join(left, ", ")+".")
	}
	return strings.Join(append(parts, foot), "\n\n")
}

// visibleLines counts what a reader sees before unfolding anything.
func visibleLines(body string) int {
	n, folded := 0, false
	for line := range strings.SplitSeq(body, "\n") {
		switch {
		case strings.HasPrefix(line, "<details>"):
			folded = true
			n++
		case strings.HasPrefix(line, "</details>"):
			folded = false
		case !folded && strings.TrimSpace(line) != "" && !isRule(line):
			n++
		}
	}
	return n
}

// isRule is a table's delimiter row, which shows as a line between rows at most.
func isRule(line string) bool {
	return strings.HasPrefix(line, "|--") || strings.HasPrefix(line, "|:-")
}

// footer links the evidence and says what the numbers were made from.
func footer(ci record.CI, opt Options) string {
	var parts []string
	if link := safeURL(opt.ReportURL); link != "" {
		parts = append(parts, "[Report]("+link+")")
	}
	if link := safeURL(opt.RunURL); link != "" {
		parts = append(parts, "[CI run]("+link+")")
	}
	if ci.Base != "" {
		parts = append(parts, "baseline "+escape.MarkdownCode(brief.Short(ci.Base)))
	}
	if ci.Head != "" {
		parts = append(parts, "head "+escape.MarkdownCode(brief.Short(ci.Head)))
	}
	parts = append(parts, "scores are what the pull request's code says, everything else was computed by plumb")
	return "<sub>" + strings.Join(parts, " · ") + "</sub>"
}

// safeURL gives an address that can stand in a Markdown link, or "".
func safeURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(raw) > 2000 {
		return ""
	}
	return strings.NewReplacer("(", "%28", ")", "%29", "<", "%3C", ">", "%3E", "|", "%7C", "[", "%5B", "]", "%5D", "`", "%60", "\"", "%22", " ", "%20", "*", "%2A", "~", "%7E").Replace(u.String())
}

// Marker is what the hidden last line of a comment says.
type Marker struct {
	Kind    string
	Project string
	Head    string // commit
	Run     int64  // number of the CI run: a comment of a later one is never overwritten
	Digest  string // of the body without what the run did anew: equal digests need no edit
	Ledger  string // tip
}

// Key is how the marker of a project's comments begins. A comment is plumb's own only when its author is, too.
func Key(project string) string { return "<!-- plumb:v1 kind=pr project=" + word(project) + " " }

var markerPattern = regexp.MustCompile(`(?m)^<!-- plumb:v1 kind=([a-z]+) project=([A-Za-z0-9._-]*) head=([0-9a-f]*) run=([0-9]{1,18}) digest=(sha256:[0-9a-f]{64}) ledger=([0-9a-f]*) -->\s*\z`)

// ParseMarker reads the last line of a comment; ok is false where there is no marker.
func ParseMarker(body string) (m Marker, ok bool) {
	f := markerPattern.FindStringSubmatch(body)
	if f == nil {
		return Marker{}, false
	}
	run, err := strconv.ParseInt(f[4], 10, 64)
	return Marker{Kind: f[1], Project: f[2], Head: f[3], Run: run, Digest: f[5], Ledger: f[6]}, err == nil
}

func marker(ci record.CI, opt Options, body string) string {
	sum := sha256.Sum256([]byte(body))
	return fmt.Sprintf("%shead=%s run=%d digest=sha256:%s ledger=%s -->", Key(ci.Project), hexOnly(ci.Head), max(ci.RunNumber, 0), hex.EncodeToString(sum[:]), hexOnly(opt.LedgerTip))
}

// word keeps of text what cannot end a marker.
func word(text string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", r) {
			return r
		}
		return -1
	}, strings.ReplaceAll(text, "--", "-"))
}

func hexOnly(text string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("0123456789abcdef", r) {
			return r
		}
		return -1
	}, text)
}
