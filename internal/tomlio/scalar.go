package tomlio

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2/unstable"
)

// maxInteger is the largest integer that every reader of JSON keeps exact; digests refuse more (RFC 8785, §3.2.2.3).
const maxInteger = 1 << 53

// scalar fills in a value that is no array or table. What can't be read becomes kindBroken and a problem.
func (b *builder) scalar(n *unstable.Node, out *node) {
	text := string(n.Data)
	var wrong, hint string
	switch n.Kind {
	case unstable.String:
		out.kind, out.value = kindString, text
	case unstable.Bool:
		out.kind, out.value = kindBool, text == "true"
	case unstable.Integer:
		out.kind = kindInteger
		out.value, wrong = integer(text)
	case unstable.Float:
		out.kind = kindFloat
		out.value, wrong = float(text)
	case unstable.LocalTime:
		wrong, hint = "a time without a date can't be used here", `durations are written "90m", "12h", "7d"`
	default:
		out.kind = kindTime
		out.value, wrong = moment(text)
		hint = "times are written as in 2001-06-30T12:00:00Z"
	}
	if wrong == "" {
		return
	}
	out.kind = kindBroken
	b.list.Errorf(b.pos.pos(out.start), "value", "%s", wrong)
	if hint != "" {
		b.list.Hint("%s", hint)
	}
}

func integer(text string) (any, string) {
	v, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 0, 64)
	if err != nil || v > maxInteger || v < -maxInteger {
		return nil, text + " is too large: integers end at ±2^53"
	}
	return v, ""
}

func float(text string) (any, string) {
	if strings.HasSuffix(text, "inf") || strings.HasSuffix(text, "nan") {
		return nil, text + " is not a number that can be compared or digested"
	}
	v, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
	if err != nil {
		return nil, text + " is too large for a number"
	}
	return v, ""
}

var momentShape = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)?)?$`)

// moment reads a date or a date and time; what has no zone is read as UTC, as for columns.
func moment(text string) (any, string) {
	clean := strings.ToUpper(text)
	if !momentShape.MatchString(clean) { // time.Parse alone takes one digit for an hour and 99 minutes of offset
		return nil, text + " is not how a time is written"
	}
	if len(clean) > 10 {
		clean = clean[:10] + "T" + clean[11:]
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateOnly} {
		if t, err := time.Parse(layout, clean); err == nil {
			return t.UTC(), ""
		}
	}
	return nil, text + " is no date and no time that exists"
}

var bareWord = regexp.MustCompile(`^[ \t]*[A-Za-z0-9_.-]+[ \t]*=[ \t]*([A-Za-z./@~][^"'#]*?)[ \t]*(#.*)?$`)

// syntaxHint says what to do about the mistakes that people make most.
func syntaxHint(line string, col int) string {
	if m := bareWord.FindStringSubmatch(line); m != nil {
		return "text is written in quotes: " + strconv.Quote(m[1])
	}
	trimmed := strings.TrimSpace(line)
	switch {
	case strings.HasPrefix(trimmed, "[") && !strings.Contains(trimmed, "]"):
		return "a table's name ends with ]"
	case !strings.ContainsAny(trimmed, "=[") && trimmed != "" && col < len(line):
		return `a line is: name = value, [table] or # comment`
	case strings.Contains(trimmed, ": ") && !strings.Contains(trimmed, "="):
		return "TOML puts = between a key and its value"
	}
	return ""
}

// endsInside says whether a bracket, brace or long string that opens in src is still open at its end.
func endsInside(src []byte) bool {
	g := guard{src: src, lineStart: true}
	for g.i < len(src) {
		before := g.i
		g.step()
		if g.i-before >= 3 && g.i == len(src) && longOpen(src[before:]) {
			return true
		}
	}
	return g.open > 0
}

func longOpen(s []byte) bool {
	text := string(s)
	for _, q := range []string{`"""`, `'''`} {
		if strings.HasPrefix(text, q) {
			return len(text) < 6 || !strings.HasSuffix(text, q)
		}
	}
	return false
}
