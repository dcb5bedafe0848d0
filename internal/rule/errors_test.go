package rule_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/table"
)

var update = flag.Bool("update", false, "write testdata/errors.txt anew")

// gateColumns are the names of a gate's environment.
var gateColumns = map[string]table.Type{
	"auc": table.Float64, "params.rounds": table.Int64, "params.learning-rate": table.Float64, "slice.auc": rule.Numbers, "slice.f1": rule.Numbers,
}

// TestErrors holds every message: what is wrong, where, and what is allowed. testdata/errors.txt has pairs of an expression and its answer.
func TestErrors(t *testing.T) {
	const path = "testdata/errors.txt"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		if !strings.HasPrefix(line, "\t") {
			out.WriteString(line + "\n")
		}
		if line == "" || line[0] == '#' || line[0] == '\t' {
			continue
		}
		env := rule.Env{Columns: columns}
		src, isGate := strings.CutPrefix(line, "gate: ")
		if isGate {
			env.Columns = gateColumns
		}
		_, err := rule.Parse(src, env)
		var e *rule.Error
		switch {
		case err == nil:
			t.Errorf("%s is accepted", src)
			out.WriteString("\taccepted\n")
		case !errors.As(err, &e):
			t.Errorf("%s: a %T", src, err)
		default:
			fmt.Fprintf(&out, "\t%s^ %s\n", strings.Repeat(" ", len([]rune(src[:e.Offset]))+len(line)-len(src)), e.Msg)
			if e.Hint != "" {
				fmt.Fprintf(&out, "\thint: %s\n", e.Hint)
			}
		}
	}
	if *update {
		if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if out.String() != string(text) {
		t.Errorf("%s differs; run with -update and look at the difference", path)
	}
}
