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
	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// Demo is what the demo made: a story of months, each moment of which is one flow over what somebody had changed.
type Demo struct {
	Folder  string
	Moments []Moment
	Review  *Published // of the branch that is better: the comment to look at
	Report  *Reported
	Branch  string // that is checked out at the end
	Anew    bool   // a story that was stopped half way was there
}

// Moment is one thing that somebody did, and what plumb made of it.
type Moment struct {
	Time   time.Time
	Did    string // what people or the feed did, in words
	Branch string // "" on main
	Found  record.CI
}

// Says is what plumb made of it, in one sentence.
func (m Moment) Says() string { return strings.TrimPrefix(brief.Of(m.Found).Sentence, "plumb: ") }

// DemoOptions say where the demo's repository comes from.
type DemoOptions struct {
	Source fs.FS // an example's folder; nil is the embedded one
}

// demoExample and demoBranch name the embedded example and the branch that the demo ends on.
const (
	demoExample = "flights"
	demoBranch  = "origin-history"
	demoMark    = "plumb/demo-unfinished" // in .git, while the story is being told
)

// demoDay is a moment of the demo's calendar, which is that of its data.
func demoDay(month time.Month, day, hour int) time.Time {
	return time.Date(2001, month, day, hour, 0, 0, 0, time.UTC)
}

// NewDemo tells the example's story in a new repository: a first model, weeks of a feed that is watched, a trigger and what it proposes, and
// branches of which one is better, one worse, one leaks and one brings broken data. Everything goes through the flows that CI would run.
// No verdict is written anywhere in it: other data gives another story. A demo that was stopped half way is begun anew.
func NewDemo(ctx context.Context, dir string, o Options, d DemoOptions) (*Demo, error) {
	anew, err := clearUnfinished(dir)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return nil, problem.Wrongf("name a folder: `plumb demo DIR`", "%s is a file", dir)
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return nil, problem.Wrongf("name another folder: `plumb demo DIR`", "%s is there already and not empty", dir)
	}
	if d.Source == nil {
		if d.Source, err = fs.Sub(examples.FS, demoExample); err != nil {
			return nil, err
		}
	}
	s := &story{source: d.Source, dir: dir, o: o, out: &Demo{Folder: dir, Branch: demoBranch, Anew: anew}}
	defer s.release()
	if err := s.tell(ctx); err != nil {
		return nil, err
	}
	return s.out, os.Remove(s.mark())
}

// mark is the file that says that a story is not told to its end. Whoever tells it holds the file.
func (s *story) mark() string { return filepath.Join(s.dir, ".git", filepath.FromSlash(demoMark)) }

// hold takes the mark, or says that somebody else has it.
func (s *story) hold() error {
	release, err := gitdb.Hold(s.mark(), "`plumb demo` begins anew when it finds this\n")
	if errors.Is(err, gitdb.ErrHeld) {
		return problem.Wrongf("wait for it, or name another folder: `plumb demo DIR`", "another `plumb demo` is telling its story in %s", s.dir)
	}
	s.letGo = release
	return err
}

// release lets go of the mark, if it is held.
func (s *story) release() {
	if s.letGo != nil {
		_ = s.letGo()
	}
}

// clearUnfinished takes away what a demo that was stopped left behind, and says whether one was. Nothing but a demo has the mark.
func clearUnfinished(dir string) (was bool, err error) {
	s := &story{dir: dir}
	if _, err := os.Stat(s.mark()); err != nil {
		return false, nil
	}
	if err := s.hold(); err != nil {
		return false, err
	}
	defer s.release()
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		if e.Name() != ".git" { // last: the mark is in it
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return false, err
			}
		}
	}
	return true, os.RemoveAll(filepath.Join(dir, ".git"))
}

// begin makes the repository with its mark.
func (s *story) begin() error {
	var err error
	if s.repo, err = gitdb.Init(s.dir, "main"); err != nil {
		return fmt.Errorf("making the repository: %w", err)
	}
	if err := s.hold(); err != nil {
		return err
	}
	if err := copyTree(s.source, s.dir, "branches", "make", "data"); err != nil {
		return fmt.Errorf("copying the example: %w", err)
	}
	return nil
}

// commit commits all of the working folder.
func (s *story) commit(ctx context.Context, message string) error {
	_, err := s.repo.Commit(ctx, gitdb.CommitOptions{Message: message, Time: s.now, Paths: []string{"."}, Plain: true})
	return err
}

// project opens the project at the story's time.
func (s *story) project() (*Project, error) {
	o := s.o
	o.Dir, o.Now = s.dir, s.now
	return Open(o)
}

// flow measures and publishes through a bundle folder, as two jobs of a CI run would, and writes the moment down.
func (s *story) flow(ctx context.Context, did string, measure func(*Project, context.Context, Event) (*Measured, error), e Event) (*Published, error) {
	p, err := s.project()
	if err != nil {
		return nil, err
	}
	if s.o.Progress != nil {
		s.o.Progress(s.now.Format(time.DateOnly) + ": " + did)
	}
	quiet := p.opt
	quiet.Progress = nil // the steps of a dozen flows are no story
	p.opt = quiet
	if e, err = p.Resolve(ctx, e); err != nil {
		return nil, err
	}
	m, err := measure(p, ctx, e)
	if err != nil {
		return nil, err
	}
	done, err := p.PublishMeasured(ctx, m, PublishOptions{})
	if err != nil {
		return nil, err
	}
	moment := Moment{Time: s.now, Did: did, Found: done.Result}
	if e.PullRequest > 0 {
		moment.Branch = s.branch
	}
	s.out.Moments = append(s.out.Moments, moment)
	return done, nil
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
