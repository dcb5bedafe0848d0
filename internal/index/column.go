package index

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"time"
	"unsafe"

	"github.com/plumb-ml/plumb/internal/table"
)

// Column is the values of one name and one type.
type Column struct {
	Type   table.Type
	floats []float64 // float64; NaN where there is none
	ints   []int64   // int64; bool: 0 or 1; timestamp: microseconds
	absent []bool    // of ints
	codes  []uint32  // string, JSON: 0 where there is none, else 1 + the place in words
	words  []string
	n      int
}

func newColumn(typ table.Type, n int) *Column {
	c := &Column{Type: typ}
	c.grow(n)
	return c
}

// grow adds rows without a value.
func (c *Column) grow(n int) {
	for ; c.n < n; c.n++ {
		switch c.Type {
		case table.Float64:
			c.floats = append(c.floats, math.NaN())
		case table.String, JSON:
			c.codes = append(c.codes, 0)
		default:
			c.ints, c.absent = append(c.ints, 0), append(c.absent, true)
		}
	}
}

// At gives a row's value: nil, int64, float64, bool, string, time.Time or json.RawMessage.
func (c *Column) At(i int) any {
	switch c.Type {
	case table.Float64:
		if v := c.floats[i]; v == v {
			return v
		}
		return nil
	case table.String:
		if c.codes[i] == 0 {
			return nil
		}
		return c.words[c.codes[i]-1]
	case JSON:
		if c.codes[i] == 0 {
			return nil
		}
		return json.RawMessage(c.words[c.codes[i]-1])
	}
	switch {
	case c.absent[i]:
		return nil
	case c.Type == table.Bool:
		return c.ints[i] == 1
	case c.Type == table.Timestamp:
		return time.UnixMicro(c.ints[i]).UTC()
	}
	return c.ints[i]
}

// Text gives a row's text without an allocation; "" where there is none.
func (c *Column) Text(i int) string {
	if c.codes == nil || c.codes[i] == 0 {
		return ""
	}
	return c.words[c.codes[i]-1]
}

// Micros gives a row's time in microseconds since 1970.
func (c *Column) Micros(i int) int64 {
	if c.ints == nil {
		return 0
	}
	return c.ints[i]
}

// put sets the value of the next row; words says where each text is already.
func (c *Column) put(value any, words map[string]uint32) {
	switch v := value.(type) {
	case float64:
		c.floats = append(c.floats, v)
	case string:
		c.word(v, words)
	case json.RawMessage:
		c.word(string(v), words)
	case int64:
		c.number(v)
	case time.Time:
		c.number(v.UnixMicro())
	case bool:
		n := int64(0)
		if v {
			n = 1
		}
		c.number(n)
	}
	c.n++
}

func (c *Column) number(v int64) { c.ints, c.absent = append(c.ints, v), append(c.absent, false) }

func (c *Column) word(v string, words map[string]uint32) {
	code, ok := words[v]
	if !ok {
		c.words = append(c.words, v)
		code = uint32(len(c.words))
		words[v] = code
	}
	c.codes = append(c.codes, code)
}

// join adds the rows of another column of the type behind these.
func (c *Column) join(o *Column) {
	base := uint32(len(c.words))
	for _, code := range o.codes {
		if code > 0 {
			code += base
		}
		c.codes = append(c.codes, code)
	}
	c.words = append(c.words, o.words...)
	c.floats, c.ints, c.absent = append(c.floats, o.floats...), append(c.ints, o.ints...), append(c.absent, o.absent...)
	c.n += o.n
}

// encode writes the column: numbers as 8 bytes little-endian, which of them are absent as bits before; texts as their count, their lengths and their bytes, then
// a code a row of as many bytes as the count needs.
func (c *Column) encode() []byte {
	var out []byte
	switch c.Type {
	case table.Float64:
		for _, v := range c.floats {
			out = binary.LittleEndian.AppendUint64(out, math.Float64bits(v))
		}
	case table.String, JSON:
		out = binary.LittleEndian.AppendUint32(out, uint32(len(c.words)))
		for _, w := range c.words {
			out = binary.LittleEndian.AppendUint32(out, uint32(len(w)))
		}
		for _, w := range c.words {
			out = append(out, w...)
		}
		for width, i := codeBytes(len(c.words)), 0; i < len(c.codes); i++ {
			for b := range width {
				out = append(out, byte(c.codes[i]>>(8*b)))
			}
		}
	default:
		bits := make([]byte, (c.n+7)/8)
		for i, absent := range c.absent {
			if absent {
				bits[i/8] |= 1 << (i % 8)
			}
		}
		out = append(out, bits...)
		for _, v := range c.ints {
			out = binary.LittleEndian.AppendUint64(out, uint64(v))
		}
	}
	return out
}

// codeBytes is how many bytes a code of so many words takes.
func codeBytes(words int) int {
	switch {
	case words < 1<<8:
		return 1
	case words < 1<<16:
		return 2
	}
	return 4
}

var errColumn = errors.New("a column is not as long as it says")

// decodeColumn reads what encode wrote, of n rows. The bytes have passed their checksum; lengths are held against what is there all the same.
func decodeColumn(data []byte, typ table.Type, n int) (*Column, error) {
	c := &Column{Type: typ, n: n}
	switch typ {
	case table.Float64:
		if len(data) != 8*n {
			return nil, errColumn
		}
		c.floats = make([]float64, n)
		for i := range c.floats {
			c.floats[i] = math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:]))
		}
		return c, nil
	case table.String, JSON:
		return c, c.decodeWords(data)
	case table.Int64, table.Bool, table.Timestamp:
		bits := (n + 7) / 8
		if len(data) != bits+8*n {
			return nil, errColumn
		}
		c.ints, c.absent = make([]int64, n), make([]bool, n)
		for i := range c.ints {
			c.absent[i] = data[i/8]>>(i%8)&1 == 1
			c.ints[i] = int64(binary.LittleEndian.Uint64(data[bits+8*i:]))
		}
		return c, nil
	}
	return nil, errors.New("a column has an unknown type")
}

func (c *Column) decodeWords(data []byte) error {
	if len(data) < 4 {
		return errColumn
	}
	count := int(binary.LittleEndian.Uint32(data))
	width := codeBytes(count)
	if data = data[4:]; count < 0 || count > c.n || len(data) < 4*count+width*c.n {
		return errColumn
	}
	lengths, data := data[:4*count], data[4*count:]
	text := data[:len(data)-width*c.n]
	codes := data[len(text):]
	c.words = make([]string, count)
	for i := range c.words {
		n := int(binary.LittleEndian.Uint32(lengths[4*i:]))
		if n < 0 || n > len(text) {
			return errColumn
		}
		c.words[i] = shared(text[:n])
		text = text[n:]
	}
	if len(text) > 0 {
		return errColumn
	}
	c.codes = make([]uint32, c.n)
	for i := range c.codes {
		for b := range width {
			c.codes[i] |= uint32(codes[width*i+b]) << (8 * b)
		}
		if int(c.codes[i]) > count {
			return errColumn
		}
	}
	return nil
}

// shared is a text that lies in bytes which nobody changes: a column of a hundred thousand ids is not copied.
func shared(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
