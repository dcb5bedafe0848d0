package gitdb

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"sync"
)

// inflaters are kept: one costs 40 kB.
var inflaters sync.Pool

// inflate gives what a deflated stream unpacks to. Call done when enough was read.
func inflate(from io.Reader) (unpacked io.Reader, done func(), err error) {
	reader, ok := inflaters.Get().(io.ReadCloser)
	if ok {
		err = reader.(zlib.Resetter).Reset(from, nil)
	} else {
		reader, err = zlib.NewReader(from)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("damaged: %w", err)
	}
	return reader, func() { inflaters.Put(reader) }, nil
}

// exactly reads what should be size bytes, and not one more than shows that it is not. Memory grows with what comes, not with what is said.
func exactly(from io.Reader, size int64) ([]byte, error) {
	var buffer bytes.Buffer
	buffer.Grow(int(min(size, 1<<20)) + bytes.MinRead)
	n, err := buffer.ReadFrom(io.LimitReader(from, size+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("damaged: %w", err)
	case n != size:
		return nil, fmt.Errorf("damaged: it says that it has %d bytes, and has others", size)
	}
	return buffer.Bytes(), nil
}
