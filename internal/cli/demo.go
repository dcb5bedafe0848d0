package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/flow"
	"github.com/plumb-ml/plumb/internal/text"
)

func demoCommand(a *app) *cobra.Command {
	var serve bool
	c := &cobra.Command{
		Use: "demo [DIR]", GroupID: "start", Args: cobra.MaximumNArgs(1),
		Short: "Tell the story of a model on real flights, in a new repository: it is watched, retrained, and challenged",
		Long: `Copy the embedded example (188,000 real US flights of 2001) into a new repository and live through half a year of it: a first model, weeks of
a feed that is watched, a trigger and what it proposes, and four branches, of which one is better, one worse, one leaks and one brings broken data.
Everything goes through the flows that CI would run; nothing is canned. It needs no network and takes less than a minute.`,
		Example: "  plumb demo\n  plumb demo my-flights --serve",
	}
	c.Flags().BoolVar(&serve, "serve", false, "show the report site on this machine until you stop it")
	c.RunE = func(c *cobra.Command, args []string) error {
		dir := "plumb-demo"
		if len(args) > 0 {
			dir = args[0]
		}
		o, err := a.options()
		if err != nil {
			return err
		}
		d, err := flow.NewDemo(c.Context(), a.path(dir), o, flow.DemoOptions{})
		if err != nil {
			return err
		}
		if err := a.print(demoJSON(d), func(o text.Out) error { return text.Demo(o, tale(d)) }); err != nil || !serve {
			return err
		}
		return a.serve(c.Context(), filepath.Dir(d.Report.Index))
	}
	return c
}

// tale is the story as it is printed.
func tale(d *flow.Demo) text.Tale {
	t := text.Tale{Folder: d.Folder, Branch: d.Branch, Anew: d.Anew, Site: d.Report.Index, Last: brief.Of(d.Review.Result), OnMerge: d.Review.Result.OnMerge}
	for _, m := range d.Moments {
		b := brief.Of(m.Found)
		t.Moments = append(t.Moments, text.Moment{Day: m.Time.Format("2 Jan"), Did: m.Did, Branch: m.Branch, Verdict: b.Verdict, Fails: b.Fails, Says: m.Says()})
		t.Live = append(t.Live, m.Found.Staged...)
		t.Open = append(t.Open, m.Found.Proposals...)
	}
	return t
}

type demoMoment struct {
	Time   string `json:"time"`
	Did    string `json:"did"`
	Branch string `json:"branch"`
	Says   string `json:"says"`
	Exit   int    `json:"exit"`
}

func demoJSON(d *flow.Demo) any {
	out := struct {
		Schema  string       `json:"schema"`
		Folder  string       `json:"folder"`
		Branch  string       `json:"branch"`
		Anew    bool         `json:"anew"`
		Moments []demoMoment `json:"moments"`
		Comment string       `json:"comment"`
		Site    string       `json:"site"`
	}{Schema: "plumb.demo/v1", Folder: d.Folder, Branch: d.Branch, Anew: d.Anew, Comment: d.Review.Body, Site: d.Report.Index}
	for _, m := range d.Moments {
		out.Moments = append(out.Moments, demoMoment{m.Time.Format(time.RFC3339), m.Did, m.Branch, m.Says(), m.Found.Exit})
	}
	return out
}

// serve shows a folder on this machine until the command is stopped.
func (a *app) serve(ctx context.Context, dir string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("serving the site: %w", err)
	}
	server := &http.Server{Handler: http.FileServerFS(os.DirFS(dir)), ReadHeaderTimeout: 10 * time.Second}
	fmt.Fprintf(a.err, "plumb: the site is at http://%s/ until you press Ctrl-C\n", listener.Addr())
	go func() {
		<-ctx.Done()
		server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the site: %w", err)
	}
	return nil
}
