package tomlio

import (
	"bytes"
	"fmt"
)

// SetAfter is Set for a key of the top level that, where it is missing, goes on the line below another one.
func SetAfter(src []byte, value any, key, after string) ([]byte, error) {
	tree, err := parse(src)
	if err != nil {
		return nil, fmt.Errorf("setting %s: %w", key, err)
	}
	_, depth := tree.find([]string{key})
	above, found := tree.find([]string{after})
	if depth == 1 || found != 1 || above.kind == kindTable {
		return Set(src, value, key)
	}
	text, err := literal(value)
	if err != nil {
		return nil, err
	}
	line, end := bareKey(key)+" = "+text, tree.newline()
	cut := bytes.IndexByte(tree.src[above.end:], '\n')
	out := join(tree.src, []byte(end+line+end))
	if cut >= 0 {
		cut += above.end + 1
		out = join(tree.src[:cut], []byte(line+end), tree.src[cut:])
	}
	return checked(join(src[:len(src)-len(tree.src)], out), key, value)
}

// Unset takes away the line of a key of the top level, with the remark behind its value; all else stays. A key that is not there is no error, one that holds a
// list or a table is.
func Unset(src []byte, key string) ([]byte, error) {
	tree, err := parse(src)
	if err != nil {
		return nil, fmt.Errorf("taking %s away: %w", key, err)
	}
	n, depth := tree.find([]string{key})
	switch {
	case depth == 0:
		return src, nil
	case n.kind == kindTable || n.kind == kindArray:
		return nil, fmt.Errorf("taking %s away: it holds more than one value", key)
	}
	start := bytes.LastIndexByte(tree.src[:n.at], '\n') + 1
	end := len(tree.src)
	if i := bytes.IndexByte(tree.src[n.end:], '\n'); i >= 0 {
		end = n.end + i + 1
	}
	return checked(join(src[:len(src)-len(tree.src)], tree.src[:start], tree.src[end:]), key, nil)
}

// checked reads an edited document again and holds the key against what it should be; nil stands for not there.
func checked(out []byte, key string, want any) ([]byte, error) {
	after, err := parse(out)
	if err != nil {
		return nil, fmt.Errorf("editing %s: %w", key, err)
	}
	n, depth := after.find([]string{key})
	if (want == nil) != (depth == 0) || want != nil && fmt.Sprint(n.value) != fmt.Sprint(want) {
		return nil, fmt.Errorf("editing %s: the document has no place for it", key)
	}
	return out, nil
}
