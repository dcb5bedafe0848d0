package flow

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/registry"
)

// DisownOptions say which records count for nothing from now on, and why.
type DisownOptions struct {
	Paths  []string // in the ledger; a run's id is enough; PATH@OID for bytes that it had once
	Reason string
	DryRun bool
}

// Disowner is who disowned a record, and why.
type Disowner struct {
	Record string    `json:"record"` // path of the decision
	Who    string    `json:"who"`
	Time   time.Time `json:"time"`
	Reason string    `json:"reason"`
}

func (d Disowner) String() string {
	return fmt.Sprintf("disowned by %s on %s: %s (%s); it counts for nothing", d.Who, d.Time.Format(time.DateOnly), d.Reason, d.Record)
}

// Disowned says what was disowned: plumb.disown/v1.
type Disowned struct {
	Schema   string           `json:"schema"`
	Applied  bool             `json:"applied"` // false with --dry-run
	Disowned []DisownedRecord `json:"disowned"`
}

// DisownedRecord is one record that counts for nothing.
type DisownedRecord struct {
	Path    string `json:"path"`
	SHA256  string `json:"sha256"`            // of its bytes
	Record  string `json:"record"`            // the decision
	Already bool   `json:"already"`           // an earlier one says so
	Follows string `json:"follows,omitempty"` // what else follows from it
}

// Disown records that records count for nothing: a correction is a new record. The decisions are in this clone until `plumb push`.
func (p *Project) Disown(ctx context.Context, o DisownOptions) (*Disowned, error) {
	if strings.TrimSpace(o.Reason) == "" {
		return nil, problem.Wrongf(`for example --reason "its scores are not those of its model"`, "to disown a record takes a reason, which stays in the ledger")
	}
	v, err := p.view(ctx)
	if err != nil {
		return nil, err
	}
	d := disowning{p: p, view: v, once: map[string][]byte{}}
	for _, name := range o.Paths {
		if err := d.take(ctx, name); err != nil {
			return nil, err
		}
	}
	if err := d.leftAlone(); err != nil {
		return nil, err
	}
	out := &Disowned{Schema: "plumb.disown/v1", Applied: !o.DryRun, Disowned: []DisownedRecord{}}
	var files []ledger.File
	for _, path := range d.paths {
		said, file, err := d.record(path, o.Reason)
		if err != nil {
			return nil, err
		}
		out.Disowned = append(out.Disowned, said)
		if !said.Already {
			files = append(files, file)
		}
	}
	if o.DryRun {
		return out, nil
	}
	return out, p.Ledger.AppendPrivate(ctx, files)
}

// disowning is the state of Disown.
type disowning struct {
	p     *Project
	view  *ledger.View
	paths []string
	once  map[string][]byte // PATH@OID → the bytes
}

// take finds the record that is meant, and refuses what can't be disowned.
func (d *disowning) take(ctx context.Context, name string) error {
	if path, oid, ok := strings.Cut(name, "@"); ok {
		return d.takeOnce(ctx, name, path, oid)
	}
	path := name
	if record.IsID(name) {
		path = d.view.PathOf(name)
	}
	if _, err := record.ParsePath(path); err != nil {
		return problem.Wrongf("for example runs/baseline/2001-06/20010630T120000Z-0123456789ab.toml, as `plumb verify` writes it, or a run's id",
			"%q is neither the path nor the id of a record of the ledger", name)
	}
	data, err := d.view.Bytes(path)
	if err != nil {
		return problem.Wrongf("when it was taken away, `plumb verify --mend` puts it back, and then it can be disowned; a decision names its bytes", "%w", err)
	}
	switch {
	case !ledger.IsRecord(path, data):
		return problem.Wrongf("`plumb verify --mend` takes it out of the ledger", "%s never was a record, so there is nothing to disown", path)
	case d.view.Private(path):
		return problem.Wrongf(d.p.dropPrivate(), "%s is in this clone only: nobody else has seen it, so there is nothing to disown", path)
	}
	if !slices.Contains(d.paths, path) {
		d.paths = append(d.paths, path)
	}
	return nil
}

// takeOnce finds bytes that a numbered record had at some commit: that is how a person says which of two is false.
func (d *disowning) takeOnce(ctx context.Context, name, path, oid string) error {
	h, err := d.p.Ledger.History(ctx)
	if err != nil {
		return err
	}
	data, err := h.Blob(oid)
	if err != nil || !ledger.IsRecord(path, data) {
		return problem.Wrongf("`plumb verify` names them: PATH@ and the object id, in full", "there are no bytes of a record %s with the object id %q here", path, oid)
	}
	d.once[name] = data
	d.paths = append(d.paths, name)
	return nil
}

// dropPrivate says how a record that was never pushed goes.
func (p *Project) dropPrivate() string {
	ref := "refs/plumb/private" + strings.TrimPrefix(p.Ledger.Branch(), "plumb/ledger")
	return fmt.Sprintf("`git update-ref -d %s` drops all records that this clone has not pushed (`plumb push --dry-run` lists them); to keep the others, `plumb push` and disown it then", ref)
}

// leftAlone refuses to leave a record that counts resting on one that does not: what serves has to be rolled back before, and a version goes with its run.
func (d *disowning) leftAlone() error {
	off := func(path string) bool { return isDisowned(d.view, path) || slices.Contains(d.paths, path) }
	for _, version := range d.view.Versions("") {
		path := versionPath(version.Model, version.Number)
		if off(version.Run) && !off(path) && slices.Contains(d.paths, version.Run) {
			return problem.Wrongf("disown both: `"+d.command(path)+"`", "version %d of %s is of run %s", version.Number, version.Model, version.Run)
		}
	}
	for _, s := range held(d.view.Stages("", ""), off) {
		if path := versionPath(s.Model, s.Version); slices.Contains(d.paths, path) {
			return problem.Wrongf(d.p.rollBack(d.view, s, off)+"; if that record is false too, disown both: `"+d.command(registry.StagePath(s))+"`", "version %d of %s is in %s, by %s", s.Version, s.Model, s.Stage, registry.StagePath(s))
		}
	}
	return nil
}

// command is the same again with one more record.
func (d *disowning) command(path string) string {
	return disownCommand(append([]string{path}, d.paths...))
}

func disownCommand(paths []string) string {
	return "plumb verify --disown " + strings.Join(paths, " --disown ") + " --reason WHY"
}

// held gives what each stage holds: its newest record that counts.
func held(stages []record.Stage, off func(string) bool) []record.Stage {
	var out []record.Stage
	for _, s := range stages { // by model, stage, number
		switch n := len(out); {
		case off(registry.StagePath(s)):
		case n > 0 && out[n-1].Model == s.Model && out[n-1].Stage == s.Stage:
			out[n-1] = s
		default:
			out = append(out, s)
		}
	}
	return out
}

// rollBack says how a stage lets go of a version.
func (p *Project) rollBack(v *ledger.View, s record.Stage, off func(string) bool) string {
	for _, other := range slices.Backward(v.Versions(s.Model)) {
		if other.Number == s.Version || off(versionPath(other.Model, other.Number)) {
			continue
		}
		back := fmt.Sprintf("plumb promote %s --version %d", other.Experiment, other.Number)
		if s.Stage == production {
			return fmt.Sprintf("roll back first, for example by `%s` and a merge", back)
		}
		return fmt.Sprintf("roll back first, for example by `%s --stage %s`", back, s.Stage)
	}
	return "promote another experiment first"
}

// record makes the decision about one record, unless there is one.
func (d *disowning) record(path, reason string) (DisownedRecord, ledger.File, error) {
	data, once := d.once[path]
	path, _, _ = strings.Cut(path, "@")
	if !once {
		var err error
		if data, err = d.view.Bytes(path); err != nil {
			return DisownedRecord{}, ledger.File{}, err
		}
	}
	said := DisownedRecord{Path: path, SHA256: record.Sum(data), Follows: d.followsOf(path)}
	if by, ok := d.view.DisownedBytes(path, data); ok {
		said.Record, said.Already = by.Path, true
		return said, ledger.File{}, nil
	}
	decision := record.Decision{Header: d.p.header(record.KindDecision, nil), Choice: record.Disowned, Reason: reason, Record: path, SHA256: said.SHA256}
	var file ledger.File
	var err error
	file.Path, file.Data, err = record.Encode(decision)
	said.Record = file.Path
	return said, file, err
}

// isDisowned says whether the record at a path counts for nothing.
func isDisowned(v *ledger.View, path string) bool {
	_, off := v.Disowned()[path]
	return off
}

func versionPath(model string, number int) string {
	return fmt.Sprintf("versions/%s/%d.toml", model, number)
}

// RecordPaths completes the path of a record, one folder at a time.
func (p *Project) RecordPaths(ctx context.Context, begun string) ([]string, error) {
	v, err := p.glance(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, path := range v.Paths() {
		rest, ok := strings.CutPrefix(path, begun)
		if !ok {
			continue
		}
		if at := strings.IndexByte(rest, '/'); at >= 0 {
			path = begun + rest[:at+1]
		}
		if len(out) == 0 || out[len(out)-1] != path {
			out = append(out, path)
		}
	}
	return out, nil
}
