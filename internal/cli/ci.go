package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/action"
	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/comment"
	"github.com/plumb-ml/plumb/internal/flow"
	"github.com/plumb-ml/plumb/internal/forge"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/text"
)

// ciFlags are what `plumb ci` and `plumb publish` can be told where the environment does not say it.
type ciFlags struct {
	event, base, head string
	pullRequest       int
	bundle            string
	publish           bool
	reportURL         string
}

func (f *ciFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.event, "event", "", "what happened: pull_request, push or schedule (default: from the CI's environment)")
	c.Flags().StringVar(&f.base, "base", "", "the commit or branch that a pull request goes to (default: the project's branch)")
	c.Flags().StringVar(&f.head, "head", "", "the commit to measure (default: the checked-out one)")
	c.Flags().IntVar(&f.pullRequest, "pull-request", 0, "its number")
	c.Flags().StringVar(&f.reportURL, "report-url", "", "address of the report site, for the comment's links")
}

func ciCommand(a *app) *cobra.Command {
	var f ciFlags
	c := &cobra.Command{
		Use: "ci", GroupID: "review", Args: cobra.NoArgs,
		Short: "Measure a pull request, a push or a window of time, and leave a bundle for the job that may write",
		Long: `Measure a pull request, what landed on the intent branch, or what the monitors' windows hold. Nothing is written but the bundle: ` + "`plumb publish`" + ` checks it and records it.

On a laptop --publish does both through the same bundle, and a comparison of branches needs no forge.`,
		Example: "  plumb ci --event pull_request --base main\n  plumb ci --event pull_request --publish\n  plumb ci --event push --bundle bundle --json\n  plumb ci --event schedule --publish",
	}
	f.add(c)
	c.Flags().StringVar(&f.bundle, "bundle", "", "leave the bundle in this folder")
	c.Flags().BoolVar(&f.publish, "publish", false, "check and record it at once, as a person")
	a.nowFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error { return a.measure(c.Context(), &f) }
	return c
}

// measure runs the flow of the event.
func (a *app) measure(ctx context.Context, f *ciFlags) error {
	seen, inActions, err := action.FromEnv(a.env)
	if err != nil {
		return err
	}
	p, err := a.openAs(seen, record.ActorHuman)
	if err != nil {
		return err
	}
	e, err := f.resolve(ctx, p, seen, inActions)
	if err != nil {
		return err
	}
	if t, err := p.Working(); err == nil && t.Dirty && f.head == "" && !inActions {
		fmt.Fprintln(a.err, "note: a commit is measured, and what is not committed is no part of it: `git status` lists it")
	}
	var m *flow.Measured
	switch e.Name {
	case "push":
		m, err = p.Push(ctx, e)
	case "schedule":
		m, err = p.Schedule(ctx, e)
	default:
		m, err = p.PullRequest(ctx, e)
	}
	if err != nil {
		return err
	}
	if f.bundle != "" {
		if err := m.WriteBundle(a.path(f.bundle), "plumb "+version()); err != nil {
			return err
		}
	}
	result := m.Result
	if f.publish {
		done, err := p.PublishMeasured(ctx, m, flow.PublishOptions{ReportURL: f.reportURL})
		if err != nil {
			return err
		}
		result = done.Result
		result.Steps = append(m.Result.Steps, result.Steps[len(m.Result.Steps):]...)
	}
	if err := a.report(result, inActions, f.bundle); err != nil {
		return err
	}
	if m.Lost != nil {
		return m.Lost
	}
	return answer(result.Exit)
}

// resolve fills the event from flags, then from the CI's environment, then from the repository.
func (f *ciFlags) resolve(ctx context.Context, p *flow.Project, seen action.Event, inActions bool) (flow.Event, error) {
	e := flow.Event{Name: f.event, PullRequest: f.pullRequest}
	base, head := f.base, f.head
	if inActions {
		e.Repository, e.RunNumber = seen.Repository, seen.RunNumber
		if e.Name == "" {
			e.Name = seen.Name
		}
		if e.Name == "pull_request" && e.PullRequest == 0 {
			e.PullRequest = seen.PullRequest
		}
		if base == "" && e.Name == "pull_request" {
			base = seen.Base
		}
		if head == "" {
			head = seen.Head
		}
	}
	switch e.Name {
	case "pull_request", "push", "schedule":
	case "":
		return e, problem.Wrongf("--event pull_request, push or schedule", "nothing says what happened")
	default:
		return e, problem.Wrongf("--event pull_request, push or schedule", "there is no flow for the event %q", e.Name)
	}
	if base == "" && e.Name == "pull_request" {
		base = p.IntentBranch()
	}
	e.Base, e.Head = base, head
	return p.Resolve(ctx, e)
}

// report prints the result, and tells the CI run of it.
func (a *app) report(ci record.CI, inActions bool, bundle string) error {
	if inActions {
		w := action.NewWriter(a.env, a.err)
		if err := w.Annotate(ci.Problems); err != nil {
			return err
		}
		for name, value := range map[string]string{"exit": fmt.Sprint(ci.Exit), "bundle": bundle, "verdict": brief.Of(ci).Verdict} {
			if err := w.Output(name, value); err != nil {
				return err
			}
		}
		if err := w.Summary(comment.Render(ci, comment.Options{})); err != nil {
			return err
		}
	}
	return a.print(ci, func(o text.Out) error { return text.Brief(o, brief.Of(ci)) })
}

func publishCommand(a *app) *cobra.Command {
	var f ciFlags
	c := &cobra.Command{
		Use: "publish BUNDLE", GroupID: "review", Args: cobra.ExactArgs(1),
		Short: "Check a bundle as hostile input, then record it and comment",
		Long: `Check every claim of a bundle against the Git trees and the pinned data; when all hold, write records, blobs and the comment.

It never checks out or runs what it publishes. When anything is wrong nothing is written: exit 3.`,
		Example: "  plumb publish bundle\n  plumb publish bundle --event pull_request --base main --head topic",
	}
	f.add(c)
	a.nowFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error { return a.publish(c.Context(), &f, a.path(args[0])) }
	return c
}

func (a *app) publish(ctx context.Context, f *ciFlags, bundle string) error {
	seen, inActions, err := action.FromEnv(a.env)
	if err != nil {
		return err
	}
	p, err := a.openAs(seen, actorOf(inActions))
	if err != nil {
		return err
	}
	if !inActions { // a person vouches for the event that the bundle names
		if err := f.fromBundle(bundle); err != nil {
			return err
		}
	}
	e, err := f.resolve(ctx, p, seen, inActions)
	if err != nil {
		return err
	}
	o := flow.PublishOptions{Bundle: bundle, Event: e, ReportURL: f.reportURL}
	if token := a.getenv("GITHUB_TOKEN"); inActions && token != "" {
		if o.Forge, err = forge.New(forge.Options{APIURL: seen.APIURL, Repository: seen.Repository, Token: token, Author: a.getenv("PLUMB_COMMENT_AUTHOR")}); err != nil {
			return err
		}
	}
	done, err := p.Publish(ctx, o)
	if err != nil {
		return err
	}
	result := struct {
		Schema  string    `json:"schema"`
		Result  record.CI `json:"result"`
		Records []string  `json:"records"`
		Tip     string    `json:"ledger"`
		Comment string    `json:"comment"`
	}{"plumb.publish/v1", done.Result, append([]string{}, done.Records...), done.Tip, done.Comment}
	return a.print(result, func(o text.Out) error {
		for _, path := range done.Records {
			fmt.Fprintln(o.W, path)
		}
		for _, s := range done.Result.Staged {
			fmt.Fprintf(o.W, "%s: version %d (%s) is staged: %s\n", s.Model, s.Version, s.Experiment, s.Why)
		}
		if done.Comment != "" {
			fmt.Fprintf(o.W, "comment %s\n", done.Comment)
		}
		_, err := fmt.Fprintf(o.W, "recorded %s\n", count(len(done.Records), "record"))
		return err
	})
}

// fromBundle takes what no flag says from the bundle's own table.
func (f *ciFlags) fromBundle(dir string) error {
	if f.event != "" && f.base != "" && f.head != "" {
		return nil
	}
	ci, err := flow.ReadResult(dir)
	if err != nil {
		return err
	}
	for _, v := range []struct {
		flag *string
		from string
	}{{&f.event, ci.Event}, {&f.base, ci.Base}, {&f.head, ci.Head}} {
		if *v.flag == "" {
			*v.flag = v.from
		}
	}
	if f.pullRequest == 0 {
		f.pullRequest = ci.PullRequest
	}
	return nil
}

func commentCommand(a *app) *cobra.Command {
	var dry bool
	var url string
	c := &cobra.Command{
		Use: "comment BUNDLE", GroupID: "review", Args: cobra.ExactArgs(1),
		Short:   "Write the pull request's comment from a bundle",
		Example: "  plumb ci --event pull_request --bundle bundle\n  plumb comment bundle --dry-run",
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "print the comment instead of sending it")
	c.Flags().StringVar(&url, "report-url", "", "address of the report site, for the comment's links")
	c.RunE = func(c *cobra.Command, args []string) error {
		ci, err := flow.ReadResult(a.path(args[0]))
		if err != nil {
			return err
		}
		body := comment.Render(*ci, comment.Options{ReportURL: url})
		done := "printed"
		if !dry {
			if done, err = a.send(c.Context(), *ci, body); err != nil {
				return err
			}
		}
		result := struct {
			Schema string `json:"schema"`
			Body   string `json:"body"`
			Done   string `json:"done"`
		}{"plumb.comment/v1", body, done}
		return a.print(result, func(o text.Out) error {
			if dry {
				_, err := fmt.Fprint(o.W, body)
				return err
			}
			_, err := fmt.Fprintf(o.W, "comment %s\n", done)
			return err
		})
	}
	return c
}

func (a *app) send(ctx context.Context, ci record.CI, body string) (string, error) {
	seen, inActions, err := action.FromEnv(a.env)
	if err != nil {
		return "", err
	}
	if !inActions || ci.PullRequest == 0 {
		return "", problem.Wrongf("`plumb comment BUNDLE --dry-run` prints it", "there is no pull request to comment on outside a CI run")
	}
	f, err := forge.New(forge.Options{APIURL: seen.APIURL, Repository: seen.Repository, Token: a.getenv("GITHUB_TOKEN"), Author: a.getenv("PLUMB_COMMENT_AUTHOR")})
	if err != nil {
		return "", err
	}
	return f.UpsertComment(ctx, ci.PullRequest, body, comment.Key(ci.Project))
}
