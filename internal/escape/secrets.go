package escape

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Redacted is what stands where a secret was.
const Redacted = "***"

// The shortest values that are taken for secrets: a shorter one stands in too much that has nothing to do with it.
const (
	minNamed = 6 // of a variable that is handed on
	minOther = 8 // of one whose name says that it is a secret
)

// Secrets finds values that must not leave the machine: as they are, in base64 at any alignment, in hexadecimal, URL-encoded or as JSON text, also
// when white space or zero bytes come between their characters (which covers lines, wrapped base64 and UTF-16). Who means to smuggle a value out
// will find another way to write it down: this keeps honest programs from telling, and clumsy ones.
//
// The zero value knows no secrets.
type Secrets struct {
	names   []string
	needles []needle
	index   needleIndex
}

// needle is one way in which a secret is written down, without white space.
type needle struct {
	text   string
	secret int  // of names
	base64 bool // the characters beside it hold bits of it too
}

// SecretsOf takes from an environment (as of os.Environ) the values of the named variables, and of those whose name says that they are secret.
// Short values and paths of things that exist are none. Of a value with several lines, a JSON object and a URL each part counts by itself too.
func SecretsOf(env []string, named []string) *Secrets {
	s := &Secrets{}
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		least := minOther
		switch {
		case slices.Contains(named, name):
			least = minNamed
		case !soundsSecret(name):
			continue
		}
		if isPath(value) {
			continue
		}
		for _, part := range partsOf(value, least) {
			s.add(name, part)
		}
	}
	s.index = indexOf(s.needles)
	return s
}

var secretWords = []string{"TOKEN", "SECRET", "SECRETS", "PASSWORD", "PASSWD", "PASS", "PASSPHRASE", "KEY", "KEYS", "APIKEY", "CREDENTIAL", "CREDENTIALS", "AUTH", "PAT", "COOKIE", "DSN"}

// soundsSecret judges a variable by its name.
func soundsSecret(name string) bool {
	name = strings.ToUpper(name)
	for _, part := range []string{"TOKEN", "SECRET", "PASSWORD", "APIKEY"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return slices.ContainsFunc(strings.FieldsFunc(name, func(r rune) bool { return r == '_' || r == '-' || r == '.' }),
		func(word string) bool { return slices.Contains(secretWords, word) })
}

// isPath says whether a value is a list of absolute paths of things that exist: where a tool lies, say.
func isPath(value string) bool {
	for _, part := range filepath.SplitList(value) {
		if !filepath.IsAbs(part) {
			return false
		}
		if _, err := os.Stat(part); err != nil {
			return false
		}
	}
	return value != ""
}

// partsOf gives a value and what of it is a secret alone: lines, texts of a JSON object, the user's part of a URL.
func partsOf(value string, least int) []string {
	out := []string{value}
	if strings.Contains(value, "\n") {
		for line := range strings.Lines(value) {
			if line = strings.TrimSpace(line); len(line) >= 16 && !strings.HasPrefix(line, "-----") {
				out = append(out, line)
			}
		}
	}
	var object any
	if strings.HasPrefix(strings.TrimSpace(value), "{") && json.Unmarshal([]byte(value), &object) == nil {
		out = append(out, longTexts(object)...)
	}
	if u, err := url.Parse(value); err == nil && u.User != nil {
		if password, ok := u.User.Password(); ok {
			out = append(out, password)
		} else {
			out = append(out, u.User.Username())
		}
	}
	return slices.DeleteFunc(out, func(part string) bool { return len(squeeze([]byte(part), nil)) < least })
}

// longTexts gives the texts of a JSON value that are long enough for keys.
func longTexts(v any) []string {
	var out []string
	switch x := v.(type) {
	case map[string]any:
		for _, item := range x {
			out = append(out, longTexts(item)...)
		}
	case []any:
		for _, item := range x {
			out = append(out, longTexts(item)...)
		}
	case string:
		if len(x) >= 16 && !strings.HasPrefix(x, "https://") {
			out = append(out, x)
		}
	}
	return out
}

// add takes in every way in which a secret may be written down.
func (s *Secrets) add(name, value string) {
	at := len(s.names)
	s.names = append(s.names, name)
	put := func(text string, base64 bool) {
		text = string(squeeze([]byte(text), nil))
		known := slices.ContainsFunc(s.needles, func(n needle) bool { return n.text == text })
		if len(text) >= minNamed && !known {
			s.needles = append(s.needles, needle{text, at, base64})
		}
	}
	put(value, false)
	for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			put(aligned(e, value, before), true)
		}
	}
	for _, digits := range []string{hex.EncodeToString([]byte(value)), strings.ToUpper(hex.EncodeToString([]byte(value)))} {
		put(digits, false)
		for _, between := range []string{`\x`, ":", "-", "%", ",0x"} {
			put(strings.Join(pairs(digits), between), false)
		}
	}
	if text, err := json.Marshal(value); err == nil {
		put(strings.Trim(string(text), `"`), false)
	}
	for _, escaped := range []string{url.QueryEscape(value), url.PathEscape(value)} {
		put(escaped, false)
		put(lowerEscapes(escaped), false)
	}
}

// aligned is the base64 of a value that some bytes come before, as far as those and what comes after do not change it.
func aligned(e *base64.Encoding, value string, before int) string {
	text := e.EncodeToString(append(make([]byte, before), value...))
	from, to := (before*8+5)/6, (before+len(value))*8/6
	return text[from:to]
}

func pairs(digits string) []string {
	var out []string
	for i := 0; i+1 < len(digits); i += 2 {
		out = append(out, digits[i:i+2])
	}
	return out
}

// lowerEscapes writes %2F as %2f.
func lowerEscapes(text string) string {
	parts := strings.Split(text, "%")
	for i := 1; i < len(parts); i++ {
		if len(parts[i]) >= 2 {
			parts[i] = strings.ToLower(parts[i][:2]) + parts[i][2:]
		}
	}
	return strings.Join(parts, "%")
}

// Find names the variable whose value is in data; "" when none is.
func (s *Secrets) Find(data []byte) string {
	if s == nil || len(s.needles) == 0 {
		return ""
	}
	found := ""
	s.index.search(squeeze(data, nil), func(_, n int) bool {
		found = s.names[s.needles[n].secret]
		return false
	})
	return found
}

// Redact gives data with every secret replaced.
func (s *Secrets) Redact(data []byte) []byte {
	if s == nil || len(s.needles) == 0 || len(data) == 0 {
		return data
	}
	place := make([]int32, 0, len(data))
	return cover(data, s.spans(squeeze(data, &place), place))
}

// Text gives text with every secret replaced.
func (s *Secrets) Text(text string) string { return string(s.Redact([]byte(text))) }

// Begun gives data with every secret replaced, and without what may be the beginning of one at its end: more is to come.
func (s *Secrets) Begun(data []byte) []byte {
	if s == nil || len(s.needles) == 0 || len(data) == 0 {
		return data
	}
	place := make([]int32, 0, len(data))
	squeezed := squeeze(data, &place)
	spans := s.spans(squeezed, place)
	if n := s.begins(squeezed); n > 0 {
		spans = append(spans, span{int(place[len(squeezed)-n]), len(data)})
	}
	return cover(data, spans)
}

// begins gives the length of the longest end of text that begins a secret; under 3 characters tell nothing.
func (s *Secrets) begins(text []byte) int {
	most := 0
	for _, n := range s.needles {
		for l := min(len(n.text)-1, len(text)); l > most && l >= 3; l-- {
			if string(text[len(text)-l:]) == n.text[:l] {
				most = l
			}
		}
	}
	return most
}

type span struct{ from, to int }

// spans are where secrets stand in the text that was squeezed.
func (s *Secrets) spans(squeezed []byte, place []int32) []span {
	var out []span
	s.index.search(squeezed, func(at, n int) bool {
		from, to := at, at+len(s.needles[n].text)
		if s.needles[n].base64 {
			from, to = max(from-1, 0), min(to+1, len(squeezed))
		}
		out = append(out, span{int(place[from]), int(place[to-1]) + 1})
		return true
	})
	return out
}

// cover writes Redacted over spans, which may overlap.
func cover(data []byte, spans []span) []byte {
	if len(spans) == 0 {
		return data
	}
	slices.SortFunc(spans, func(a, b span) int { return a.from - b.from })
	out := make([]byte, 0, len(data))
	done := 0
	for _, s := range spans {
		if s.to <= done {
			continue
		}
		if s.from >= done {
			out = append(append(out, data[done:s.from]...), Redacted...)
		}
		done = s.to
	}
	return append(out, data[done:]...)
}

// squeeze drops white space and zero bytes, and says where each byte that stays stood.
func squeeze(data []byte, place *[]int32) []byte {
	out := make([]byte, 0, len(data))
	for i, c := range data {
		switch c {
		case ' ', '\t', '\n', '\r', '\v', '\f', 0:
			continue
		}
		out = append(out, c)
		if place != nil {
			*place = append(*place, int32(i))
		}
	}
	return out
}
