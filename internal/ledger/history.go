package ledger

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/plumb-ml/plumb/internal/gitdb"
)

// History is the commits of the ledger's branch: what proves that records were only added.
type History struct {
	Tip   string
	Whole bool   // it reaches to the ledger's beginning
	Why   string // why it does not

	repo  *gitdb.Repo
	own   *gitdb.Repo // this clone's, which may have what the cache of the remote does not
	steps []gitdb.Step
	known map[string]bool
	now   map[string]string
}

// Commit is one commit of the ledger.
type Commit struct {
	ID    string
	By    gitdb.Identity
	Time  time.Time
	Merge bool
	Added []string // paths of records
	Lost  []Loss   // records of its parents that it does not have as they were
}

// Loss is a record that is not there any more, or not with its bytes.
type Loss struct {
	Path    string
	Was     string // object id of its bytes
	Now     string // "" when the record is gone
	Settled bool   // a merge took the bytes of another parent
}

// History reads the branch's commits, of the remote when there is one; what an earlier read left out is fetched.
func (l *Ledger) History(ctx context.Context) (*History, error) {
	p, err := l.find(ctx, false)
	if err != nil {
		return nil, fmt.Errorf("reading the ledger's history: %w", err)
	}
	h := &History{Tip: p.tip, repo: p.repo, own: l.repo, known: map[string]bool{}, Whole: true}
	if p.tip == "" {
		return h, nil
	}
	if p.mirror != nil && p.offline == "" {
		err := p.mirror.FetchWhole(ctx, l.branch, l.limits)
		if errors.Is(err, gitdb.ErrTooLarge) {
			return nil, fmt.Errorf("reading the ledger's history: %w", err)
		}
		if err != nil {
			h.Why = err.Error()
		}
	}
	var cut []string
	if h.steps, cut, err = h.repo.Steps(p.tip); err != nil {
		return nil, fmt.Errorf("reading the ledger's history: %w", err)
	}
	if h.Whole = len(cut) == 0; h.Whole {
		h.Why = ""
	} else if h.Why == "" {
		h.Why = fmt.Sprintf("this clone lacks %.10s", cut[0])
		if p.offline != "" {
			h.Why = p.offline
		}
	}
	for _, s := range h.steps {
		h.known[s.ID] = true
	}
	return h, nil
}

// Len is how many commits there are.
func (h *History) Len() int { return len(h.steps) }

// Now gives the files of the tip, path → object id of its bytes. Do not change it.
func (h *History) Now() (map[string]string, error) {
	if h.now != nil || h.Tip == "" {
		return h.now, nil
	}
	files, err := filesOf(h.repo, h.Tip)
	if err != nil {
		return nil, fmt.Errorf("reading the ledger at %.10s: %w", h.Tip, err)
	}
	h.now = make(map[string]string, len(files))
	for _, f := range files {
		h.now[f.Path] = f.OID
	}
	return h.now, nil
}

// Beginnings lists the commits without parents: one, unless histories were joined.
func (h *History) Beginnings() []string {
	var out []string
	for _, s := range h.steps {
		if len(s.Parents) == 0 {
			out = append(out, s.ID)
		}
	}
	return out
}

// Blob gives the bytes with an object id, of a record or of what stood in its place. The error is gitdb.ErrNotFound where nobody here has them.
func (h *History) Blob(oid string) ([]byte, error) {
	data, err := h.repo.BlobLimit(oid, maxRecord)
	if errors.Is(err, gitdb.ErrNotFound) {
		data, err = h.own.BlobLimit(oid, maxRecord)
	}
	return data, err
}

// At gives the object id of a file at a commit, "" where it has none.
func (h *History) At(commit, file string) (string, error) { return h.repo.Lookup(commit, file) }

// Has says whether a commit is in the history.
func (h *History) Has(commit string) bool { return h.known[commit] }

// Each gives the commits, each after its parents.
func (h *History) Each(do func(Commit) error) error {
	for _, s := range h.steps {
		c := Commit{ID: s.ID, By: s.By, Time: s.Time, Merge: len(s.Parents) > 1}
		parents := s.Parents
		if len(parents) == 0 {
			parents = []string{""}
		}
		added, changed := map[string]int{}, map[string]int{} // path → parents that do not have it, or have it otherwise
		for _, parent := range parents {
			if parent != "" && !h.known[parent] {
				continue // cut off here; Whole says so
			}
			changes, err := h.repo.ChangesUnder(parent, s.ID, "")
			if err != nil {
				return fmt.Errorf("reading commit %.10s of the ledger: %w", s.ID, err)
			}
			for _, change := range changes {
				switch {
				case !MayBeRecord(change.Path):
				case change.Old == "":
					added[change.Path]++
				default:
					changed[change.Path]++
					c.Lost = append(c.Lost, Loss{Path: change.Path, Was: change.Old, Now: change.New})
				}
			}
		}
		for i, lost := range c.Lost {
			c.Lost[i].Settled = lost.Now != "" && changed[lost.Path]+added[lost.Path] < len(parents)
		}
		for file, n := range added {
			if n == len(parents) {
				c.Added = append(c.Added, file)
			}
		}
		if err := do(c); err != nil {
			return err
		}
	}
	return nil
}

// filesOf lists the files of a commit of the ledger, whatever else it holds.
func filesOf(repo *gitdb.Repo, commit string) ([]gitdb.Entry, error) {
	files, err := repo.FilesUnder(commit, "")
	if errors.As(err, new(*gitdb.OddError)) {
		err = nil
	}
	return files, err
}

// MayBeRecord leaves alone the notes that people put beside the records.
func MayBeRecord(file string) bool { return path.Ext(file) == ".toml" }

// LostSince lists the records of an earlier tip that the ledger does not have as they were. The error is gitdb.ErrNotFound when the tip's records can't be had: it
// is neither here nor does the remote give it.
func (h *History) LostSince(ctx context.Context, repo *gitdb.Repo, tip string) ([]Loss, error) {
	from := h.repo
	if !from.Has(tip) {
		switch mirror, err := repo.Mirror(ctx); {
		case repo.Has(tip): // another clone's private cache may not have it, this clone's own objects do
			from = repo
		case errors.Is(err, gitdb.ErrNoRemote):
			return nil, gitdb.ErrNotFound
		case err != nil:
			return nil, err
		case mirror.Fetch(ctx, true, tip) != nil || !mirror.Has(tip):
			return nil, gitdb.ErrNotFound
		}
	}
	before, err := filesOf(from, tip)
	if err != nil {
		return nil, err
	}
	now, err := h.Now()
	if err != nil {
		return nil, err
	}
	var lost []Loss
	for _, f := range before {
		if MayBeRecord(f.Path) && now[f.Path] != f.OID {
			lost = append(lost, Loss{Path: f.Path, Was: f.OID, Now: now[f.Path]})
		}
	}
	return lost, nil
}
