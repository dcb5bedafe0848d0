package forge

import (
	"strconv"
	"strings"
)

// mark is the hidden last line of a comment.
type mark struct {
	id     string // "plumb:v1 project=flights"
	run    int64  // number of the CI run that wrote it; 0 when not said
	digest string // of what the comment says; "" when not said
}

// parseMark reads one line. It is false unless the line is nothing but a comment that begins with an identity.
func parseMark(line string) (mark, bool) {
	text, opened := strings.CutPrefix(strings.TrimSpace(line), "<!-- ")
	text, closed := strings.CutSuffix(text, "-->")
	if !opened || !closed || strings.Contains(text, "--") {
		return mark{}, false
	}
	var m mark
	var id []string
	rest := false // past the identity
	for _, word := range strings.Fields(text) {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "run":
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil || n < 0 {
				return mark{}, false
			}
			m.run, rest = n, true
		case "digest":
			m.digest, rest = value, true
		case "head":
			rest = true
		default:
			if !rest {
				id = append(id, word)
			}
		}
	}
	m.id = strings.Join(id, " ")
	return m, m.id != ""
}

// markOf reads the mark of a comment: on its last line that is not empty, and nowhere else, so that text quoted further up is never taken for one.
func markOf(body string) (mark, bool) {
	body = strings.TrimSpace(body)
	return parseMark(body[strings.LastIndexByte(body, '\n')+1:])
}
