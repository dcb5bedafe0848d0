package digest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
	"strings"
)

// Column digests the values of one column in row order, as package record lays down for datasets: per value a null byte (0, or 1 and nothing
// more) and the value. Numbers, dates (days) and timestamps (µs) are 8 bytes big-endian; text is its length as uint64 and its bytes.
// The zero value is ready to use. A Column is not for concurrent use.
type Column struct {
	h    hash.Hash
	buf  []byte
	rows int64
}

const columnBuffer = 1 << 15

// canonicalNaN is the one NaN that every NaN is digested as.
const canonicalNaN = 0x7ff8000000000000

// Rows says how many values were added.
func (c *Column) Rows() int64 { return c.rows }

// Null adds a missing value.
func (c *Column) Null() { c.put(1) }

// Int64 adds an integer, a date's days since 1970-01-01 or a timestamp's microseconds since then in UTC.
func (c *Column) Int64(v int64) {
	c.put(0)
	c.buf = binary.BigEndian.AppendUint64(c.buf, uint64(v))
}

// Float64 adds a number; −0 counts as 0 and every NaN as one.
func (c *Column) Float64(v float64) {
	bits := math.Float64bits(v)
	switch {
	case v == 0:
		bits = 0
	case v != v:
		bits = canonicalNaN
	}
	c.put(0)
	c.buf = binary.BigEndian.AppendUint64(c.buf, bits)
}

// Bool adds a truth value, one byte.
func (c *Column) Bool(v bool) {
	c.put(0)
	if v {
		c.buf = append(c.buf, 1)
	} else {
		c.buf = append(c.buf, 0)
	}
}

// String adds text.
func (c *Column) String(v string) {
	c.put(0)
	c.buf = binary.BigEndian.AppendUint64(c.buf, uint64(len(v)))
	if len(v) > columnBuffer {
		c.flush()
		c.hash().Write([]byte(v))
		return
	}
	c.buf = append(c.buf, v...)
}

// Decimal adds a decimal number written like "-123.45": its unscaled text as a string, then its scale as uint64. The number is first brought to
// its shortest form ("1.50" is 15 at scale 1), so that a column's declared scale, which CSV does not have, decides nothing.
func (c *Column) Decimal(v string) error {
	unscaled, scale, err := splitDecimal(v)
	if err != nil {
		return err
	}
	c.String(unscaled)
	c.buf = binary.BigEndian.AppendUint64(c.buf, uint64(scale))
	return nil
}

// Sum gives "sha256:<64 hex>" of all values added so far; more can follow.
func (c *Column) Sum() string {
	c.flush()
	return Prefix + hex.EncodeToString(c.hash().Sum(nil))
}

func (c *Column) put(null byte) {
	if len(c.buf) >= columnBuffer {
		c.flush()
	}
	c.buf = append(c.buf, null)
	c.rows++
}

func (c *Column) hash() hash.Hash {
	if c.h == nil {
		c.h = sha256.New()
	}
	return c.h
}

func (c *Column) flush() {
	c.hash().Write(c.buf)
	c.buf = c.buf[:0]
}

func splitDecimal(v string) (unscaled string, scale int, err error) {
	digits, negative := strings.CutPrefix(v, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	if whole+fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return "", 0, fmt.Errorf("%q is not a decimal number", v)
	}
	fraction = strings.TrimRight(fraction, "0")
	unscaled = strings.TrimLeft(whole+fraction, "0")
	if unscaled == "" {
		return "0", 0, nil
	}
	if negative {
		unscaled = "-" + unscaled
	}
	return unscaled, len(fraction), nil
}
