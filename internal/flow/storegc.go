package flow

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
)

// StoredBlob is a blob of the store and what is known about it.
type StoredBlob struct {
	SHA256   string    `json:"sha256"`
	Bytes    *int64    `json:"bytes"` // null when the store does not say and no record does
	Modified time.Time `json:"modified,omitzero"`
	Class    string    `json:"class"` // models, evaluations, logs, data, detail, profile, quality …; "" when nothing names it
	Why      string    `json:"why"`   // it stays, or goes
}

// Collection is what retention does: plumb.store-gc/v1.
type Collection struct {
	Schema  string       `json:"schema"`
	Store   string       `json:"store"`
	Applied bool         `json:"applied"`
	Blobs   int          `json:"blobs"` // before
	Kept    int          `json:"kept"`
	Young   int          `json:"young"` // of the kept ones: only because a push named them lately
	Drop    []StoredBlob `json:"drop"`
	Bytes   int64        `json:"bytes"`   // of what goes, as far as known
	Records []string     `json:"records"` // decisions that were written; none without apply

	// Uploads that were stopped more than a week ago and will not go on; nobody could ever read them.
	Unfinished []store.Unfinished `json:"unfinished"`
	Unlisted   string             `json:"unlisted,omitempty"` // why the store does not say which there are
}

// expiredAtOnce is how many blobs one record lists: about 35 KB.
const expiredAtOnce = 500

// Collect finds the blobs that nothing needs any more and, with apply, removes them: those that no record, lock, tag or young ref names, and those whose retention has
// ended, which are recorded as expired before they go. What is gone is decided on the very tip of the ledger that the record is added to.
func (p *Project) Collect(ctx context.Context, apply bool) (*Collection, error) {
	if err := p.notFromTheFuture(apply); err != nil {
		return nil, err
	}
	if err := p.ownStore(ctx); err != nil {
		return nil, err
	}
	settings := p.settings()
	locks := &nameList{keep: map[string]string{}, classes: map[string]string{}, by: map[string][]string{}}
	if err := p.namesInLocks(ctx, locks); err != nil {
		return nil, fmt.Errorf("looking for locks: %w", err)
	}
	if err := p.namesInTags(locks); err != nil {
		return nil, fmt.Errorf("looking into tags: %w", err)
	}
	p.progress("listing the store")
	var items []store.Item
	for item, err := range p.Store.List(ctx) {
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	halves, unlisted := p.unfinished(ctx, p.young(apply))
	var out *Collection
	judge := func(v *ledger.View) ([]ledger.File, error) {
		if v.Offline != "" {
			return nil, problem.Failedf("try again when the remote can be reached", "the ledger can't be read, so nobody knows what it names: %s", v.Offline)
		}
		n, err := p.namesIn(v, settings.Store.Keep)
		if err != nil {
			return nil, err
		}
		out = p.judgeItems(items, n, locks, p.young(apply))
		out.Unfinished, out.Unlisted = halves, unlisted
		if !apply {
			return nil, nil
		}
		return p.expiredRecords(out, n)
	}
	if !apply {
		v, err := p.view(ctx)
		if err == nil {
			_, err = judge(v)
		}
		return out, err
	}
	if err := p.wholeLedger(ctx); err != nil {
		return nil, err
	}
	p.progress("recording what has expired")
	if _, err := p.Ledger.Append(ctx, judge); err != nil {
		return nil, err
	}
	p.progress("removing %d blobs", len(out.Drop))
	out.Applied = true
	if err := p.Store.Remove(ctx, sums(out.Drop), p.young(apply)); err != nil {
		return out, err
	}
	if uploader, ok := p.Store.(store.Uploader); ok {
		return out, uploader.Abandon(ctx, halves)
	}
	return out, nil
}

// wholeLedger refuses to remove anything while records are gone or changed: what they name would be taken for what nothing names.
func (p *Project) wholeLedger(ctx context.Context) error {
	p.progress("looking whether a record is missing")
	found, err := p.Verify(ctx, VerifyOptions{Quick: true})
	if err != nil {
		return err
	}
	for _, f := range found.Findings {
		if f.Level == string(problem.LevelError) && slices.Contains([]string{record.RuleDeleted, record.RuleEdited, record.RuleHistory}, f.Rule) {
			return problem.Nof("`plumb verify` says how to mend it; then again", "nothing is removed while the ledger is not whole, as what it lost would go too: %s: %s", cmp.Or(f.Path, p.Ledger.Branch()), f.Message)
		}
	}
	return nil
}

// unfinished gives the uploads that nobody goes on with, or why the store does not say: a bucket may allow less than its objects need.
func (p *Project) unfinished(ctx context.Context, young time.Time) (uploads []store.Unfinished, why string) {
	if uploader, ok := p.Store.(store.Uploader); ok {
		found, err := uploader.Unfinished(ctx, young)
		if err == nil && found != nil {
			return found, ""
		}
		if err != nil {
			why = err.Error()
		}
	}
	return []store.Unfinished{}, why
}

// young is since when a blob must have been pushed to stay for that alone. Stores date blobs by the clock, so whoever removes goes by the clock too, whatever --now
// says; who only looks may look from another day.
func (p *Project) young(apply bool) time.Time {
	now := p.now()
	if clock := time.Now(); apply && clock.Before(now) {
		now = clock
	}
	return now.Add(-store.Grace)
}

// skew is how much later than the clock a --now may be.
const skew = time.Minute

// notFromTheFuture refuses to remove what only a later day would.
func (p *Project) notFromTheFuture(apply bool) error {
	if !apply || !p.now().After(time.Now().Add(skew)) {
		return nil
	}
	return problem.Wrongf("leave --apply out to see what would go then", "--now %s is in the future, and what is removed is gone today", p.now().Format(time.RFC3339))
}

// settings are the project's own.
func (p *Project) settings() *doc.Project { return doc.LoadProject(os.DirFS(p.Root)) }

// ownStore refuses a store that others use too: what their records name is not known here.
func (p *Project) ownStore(ctx context.Context) error {
	claims, err := p.Store.Claims(ctx)
	if err != nil {
		return err
	}
	own := p.mark(p.settings().Name)
	others := slices.DeleteFunc(claims, func(c string) bool { return c == own })
	if len(others) == 0 {
		return nil
	}
	return problem.Wrongf("give each project a prefix of its own, as s3://bucket/project; a project that is gone: delete its file below .plumb/projects there (a registry: its tag plumb-project-…)",
		"%s is also the store of %s, whose records are not known here", p.Store, problem.And(others))
}

func (p *Project) judgeItems(items []store.Item, n, locks *nameList, young time.Time) *Collection {
	out := &Collection{Schema: "plumb.store-gc/v1", Store: p.Store.String(), Blobs: len(items), Drop: []StoredBlob{}, Records: []string{}}
	for _, item := range items {
		b := describe(item, n, locks)
		switch {
		case n.keep[item.SHA256] != "" || locks.keep[item.SHA256] != "":
			out.Kept++
		case item.Modified.IsZero() || !item.Modified.Before(young):
			out.Kept++
			out.Young++
		default:
			b.Why = n.ended[item.SHA256]
			if b.Why == "" {
				b.Why = "nothing names it"
			}
			if b.Bytes != nil {
				out.Bytes += *b.Bytes
			}
			out.Drop = append(out.Drop, b)
		}
	}
	slices.SortFunc(out.Drop, func(a, b StoredBlob) int { return strings.Compare(a.SHA256, b.SHA256) })
	return out
}

func describe(item store.Item, n, locks *nameList) StoredBlob {
	b := StoredBlob{SHA256: item.SHA256, Modified: item.Modified.UTC(), Class: n.classes[item.SHA256]}
	if b.Class == "" {
		b.Class = locks.classes[item.SHA256]
	}
	if size := item.Bytes; size >= 0 {
		b.Bytes = &size
	} else if p, ok := n.pointers[item.SHA256]; ok {
		b.Bytes = &p.Bytes
	} else if size, ok := n.sizes[item.SHA256]; ok {
		b.Bytes = &size
	}
	return b
}

// expiredRecords says of what records name that it is gone now; what nobody names needs no record.
func (p *Project) expiredRecords(c *Collection, n *nameList) ([]ledger.File, error) {
	byRule := map[string][]StoredBlob{}
	for _, b := range c.Drop {
		if _, known := n.dropped[b.SHA256]; n.ended[b.SHA256] != "" && !known {
			byRule[b.Why] = append(byRule[b.Why], b)
		}
	}
	var files []ledger.File
	c.Records = []string{}
	for _, rule := range keys(byRule) {
		for batch := range slices.Chunk(byRule[rule], expiredAtOnce) {
			d := record.Decision{Header: p.header(record.KindDecision, nil), Choice: record.Expired, Reason: rule, Blobs: sums(batch)}
			for _, b := range batch {
				if b.Bytes != nil {
					d.Bytes += *b.Bytes
				}
			}
			path, data, err := record.Encode(d)
			if err != nil {
				return nil, err
			}
			files = append(files, ledger.File{Path: path, Data: data})
			c.Records = append(c.Records, path)
		}
	}
	return files, nil
}

func sums(blobs []StoredBlob) []string {
	out := make([]string, len(blobs))
	for i, b := range blobs {
		out[i] = b.SHA256
	}
	slices.Sort(out)
	return out
}
