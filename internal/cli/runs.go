package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/flow"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/text"
)

func runsCommand(a *app) *cobra.Command {
	var o flow.RunsOptions
	var f runsFlags
	c := &cobra.Command{
		Use: "runs", GroupID: "experiment", Args: cobra.NoArgs,
		Short: "List recorded runs, newest first, or those that an expression selects",
		Long: `List recorded runs: those of the ledger and those of this clone.

--where, --sort and --columns take expressions over these names:
  id experiment model task status error learner time actor who program commit dirty private sweep
  auc, log_loss …      metrics on the test part (also metrics.auc); valid.auc on the valid part
  params.NAME          parameters, as they were after extends and --set, else what the built-in learner takes then; set.NAME what --set changed
  inputs.NAME          digests of what decided the run; operations.NAME, rows.NAME, seconds.NAME

What a run does not have is unknown, not zero: it passes no comparison, and sorts last either way. is_null(x) asks for it.`,
		Example: "  plumb runs --where 'auc > 0.64 and params.rounds >= 200 and experiment startsWith \"route\"' --sort -auc\n" +
			"  plumb runs --columns id,auc,auc-valid.auc,params.rate --md\n  plumb runs --where 'time >= timestamp(\"2001-06-01\")' --csv > june.csv",
	}
	c.Flags().StringVar(&o.Where, "where", "", "only runs for which this is true")
	c.Flags().StringArrayVar(&f.sort, "sort", nil, "sort by these, separated by commas; -NAME from high to low (default: -time)")
	c.Flags().StringArrayVar(&f.columns, "columns", nil, "show these, separated by commas")
	c.Flags().StringVar(&o.Experiment, "experiment", "", "only runs of this experiment")
	c.Flags().StringVar(&o.Model, "model", "", "only runs of this model's experiments")
	c.Flags().StringVar(&o.Sweep, "sweep", "", "only runs that this sweep made, with their metrics on the valid part")
	c.Flags().IntVar(&o.Limit, "limit", 30, "show at most so many (0: all; --csv and --parquet: all unless it is given)")
	c.Flags().BoolVar(&f.csv, "csv", false, "print CSV")
	c.Flags().BoolVar(&f.md, "md", false, "print a Markdown table")
	c.Flags().StringVar(&f.parquet, "parquet", "", "write a Parquet file")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if o.Limit < 0 {
			return problem.Wrongf("--limit 0 shows all", "--limit %d is less than none", o.Limit)
		}
		if one(f.csv, f.md, f.parquet != "", a.json) > 1 {
			return problem.Wrongf("one at a time", "--csv, --md, --parquet and --json are each a form of their own")
		}
		if !c.Flags().Changed("limit") && (f.csv || f.parquet != "") {
			o.Limit = 0
		}
		o.Sort, o.Columns, o.Wide = parts(f.sort), parts(f.columns), f.csv || f.md || f.parquet != ""
		return a.listRuns(c.Context(), o, f)
	}
	c.AddCommand(runsShowCommand(a))
	return c
}

// one counts those that are true.
func one(all ...bool) int {
	n := 0
	for _, b := range all {
		if b {
			n++
		}
	}
	return n
}

// runsFlags say how runs are shown.
type runsFlags struct {
	sort, columns []string
	csv, md       bool
	parquet       string
}

func (a *app) listRuns(ctx context.Context, o flow.RunsOptions, f runsFlags) error {
	p, err := a.open()
	if err != nil {
		return err
	}
	list, err := p.Runs(ctx, o)
	if err != nil {
		return err
	}
	a.progress.Done()
	if list.Unreadable > 0 {
		fmt.Fprintf(a.err, "%s could not be read and are left out: `plumb verify` says why\n", count(list.Unreadable, "record"))
	}
	names := make([]string, len(list.Columns))
	for i, c := range list.Columns {
		names[i] = c.Name
	}
	switch {
	case f.csv:
		return text.CSV(a.out, names, list.Rows)
	case f.md:
		return text.MarkdownTable(a.out, names, list.Rows)
	case f.parquet != "":
		if err := p.WriteParquet(ctx, list, a.path(f.parquet)); err != nil {
			return err
		}
		_, err := fmt.Fprintf(a.out, "%s: %s, %s\n", escape.Terminal(f.parquet), count(len(list.Rows), "run"), count(len(names), "column"))
		return err
	}
	return a.print(list, func(out text.Out) error {
		of := text.Totals{Matching: list.Total, Recorded: list.Recorded}
		if len(o.Columns) > 0 {
			err = text.Columns(out, names, text.Values(list.Rows), of)
		} else {
			err = text.Runs(out, list.Runs, of, partOf(o))
		}
		return errors.Join(err, notes(out, list.Notes))
	})
}

// parts splits lists at their commas: not at those of a function or inside a text.
func parts(lists []string) []string {
	var out []string
	for _, list := range lists {
		depth, quote, start := 0, byte(0), 0
		for i := 0; i <= len(list); i++ {
			switch {
			case i == len(list) || list[i] == ',' && depth == 0 && quote == 0:
				if part := strings.TrimSpace(list[start:i]); part != "" {
					out = append(out, part)
				}
				start = i + 1
			case quote != 0:
				if list[i] == '\\' {
					i++
				} else if list[i] == quote {
					quote = 0
				}
			case list[i] == '"' || list[i] == '\'' || list[i] == '`':
				quote = list[i]
			case strings.IndexByte("([{", list[i]) >= 0:
				depth++
			case strings.IndexByte(")]}", list[i]) >= 0:
				depth--
			}
		}
	}
	return out
}

// partOf is what is shown of runs: of a sweep the valid part, by which alone one of them may be chosen.
func partOf(o flow.RunsOptions) string {
	if o.Sweep != "" {
		return "valid"
	}
	return "test"
}

func runsShowCommand(a *app) *cobra.Command {
	var log bool
	c := &cobra.Command{
		Use: "show ID", Args: cobra.ExactArgs(1),
		Short:             "Show one run: its inputs, parameters, metrics and pointers",
		Long:              "Show one run. ID is a run's id, the beginning of one, or an experiment, which stands for the run that the documents here ask for, else its newest. --log shows what its program printed.",
		Example:           "  plumb runs show baseline\n  plumb runs show 20010630T120000Z-0123456789ab\n  plumb runs show own-trees --log",
		ValidArgsFunction: completeFrom(a.experimentNames),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		p, err := a.open()
		if err != nil {
			return err
		}
		found, err := p.FindRun(c.Context(), args[0])
		if err != nil {
			return err
		}
		run, shown := found.Run, string(found.Source)
		if log {
			if shown, err = p.RunLog(c.Context(), run); err != nil {
				return err
			}
		}
		result := struct {
			Schema string            `json:"schema"`
			Run    record.RunSummary `json:"run"`
			Inputs record.Inputs     `json:"inputs"`
			Result record.Result     `json:"result"`
			Rows   record.RowCounts  `json:"rows"`
			Log    string            `json:"log,omitempty"`

			Disowned *flow.Disowner `json:"disowned,omitempty"`
		}{Schema: "plumb.run/v1", Run: flow.Summary(run), Inputs: run.Inputs, Result: run.Result, Rows: run.Rows, Disowned: found.Disowned}
		if log {
			result.Log = shown
		}
		return a.print(result, func(o text.Out) error {
			if found.Disowned != nil {
				fmt.Fprintln(o.W, o.Paint(text.Amber, "#"), escape.Terminal(found.Disowned.String()))
			}
			_, err := fmt.Fprint(o.W, escape.TerminalLines(shown))
			return err
		})
	}
	c.Flags().BoolVar(&log, "log", false, "show what the run's program printed, without secrets")
	return c
}
