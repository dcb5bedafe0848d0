package store

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/gitdb"
)

// period is a day, or a month with the last of its days.
type period struct {
	day     time.Time
	monthly bool
}

func (p period) String() string {
	if p.monthly {
		return p.day.Format("2006-01")
	}
	return p.day.Format(time.DateOnly)
}

func (p period) month() period {
	first := time.Date(p.day.Year(), p.day.Month(), 1, 0, 0, 0, 0, time.UTC)
	return period{first.AddDate(0, 1, -1), true}
}

var refPattern = regexp.MustCompile(`^refs/plumb/blobs/([0-9]{4}-[0-9]{2})(-[0-9]{2})?/[0-9a-f]{20}$`)

// periodOf reads the period in a ref's name; other names are not ours to touch.
func periodOf(ref string) (period, bool) {
	m := refPattern.FindStringSubmatch(ref)
	if m == nil {
		return period{}, false
	}
	if m[2] != "" {
		day, err := time.Parse(time.DateOnly, m[1]+m[2])
		return period{day, false}, err == nil
	}
	first, err := time.Parse("2006-01", m[1])
	return period{first, false}.month(), err == nil
}

// gitShelf is where others read the refs of blobs: the remote, seen through its outline, or this repository when there is no remote.
type gitShelf struct {
	repo    *gitdb.Repo // trees are here
	outline *gitdb.Outline
}

func (s *gitStore) shelf(ctx context.Context) (*gitShelf, error) {
	outline, err := s.repo.Outline(ctx)
	if errors.Is(err, gitdb.ErrNoRemote) {
		return &gitShelf{repo: s.repo}, nil
	}
	if err != nil {
		return nil, err
	}
	return &gitShelf{outline.Repo, outline}, nil
}

func (g *gitShelf) close() {
	if g.outline != nil {
		_ = g.outline.Close() // only read
	}
}

// refs gives the refs as they are now.
func (g *gitShelf) refs(ctx context.Context) (map[string]string, error) {
	if g.outline != nil {
		return g.outline.Sync(ctx, blobRefs)
	}
	return g.here()
}

// here gives the refs as they were seen last.
func (g *gitShelf) here() (map[string]string, error) {
	all, err := g.repo.Refs(blobRefs)
	refs := map[string]string{}
	for _, ref := range all {
		refs[ref.Name] = ref.OID
	}
	return refs, err
}

// publish makes refs whose commits are in repo: all of them, or an error. What another process was faster with is a success.
func (g *gitShelf) publish(ctx context.Context, refs map[string]string) error {
	if g.outline == nil {
		for ref, commit := range refs {
			if err := g.repo.Swap(ctx, ref, "", commit); err != nil && !g.at(ref, commit) {
				return err
			}
		}
		return nil
	}
	var specs []string
	for ref, commit := range refs {
		specs = append(specs, commit+":"+ref)
	}
	slices.Sort(specs)
	for batch := range slices.Chunk(specs, refsPerPush) {
		if err := g.outline.Push(ctx, batch...); err != nil {
			now, listErr := g.outline.ListRemote(ctx, blobRefs)
			if listErr != nil {
				return errors.Join(err, listErr)
			}
			for _, spec := range batch {
				if commit, ref, _ := strings.Cut(spec, ":"); now[ref] != commit {
					return err
				}
			}
		}
	}
	return nil
}

const refsPerPush = 100

func (g *gitShelf) at(ref, commit string) bool {
	now, err := g.repo.Ref(ref)
	return err == nil && now == commit
}

// drop deletes refs, each only while it is where it was seen.
func (g *gitShelf) drop(ctx context.Context, refs map[string]string) error {
	if g.outline != nil {
		return g.outline.DropRemote(ctx, refs)
	}
	return g.repo.Drop(ctx, refs)
}

// blobsOf gives the blobs that a ref's commit names, by SHA-256, and whether it holds anything else.
func (g *gitShelf) blobsOf(commit string) (blobs map[string]string, foreign bool, err error) {
	files, err := g.repo.Files(commit)
	if err != nil {
		return nil, false, fmt.Errorf("reading the tree of %s: %w", commit, err)
	}
	blobs = make(map[string]string, len(files))
	for _, f := range files {
		sum := f.Path[strings.LastIndex(f.Path, "/")+1:]
		if !isSum(sum) || f.Path != fanned(sum) {
			foreign = true
			continue
		}
		blobs[sum] = f.OID
	}
	return blobs, foreign, nil
}
