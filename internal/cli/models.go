package cli

import (
	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/text"
)

func modelsCommand(a *app) *cobra.Command {
	list := modelsListCommand(a)
	c := &cobra.Command{
		Use: "models", GroupID: "model", Args: cobra.NoArgs,
		Short: "Models, their versions, and what was in production when",
		Long: `The registry: which version of a model is in which stage, and what was there before.

It is read from the ledger's version and stage records. Annotated tags of GTO's grammar are read beside them: all of a registry that GTO wrote, and of
one that plumb took over what lies before its first record.`,
		Example: "  plumb models\n  plumb models show delay\n  plumb models at 2001-06-30",
		RunE:    list.RunE,
	}
	c.AddCommand(list, modelsShowCommand(a), modelsHistoryCommand(a), modelsAtCommand(a), modelsPullCommand(a))
	return c
}

func modelsListCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "list", Args: cobra.NoArgs,
		Short:   "List models: champion, newest version, what each stage holds",
		Example: "  plumb models list\n  plumb models list --json",
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		p, err := a.open()
		if err != nil {
			return err
		}
		m, err := p.Models(c.Context())
		if err != nil {
			return err
		}
		return a.print(m, func(o text.Out) error { return text.Models(o, *m) })
	}
	return c
}

func modelsShowCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "show MODEL", Args: cobra.ExactArgs(1),
		Short:             "Show a model's versions: run, metrics, commit, stages",
		Example:           "  plumb models show delay\n  plumb models show delay --json",
		ValidArgsFunction: completeFrom(a.modelNames),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		p, err := a.open()
		if err != nil {
			return err
		}
		m, err := p.ShowModel(c.Context(), args[0])
		if err != nil {
			return err
		}
		return a.print(m, func(o text.Out) error { return text.Model(o, *m) })
	}
	return c
}

func modelsHistoryCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "history [MODEL]", Args: cobra.MaximumNArgs(1),
		Short:             "List what happened to a model, the newest first: versions, stages, who and where it is written",
		Example:           "  plumb models history\n  plumb models history delay --json",
		ValidArgsFunction: completeFrom(a.modelNames),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		p, err := a.open()
		if err != nil {
			return err
		}
		h, err := p.ModelHistory(c.Context(), first(args))
		if err != nil {
			return err
		}
		return a.print(h, func(o text.Out) error { return text.ModelHistory(o, *h) })
	}
	return c
}

func modelsAtCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "at TIME_OR_COMMIT [MODEL]", Args: cobra.RangeArgs(1, 2),
		Short: "Say what each stage held at a time, on a day or at a commit",
		Long: `Say what each stage held. A time is RFC 3339; a day, as 2001-06-30, is that of UTC, and all that was in a stage on it is listed.
A commit stands for the moment at which it was the newest on the intent branch.`,
		Example: "  plumb models at 2001-06-30\n  plumb models at 2001-06-30T12:00:00Z delay --json\n  plumb models at v1.4.0",
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		p, err := a.open()
		if err != nil {
			return err
		}
		at, err := p.ModelsAt(c.Context(), args[0], first(args[1:]))
		if err != nil {
			return err
		}
		return a.print(at, func(o text.Out) error { return text.ModelsAt(o, *at) })
	}
	return c
}

func (a *app) modelNames() []string {
	p, err := a.open()
	if err != nil {
		return nil
	}
	t, err := p.Working()
	if err != nil {
		return nil
	}
	var out []string
	for id := range t.Docs.Models {
		out = append(out, id)
	}
	return out
}
