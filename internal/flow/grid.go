package flow

import (
	"fmt"
	"strings"

	"github.com/plumb-ml/plumb/internal/digest"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

const (
	// maxCells bounds a sweep: each cell is a run with a model and rows of its own, and the best of thousands is mostly the luckiest.
	maxCells = 1000
	// maxMatrix is how many jobs GitHub Actions makes of one matrix.
	maxMatrix = 256
)

// Axis is one parameter of a grid, and the values to try as a person wrote them.
type Axis struct {
	Param  string
	Values []string
}

// ParseGrid reads the axes of a grid, as `rounds=100,200`. A comma in quotes or brackets belongs to its value.
func ParseGrid(flags []string) ([]Axis, error) {
	var out []Axis
	seen := map[string]bool{}
	for _, flag := range flags {
		name, text, ok := strings.Cut(flag, "=")
		name = strings.TrimPrefix(strings.TrimSpace(name), "params.")
		if !ok || name == "" {
			return nil, problem.Wrongf("for example --grid rounds=100,200", "--grid %q is not key=value,value", flag)
		}
		if seen[name] {
			return nil, problem.Wrongf("write all its values into one, as in --grid "+name+"=1,2,3", "--grid %s is there twice", name)
		}
		seen[name] = true
		values, err := splitValues(text)
		if err != nil {
			return nil, problem.Wrongf(`a text with commas or quotes goes into quotes: --grid 'name="a,b","c"'`, "--grid %s: %w", flag, err)
		}
		out = append(out, Axis{name, values})
	}
	return out, nil
}

// splitValues cuts at commas outside quotes and brackets.
func splitValues(text string) ([]string, error) {
	var out []string
	depth, start, quote := 0, 0, byte(0)
	for i := 0; i <= len(text); i++ {
		switch {
		case i == len(text) || quote == 0 && depth == 0 && text[i] == ',':
			value := strings.TrimSpace(text[start:i])
			if value == "" {
				return nil, fmt.Errorf("a value is empty")
			}
			out, start = append(out, value), i+1
		case quote != 0:
			if text[i] == '\\' && quote == '"' {
				i++
			} else if text[i] == quote {
				quote = 0
			}
		case text[i] == '"' || text[i] == '\'':
			quote = text[i]
		case text[i] == '[' || text[i] == '{':
			depth++
		case text[i] == ']' || text[i] == '}':
			depth--
		}
	}
	if quote != 0 || depth != 0 {
		return nil, fmt.Errorf("a quote or bracket is not closed")
	}
	return out, nil
}

// cell is one combination of a grid.
type cell struct {
	set   map[string]string // all that is set, as written
	args  []string          // of the command line
	value map[string]any    // what the grid sets, as it is typed
	docs  *doc.Set
	key   string // digest of its inputs
}

// combine makes the cells of a grid in the order in which nested loops would visit them. Everything that can be wrong with any of them is said before one runs.
func (t *Tree) combine(experiment string, set map[string]string, grid []Axis) ([]cell, error) {
	n := 1
	for _, a := range grid {
		if _, both := set[a.Param]; both {
			return nil, problem.Wrongf("keep one", "%s is in --set and in --grid", a.Param)
		}
		if n *= len(a.Values); n > maxCells {
			return nil, problem.Wrongf("take few values far apart first, then more around the best; or several sweeps",
				"the grid has more than %d cells", maxCells)
		}
	}
	cells, wrong := make([]cell, n), newSayings()
	for i := range cells {
		c := &cells[i]
		c.set, c.value = map[string]string{}, map[string]any{}
		for _, name := range keys(set) {
			c.add(name, set[name])
		}
		left, many := i, n
		for _, a := range grid {
			many /= len(a.Values)
			c.add(a.Param, a.Values[left/many])
			left %= many
		}
		if err := t.complete(c, experiment, grid); err != nil {
			wrong.add(err)
		}
	}
	if err := wrong.err(); err != nil {
		return nil, err
	}
	return cells, noTwins(cells, grid)
}

func (c *cell) add(name, value string) {
	c.set[name] = value
	c.args = append(c.args, "--set", name+"="+value)
}

// complete types a cell's values and checks them.
func (t *Tree) complete(c *cell, experiment string, grid []Axis) error {
	own := t.Docs.Experiments[experiment]
	for _, a := range grid {
		if own.Train.Learner == learnerCommand && !strings.HasPrefix(a.Param, "train.") {
			if _, known := own.Params[a.Param]; !known {
				return problem.Wrongf(unknownHint(a.Param, own), "%s has no parameter %q", own.Path, a.Param)
			}
		}
	}
	var err error
	if c.docs, err = t.Docs.WithSet(experiment, c.set); err != nil {
		return err
	}
	e := c.docs.Experiments[experiment]
	if err := wrongParams(c.docs, e); err != nil {
		return err
	}
	for _, a := range grid {
		c.value[a.Param] = setting(e, a.Param)
	}
	c.key, err = digestOf(c.docs, experiment)
	return err
}

// unknownHint says what a program may be told: plumb can't ask it, so the document lists it.
func unknownHint(name string, e *doc.Experiment) string {
	if near := problem.Nearest(name, keys(e.Params)); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return fmt.Sprintf("write `%s = …` under [params], so that it is known what the program is told", name)
}

// setting is what an experiment says for a key that --set takes.
func setting(e *doc.Experiment, key string) any {
	switch key {
	case "train.seed":
		return e.Train.Seed
	case "train.repeats":
		return e.Train.Repeats
	case "train.learner":
		return e.Train.Learner
	case "train.timeout":
		return e.Train.Timeout
	case "train.memory":
		return e.Train.Memory
	}
	return e.Params[key]
}

// noTwins refuses values that mean the same: a grid with 100 twice, or with 1 and 1.0, is a slip of the pen.
func noTwins(cells []cell, grid []Axis) error {
	for i, a := range axes(cells, grid) {
		seen := map[string]string{}
		for v, value := range a.Values {
			canonical, err := digest.Canonical(value)
			if err != nil {
				return err
			}
			other, twice := seen[string(canonical)]
			if twice {
				return problem.Wrongf("keep one", "--grid %s: %s and %s are the same value", a.Param, other, grid[i].Values[v])
			}
			seen[string(canonical)] = grid[i].Values[v]
		}
	}
	return nil
}

// axes are a grid's parameters with their typed values.
func axes(cells []cell, grid []Axis) []record.SweepAxis {
	out := make([]record.SweepAxis, len(grid))
	step := len(cells)
	for i, a := range grid {
		step /= len(a.Values)
		out[i] = record.SweepAxis{Param: a.Param}
		for v := range a.Values {
			out[i].Values = append(out[i].Values, cells[v*step].value[a.Param])
		}
	}
	return out
}

// sayings gathers what errors say, each line once.
type sayings struct {
	all  []string
	seen map[string]bool
	hint string
}

func newSayings() *sayings { return &sayings{seen: map[string]bool{}} }

func (s *sayings) add(err error) {
	for _, text := range strings.Split(err.Error(), "\n") {
		if !s.seen[text] {
			s.seen[text] = true
			s.all = append(s.all, text)
		}
	}
	if s.hint == "" {
		s.hint = problem.Hint(err)
	}
}

// maxSayings is how many errors are shown of a grid.
const maxSayings = 5

func (s *sayings) err() error {
	if len(s.all) == 0 {
		return nil
	}
	shown := s.all
	if len(shown) > maxSayings {
		shown = append(shown[:maxSayings:maxSayings], fmt.Sprintf("and %d more", len(s.all)-maxSayings))
	}
	return problem.Wrongf(s.hint, "%s", strings.Join(shown, "\n"))
}

// matrix gives the cells as jobs of a CI.
func matrix(experiment string, cells []cell, grid []Axis) (record.Matrix, error) {
	out := record.Matrix{Schema: "plumb.matrix/v1"}
	if len(cells) > maxMatrix {
		return out, problem.Wrongf("take fewer values, or several matrices", "the grid has %d cells, and GitHub makes at most %d jobs of a matrix", len(cells), maxMatrix)
	}
	for _, c := range cells {
		var name, args []string
		for _, a := range grid {
			name = append(name, a.Param+"="+c.set[a.Param])
		}
		for _, a := range c.args {
			args = append(args, ShellWord(a))
		}
		out.Matrix.Include = append(out.Matrix.Include, record.MatrixCell{Name: strings.Join(name, " "), Experiment: experiment, Args: strings.Join(args, " ")})
	}
	return out, nil
}

// plainWord are the characters that no POSIX shell reads anything into.
const plainWord = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%"

// ShellWord quotes one word for a POSIX shell: a matrix is pasted into one, and what is to be typed next is copied.
func ShellWord(s string) string {
	if s != "" && strings.Trim(s, plainWord) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
