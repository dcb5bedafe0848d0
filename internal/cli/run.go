package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/flow"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/text"
)

func runCommand(a *app) *cobra.Command {
	var o flow.RunOptions
	var set []string
	var grid sweepFlags
	c := &cobra.Command{
		Use: "run [EXPERIMENT]", GroupID: "experiment", Args: cobra.MaximumNArgs(1),
		Short: "Run an experiment of the working folder, unless a run with the same inputs is recorded",
		Long: `Run an experiment as it lies in the working folder and record it privately; ` + "`plumb push`" + ` shares it.

A run is looked up by the digest of its inputs (question, data, features, parameters, code, seed): the same inputs are not run twice.
` + "`plumb check --help`" + ` lists the parameters of glm and gbdt.

With repeats = 5 under [train] it is trained with five seeds: the first is served, and how far they lie apart is part of every interval.

With --grid it is a sweep: every combination of the values is a private run of its own, on all cores, and the best is chosen by the valid part, never
by the test part. What is recorded is not run again, so an interrupted sweep goes on. --matrix prints the combinations for a CI that runs each in a
job of its own: strategy: {matrix: "${{ fromJSON(needs.plan.outputs.matrix) }}"}, and there plumb run ${{ matrix.experiment }} ${{ matrix.args }}.
--save writes what was run, or the best of a sweep, to an experiment's document.

With learner = "command" a program of yours learns, in a folder of its own that holds the files of train.code and train.lock, nothing else. It gets
  PLUMB_TRAIN PLUMB_VALID PLUMB_TEST  files of rows, Parquet (CSV with format = "csv"): row_id, entity and time columns, features, then label and
                                      weight, which the test part lacks
  PLUMB_PARAMS PLUMB_FEATURES         [params] and the names of the feature columns, as JSON
  PLUMB_SEED                          a whole number
  PLUMB_OUT                           a folder to write to: the model into PLUMB_OUT/model/, scores into PLUMB_OUT/predictions.parquet (.csv),
                                      learning curves into PLUMB_OUT/metrics.jsonl as {"step":1,"name":"log_loss","value":0.6,"split":"valid"}
and PATH, LANG, TZ=UTC, an empty HOME, and the variables that train.env names. Scores are row_id and score of every row of the valid and the test
part: the probability of 1, the number, or score_<class> for each class. [predict] command = ["python", "predict.py", "{in}", "{out}", "{model}"]
writes them for any rows instead, so that the model can be compared on new data. train.timeout and train.memory are limits; what it prints is kept
without secrets. It can't read the repository where the kernel has Landlock.`,
		Example: "  plumb run\n  plumb run origin-history --set rounds=300\n  plumb run --dry-run\n" +
			"  plumb run baseline --grid rounds=100,200 --grid rate=0.05,0.1 --save tuned",
		ValidArgsFunction: completeFrom(a.experimentNames),
	}
	c.Flags().StringArrayVar(&set, "set", nil, "a parameter to try without editing, as rounds=300 (repeatable)")
	c.Flags().BoolVar(&o.Force, "force", false, "run again though a run has the same inputs")
	c.Flags().BoolVar(&o.DryRun, "dry-run", false, "say what would run")
	c.Flags().StringVar(&o.Save, "save", "", "write what --set or --grid found to experiments/NAME.toml, which extends this one")
	grid.add(c)
	a.nowFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			o.Experiment = args[0]
		}
		var err error
		if err = grid.check(c); err != nil {
			return err
		}
		if o.Set, err = assignments(set); err != nil {
			return err
		}
		if len(grid.grid) > 0 {
			return a.sweep(c, grid, o)
		}
		p, err := a.open()
		if err != nil {
			return err
		}
		r, err := p.Run(c.Context(), o)
		if err != nil {
			return err
		}
		return a.print(runJSON(r), func(out text.Out) error { return printRun(out, r) })
	}
	return c
}

// assignments reads key=value pairs.
func assignments(pairs []string) (map[string]string, error) {
	out := map[string]string{}
	for _, pair := range pairs {
		k, v, ok := strings.Cut(pair, "=")
		if !ok || k == "" {
			return nil, problem.Wrongf("for example --set rounds=300", "--set %q is not key=value", pair)
		}
		if k = strings.TrimPrefix(k, "params."); out[k] != "" {
			return nil, problem.Wrongf("keep one", "--set %s is there twice", k)
		}
		if v == "" {
			return nil, problem.Wrongf("for example --set rounds=300", "--set %s= has no value", k)
		}
		out[k] = v
	}
	return out, nil
}

func runJSON(r *flow.RunResult) any {
	out := struct {
		Schema     string                `json:"schema"`
		Run        *record.RunSummary    `json:"run"`
		Cached     bool                  `json:"cached"`
		Why        string                `json:"why"`
		Result     string                `json:"result"`
		Inputs     string                `json:"inputs"`
		Valid      map[string]float64    `json:"valid"`
		Rows       record.RowCounts      `json:"rows"`
		Timings    record.Timings        `json:"timings"`
		Repeats    []record.RepeatDetail `json:"repeats,omitempty"`
		Bounds     []record.Requirement  `json:"requirements"`
		Notes      []string              `json:"notes"`
		Comparison *record.Comparison    `json:"comparison"`
		Saved      string                `json:"saved"`
	}{Schema: "plumb.run/v1", Saved: r.Saved, Cached: r.Cached, Why: r.Why, Notes: append([]string{}, r.Notes...), Comparison: r.Comparison,
		Bounds: append([]record.Requirement{}, r.Bounds...), Repeats: r.Seeds}
	if r.Cached || r.Made {
		s := flow.Summary(r.Run)
		out.Run, out.Result, out.Inputs, out.Valid = &s, r.Run.Result.Digest, r.Run.Inputs.Key(), r.Run.Result.Valid
		out.Rows, out.Timings = r.Run.Rows, r.Run.Timings
	}
	return out
}

func printRun(o text.Out, r *flow.RunResult) error {
	if !r.Cached && !r.Made {
		fmt.Fprintln(o.W, r.Why)
		return notes(o, r.Notes)
	}
	state := fmt.Sprintf("run %s · %s · %.1f s", r.Run.ID, r.Run.Experiment, r.Run.Timings.Total)
	if r.Cached {
		state = fmt.Sprintf("run %s · %s · not run again: the inputs are the same", r.Run.ID, r.Run.Experiment)
	}
	fmt.Fprintln(o.W, o.Paint(text.Bold, state))
	fmt.Fprintf(o.W, "rows: %d train, %d valid, %d test", r.Run.Rows.Train, r.Run.Rows.Valid, r.Run.Rows.Test)
	if n := r.Run.Rows.NoLabel + r.Run.Rows.LeftOut; n > 0 {
		fmt.Fprintf(o.W, ", %d left out", n)
	}
	fmt.Fprintln(o.W)
	if err := text.Metrics(o, r.Run, r.Seeds); err != nil {
		return err
	}
	if s := brief.Seeds(&r.Run); s != "" {
		fmt.Fprintln(o.W, s)
	}
	if s := brief.Operations(&r.Run); s != "" {
		fmt.Fprintln(o.W, s)
	}
	for _, b := range r.Bounds {
		fmt.Fprintln(o.W, o.Paint(text.ColourOf(b.State), escape.Terminal(brief.Requirement(b))))
	}
	if err := notes(o, r.Notes); err != nil {
		return err
	}
	if r.Saved != "" {
		fmt.Fprintln(o.W, "wrote "+r.Saved+": write its hypothesis, and `git add` it")
	}
	if r.Comparison != nil {
		fmt.Fprintln(o.W)
		return text.Comparison(o, *r.Comparison)
	}
	return nil
}

// notes prints what is no result but worth knowing. Names of columns and files may be in it.
func notes(o text.Out, all []string) error {
	for _, n := range all {
		if _, err := fmt.Fprintln(o.W, "note:", escape.Terminal(n)); err != nil {
			return err
		}
	}
	return nil
}

// experimentNames lists the experiments for shell completion; nothing where there is no project.
func (a *app) experimentNames() []string {
	p, err := a.open()
	if err != nil {
		return nil
	}
	t, err := p.Working()
	if err != nil {
		return nil
	}
	var out []string
	for id := range t.Docs.Experiments {
		out = append(out, id)
	}
	return out
}
