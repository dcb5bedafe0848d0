package rule

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/plumb-ml/plumb/internal/table"
)

const maxPattern = 500 // bytes

// matching is `l matches pattern`: pattern is found somewhere in l. Engines have no function for it in common, so it is written as
// "taking the matches out of l changes it", which holds because a pattern that matches empty text is refused.
func matching(at int, l, r *node, pattern string) (*node, error) {
	hint := "it knows letters, . [a-z] [^a-z] \\d \\w \\s ( | ) * + ? {2,5} ^ $"
	if len(pattern) > maxPattern {
		return nil, &Error{Offset: r.at, Msg: fmt.Sprintf("the pattern has more than %d bytes", maxPattern)}
	}
	if bad := foreign(pattern); bad != "" {
		return nil, &Error{Offset: r.at, Msg: "the pattern uses " + bad + ", which engines understand differently", Hint: hint}
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, &Error{Offset: r.at, Msg: fmt.Sprintf("the pattern can not be read: %v", err), Hint: hint}
	}
	if least(tree) == 0 {
		return nil, &Error{Offset: r.at, Msg: "the pattern matches empty text, so it says nothing", Hint: `for an empty text write name == ""`}
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, &Error{Offset: r.at, Msg: fmt.Sprintf("the pattern can not be read: %v", err), Hint: hint}
	}
	do := &action{
		eval: func(a []any) any { return re.MatchString(a[0].(string)) },
		sql: func(a []operand) string {
			return fmt.Sprintf("(regexp_replace(%s, %s, '') <> %s)", a[0].text, quoteText(pattern), a[0].text)
		},
	}
	return strict(at, table.Bool, do, l, r)
}

// foreign names what in the pattern RE2 and Java read differently, or "".
func foreign(pattern string) string {
	class := false
	for i := 0; i < len(pattern); i++ {
		rest := pattern[i:]
		switch {
		case rest[0] == '\\' && len(rest) > 1:
			if c := rest[1]; isLetter(c) && !strings.ContainsRune("dDwWsStnr", rune(c)) || '0' <= c && c <= '9' {
				return rest[:2]
			}
			i++
		case class && (rest[0] == '[' || strings.HasPrefix(rest, "&&")):
			return "[ or && inside a class"
		case rest[0] == '[':
			class = true
		case rest[0] == ']':
			class = false
		case !class && strings.HasPrefix(rest, "(?") && !strings.HasPrefix(rest, "(?:"):
			return "(?…)"
		}
	}
	return ""
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// least is the shortest text, in characters, that the pattern matches.
func least(re *syntax.Regexp) int {
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpCapture, syntax.OpPlus:
		return least(re.Sub[0])
	case syntax.OpRepeat:
		return re.Min * least(re.Sub[0])
	case syntax.OpConcat:
		sum := 0
		for _, sub := range re.Sub {
			sum += least(sub)
		}
		return sum
	case syntax.OpAlternate:
		shortest := least(re.Sub[0])
		for _, sub := range re.Sub[1:] {
			shortest = min(shortest, least(sub))
		}
		return shortest
	}
	return 0
}
