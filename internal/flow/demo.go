package flow

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/examples"
	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/problem"
)

// Demo is what the demo made.
type Demo struct {
	Folder string
	Pushed *Published // the base, staged as version 1
	Review *Published // the branch, measured and recorded
	Report *Reported
	Branch string
}

// demoExample and demoBranch name the embedded example and the branch of it that the demo opens.
const (
	demoExample = "flights"
	demoBranch  = "origin-history"
)

// demoStart is when the demo's first commit is made: the day after the example's last row, so that the story has the time of its data.
var demoStart = time.Date(2001, 7, 1, 9, 0, 0, 0, time.UTC)

// NewDemo copies the example into a new repository with a base and one branch, and takes both through the flows that CI would run.
// No verdict is written anywhere in it: other data gives another comment.
func NewDemo(ctx context.Context, dir string, o Options) (*Demo, error) {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return nil, problem.Wrongf("name another folder: `plumb demo DIR`", "%s is there already and not empty", dir)
	}
	source, err := fs.Sub(examples.FS, demoExample)
	if err != nil {
		return nil, err
	}
	if err := copyTree(source, dir, "branches", "make"); err != nil {
		return nil, fmt.Errorf("copying the example: %w", err)
	}
	repo, err := gitdb.Init(dir, "main")
	if err != nil {
		return nil, fmt.Errorf("making the repository: %w", err)
	}
	if _, err := repo.Commit(ctx, gitdb.CommitOptions{Message: "Flights: predict which arrive more than 15 minutes late", Time: demoStart, Paths: []string{"."}, Plain: true}); err != nil {
		return nil, fmt.Errorf("making the first commit: %w", err)
	}
	d := &Demo{Folder: dir, Branch: demoBranch}
	o.Dir, o.Now = dir, demoStart.Add(time.Hour)
	if d.Pushed, err = demoFlow(ctx, o, (*Project).Push, Event{}); err != nil {
		return nil, err
	}
	if err := repo.Checkout(ctx, demoBranch, true); err != nil {
		return nil, err
	}
	overlay, err := fs.Sub(source, "branches/"+demoBranch)
	if err != nil {
		return nil, err
	}
	if err := copyTree(overlay, dir); err != nil {
		return nil, fmt.Errorf("copying the branch: %w", err)
	}
	if _, err := repo.Commit(ctx, gitdb.CommitOptions{Message: "Try the delays seen at the origin in the last 12 hours", Time: demoStart.Add(2 * time.Hour), Paths: []string{"."}, Plain: true}); err != nil {
		return nil, fmt.Errorf("making the branch: %w", err)
	}
	o.Now = demoStart.Add(3 * time.Hour)
	if d.Review, err = demoFlow(ctx, o, (*Project).PullRequest, Event{Base: "main", PullRequest: 1}); err != nil {
		return nil, err
	}
	p, err := Open(o)
	if err != nil {
		return nil, err
	}
	d.Report, err = p.Report(ctx, filepath.Join(dir, "_site"), &d.Review.Result)
	return d, err
}

// demoFlow measures and publishes through a bundle folder, as two jobs of a CI run would.
func demoFlow(ctx context.Context, o Options, measure func(*Project, context.Context, Event) (*Measured, error), e Event) (*Published, error) {
	p, err := Open(o)
	if err != nil {
		return nil, err
	}
	m, err := measure(p, ctx, e)
	if err != nil {
		return nil, err
	}
	return p.PublishMeasured(ctx, m, PublishOptions{})
}

// PublishMeasured hands what was measured to the publisher, through the same bundle that two jobs would use.
func (p *Project) PublishMeasured(ctx context.Context, m *Measured, o PublishOptions) (*Published, error) {
	dir, remove, err := p.Repo.TempDir(ctx)
	if err != nil {
		return nil, err
	}
	defer remove()
	o.Bundle, o.Event = filepath.Join(dir, "bundle"), m.Event
	if err := m.WriteBundle(o.Bundle, p.opt.Program); err != nil {
		return nil, err
	}
	return p.Publish(ctx, o)
}

// copyTree writes the files of an embedded tree below dir, but for the top folders to leave out.
func copyTree(from fs.FS, dir string, leaveOut ...string) error {
	return fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		top, _, _ := strings.Cut(name, "/")
		for _, out := range leaveOut {
			if strings.TrimSuffix(top, filepath.Ext(top)) == out {
				if d.IsDir() {
					return fs.SkipDir
				}
				return nil
			}
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(dir, filepath.FromSlash(name)), 0o755)
		}
		data, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), data, 0o644); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		return nil
	})
}
