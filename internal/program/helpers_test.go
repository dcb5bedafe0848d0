package program

import (
	"archive/tar"
	"bytes"
)

// tarOf is a tar of one entry.
func tarOf(kind byte, name, link string) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	_ = w.WriteHeader(&tar.Header{Typeflag: kind, Name: name, Linkname: link, Mode: 0o644}) // the buffer does not fail
	_ = w.Close()
	return b.Bytes()
}
