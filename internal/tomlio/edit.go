package tomlio

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/plumb-ml/plumb/internal/problem"
)

// Set changes the value of one key in src and nothing else: comments, order and line ends stay. value is text, a number, a bool or a time. A key that is missing is
// added after its table's last line, a table that is missing at the end of the file. It errs when src is not valid, when the key holds a list or a table, and
// when the key would have to go into an inline table.
func Set(src []byte, value any, key ...string) ([]byte, error) {
	text, err := literal(value)
	if err != nil {
		return nil, err
	}
	if len(key) == 0 {
		return nil, fmt.Errorf("setting a key: no key given")
	}
	name := strings.Join(key, ".")
	tree, err := parse(src)
	if err != nil {
		return nil, fmt.Errorf("setting %s: %w", name, err)
	}
	bom := len(src) - len(tree.src)
	edit, err := tree.splice(text, key)
	if err != nil {
		return nil, fmt.Errorf("setting %s: %w", name, err)
	}
	out := append(bytes.Clone(src[:bom]), edit...)
	after, err := parse(out)
	if err != nil {
		return nil, fmt.Errorf("setting %s: %w", name, err)
	}
	if n, depth := after.find(key); depth != len(key) || fmt.Sprint(n.value) != fmt.Sprint(value) {
		return nil, fmt.Errorf("setting %s: the document has no place for it", name)
	}
	return out, nil
}

// parse reads src into a tree or gives its first problem.
func parse(src []byte) (*Positions, error) {
	var list problem.List
	var anything map[string]any
	p := decode("document", src, &anything, limited{&list, MaxLock})
	if all := list.All(); len(all) > 0 {
		return nil, fmt.Errorf("%s: %s", all[0].Pos, all[0].Message)
	}
	return p, nil
}

// literal writes a scalar as TOML, by way of the encoder.
func literal(value any) (string, error) {
	out, err := Marshal(map[string]any{"v": value})
	if err != nil {
		return "", err
	}
	text, ok := strings.CutPrefix(strings.TrimSuffix(string(out), "\n"), "v = ")
	if !ok || strings.HasPrefix(text, "[") || strings.HasPrefix(text, "{") {
		return "", fmt.Errorf("setting a key: %T is no single value", value)
	}
	return text, nil
}

func (p *Positions) splice(text string, key []string) ([]byte, error) {
	n, depth := p.find(key)
	if depth == len(key) {
		if n.kind == kindTable || n.kind == kindArray {
			return nil, fmt.Errorf("it holds more than one value")
		}
		return join(p.src[:n.start], []byte(text), p.src[n.end:]), nil
	}
	line := bareKey(key[len(key)-1]) + " = " + text
	if depth == len(key)-1 && (n.made == byHeader || depth == 0) {
		return p.addTo(n, line, depth == 0), nil
	}
	for _, above := range key[:depth] {
		n, _ := p.find([]string{above})
		if n.kind != kindTable || n.made == byBraces {
			return nil, fmt.Errorf("%s is not a table with a header", above)
		}
	}
	var header []string
	for _, k := range key[:len(key)-1] {
		header = append(header, bareKey(k))
	}
	end := p.newline()
	out := p.src
	if len(out) > 0 && !bytes.HasSuffix(out, []byte("\n")) {
		out = join(out, []byte(end))
	}
	return join(out, []byte(end+"["+strings.Join(header, ".")+"]"+end+line+end)), nil
}

// addTo puts a line after the last own line of a table.
func (p *Positions) addTo(n *node, line string, root bool) []byte {
	end := p.newline()
	if root && n.last == 0 {
		return join([]byte(line+end), p.src)
	}
	i := bytes.IndexByte(p.src[n.last:], '\n')
	if i < 0 {
		return join(p.src, []byte(end+line+end))
	}
	cut := n.last + i + 1
	return join(p.src[:cut], []byte(line+end), p.src[cut:])
}

func (p *Positions) newline() string {
	if bytes.Contains(p.src, []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func bareKey(key string) string {
	for _, c := range key {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", c) {
			text, _ := literal(key)
			return text
		}
	}
	if key == "" {
		return `""`
	}
	return key
}

// Value reads one value, as a command line has it: TOML, or text without quotes. It errs on a number that no document may hold.
func Value(text string) (any, error) {
	var list problem.List
	var out map[string]any
	decode("value", []byte("v = "+text), &out, limited{&list, MaxDocument})
	if all := list.All(); len(all) == 0 && len(out) == 1 {
		return out["v"], nil
	} else if len(all) > 0 && all[0].Rule == "value" {
		return nil, fmt.Errorf("%s", all[0].Message)
	}
	return text, nil
}
