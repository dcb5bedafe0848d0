package record

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"time"

	"github.com/plumb-ml/plumb/internal/tomlio"
)

// Schema is the version of every record that this program writes, and the newest that it reads.
const Schema = 1

// Encode gives a record's path in the ledger and its bytes. v is a *Run, *Snapshot, *ComparisonRecord, *Version, *Stage or *Decision (or the value of one);
// what follows from the rest is filled in: schema, kind, the digests of inputs and result and, through a pointer, the id.
// The same v gives the same bytes.
func Encode(v any) (string, []byte, error) {
	switch v := v.(type) {
	case Run:
		return Encode(&v)
	case Snapshot:
		return Encode(&v)
	case ComparisonRecord:
		return Encode(&v)
	case Version:
		return Encode(&v)
	case Stage:
		return Encode(&v)
	case Decision:
		return Encode(&v)
	case Monitor:
		return Encode(&v)
	case *Run:
		if err := v.complete(); err != nil {
			return "", nil, fmt.Errorf("encoding run of %q: %w", v.Experiment, err)
		}
		return encodeDated(v, place{&v.Header, KindRun, "runs/" + v.Experiment, &v.ID})
	case *Snapshot:
		return encodeDated(v, place{&v.Header, KindSnapshot, "snapshots/" + v.Dataset, &v.ID})
	case *ComparisonRecord:
		return encodeDated(v, place{&v.Header, KindComparison, "comparisons/" + v.Comparison.Model, &v.ID})
	case *Monitor:
		return encodeDated(v, place{&v.Header, KindMonitor, "monitors/" + v.Monitor, &v.ID})
	case *Decision:
		if err := v.check(); err != nil {
			return "", nil, fmt.Errorf("encoding decision: %w", err)
		}
		return encodeDated(v, place{&v.Header, KindDecision, "decisions/" + v.Choice, &v.ID})
	case *Version:
		return encodeNumbered(v, place{&v.Header, KindVersion, "versions/" + v.Model, nil}, v.Number)
	case *Stage:
		return encodeNumbered(v, place{&v.Header, KindStage, "stages/" + v.Model + "/" + v.Stage, nil}, v.Number)
	}
	return "", nil, fmt.Errorf("encoding record: %T is no kind of record", v)
}

// place is where a record goes and what Encode fills in.
type place struct {
	header *Header
	kind   string
	folder string
	id     *string
}

func encodeDated(v any, p place) (string, []byte, error) {
	data, err := p.marshal(v)
	if err != nil {
		return "", nil, err
	}
	id := newID(p.header.Time, data)
	file := path.Join(p.folder, p.header.Time.Format("2006-01"), id+".toml")
	if _, err := ParsePath(file); err != nil {
		return "", nil, fmt.Errorf("encoding %s: %w", p.kind, err)
	}
	*p.id = id
	return file, data, nil
}

func encodeNumbered(v any, p place, number int) (string, []byte, error) {
	data, err := p.marshal(v)
	if err != nil {
		return "", nil, err
	}
	file := path.Join(p.folder, strconv.Itoa(number)+".toml")
	if _, err := ParsePath(file); err != nil {
		return "", nil, fmt.Errorf("encoding %s: %w", p.kind, err)
	}
	return file, data, nil
}

func (p place) marshal(v any) ([]byte, error) {
	h := p.header
	h.Schema, h.Kind, h.Time = Schema, p.kind, h.Time.UTC().Truncate(time.Second)
	if err := h.check(); err != nil {
		return nil, fmt.Errorf("encoding %s: %w", p.kind, err)
	}
	data, err := tomlio.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", p.kind, err)
	}
	return data, nil
}

func (h *Header) check() error {
	switch {
	case h.Schema != Schema:
		return fmt.Errorf("schema %d is not one that this program reads (%d)", h.Schema, Schema)
	case h.Time.IsZero():
		return errors.New("it has no time")
	case h.Actor != ActorCI && h.Actor != ActorHuman:
		return fmt.Errorf("actor %q is neither %q nor %q", h.Actor, ActorCI, ActorHuman)
	}
	return nil
}

func (r *Run) complete() error {
	want, err := r.Inputs.Digest()
	if err != nil {
		return err
	}
	if r.Inputs == nil {
		r.Inputs = Inputs{}
	}
	r.Inputs["digest"] = want
	return r.Result.SetDigest()
}

// Decode reads the record at path: a *Run, *Snapshot, *ComparisonRecord, *Version, *Stage, *Decision or *Monitor. It refuses bytes that the path is not named by,
// contents that belong to another path, and digests that are not those of what they stand beside.
func Decode(path string, data []byte) (any, error) {
	if err := CheckPath(path, data); err != nil {
		return nil, fmt.Errorf("decoding record: %w", err)
	}
	p, err := ParsePath(path)
	if err != nil {
		return nil, fmt.Errorf("decoding record: %w", err)
	}
	v, err := decodeKind(p, data)
	if err != nil && isNewer(data) {
		err = fmt.Errorf("%w: %w", ErrNewer, err)
	}
	if err != nil {
		return nil, fmt.Errorf("decoding %s: %w", path, err)
	}
	return v, nil
}

// ErrNewer says that a record is of a kind or a schema that this program does not know yet: no fault of the record.
var ErrNewer = errors.New("a newer version of plumb wrote it")

// isNewer reads no more of a record than every schema has.
func isNewer(data []byte) bool {
	var h struct {
		Schema int `toml:"schema"`
	}
	return tomlio.Unmarshal(data, &h) == nil && h.Schema > Schema
}

func decodeKind(p Path, data []byte) (any, error) {
	switch p.Kind {
	case KindRun:
		v := &Run{ID: p.ID}
		return v, decode(data, v, func() error { return cmpErr(v.checkStored(), p.check(v.Header, v.Experiment)) })
	case KindSnapshot:
		v := &Snapshot{ID: p.ID}
		return v, decode(data, v, func() error { return p.check(v.Header, v.Dataset) })
	case KindComparison:
		v := &ComparisonRecord{ID: p.ID}
		return v, decode(data, v, func() error { return p.check(v.Header, v.Comparison.Model) })
	case KindVersion:
		v := &Version{}
		return v, decode(data, v, func() error { return cmpErr(p.checkNumber(v.Number), p.check(v.Header, v.Model)) })
	case KindStage:
		v := &Stage{}
		return v, decode(data, v, func() error { return cmpErr(p.checkNumber(v.Number), p.check(v.Header, v.Model, v.Stage)) })
	case KindMonitor:
		v := &Monitor{ID: p.ID}
		return v, decode(data, v, func() error { v.nameTriggers(); return p.check(v.Header, v.Monitor) })
	case KindDecision:
		v := &Decision{ID: p.ID}
		return v, decode(data, v, func() error { return cmpErr(v.check(), p.check(v.Header, v.Choice)) })
	}
	return nil, fmt.Errorf("%w: records of kind %q", ErrNewer, p.Kind)
}

func decode(data []byte, into any, check func() error) error {
	if err := tomlio.Unmarshal(data, into); err != nil {
		return err
	}
	return check()
}

func cmpErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// check holds a record's contents against its path.
func (p Path) check(h Header, names ...string) error {
	if err := h.check(); err != nil {
		return err
	}
	switch {
	case h.Kind != p.Kind:
		return fmt.Errorf("kind is %q, the folder is that of %q", h.Kind, p.Kind)
	case !slices.Equal(names, p.Names):
		return fmt.Errorf("it is of %q, the folder is that of %q", names, p.Names)
	case p.ID != "" && p.ID[:len(idTime)] != h.Time.UTC().Format(idTime):
		return fmt.Errorf("its time is %s, the name says otherwise", h.Time.UTC().Format(time.RFC3339))
	}
	return nil
}

func (p Path) checkNumber(n int) error {
	if n != p.Number {
		return fmt.Errorf("its number is %d, the name says %d", n, p.Number)
	}
	return nil
}

// checkStored holds the stored digests of a run against what they are of.
func (r *Run) checkStored() error {
	inputs, err := r.Inputs.Digest()
	if err != nil {
		return err
	}
	if stored, _ := r.Inputs["digest"].(string); stored != inputs {
		return fmt.Errorf("inputs.digest is %q, the inputs give %s", stored, inputs)
	}
	result, err := r.Result.digest()
	if err != nil {
		return err
	}
	if r.Result.Digest != result {
		return fmt.Errorf("result.digest is %q, the result gives %s", r.Result.Digest, result)
	}
	return nil
}
