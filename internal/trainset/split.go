package trainset

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/digest"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/table"
)

// Part is the part that a row plays.
type Part int8

// The parts. None is a row that no part may use: its label was known only after its part had ended.
const (
	None Part = iota
	Train
	Valid
	Test
)

func (p Part) String() string { return [...]string{"none", "train", "valid", "test"}[p] }

// minGroupDays is the number of test days below which rows are grouped by the hour instead of the day: an interval needs 20 groups.
const minGroupDays = 20

// splitColumns are the columns that only the split reads.
type splitColumns struct {
	known     []int64 // when the label is known, microseconds; nil without event time
	key, part *table.Vector
}

// split assigns every row its part and records the rule with its absolute cuts.
func (r *Rows) split(s doc.Split, c splitColumns) error {
	r.Part = make([]Part, len(r.RowID))
	r.Split = record.Split{By: s.By, Key: s.Key, Column: s.Column}
	switch s.By {
	case "time":
		return r.splitByTime(s, c.known)
	case "hash":
		test, valid := share(s.Test), share(s.Valid)
		if test <= 0 || valid <= 0 || test+valid >= 1 {
			return problem.Wrongf("for example split = { by = \"hash\", test = 0.2, valid = 0.2 }", "the shares test = %v and valid = %v leave no rows to train on", s.Test, s.Valid)
		}
		r.Split.TestTo, r.Split.ValidTo = test, math.Round((test+valid)*1e12)/1e12 // 0.1 + 0.2 is no more than 0.3
		keys := r.splitKeys(c.key)
		for i := range r.Part {
			r.Part[i] = hashPart(r.Split, keys[i])
		}
	case "column":
		for i := range r.Part {
			r.Part[i] = partNamed(c.part.Text(i))
		}
	default:
		return problem.Wrongf("by = \"time\", \"hash\" or \"column\"", "split by %q is not known", s.By)
	}
	return nil
}

// splitByTime cuts at T − test and T − test − valid, T being the newest event of all rows. A row of the train (valid) part
// whose label is known only at or after the start of the valid (test) part can't be used.
func (r *Rows) splitByTime(s doc.Split, known []int64) error {
	test, err := doc.Duration(fmt.Sprint(s.Test))
	if err != nil {
		return err
	}
	valid, err := doc.Duration(fmt.Sprint(s.Valid))
	if err != nil {
		return err
	}
	if len(r.Event) == 0 {
		return problem.Wrongf("set [time] event in the dataset, or split by hash", "a split by time needs rows with an event time")
	}
	newest := r.Event[0]
	for _, e := range r.Event {
		newest = max(newest, e)
	}
	testFrom := newest - test.Microseconds()
	validFrom := testFrom - valid.Microseconds()
	r.Split.Valid, r.Split.Test = time.UnixMicro(validFrom).UTC(), time.UnixMicro(testFrom).UTC()
	for i, e := range r.Event {
		r.Part[i] = timePart(r.Split, e)
		// The parts are open at their start: the first instant of valid is validFrom + 1 µs.
		if r.Part[i] == Train && known[i] > validFrom || r.Part[i] == Valid && known[i] > testFrom {
			r.Part[i] = None
		}
	}
	return nil
}

func timePart(s record.Split, event int64) Part {
	switch {
	case event > s.Test.UnixMicro():
		return Test
	case event > s.Valid.UnixMicro():
		return Valid
	}
	return Train
}

func hashPart(s record.Split, key string) Part {
	switch b := float64(Bucket("split", key)) / buckets; {
	case b < s.TestTo:
		return Test
	case b < s.ValidTo:
		return Valid
	}
	return Train
}

func partNamed(name string) Part {
	switch name {
	case "train":
		return Train
	case "valid":
		return Valid
	case "test":
		return Test
	}
	return None
}

const buckets = 10000

// Bucket is the sticky assignment: big-endian uint64 of the first 8 bytes of SHA-256(salt 0x00 key), mod 10000.
func Bucket(salt, key string) int {
	sum := sha256.Sum256([]byte(salt + "\x00" + key))
	return int(binary.BigEndian.Uint64(sum[:8]) % buckets)
}

// PartsUnder says which part each row would play under another run's recorded split of the same question: what that run trained on, evaluated
// on these rows. sameData says that both runs have the same rows under the same row ids.
//
// A split by hash or column reads the row alone, so the other run's answer is this one's. The exception is a hash of the ordinal, for want of a
// key: in other data another row has it, and nobody can tell what the other run trained on. That is an error.
func (r *Rows) PartsUnder(s record.Split, sameData bool) ([]Part, error) {
	if s.By == "hash" && s.Key == "" && r.Key == nil && !sameData {
		return nil, errors.New("the split goes by the row's ordinal and the data differ, so which rows it trained on can't be told; [source] key in the dataset would tell")
	}
	if s.By != "time" {
		return slices.Clone(r.Part), nil
	}
	out := make([]Part, len(r.RowID))
	for i := range out {
		out[i] = timePart(s, r.Event[i])
	}
	return out, nil
}

// groupByTime is the default group of a time split: the event's day, or its hour when the test part has fewer than 20 days.
func (r *Rows) groupByTime() {
	if r.Split.By != "time" {
		return
	}
	days := map[int64]bool{}
	for _, i := range r.Of(Test) {
		days[floorDiv(r.Event[i], 24*time.Hour)] = true
	}
	unit, layout := 24*time.Hour, "2006-01-02"
	if len(days) < minGroupDays {
		unit, layout = time.Hour, "2006-01-02T15"
	}
	names := map[int64]string{}
	r.Group = make([]string, len(r.Event))
	for i, e := range r.Event {
		slot := floorDiv(e, unit)
		name, ok := names[slot]
		if !ok {
			name = time.UnixMicro(e).UTC().Format(layout)
			names[slot] = name
		}
		r.Group[i] = name
	}
}

func floorDiv(micros int64, unit time.Duration) int64 {
	u := unit.Microseconds()
	q := micros / u
	if micros%u < 0 {
		q--
	}
	return q
}

// splitKeys gives what is hashed: the split's own column, else the row's key, else its ordinal; as canonical JSON.
func (r *Rows) splitKeys(column *table.Vector) []string {
	switch {
	case column != nil:
		return canonicalKeys([]*table.Vector{column})
	case r.Key != nil:
		return r.Key
	}
	out := make([]string, len(r.RowID))
	for i, id := range r.RowID {
		out[i] = fmt.Sprint(id)
	}
	return out
}

// canonicalKeys writes each row's key as canonical JSON: the value of one column, an array of several. No columns: nil.
func canonicalKeys(columns []*table.Vector) []string {
	if len(columns) == 0 {
		return nil
	}
	out := make([]string, max(len(columns[0].Ints), len(columns[0].Strings), len(columns[0].Floats), len(columns[0].Bools)))
	parts := make([]string, len(columns))
	for i := range out {
		for c, v := range columns {
			parts[c] = canonicalValue(v, i)
		}
		if out[i] = parts[0]; len(parts) > 1 {
			out[i] = "[" + strings.Join(parts, ",") + "]"
		}
	}
	return out
}

// canonicalValue is RFC 8785 JSON: times as RFC 3339 in UTC, a date as its day. An integer beyond ±2^53, which JSON can't hold, keeps all its
// digits, since a key names one row; a NaN is null.
func canonicalValue(v *table.Vector, i int) string {
	var value any
	switch {
	case v.IsNull(i):
	case v.Type == table.Timestamp:
		value = time.UnixMicro(v.Ints[i])
	case v.Type == table.Date:
		value = time.Unix(v.Ints[i]*24*60*60, 0).UTC().Format(time.DateOnly)
	case v.Ints != nil:
		return strconv.FormatInt(v.Ints[i], 10)
	case v.Floats != nil:
		value = v.Floats[i]
	case v.Bools != nil:
		value = v.Bools[i]
	default:
		value = v.Strings[i]
	}
	text, err := digest.Canonical(value)
	if err != nil {
		return "null"
	}
	return string(text)
}

func share(v any) float64 {
	switch x := v.(type) {
	case nil:
		return 0.2
	case float64:
		return x
	case int64:
		return float64(x)
	}
	return -1
}
