package gitdb

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Whatever a tree, a commit or a tag holds: an error or something that can be written again, no panic.
func FuzzObjects(f *testing.F) {
	f.Add([]byte("100644 a\x00aaaaaaaaaaaaaaaaaaaa40000 b\x00bbbbbbbbbbbbbbbbbbbb"))
	f.Add([]byte("tree 1\nparent 2\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 99999999999999999999 +9999\n\nx"))
	f.Add([]byte("blob 12\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = parseCommit(data)
		_, _ = parseSignature(string(data))
		_, _, _ = parseDelta(data)
		_, _, _, _ = parseEntry(data, 20)
		entries, err := parseTree(data, sha1Format)
		if err != nil {
			return
		}
		again, err := encodeTree(entries)
		if err != nil {
			t.Fatal(err)
		}
		back, err := parseTree(again, sha1Format)
		if err != nil || len(back) != len(entries) {
			t.Fatalf("%v: %d entries, were %d", err, len(back), len(entries))
		}
	})
}

// Whatever a pack holds: reading all of it ends, without a panic, and no object is larger than it may be.
func FuzzPack(f *testing.F) {
	dir := f.TempDir()
	for i := range 3 {
		if err := os.WriteFile(filepath.Join(dir, "a"), bytes.Repeat([]byte{byte('a' + i)}, 300), 0o666); err != nil {
			f.Fatal(err)
		}
		for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"commit", "-q", "-m", "x"}} {
			if out, err := tryGit(dir, args...); err != nil {
				f.Fatal(out)
			}
		}
	}
	if out, err := tryGit(dir, "repack", "-q", "-a", "-d"); err != nil {
		f.Fatal(out)
	}
	found, err := filepath.Glob(filepath.Join(dir, ".git", "objects", "pack", "*.pack"))
	if err != nil || len(found) != 1 {
		f.Fatal(found, err)
	}
	whole, err := os.ReadFile(found[0])
	if err != nil {
		f.Fatal(err)
	}
	index := found[0][:len(found[0])-len("pack")] + "idx"
	f.Add(whole, uint16(0), byte(0))
	f.Add(whole[:len(whole)/2], uint16(40), byte(0xff))
	f.Fuzz(func(t *testing.T, data []byte, at uint16, flip byte) {
		data = slices.Clone(data)
		if len(data) > 0 {
			data[int(at)%len(data)] ^= flip
		}
		_ = inspect(bytes.NewReader(data), Limits{Pack: 1 << 20, File: 1 << 10}, sha1Format)
		path := filepath.Join(t.TempDir(), "pack-x")
		if err := os.WriteFile(path+".pack", data, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(index, path+".idx"); err != nil {
			t.Fatal(err)
		}
		pack := openPack(path)
		if pack.err != nil {
			return
		}
		defer pack.file.Close()
		p := newPacks(filepath.Dir(filepath.Dir(path)))
		entries, err := pack.index.EntriesByOffset()
		if err != nil {
			t.Fatal(err)
		}
		for {
			entry, err := entries.Next()
			if err != nil {
				return
			}
			const limit = 1 << 10
			got, err := p.unpack(place{pack, int64(entry.Offset)}, limit, workFor(limit))
			if err == nil && len(got.data) > limit {
				t.Fatalf("%d bytes, %d allowed", len(got.data), limit)
			}
		}
	})
}
