package index

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/table"
)

// Meta says what a file is of.
type Meta struct {
	Ref      string    // of which Tip was the tip, so that older files of the same are found
	Tip      string    // commit
	Problems []Problem // records that could not be taken in: the first of them
	More     int       // and how many more there are
}

// Problem is a record that could not be taken in.
type Problem struct {
	Path    string
	Message string
}

// place is where a column's bytes are.
type place struct {
	Offset int64
	Bytes  int64
	Sum    uint32 // CRC-32C
}

// footer is the end of a file.
type footer struct {
	Version  int
	Meta     Meta
	Segments []segmentFooter
}

type segmentFooter struct {
	Rows    int
	Columns []columnFooter
}

type columnFooter struct {
	Name string
	Type table.Type
	place
}

const (
	magic       = "plumbidx"
	tailBytes   = 8 + 4 + 8 // of the footer: length, checksum, magic
	maxFooter   = 64 << 20
	maxSegments = 8
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrUnusable says that a file is damaged or another program's: build it anew.
var ErrUnusable = errors.New("the index can't be used")

// File is an open index.
type File struct {
	Meta
	Segments []*Segment
	in       *os.File
	end      int64 // of the columns
}

// Open reads a file's footer. Columns are read when they are asked for.
func Open(path string) (*File, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	f := &File{in: in}
	if err := f.open(); err != nil {
		_ = in.Close()
		return nil, fmt.Errorf("opening %s: %w: %w", path, ErrUnusable, err)
	}
	return f, nil
}

func (f *File) open() error {
	info, err := f.in.Stat()
	if err != nil {
		return err
	}
	size := info.Size()
	tail := make([]byte, tailBytes)
	if size < tailBytes || !info.Mode().IsRegular() {
		return errors.New("it is too short")
	}
	if _, err := f.in.ReadAt(tail, size-tailBytes); err != nil {
		return err
	}
	length := int64(binary.LittleEndian.Uint64(tail))
	if string(tail[12:]) != magic || length < 0 || length > min(maxFooter, size-tailBytes) {
		return errors.New("it has no footer")
	}
	text := make([]byte, length)
	if _, err := f.in.ReadAt(text, size-tailBytes-length); err != nil {
		return err
	}
	if crc32.Checksum(text, castagnoli) != binary.LittleEndian.Uint32(tail[8:]) {
		return errors.New("its footer is damaged")
	}
	var foot footer
	if err := json.Unmarshal(text, &foot); err != nil {
		return err
	}
	if foot.Version != Version {
		return fmt.Errorf("it is of version %d", foot.Version)
	}
	f.Meta, f.end = foot.Meta, size-tailBytes-length
	for _, s := range foot.Segments {
		if err := f.add(s); err != nil {
			return err
		}
	}
	return nil
}

func (f *File) add(s segmentFooter) error {
	if s.Rows < 0 || s.Rows > math.MaxInt32 {
		return errors.New("a segment has no such number of rows")
	}
	segment := &Segment{n: s.Rows, file: f, places: map[key]place{}}
	for _, c := range s.Columns {
		if c.Offset < 0 || c.Bytes < 0 || c.Offset > f.end || c.Bytes > f.end-c.Offset {
			return errors.New("a column lies outside")
		}
		segment.places[key{c.Name, c.Type}] = c.place
	}
	f.Segments = append(f.Segments, segment)
	return nil
}

// Close lets go of the file. Columns that were not read yet can't be read any more.
func (f *File) Close() error { return f.in.Close() }

func (f *File) column(k key, at place, n int) (*Column, error) {
	data := make([]byte, at.Bytes)
	if _, err := f.in.ReadAt(data, at.Offset); err != nil {
		return nil, fmt.Errorf("reading column %s: %w: %w", k, ErrUnusable, err)
	}
	if crc32.Checksum(data, castagnoli) != at.Sum {
		return nil, fmt.Errorf("reading column %s: %w: it is damaged", k, ErrUnusable)
	}
	c, err := decodeColumn(data, k.typ, n)
	if err != nil {
		return nil, fmt.Errorf("reading column %s: %w: %w", k, ErrUnusable, err)
	}
	return c, nil
}

// Write makes a file of segments: those of an older file are copied as they are, unless they would become too many.
func Write(path string, meta Meta, segments []*Segment) error {
	if len(segments) > maxSegments {
		one, err := Join(segments...)
		if err != nil {
			return err
		}
		segments = []*Segment{one}
	}
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	w := &writer{out: bufio.NewWriterSize(out, 1<<20)}
	foot := footer{Version: Version, Meta: meta}
	for _, s := range segments {
		foot.Segments = append(foot.Segments, w.segment(s))
	}
	w.footer(foot)
	return errors.Join(w.err, w.out.Flush(), out.Close())
}

type writer struct {
	out *bufio.Writer
	at  int64
	err error
}

func (w *writer) bytes(data []byte) {
	if w.err == nil {
		_, w.err = w.out.Write(data)
		w.at += int64(len(data))
	}
}

func (w *writer) segment(s *Segment) segmentFooter {
	foot := segmentFooter{Rows: s.n}
	keys := s.keys()
	slices.SortFunc(keys, func(a, b key) int { return strings.Compare(a.String(), b.String()) })
	for _, k := range keys {
		c := columnFooter{Name: k.name, Type: k.typ, place: place{Offset: w.at}}
		if s.file != nil {
			old := s.places[k]
			if w.err == nil {
				_, w.err = io.Copy(w.out, io.NewSectionReader(s.file.in, old.Offset, old.Bytes))
				w.at += old.Bytes
			}
			c.Bytes, c.Sum = old.Bytes, old.Sum
		} else {
			data := s.columns[k].encode()
			c.Bytes, c.Sum = int64(len(data)), crc32.Checksum(data, castagnoli)
			w.bytes(data)
		}
		foot.Columns = append(foot.Columns, c)
	}
	return foot
}

func (w *writer) footer(foot footer) {
	text, err := json.Marshal(foot)
	if err != nil {
		w.err = errors.Join(w.err, err)
		return
	}
	w.bytes(text)
	tail := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
	tail = binary.LittleEndian.AppendUint32(tail, crc32.Checksum(text, castagnoli))
	w.bytes(append(tail, magic...))
}
