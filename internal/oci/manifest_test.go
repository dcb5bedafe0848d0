package oci

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// What others may have tagged with a blob's name is no blob.
func TestParseManifest(t *testing.T) {
	sum, other := strings.Repeat("a", 64), strings.Repeat("b", 64)
	layers := func(n int, hex string, size int64) (out []v1.Descriptor) {
		for range n {
			out = append(out, Blob{SHA256: hex, Bytes: size}.descriptor())
		}
		return out
	}
	now := time.Date(2001, 6, 30, 12, 0, 0, 0, time.UTC)
	written := func(of string, l []v1.Descriptor) string {
		m, err := manifestOf(Blob{SHA256: of}, l, now)
		if err != nil {
			t.Fatal(err)
		}
		return string(m)
	}
	for name, c := range map[string]struct {
		text  string
		bytes int64 // -1: none
	}{
		"one layer":            {written(sum, layers(1, sum, 5)), 5},
		"several":              {written(sum, layers(maxLayers, other, 8<<20)), maxLayers << 23},
		"one of another":       {written(other, layers(1, other, 5)), -1},
		"one that says so":     {written(sum, layers(1, other, 5)), -1},
		"several of another":   {written(other, layers(2, sum, 5)), -1},
		"an image":             {fmt.Sprintf(`{"schemaVersion":2,"layers":[{"digest":"sha256:%s","size":1},{"digest":"sha256:%s","size":1}]}`, sum, other), -1},
		"none":                 {written(sum, nil), -1},
		"too many":             {written(sum, layers(maxLayers+1, sum, 1)), -1},
		"less than nothing":    {written(sum, layers(1, sum, -1)), -1},
		"more than there is":   {written(sum, layers(2, sum, 1<<62)), -1},
		"no digest":            {`{"layers":[{"digest":"x","size":1}]}`, -1},
		"nothing":              {"", -1},
		"longer than is right": {written(sum, layers(1, sum, 5)) + strings.Repeat(" ", maxManifest), -1},
	} {
		m, info, err := parseManifest([]byte(c.text), sum)
		switch {
		case c.bytes < 0 && !errors.Is(err, fs.ErrNotExist):
			t.Errorf("%s: %d layers, %+v, %v", name, len(m.Layers), info, err)
		case c.bytes >= 0 && (err != nil || info.Bytes != c.bytes || !info.Modified.Equal(now) || info.SHA256 != sum):
			t.Errorf("%s: %d bytes of text: %+v, %v", name, len(c.text), info, err)
		}
	}
}
