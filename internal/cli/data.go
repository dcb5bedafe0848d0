package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/text"
)

func dataCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "data", GroupID: "data", Args: cobra.NoArgs,
		Short:   "Pin datasets and look at them",
		Example: "  plumb data pin flights\n  plumb data show flights\n  plumb data pull",
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		if a.json {
			return problem.Wrongf("`plumb data show --json`", "plumb data needs a verb: pin, show or pull")
		}
		return c.Help()
	}
	c.AddCommand(dataPinCommand(a), dataShowCommand(a), dataPullCommand(a))
	return c
}

func dataPinCommand(a *app) *cobra.Command {
	var dry bool
	c := &cobra.Command{
		Use: "pin [DATASET]", Args: cobra.MaximumNArgs(1),
		Short: "Write which rows exactly a dataset has, and check them",
		Long: `Read a dataset's source, hash every file and the rows themselves, and write datasets/<id>.lock.toml.
Formatting, file boundaries and compression do not change the content digest.`,
		Example:           "  plumb data pin\n  plumb data pin flights --dry-run",
		ValidArgsFunction: completeFrom(a.datasetNames),
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "read and check, write nothing")
	a.nowFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		p, err := a.open()
		if err != nil {
			return err
		}
		pin, err := p.Pin(c.Context(), first(args), dry)
		if err != nil {
			return err
		}
		return a.print(pin, func(o text.Out) error {
			state := "unchanged"
			if pin.Changed {
				state = "written"
			}
			if dry {
				state = "not written (--dry-run)"
			}
			fmt.Fprintf(o.W, "%s: %s, %s, %s · %s\n%s %s\n", pin.Dataset, count(pin.Rows, "row"), count(pin.Columns, "column"), count(pin.Files, "file"), pin.Content, pin.Lock, state)
			for _, f := range pin.Failed {
				fmt.Fprintln(o.W, "✗", f)
			}
			return nil
		})
	}
	return c
}

func dataShowCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "show [DATASET]", Args: cobra.MaximumNArgs(1),
		Short:             "Profile a pinned dataset: types, nulls, ranges, and whether its source moved on",
		Example:           "  plumb data show flights\n  plumb data show flights --json",
		ValidArgsFunction: completeFrom(a.datasetNames),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		p, err := a.open()
		if err != nil {
			return err
		}
		d, err := p.ShowData(c.Context(), first(args))
		if err != nil {
			return err
		}
		return a.print(d, func(o text.Out) error {
			fmt.Fprintf(o.W, "%s: %s in %s · %s", d.Dataset, count(d.Rows, "row"), count(d.Files, "file"), d.State)
			if d.Why != "" {
				fmt.Fprintf(o.W, " (%s)", d.Why)
			}
			fmt.Fprintln(o.W)
			return text.Profile(o, d.Profile)
		})
	}
	return c
}

func qualityCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "quality [DATASET]", GroupID: "data", Args: cobra.MaximumNArgs(1),
		Short:             "Run a dataset's checks on its pinned rows; exit 1 when a critical one fails",
		Long:              "Run the checks that a dataset's document declares on its pinned rows. Exit 1 when a critical one fails.\n\n" + checkKinds(),
		Example:           "  plumb quality flights\n  plumb quality flights --json",
		ValidArgsFunction: completeFrom(a.datasetNames),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		p, err := a.open()
		if err != nil {
			return err
		}
		q, err := p.Quality(c.Context(), first(args))
		if err != nil {
			return err
		}
		if err := a.print(q, func(o text.Out) error { return text.Quality(o, q) }); err != nil {
			return err
		}
		if criticalFails(q) {
			return answer(problem.ExitNo)
		}
		return nil
	}
	return c
}

// checkKinds lists what `kind` of a check may be, with its parameters.
func checkKinds() string {
	var b strings.Builder
	b.WriteString("Kinds of a [check.NAME], with what they need (and take):\n")
	for _, k := range doc.CheckKinds {
		fmt.Fprintf(&b, "  %s", k.Name)
		if len(k.Needs) > 0 {
			fmt.Fprintf(&b, ": %s", strings.Join(k.Needs, ", "))
		}
		if len(k.Takes) > 0 {
			fmt.Fprintf(&b, " (%s)", strings.Join(k.Takes, ", "))
		}
		b.WriteByte('\n')
	}
	return b.String() + "Every check may have level (critical, warning or info) and dimension."
}

func criticalFails(q record.Quality) bool {
	for _, c := range q.Checks {
		if c.Level == "critical" && (c.State == "fail" || c.State == "error") {
			return true
		}
	}
	return false
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func (a *app) datasetNames() []string {
	p, err := a.open()
	if err != nil {
		return nil
	}
	t, err := p.Working()
	if err != nil {
		return nil
	}
	var out []string
	for id := range t.Docs.Datasets {
		out = append(out, id)
	}
	return out
}
