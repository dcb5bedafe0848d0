package gitdb

import (
	"errors"
	"fmt"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

// entry is what stands before an object in a pack.
type entry struct {
	kind  kind  // "" for a difference
	size  int64 // of what is unpacked: the object, or the difference
	start int64 // where the deflated content begins
	delta bool
	base  int64 // where what it is a difference to is in the pack
}

func (e entry) what() string {
	if e.delta {
		return "difference"
	}
	return string(e.kind)
}

const (
	packedOffsetDelta = 6
	packedRefDelta    = 7
	longestHeader     = 10 + 32 // a size of 64 bits, and the base's id
)

var packedKinds = [8]kind{1: commitObject, 2: treeObject, 3: blobObject, 4: tagObject}

var errPackEntry = errors.New("damaged: this is no entry of a pack")

func (p *pack) entry(offset int64) (entry, error) {
	head := make([]byte, longestHeader)
	n, err := p.file.ReadAt(head, offset)
	if err != nil && err != io.EOF {
		return entry{}, err
	}
	e, base, used, err := parseEntry(head[:n], sha1Format.digits/2)
	if err != nil {
		return entry{}, err
	}
	e.start = offset + int64(used)
	switch {
	case !e.delta:
	case len(base) > 0:
		var there bool
		if e.base, there = p.offset(plumbing.Hash(base)); !there {
			return entry{}, errors.New("damaged: a difference to what is not in the pack")
		}
	default:
		if e.base = offset - e.base; e.base <= 0 || e.base >= offset {
			return entry{}, errPackEntry
		}
	}
	return e, nil
}

// parseEntry takes the bytes before an object apart: its kind and size, and for a difference how far before it its base is, or the base's id.
func parseEntry(head []byte, idBytes int) (e entry, base []byte, used int, err error) {
	if len(head) == 0 {
		return entry{}, nil, 0, errPackEntry
	}
	kindBits := head[0] >> 4 & 7
	size, shift := int64(head[0]&15), 4
	for used = 1; head[used-1]&0x80 != 0; used++ {
		if used == len(head) || shift > 56 {
			return entry{}, nil, 0, errPackEntry
		}
		size |= int64(head[used]&0x7f) << shift
		shift += 7
	}
	e = entry{kind: packedKinds[kindBits], size: size, delta: kindBits >= packedOffsetDelta}
	rest := head[used:]
	switch {
	case kindBits == packedRefDelta && len(rest) >= idBytes:
		return e, rest[:idBytes], used + idBytes, nil
	case kindBits == packedOffsetDelta:
		n := 0
		e.base, n = backwards(rest)
		if n == 0 {
			return entry{}, nil, 0, errPackEntry
		}
		return e, nil, used + n, nil
	case e.kind == "":
		return entry{}, nil, 0, errPackEntry
	}
	return e, nil, used, nil
}

// backwards reads a distance as packs write it, and how many bytes it takes; 0 of them when it is none.
func backwards(text []byte) (distance int64, used int) {
	for i, b := range text[:min(len(text), 9)] {
		distance |= int64(b & 0x7f)
		if b&0x80 == 0 {
			return distance, i + 1
		}
		distance = (distance + 1) << 7
	}
	return 0, 0
}

// deltaSizes reads the beginning of a difference: the size of its base and that of its result.
func (p *pack) deltaSizes(e entry) (base, result int64, err error) {
	unpacked, done, err := inflate(io.NewSectionReader(p.file, e.start, p.size-e.start))
	if err != nil {
		return 0, 0, err
	}
	defer done()
	head := make([]byte, min(e.size, 20))
	if _, err := io.ReadFull(unpacked, head); err != nil {
		return 0, 0, fmt.Errorf("damaged: %w", err)
	}
	return parseDelta(head)
}

func parseDelta(head []byte) (base, result int64, err error) {
	base, used := varint(head)
	result, more := varint(head[used:])
	if used == 0 || more == 0 {
		return 0, 0, errors.New("damaged: a difference without sizes")
	}
	return base, result, nil
}

// varint reads a size as differences write it, and how many bytes it takes; 0 of them when it is none.
func varint(text []byte) (size int64, used int) {
	for i, b := range text[:min(len(text), 9)] {
		size |= int64(b&0x7f) << (7 * i)
		if b&0x80 == 0 {
			return size, i + 1
		}
	}
	return 0, 0
}

// patch applies a difference, whose result was held against a limit before.
func patch(base, delta []byte) (result []byte, err error) {
	size, _, err := parseDelta(delta[:min(len(delta), 20)])
	if err != nil {
		return nil, err
	}
	if size != int64(len(base)) {
		return nil, errors.New("damaged: a difference to something else")
	}
	err = sound(func() error {
		result, err = packfile.PatchDelta(base, delta)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("damaged: %w", err)
	}
	return result, nil
}
