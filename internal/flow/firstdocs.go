package flow

import (
	"fmt"
	"strings"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/tomlio"
)

func (g *guess) datasetDocument(ds *doc.Dataset) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Where the rows come from. `plumb data pin %s` writes which rows exactly into %s.lock.toml.\nschema = 1\n\n[source]\npath = %s\n", ds.ID, ds.ID, tomlio.Quote(ds.Source.Path))
	if g.event != "" {
		fmt.Fprintf(&b, "\n[time]\nevent = %s                # when a row's question is asked\n", tomlio.Quote(g.event))
	}
	fmt.Fprintf(&b, "\n[check.rows]                     # a data-quality rule; more kinds under `plumb quality --help`\nkind = \"expect_table_row_count_to_be_between\"\nmin_value = %d\nlevel = \"critical\"             # a critical check that fails stops a merge\n", max(1, g.rows/2))
	return b.String()
}

func (g *guess) modelDocument(ds string) string {
	split := `{ by = "hash", test = 0.2, valid = 0.2 }`
	if g.event != "" {
		split = fmt.Sprintf(`{ by = "time", test = "%dd", valid = "%dd" }`, g.test, g.valid)
	}
	metric, tolerance := "auc", "0.002"
	switch {
	case g.task == "regression":
		metric, tolerance = "rmse", "0"
	case g.imbalanced: // who always answers the common class has a good accuracy
		metric = "balanced_accuracy"
	case g.task == "multiclass":
		metric = "accuracy"
	}
	return fmt.Sprintf(`# The question, the contract, and who answers it now. Changing the champion line is the promotion.
schema = 1
task = %q
champion = "baseline"            # experiments/baseline.toml

[question]
dataset = %q
label = %s
split = %s

[metric.%s]
level = "gate"                   # gate | guard | info
tolerance = %-20s # a difference inside it counts as none
require = "not_worse"            # not_worse | non_inferior | better
`, g.task, ds, tomlio.Quote(g.label), split, metric, tolerance)
}

func (g *guess) experimentDocument(model string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# One way to answer the question. Copy it to propose another, and write the hypothesis first.\nschema = 1\nmodel = %q\nhypothesis = %s\n\n[features]\nuse = [\n", model, tomlio.Quote(doc.FirstHypothesis))
	for _, f := range g.features {
		fmt.Fprintf(&b, "  %s,\n", tomlio.Quote(f))
	}
	for _, name := range keys(g.row) {
		fmt.Fprintf(&b, "  %s,\n", tomlio.Quote(name))
	}
	b.WriteString("]\n")
	if len(g.row) > 0 {
		b.WriteString("\n[features.row]                   # expressions over the row\n")
		for _, name := range keys(g.row) {
			fmt.Fprintf(&b, "%s = %s\n", name, tomlio.Quote(g.row[name]))
		}
	}
	if g.own != nil {
		return b.String() + g.own.train()
	}
	b.WriteString("\n[train]\nlearner = \"gbdt\"                 # gbdt | glm\n\n[params]                         # of the learner; `plumb check --help` lists them\n# rounds = 100\n")
	return b.String()
}
