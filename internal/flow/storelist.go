package flow

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
)

// Inventory is what the store has and lacks: plumb.store/v1.
type Inventory struct {
	Schema  string         `json:"schema"`
	Store   string         `json:"store"`
	Blobs   []StoredBlob   `json:"blobs"`
	Classes []ClassSummary `json:"classes"`
	Missing []MissingBlob  `json:"missing"` // that records name, and that were not dropped on purpose
	Wrong   []WrongBlob    `json:"wrong"`   // only when every blob was read
	Read    bool           `json:"read"`    // whether it was
}

// ClassSummary counts the blobs of a class.
type ClassSummary struct {
	Class string `json:"class"`
	Blobs int    `json:"blobs"`
	Bytes int64  `json:"bytes"` // of those whose size is known
}

// MissingBlob is one that records name and the store does not have.
type MissingBlob struct {
	record.Pointer
	Class string   `json:"class"`
	By    []string `json:"named_by"`
}

// WrongBlob is one whose bytes are not those of its name.
type WrongBlob struct {
	SHA256 string `json:"sha256"`
	Class  string `json:"class"`
	Error  string `json:"error"`
	Hint   string `json:"hint"`
}

// Inventory lists the store; with read, it reads every blob.
func (p *Project) Inventory(ctx context.Context, read bool) (*Inventory, error) {
	v, err := p.view(ctx)
	if err != nil {
		return nil, err
	}
	n, err := p.namesIn(v, p.settings().Store.Keep)
	if err != nil {
		return nil, err
	}
	if err := p.dataNames(n); err != nil {
		return nil, err
	}
	out := &Inventory{Schema: "plumb.store/v1", Store: p.Store.String(), Blobs: []StoredBlob{}, Classes: []ClassSummary{}, Missing: []MissingBlob{}, Wrong: []WrongBlob{}, Read: read}
	there := map[string]bool{}
	totals := map[string]ClassSummary{}
	p.progress("listing the store")
	for item, err := range p.Store.List(ctx) {
		if err != nil {
			return nil, err
		}
		b := describe(item, n, n)
		if b.Class == "" {
			b.Class = "other"
		}
		if b.Why = n.keep[item.SHA256]; b.Why == "" {
			b.Why = n.ended[item.SHA256]
		}
		total := totals[b.Class]
		total.Class, total.Blobs = b.Class, total.Blobs+1
		if b.Bytes != nil {
			total.Bytes += *b.Bytes
		}
		totals[b.Class] = total
		there[item.SHA256] = true
		out.Blobs = append(out.Blobs, b)
	}
	slices.SortFunc(out.Blobs, func(a, b StoredBlob) int { return strings.Compare(a.SHA256, b.SHA256) })
	for _, class := range keys(totals) {
		out.Classes = append(out.Classes, totals[class])
	}
	out.Missing = n.missing(v, there)
	if read {
		out.Wrong, err = p.readAll(ctx, out.Blobs, n)
	}
	return out, err
}

// dataNames adds the pinned files of the working folder's locks.
func (p *Project) dataNames(n *nameList) error {
	t, err := p.Working()
	if err != nil {
		return err
	}
	for _, lock := range t.Docs.Locks {
		for _, f := range lock.Files {
			if n.classes[f.SHA256] == "" {
				n.classes[f.SHA256], n.keep[f.SHA256] = classData, lock.Path
				n.sizes[f.SHA256] = f.Bytes
			}
		}
	}
	return nil
}

// missing lists what pushed records name and the store lacks, but for what was dropped on purpose.
func (n *nameList) missing(v *ledger.View, there map[string]bool) []MissingBlob {
	out := []MissingBlob{}
	for _, sum := range keys(n.pointers) {
		public := slices.ContainsFunc(n.by[sum], func(path string) bool { return !v.Private(path) })
		if _, gone := n.dropped[sum]; public && !gone && !there[sum] {
			out = append(out, MissingBlob{n.pointers[sum], n.classes[sum], n.by[sum]})
		}
	}
	return out
}

// readAll reads every blob whose size is known and gives those that are not what they are called.
func (p *Project) readAll(ctx context.Context, blobs []StoredBlob, n *nameList) ([]WrongBlob, error) {
	var pointers []record.Pointer
	for _, b := range blobs {
		if b.Bytes != nil {
			pointers = append(pointers, record.Pointer{SHA256: b.SHA256, Bytes: *b.Bytes, OID: n.pointers[b.SHA256].OID})
		}
	}
	p.progress("reading every blob")
	spoilt, err := store.Spoilt(ctx, p.Store, pointers, p.meter)
	wrong := []WrongBlob{}
	for _, sum := range keys(spoilt) {
		wrong = append(wrong, WrongBlob{sum, n.classes[sum], spoilt[sum].Error(), cmp.Or(problem.Hint(spoilt[sum]), store.MendHint)})
	}
	return wrong, err
}

// PackStore folds the bookkeeping of a store that has some: plumb.store-pack/v1.
func (p *Project) PackStore(ctx context.Context, apply bool) (*PackResult, error) {
	out := &PackResult{Schema: "plumb.store-pack/v1", Store: p.Store.String(), Applied: apply}
	packer, ok := p.Store.(store.Packer)
	if !ok {
		out.Why = "only the Git store has refs to pack"
		return out, nil
	}
	p.progress("packing refs of blobs")
	var err error
	out.Packed, err = packer.Pack(ctx, !apply)
	return out, err
}

// PackResult says what packing did.
type PackResult struct {
	Schema  string `json:"schema"`
	Store   string `json:"store"`
	Applied bool   `json:"applied"`
	Why     string `json:"why,omitempty"` // there was nothing to do
	store.Packed
}

// CopyResult is plumb.store-copy/v1.
type CopyResult struct {
	Schema string `json:"schema"`
	From   string `json:"from"`
	To     string `json:"to"`
	DryRun bool   `json:"dry_run"`
	store.Copied
}

// CopyStore copies every blob of one store that another does not have. Addresses are as in [store] url, or "here" for what this machine has.
func (p *Project) CopyStore(ctx context.Context, from, to string, o store.CopyOptions) (*CopyResult, error) {
	v, err := p.view(ctx)
	if err != nil {
		return nil, err
	}
	n, err := p.namesIn(v, p.settings().Store.Keep)
	if err != nil {
		return nil, err
	}
	source, err := p.anyStore(from)
	if err != nil {
		return nil, err
	}
	target, err := p.anyStore(to)
	if err != nil {
		return nil, err
	}
	if source.String() == target.String() {
		return nil, problem.Wrongf("`plumb store copy FROM TO`", "both stores are %s", source)
	}
	o.Known, o.Update = n.pointers, p.meter
	o.Leave = func(sum string) bool { _, gone := n.dropped[sum]; return gone }
	p.progress("copying blobs")
	out := &CopyResult{Schema: "plumb.store-copy/v1", From: source.String(), To: target.String(), DryRun: o.DryRun}
	out.Copied, err = store.Copy(ctx, source, target, o)
	return out, err
}

func (p *Project) anyStore(address string) (store.Store, error) {
	switch address {
	case "":
		return p.Store, nil
	case "here":
		return store.Here(p.Repo), nil
	}
	return p.storeAt(p.settings().Name, address)
}
