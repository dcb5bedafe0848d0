package record

import (
	"fmt"
	"slices"
)

// The kinds of decision that this program writes; they are folders below decisions/.
const (
	Expired   = "expired"   // blobs whose retention has ended
	Forgotten = "forgotten" // a blob that a person had erased

	ReproducedRun = "reproduced" // a run was made again

	Disowned = "disowned" // a record counts for nothing
)

// Decision is a choice and its reason.
type Decision struct {
	Header
	ID     string   `toml:"-"`
	Choice string   `toml:"choice"`          // expired | forgotten | reproduced | disowned
	Reason string   `toml:"reason"`          // the rule, or what a person said
	Blobs  []string `toml:"blobs,omitempty"` // SHA-256 of what is no longer there, sorted
	Bytes  int64    `toml:"bytes,omitzero"`  // of these blobs together

	Run          string        `toml:"run,omitempty"` // path of the record of the run that was made again
	Reproduction *Reproduction `toml:"reproduction,omitempty"`

	Record string `toml:"record,omitempty"` // path of the record that is disowned
	SHA256 string `toml:"sha256,omitempty"` // of its bytes, hex; of other bytes at this path nothing is said
}

func (d *Decision) check() error {
	if d.Reason == "" {
		return fmt.Errorf("it gives no reason")
	}
	for _, sum := range d.Blobs {
		if !sumPattern.MatchString(sum) {
			return fmt.Errorf("%q is not the SHA-256 of a blob", sum)
		}
	}
	if !slices.IsSorted(d.Blobs) {
		return fmt.Errorf("its blobs are not sorted")
	}
	if d.Choice != Disowned {
		return nil
	}
	if !sumPattern.MatchString(d.SHA256) {
		return fmt.Errorf("%q is not the SHA-256 of a record", d.SHA256)
	}
	if _, err := ParsePath(d.Record); err != nil {
		return fmt.Errorf("it disowns no record: %w", err)
	}
	return nil
}
