package cli

import (
	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/text"
)

func triggerCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "trigger", GroupID: "data", Args: cobra.NoArgs,
		Short: "See what the monitors watch for, and how often each would cry wolf",
		Long: `The triggers of monitors/*.toml: conditions over the newest window of a source and the pinned rows before it.

A monitor:
  dataset = "NAME"         whose source is watched, as it is now
  window = "7d"            how long the rows are looked at together
  reference = "60d"        how far back the pinned rows reach that it is compared with; all when absent
  columns = ["a", "b"]     what is compared; all that can be when absent
  [trigger.NAME]
  when = "…"               what has to be so for something to be done
  then = "note"            or "retrain": a branch that pins the newest rows
  for = 1                  in how many windows in a row
  cooldown = "28d"         how long it stays quiet after it fired
  min_rows = 50            with fewer the answer is unknown
  about = "…"              why it matters, for who reads the alarm

` + aggregateList(),
		Example: "  plumb trigger list\n  plumb trigger check\n  plumb ci --event schedule",
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		if a.json {
			return problem.Wrongf("`plumb trigger list --json`", "plumb trigger needs a verb: list or check")
		}
		return c.Help()
	}
	c.AddCommand(triggerVerb(a, "list", "List the triggers with what they last did", false),
		triggerVerb(a, "check", "Count each trigger's false alarms a year, in windows drawn from the pinned rows", true))
	return c
}

func triggerVerb(a *app, verb, short string, check bool) *cobra.Command {
	c := &cobra.Command{
		Use: verb + " [MONITOR]", Args: cobra.MaximumNArgs(1), Short: short,
		Example: "  plumb trigger " + verb + "\n  plumb trigger " + verb + " flights --json",
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		p, err := a.open()
		if err != nil {
			return err
		}
		all, err := p.Triggers(c.Context(), first(args), check)
		if err != nil {
			return err
		}
		return a.print(all, func(o text.Out) error { return text.Triggers(o, *all, check) })
	}
	return c
}

// aggregateList lists what a trigger may say about a column.
func aggregateList() string {
	out := "A trigger may say, of the window and as ref.… of what it is compared with:\n"
	for _, usage := range rule.AggregateFunctions() {
		out += "  " + usage + "\n"
	}
	return out + "and rows, ref.rows."
}
