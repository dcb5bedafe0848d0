package flow

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/record"
)

// story is the demo while it is told: a repository, a clock, and the feed of flights that fills it week by week.
type story struct {
	source  fs.FS
	dir     string
	o       Options
	repo    *gitdb.Repo
	now     time.Time
	branch  string
	pulls   int
	feed    string // folder of the example's own files
	arrived time.Time
	letGo   func() error // of the mark that says the story is not told to its end
	out     *Demo
}

// feedStarts is when the feed begins: what is older is there from the start.
var feedStarts = demoDay(5, 1, 0)

// tell is the story, in order.
func (s *story) tell(ctx context.Context) error {
	feed, err := os.MkdirTemp("", "plumb-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(feed)
	s.feed = feed
	if err := copyTree(s.source, feed, "branches"); err != nil {
		return err
	}
	for _, chapter := range []func(context.Context) error{
		s.begins,  // four months of data, a first model
		s.watches, // a week at a time; a trigger proposes, and the first proposal is merged
		s.repins,  // half a year is there, and is pinned
		s.tries,   // branches
	} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	// The site is of what is live, with the pull request at hand on top; the branch is what somebody would look at next.
	if err := s.repo.Checkout(ctx, "main", false); err != nil {
		return err
	}
	p, err := s.project()
	if err != nil {
		return err
	}
	if s.out.Report, err = p.Report(ctx, filepath.Join(s.dir, "_site"), &s.out.Review.Result); err != nil {
		return err
	}
	return s.repo.Checkout(ctx, demoBranch, false)
}

func (s *story) begins(ctx context.Context) error {
	s.now = feedStarts.Add(9 * time.Hour)
	if err := s.begin(); err != nil {
		return err
	}
	if err := s.arrive(ctx, feedStarts); err != nil {
		return err
	}
	if err := s.pin(ctx); err != nil {
		return err
	}
	if err := s.commit(ctx, "Flights: predict which arrive more than 15 minutes late"); err != nil {
		return fmt.Errorf("making the first commit: %w", err)
	}
	_, err := s.flow(ctx, "a first model of January to April lands on main", (*Project).Push, Event{})
	return err
}

// watches lets eight weeks of flights arrive. Each Monday the schedule looks at the week before.
func (s *story) watches(ctx context.Context) error {
	for monday := demoDay(5, 7, 0); monday.Before(demoDay(7, 1, 0)); monday = monday.AddDate(0, 0, 7) {
		s.now = monday.Add(4 * time.Hour)
		if err := s.arrive(ctx, monday); err != nil {
			return err
		}
		if err := s.commit(ctx, "Flights until "+monday.AddDate(0, 0, -1).Format("2 January")); err != nil {
			return err
		}
		done, err := s.flow(ctx, "the week's flights have arrived", (*Project).Schedule, Event{})
		if err != nil {
			return err
		}
		if len(done.Result.Proposals) > 0 {
			if err := s.accept(ctx, done.Result.Proposals[0]); err != nil {
				return err
			}
		}
	}
	return nil
}

// accept measures what a trigger proposed and merges it when no gate says no. A person would look first.
func (s *story) accept(ctx context.Context, proposal record.Proposal) error {
	s.now = s.now.Add(4 * time.Hour)
	s.branch = proposal.Branch
	s.pulls++
	if err := s.repo.Checkout(ctx, proposal.Branch, false); err != nil {
		return err
	}
	review, err := s.flow(ctx, "the trigger's proposal to train on the newest rows is measured", (*Project).PullRequest, Event{Base: "main", PullRequest: s.pulls})
	if err != nil {
		return err
	}
	main, err := s.repo.Ref("refs/heads/main")
	if err != nil {
		return err
	}
	if err := s.repo.Checkout(ctx, "main", false); err != nil || review.Result.Exit != 0 {
		return err
	}
	s.now = s.now.Add(time.Hour)
	if err := s.forward(ctx, main, proposal.Branch); err != nil {
		return err
	}
	_, err = s.flow(ctx, "no gate says no: the proposal is merged", (*Project).Push, Event{})
	return err
}

// forward moves main to a branch that is ahead of it.
func (s *story) forward(ctx context.Context, main, branch string) error {
	tip, err := s.repo.Ref("refs/heads/" + branch)
	if err != nil {
		return err
	}
	if err := s.repo.Checkout(ctx, branch, false); err != nil {
		return err
	}
	if err := s.repo.Swap(ctx, "refs/heads/main", main, tip); err != nil {
		return err
	}
	return s.repo.Checkout(ctx, "main", false)
}

func (s *story) repins(ctx context.Context) error {
	s.now = demoDay(7, 1, 9)
	if err := s.arrive(ctx, demoDay(7, 1, 0)); err != nil {
		return err
	}
	if err := s.pin(ctx); err != nil {
		return err
	}
	if err := s.commit(ctx, "Pin January to June"); err != nil {
		return err
	}
	_, err := s.flow(ctx, "half a year is pinned on main", (*Project).Push, Event{})
	return err
}

// tries opens four branches off main. The last one that is measured is the one to look at.
func (s *story) tries(ctx context.Context) error {
	s.now = demoDay(7, 2, 9)
	for _, b := range []struct {
		name, message, did string
		spoil              bool
	}{
		{name: "leak", message: "Use how late the flight is", did: "a branch uses what nobody knows at departure"},
		{name: "new-feed", message: "Take the flights from the new feed", did: "a branch brings delays in seconds, which were minutes", spoil: true},
		{name: "worse", message: "A simpler model without the hour", did: "a branch leaves the hour of the day out"},
		{name: demoBranch, message: "Try the delays seen at the origin in the last 12 hours", did: "a branch adds the delays seen at the origin"},
	} {
		s.branch = b.name
		s.pulls++
		if err := s.repo.Checkout(ctx, "main", false); err != nil {
			return err
		}
		if err := s.repo.Checkout(ctx, b.name, true); err != nil {
			return err
		}
		if err := s.change(ctx, b.name, b.spoil); err != nil {
			return fmt.Errorf("making branch %s: %w", b.name, err)
		}
		if err := s.commit(ctx, b.message); err != nil {
			return fmt.Errorf("making branch %s: %w", b.name, err)
		}
		s.now = s.now.Add(time.Hour)
		review, err := s.flow(ctx, b.did, (*Project).PullRequest, Event{Base: "main", PullRequest: s.pulls})
		if err != nil {
			return err
		}
		s.out.Review = review
	}
	return nil
}

// change lays a branch's files over the working folder, or spoils the newest data file.
func (s *story) change(ctx context.Context, name string, spoil bool) error {
	if !spoil {
		overlay, err := fs.Sub(s.source, "branches/"+name)
		if err != nil {
			return err
		}
		return copyTree(overlay, s.dir)
	}
	if err := s.write(ctx, "select * replace (delay * 60 as delay)", s.arrived.AddDate(0, 0, -6), s.arrived); err != nil {
		return err
	}
	return s.pin(ctx)
}

// pin does what `plumb data pin` does.
func (s *story) pin(ctx context.Context) error {
	p, err := s.project()
	if err != nil {
		return err
	}
	_, err = p.Pin(ctx, "", false)
	return err
}

// arrive puts the flights until a day into the project: whole files of the example that ended before the feed began, then a file a delivery.
func (s *story) arrive(ctx context.Context, until time.Time) error {
	if !s.arrived.IsZero() {
		from := s.arrived
		s.arrived = until
		return s.write(ctx, "select *", from, until)
	}
	s.arrived = until
	files, err := fs.Glob(os.DirFS(s.feed), "data/flights/*.parquet")
	if err != nil {
		return err
	}
	for _, file := range files {
		month, err := time.Parse("2006-01", strings.TrimSuffix(filepath.Base(file), ".parquet"))
		if err != nil || !month.Before(until) {
			continue
		}
		data, err := os.ReadFile(filepath.Join(s.feed, filepath.FromSlash(file)))
		if err != nil {
			return err
		}
		to := filepath.Join(s.dir, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// write takes the rows of [from, until) from the example and writes them as one file, named by its last day.
func (s *story) write(ctx context.Context, choose string, from, until time.Time) error {
	db, err := engine.Open(ctx, engine.Options{Read: []string{s.feed, s.dir}, Temp: s.feed})
	if err != nil {
		return err
	}
	defer db.Close()
	f, err := db.Frame(ctx, fmt.Sprintf("%s from read_parquet(%s) where date >= %s and date < %s order by date, file_row_number", choose,
		"'"+strings.ReplaceAll(filepath.Join(s.feed, "data", "flights", "*.parquet"), "'", "''")+"', file_row_number = true", timestamp(from), timestamp(until)))
	if err != nil {
		return fmt.Errorf("reading the feed: %w", err)
	}
	f.Columns = f.Columns[:len(f.Columns)-1] // the row number
	name := until.AddDate(0, 0, -1).Format(time.DateOnly) + ".parquet"
	return db.WriteFrame(ctx, f, filepath.Join(s.dir, "data", "flights", name))
}
