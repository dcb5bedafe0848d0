package gitdb

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// loose reads and writes objects that are files of their own: the deflated "<kind> <size>", a null byte, and the content.
type loose struct {
	dir    string
	format format
}

func (l *loose) path(oid string) string { return filepath.Join(l.dir, oid[:2], oid[2:]) }

// open gives an object's header, and its content to a function.
func (l *loose) open(oid string, use func(found kind, size int64, content io.Reader) error) error {
	file, err := os.Open(l.path(oid))
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	if err != nil {
		return err
	}
	defer file.Close()
	unpacked, done, err := inflate(file)
	if err != nil {
		return err
	}
	defer done()
	content := bufio.NewReaderSize(unpacked, 4<<10)
	found, size, err := looseHeader(content)
	if err != nil {
		return fmt.Errorf("damaged: %w", err)
	}
	return use(found, size, content)
}

func looseHeader(content *bufio.Reader) (kind, int64, error) {
	const longest = 32
	head, err := content.Peek(longest) // shorter, with an error, when all of it is
	end := bytes.IndexByte(head, 0)
	if end < 0 {
		return "", 0, errors.Join(errors.New("no header"), err)
	}
	name, digits, _ := strings.Cut(string(head[:end]), " ")
	size, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || size < 0 {
		return "", 0, fmt.Errorf("%q is not the header of an object", head[:end])
	}
	_, err = content.Discard(end + 1)
	return kind(name), size, err
}

func (l *loose) read(oid string, limit int64) (found kind, data []byte, err error) {
	err = l.open(oid, func(is kind, size int64, content io.Reader) error {
		if size > limit {
			return tooLarge{size, limit}
		}
		found = is
		data, err = exactly(content, size)
		return err
	})
	return found, data, err
}

func (l *loose) stat(oid string) (found kind, size int64, err error) {
	err = l.open(oid, func(is kind, bytes int64, _ io.Reader) error {
		found, size = is, bytes
		return nil
	})
	return found, size, err
}

func (l *loose) refresh()     {}
func (l *loose) close() error { return nil }

// write makes an object and gives its id. The file is whole before it has its name.
func (l *loose) write(of kind, data []byte) (string, error) {
	oid := l.format.sum(of, data)
	path := l.path(oid)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return "", err
	}
	var packed bytes.Buffer
	pack, err := zlib.NewWriterLevel(&packed, zlib.BestSpeed)
	if err == nil {
		_, err = fmt.Fprintf(pack, "%s %d\x00", of, len(data))
	}
	if err == nil {
		_, err = pack.Write(data)
	}
	if err = errors.Join(err, pack.Close()); err != nil {
		return "", err
	}
	temp, err := os.CreateTemp(l.dir, "tmp_obj_")
	if err != nil {
		return "", err
	}
	_, err = temp.Write(packed.Bytes())
	err = errors.Join(err, temp.Chmod(0o444), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(temp.Name()))
	}
	return oid, nil
}
