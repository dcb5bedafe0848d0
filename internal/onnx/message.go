package onnx

import (
	"encoding/binary"
	"math"
)

// message is an encoded protobuf message: fields one after the other, each a key (number and wire type) and a value.
type message []byte

// The wire types.
const (
	varint = 0
	bytes  = 2
	fixed4 = 5
)

func (m *message) key(field, wire int) { *m = binary.AppendUvarint(*m, uint64(field)<<3|uint64(wire)) }

func (m *message) number(field int, x int64) {
	m.key(field, varint)
	*m = binary.AppendUvarint(*m, uint64(x))
}

func (m *message) message(field int, value message) {
	m.key(field, bytes)
	*m = binary.AppendUvarint(*m, uint64(len(value)))
	*m = append(*m, value...)
}

func (m *message) text(field int, s string) { m.message(field, message(s)) }

// Lists of numbers are packed: every reader must take them so (protobuf's encoding guide), and they are half as long.

func (m *message) numbers(field int, values []int64) {
	var packed message
	for _, x := range values {
		packed = binary.AppendUvarint(packed, uint64(x))
	}
	m.message(field, packed)
}

func (m *message) floats(field int, values []float32) {
	packed := make(message, 0, 4*len(values))
	for _, x := range values {
		packed = binary.LittleEndian.AppendUint32(packed, math.Float32bits(x))
	}
	m.message(field, packed)
}

func (m *message) doubles(field int, values []float64) {
	packed := make(message, 0, 8*len(values))
	for _, x := range values {
		packed = binary.LittleEndian.AppendUint64(packed, math.Float64bits(x))
	}
	m.message(field, packed)
}

// Attribute is a named setting of an operator.
type Attribute struct{ m message }

func attribute(name string, kind int64) (a Attribute) {
	a.m.text(1, name)
	a.m.number(20, kind)
	return a
}

// OneFloat is a number.
func OneFloat(name string, x float32) Attribute {
	a := attribute(name, 1)
	a.m.key(2, fixed4)
	a.m = binary.LittleEndian.AppendUint32(a.m, math.Float32bits(x))
	return a
}

// Int is a whole number.
func Int(name string, x int64) Attribute {
	a := attribute(name, 2)
	a.m.number(3, x)
	return a
}

// Text is a text.
func Text(name, s string) Attribute {
	a := attribute(name, 3)
	a.m.text(4, s)
	return a
}

// Floats is a list of numbers.
func Floats(name string, values []float32) Attribute {
	a := attribute(name, 6)
	a.m.floats(7, values)
	return a
}

// Ints is a list of whole numbers.
func Ints(name string, values []int64) Attribute {
	a := attribute(name, 7)
	a.m.numbers(8, values)
	return a
}

// Texts is a list of texts.
func Texts(name string, values []string) Attribute {
	a := attribute(name, 8)
	for _, s := range values {
		a.m.text(9, s)
	}
	return a
}
