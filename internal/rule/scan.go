package rule

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/parser/lexer"
)

// refused is what the parser underneath would accept and this language does not have, with what to write instead.
var refused = map[string]string{
	"&&": "write and", "||": "write or", "!": "write not", "^": "write ** for a power", "nil": "write null",
	"|": "write the function round its argument: abs(x)", ";": "an expression is one value", "let": "there are no variables",
	"if": "write condition ? a : b", "else": "write condition ? a : b", "..": "list the values: x in [1, 2, 3]",
	"?.": "write a plain dot", "#": "there are no predicates", "::": "call a function by its name", "{": "there are no maps", "}": "there are no maps",
	"=": "write == to compare", "&": "write and", "<>": "write !=",
}

// scan checks the tokens before anything is parsed: what is left is small, shallow, and holds only words of this language.
// It is done on tokens, not on the tree, because the tree no longer tells `a | abs()` from `abs(a)` and a comment leaves no trace in it
// (`7 // 2` would silently be 7).
func scan(src string, aggregates bool) error {
	switch {
	case len(src) > MaxBytes:
		return &Error{Offset: MaxBytes, Msg: fmt.Sprintf("the expression has %d bytes, at most %d are allowed", len(src), MaxBytes)}
	case !utf8.ValidString(src):
		return &Error{Msg: "the expression is not valid UTF-8"}
	case strings.TrimSpace(src) == "":
		return &Error{Msg: "the expression is empty", Hint: `write a value, such as delay > 15`}
	}
	tokens, err := lexer.Lex(file.NewSource(src))
	if err != nil {
		return syntaxError(src, err)
	}
	s := scanner{tokens: tokens, offsets: byteOffsets(src), src: src, aggregates: aggregates}
	for i := range tokens {
		if err := s.check(i); err != nil {
			return err
		}
	}
	return nil
}

type scanner struct {
	tokens  []lexer.Token
	offsets []int
	src     string
	end     int // byte offset where the last token ended
	depth   int

	aggregates bool // functions over columns are known too
}

func (s *scanner) check(i int) error {
	t := s.tokens[i]
	at := s.offsets[t.From]
	if t.Kind == lexer.EOF {
		at = len(s.src)
	}
	if gap := strings.TrimLeft(s.src[s.end:at], " \t\r\n"); gap != "" {
		return &Error{Offset: at - len(gap), Msg: "comments and other white space are not allowed in an expression",
			Hint: "put the comment in the document, after #; whole-number division is floor(a / b)"}
	}
	if t.Kind == lexer.EOF {
		return nil
	}
	s.end = s.offsets[t.To]
	property := i > 0 && s.tokens[i-1].Is(lexer.Operator, ".")
	if hint, bad := refused[t.Value]; bad && t.Kind != lexer.String && !property {
		return &Error{Offset: at, Msg: fmt.Sprintf("%q is not part of the language", t.Value), Hint: hint}
	}
	switch {
	case t.Kind == lexer.Number:
		return checkNumber(t.Value, at)
	case t.Kind == lexer.Bytes:
		return &Error{Offset: at, Msg: "byte strings are not part of the language", Hint: `write "…"`}
	case t.Kind == lexer.String && strings.ContainsRune(t.Value, 0):
		return &Error{Offset: at, Msg: "text must not hold a zero byte"}
	case t.Is(lexer.Operator, ":") && i > 0 && s.tokens[i-1].Is(lexer.Operator, "?"):
		return &Error{Offset: at, Msg: `"?:" without a value between is not part of the language`, Hint: "write a ?? b"}
	case t.Is(lexer.Bracket, "[") && (i == 0 || !s.tokens[i-1].Is(lexer.Operator, "in")): // the tree does not tell a["b"] from a.b
		return &Error{Offset: at, Msg: "a list stands only behind in", Hint: `write x in ["a", "b"]; a name may hold dots: params.rounds`}
	case t.Is(lexer.Bracket, "(", "["):
		s.depth++
		if s.depth > MaxDepth {
			return &Error{Offset: at, Msg: fmt.Sprintf("brackets are nested more than %d deep", MaxDepth)}
		}
	case t.Is(lexer.Bracket, ")", "]"):
		s.depth--
	case t.Kind == lexer.Identifier && i+1 < len(s.tokens) && s.tokens[i+1].Is(lexer.Bracket, "("):
		if _, ok := aggregateUsage[t.Value]; s.aggregates && (ok || property) { // of another side: the builder knows which there are
			return nil
		}
		return checkFunction(t.Value, at)
	}
	return nil
}

// checkNumber holds numbers to the decimal spelling. A point or an exponent makes a float64, everything else must fit an int64.
func checkNumber(text string, at int) error {
	if strings.ContainsAny(text, "_xXoObB") {
		return &Error{Offset: at, Msg: fmt.Sprintf("%q is not part of the language", text), Hint: "write numbers as 1000, 7.5 or 1e6"}
	}
	_, err := strconv.ParseInt(text, 10, 64)
	if strings.ContainsAny(text, ".eE") {
		_, err = strconv.ParseFloat(text, 64)
	}
	if err != nil {
		return &Error{Offset: at, Msg: fmt.Sprintf("the number %s is too large", text)}
	}
	return nil
}

// checkFunction refuses a call of what is no function, before the parser can give names like `filter` a meaning of its own.
func checkFunction(name string, at int) error {
	if _, ok := functions[name]; ok {
		return nil
	}
	e := &Error{Offset: at, Msg: fmt.Sprintf("there is no function %q", name)}
	if near := nearest(name, functionNames()); near != "" {
		e.Hint = fmt.Sprintf("did you mean %s?", near)
	} else {
		e.Hint = "the functions are " + strings.Join(functionNames(), ", ")
	}
	return e
}

// parseTree runs the parser underneath. It is fed by scan only, and has not been seen to panic; the recover is there because the expression
// of a pull request must never take the program down.
func parseTree(src string) (tree ast.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			tree, err = nil, &Error{Msg: "the expression can not be read", Hint: "split it into simpler ones"}
		}
	}()
	t, perr := parser.Parse(src)
	if perr != nil {
		return nil, syntaxError(src, perr)
	}
	return t.Node, nil
}

// syntaxError turns an error of the parser underneath into one with a byte offset and without its vocabulary.
func syntaxError(src string, err error) error {
	var fe *file.Error
	if !errors.As(err, &fe) {
		return &Error{Msg: err.Error()}
	}
	msg, at := fe.Message, byteOffset(src, fe.From)
	switch {
	case strings.HasPrefix(msg, "unexpected token EOF"), strings.HasPrefix(msg, "unexpected end"):
		msg, at = "the expression ends too early", len(src)
	case strings.HasPrefix(msg, "unexpected token"):
		if _, value, ok := strings.Cut(msg, "("); ok {
			msg = "unexpected " + strings.TrimSuffix(value, ")")
		}
	case strings.Contains(msg, "maximum allowed nodes"):
		msg = "the expression is too long"
	case strings.Contains(msg, "coalesce expressions (??) cannot be mixed"):
		return &Error{Offset: at, Msg: "?? next to another operator is ambiguous", Hint: "put brackets round a ?? b"}
	}
	return &Error{Offset: at, Msg: msg}
}

// byteOffsets gives, for every rune number of src and the end, its byte offset.
func byteOffsets(src string) []int {
	out := make([]int, 0, len(src)+1)
	for i := range src {
		out = append(out, i)
	}
	return append(out, len(src))
}

func byteOffset(src string, runes int) int {
	all := byteOffsets(src)
	return all[min(max(runes, 0), len(all)-1)]
}
