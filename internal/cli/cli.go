// Package cli is the command line: one file a command, one table (commands), and what they share: flags, output as text or JSON, exit codes.
//
// A command reads flags, calls one act of internal/flow and prints what came back; it decides nothing. Results go to standard output, everything
// else to standard error.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/action"
	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/flow"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/program"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/text"
)

// commands is every command, in the order of `plumb --help`. To add one: a file with a function like these, and its line here.
var commands = []func(*app) *cobra.Command{
	initCommand, demoCommand, checkCommand, // start
	runCommand, runsCommand, diffCommand, whyCommand, reproduceCommand, pushCommand, // experiment
	dataCommand, qualityCommand, driftCommand, featuresCommand, triggerCommand, // data
	modelsCommand, promoteCommand, // model
	ciCommand, publishCommand, commentCommand, reportCommand, // review
	valueCommand, maturityCommand, // judge
	verifyCommand, storeCommand, forgetCommand, // keep
}

var groups = []*cobra.Group{
	{ID: "start", Title: "Start:"}, {ID: "experiment", Title: "Experiment:"}, {ID: "data", Title: "Data:"}, {ID: "model", Title: "Model:"},
	{ID: "review", Title: "Review:"}, {ID: "judge", Title: "Judge:"}, {ID: "keep", Title: "Keep:"},
}

// app is the world as a command sees it.
type app struct {
	in       io.Reader
	out, err io.Writer
	env      []string
	dir      string // -C
	json     bool
	verbose  bool
	now      string
	progress *text.Progress
}

// Main runs one command line and gives the exit code. env is as of os.Environ.
func Main(args []string, in io.Reader, out, err io.Writer, env []string) int {
	a := &app{in: in, out: out, err: err, env: env, progress: text.Quiet()}
	root := a.root()
	root.SetArgs(args)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends what does not listen to the first
	failure := root.ExecuteContext(ctx)
	a.progress.Done()
	if failure == nil {
		return problem.ExitFine
	}
	if slices.Contains(args, "--json") { // flags after a wrong one are not read
		a.json = true
	}
	if ctx.Err() != nil && !errors.Is(failure, flow.ErrStopped) {
		failure = problem.Failedf("call it again: what was not finished is not recorded", "stopped by a signal")
	}
	return a.fail(failure)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "plumb",
		Short: "MLOps that lives in a Git repository",
		Long: `plumb measures whether a change to data, features or a model makes it better, and says how sure that is.

What people decide is TOML in the repository; what machines observed is an append-only ledger branch; what people read is a comment and a site.`,
		Example:       "  plumb demo\n  plumb init --data churn.csv --label churned\n  plumb run --set rounds=300",
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if !a.json {
				a.progress = text.NewProgress(text.To(a.err, a.env), time.Now)
			}
			return nil
		},
	}
	root.RunE = func(c *cobra.Command, _ []string) error {
		if a.json {
			return problem.Wrongf("`plumb --help` lists the commands", "plumb needs a command")
		}
		return c.Help()
	}
	cobra.EnableCommandSorting = false // the table's order is the order of the work
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.AddGroup(groups...)
	flags := root.PersistentFlags()
	flags.StringVarP(&a.dir, "directory", "C", ".", "work as if called in this folder")
	flags.BoolVar(&a.json, "json", false, "print one JSON object")
	flags.BoolVar(&a.verbose, "verbose", false, "tell every step on standard error as it begins")
	root.Version = version()
	root.SetVersionTemplate("plumb {{.Version}}\n")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return problem.Wrongf("`"+c.CommandPath()+" --help` lists the flags", "%v", err)
	})
	for _, c := range commands {
		root.AddCommand(c(a))
	}
	return root
}

// version is what the build knows of itself.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := strings.TrimPrefix(info.Main.Version, "v")
	if v == "" || v == "(devel)" {
		v = "0.1.0-dev"
	}
	return v
}

// fail prints an error and gives its exit code: on standard error as text, with --json also on standard output as an object.
func (a *app) fail(err error) int {
	exit := problem.Exit(err)
	hint := problem.Hint(err)
	if isUsage(err) {
		exit, hint = problem.ExitWrong, "`plumb --help` lists the commands"
	}
	var documents *flow.DocumentsError
	if errors.As(err, &documents) {
		o := text.To(a.err, a.env)
		if text.Problems(o, documents.List.All(), sourceOf(documents.FS)) != nil {
			return problem.ExitFailed
		}
	}
	var quiet *silent
	if !errors.As(err, &quiet) {
		a.lastOf(err)
		text.Error(text.To(a.err, a.env), err.Error(), hint)
		if a.json {
			said := struct {
				Schema string `json:"schema"`
				Error  string `json:"error"`
				Hint   string `json:"hint"`
				Exit   int    `json:"exit"`
			}{"plumb.error/v1", err.Error(), hint, exit}
			if a.printJSON(said) != nil {
				return problem.ExitFailed
			}
		}
	}
	return exit
}

// log shows what a person's program printed: folded in the log of a CI job, where no line of it is a command; else with --verbose.
func (a *app) log(title string, printed []byte) {
	said := escape.TerminalLines(string(printed))
	w := action.NewWriter(a.env, a.err)
	switch {
	case a.getenv("GITHUB_ACTIONS") == "true":
		_ = w.Group(title, func() error { // a log that can't be written is no reason to stop
			return w.Quote(func(log io.Writer) error { _, err := io.WriteString(log, said); return err })
		})
	case a.verbose:
		fmt.Fprintf(a.err, "plumb: %s printed:\n%s\n", escape.Terminal(title), said)
	}
}

// shownLines is how many of a failed program's last lines are shown.
const shownLines = 15

// lastOf shows the end of what a program printed that failed, unless all of it was shown before.
func (a *app) lastOf(err error) {
	var f *program.Failure
	if !errors.As(err, &f) || a.json || a.verbose || a.getenv("GITHUB_ACTIONS") == "true" {
		return
	}
	lines := strings.Split(strings.TrimSpace(escape.TerminalLines(string(f.Log))), "\n")
	if len(lines) < 2 { // the error has it
		return
	}
	for _, line := range lines[max(0, len(lines)-shownLines):] {
		fmt.Fprintln(a.err, "  |", line)
	}
}

// count says how many, as "1 run" or "2 runs".
func count[N int | int64](n N, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// silent is a no that was already printed as a result.
type silent struct{ exit int }

func (s *silent) Error() string { return "the result says no" }

// answer turns an exit code that a result carries into the end of the command.
func answer(exit int) error {
	if exit == problem.ExitFine {
		return nil
	}
	s := &silent{exit}
	return &problem.Failure{Exit: exit, Err: s}
}

// isUsage recognises cobra's own errors about commands and arguments.
func isUsage(err error) bool {
	for _, start := range []string{"unknown command", "accepts ", "requires at least", "required flag", "invalid argument"} {
		if strings.HasPrefix(err.Error(), start) {
			return true
		}
	}
	return false
}

func sourceOf(fsys fs.FS) func(string) []byte {
	return func(file string) []byte {
		src, err := fs.ReadFile(fsys, file)
		if err != nil {
			return nil
		}
		return src
	}
}

// print shows a result: as JSON with --json, else as the function writes it.
func (a *app) print(v any, human func(o text.Out) error) error {
	a.progress.Done()
	if a.json {
		return a.printJSON(v)
	}
	return human(text.To(a.out, a.env))
}

func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// options are what every act wants to know.
func (a *app) options() (flow.Options, error) {
	o := flow.Options{Dir: a.dir, Program: "plumb " + version(), Token: a.getenv("GITHUB_TOKEN"), TokenHost: action.ServerHost(a.env), Progress: a.progress.Step, Env: a.env,
		Meter: a.progress.Update, Log: a.log, Warn: a.warn}
	if a.verbose {
		o.Progress = func(step string) { fmt.Fprintln(a.err, "plumb:", escape.Terminal(step)) }
	}
	if a.now != "" {
		t, err := time.Parse(time.RFC3339, a.now)
		if err != nil {
			return o, problem.Wrongf("for example --now 2001-06-30T12:00:00Z", "--now %q is not an RFC 3339 time", a.now)
		}
		o.Now = t
	}
	return o, nil
}

// warn says on standard error what is wrong and no reason to stop.
func (a *app) warn(msg string) {
	a.progress.Done()
	fmt.Fprintln(a.err, "warning:", escape.TerminalLines(msg))
}

// open finds the project around the folder.
func (a *app) open() (*flow.Project, error) {
	o, err := a.options()
	if err != nil {
		return nil, err
	}
	return flow.Open(o)
}

// openAs opens the project for a job of a CI run: what it records says who started it and where.
func (a *app) openAs(e action.Event, actor string) (*flow.Project, error) {
	o, err := a.options()
	if err != nil {
		return nil, err
	}
	o.Actor, o.Who, o.URL = actor, e.Actor, e.RunURL
	return flow.Open(o)
}

// nowFlag adds --now to a command whose records carry the time.
func (a *app) nowFlag(c *cobra.Command) {
	c.Flags().StringVar(&a.now, "now", "", "the time to record, RFC 3339 (default: the clock)")
}

func (a *app) getenv(name string) string {
	for _, e := range a.env {
		if k, v, _ := strings.Cut(e, "="); k == name {
			return v
		}
	}
	return ""
}

// inActions says whether this is a publishing job of a CI run, whose records may say `ci`.
func actorOf(inActions bool) string {
	if inActions {
		return record.ActorCI
	}
	return record.ActorHuman
}

// noFilesAfter keeps shell completion from offering files where names of documents go.
func completeFrom(names func() []string) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return names(), cobra.ShellCompDirectiveNoFileComp
	}
}

// path takes a path of the command line as seen from the folder that -C names.
func (a *app) path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(a.dir, p)
}
