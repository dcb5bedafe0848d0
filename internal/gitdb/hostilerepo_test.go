package gitdb

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/adler32"
	"hash/crc32"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"testing"
)

// hostileRepo is a bare repository whose files are written by hand.
type hostileRepo struct {
	t    *testing.T
	dir  string
	read string // the ref to read

	fetch string // the ref to fetch
	slow  bool   // may take its time
}

func newHostile(t *testing.T) *hostileRepo {
	dir := filepath.Join(t.TempDir(), "inside", "hostile.git")
	gitRun(t, ".", "init", "-q", "--bare", "-b", "ledger", dir)
	return &hostileRepo{t, dir, "refs/heads/ledger", "refs/heads/ledger", false}
}

// around lists what is in the folders that hold the repository.
func (h *hostileRepo) around() (names []string) {
	_ = filepath.WalkDir(filepath.Dir(filepath.Dir(h.dir)), func(path string, entry fs.DirEntry, err error) error {
		if path == h.dir {
			return filepath.SkipDir
		}
		names = append(names, path)
		return err
	})
	return names
}

func (h *hostileRepo) blob(text string) string { return h.put("blob", []byte(text)) }

func (h *hostileRepo) put(kind string, data []byte) string {
	return h.loose(deflate(h.t, append(fmt.Appendf(nil, "%s %d\x00", kind, len(data)), data...)))
}

// loose stores a deflated object under the hash of its bytes, or of what is unpacked when that is short.
func (h *hostileRepo) loose(deflated []byte) string {
	name := sha1.Sum(deflated)
	if reader, err := zlib.NewReader(bytes.NewReader(deflated)); err == nil {
		if data, err := readAtMost(reader, 32<<20); err == nil {
			name = sha1.Sum(data)
		}
	}
	oid := hex.EncodeToString(name[:])
	h.file(oid, deflated)
	return oid
}

func (h *hostileRepo) as(oid, kind string, data []byte) {
	h.file(oid, deflate(h.t, append(fmt.Appendf(nil, "%s %d\x00", kind, len(data)), data...)))
}

func (h *hostileRepo) file(oid string, deflated []byte) {
	write(h.t, h.dir, "objects/"+oid[:2]+"/"+oid[2:], string(deflated))
}

// tree takes "<mode> <name>" and object ids in turn.
func (h *hostileRepo) tree(modeAndID ...string) string {
	var data []byte
	for i := 0; i < len(modeAndID); i += 2 {
		data = append(append(append(data, modeAndID[i]...), 0), unhex(h.t, modeAndID[i+1])...)
	}
	return h.put("tree", data)
}

func (h *hostileRepo) branch(tree string) string {
	commit := h.put("commit", []byte("tree "+tree+"\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n"))
	h.ref(commit)
	return commit
}

func (h *hostileRepo) ref(commit string) { write(h.t, h.dir, "refs/heads/ledger", commit+"\n") }

func (h *hostileRepo) glob(pattern string) string {
	found, err := filepath.Glob(filepath.Join(h.dir, "objects", "pack", pattern))
	if err != nil || len(found) != 1 {
		h.t.Fatal(found, err)
	}
	return found[0]
}

// packed makes a pack of entries, and a branch with the last one as a file; the branch to fetch has them all, as git would else not send the bases. What the objects are named is made up: nobody can know it before they are unpacked.
func (h *hostileRepo) packed(entries ...[]byte) {
	var at []packedAt
	var body []byte
	for i, entry := range entries {
		at = append(at, packedAt{packedID(i), uint32(12 + len(body))})
		body = append(body, entry...)
	}
	h.pack(at, body)
	var all []string
	for i := range entries {
		all = append(all, fmt.Sprintf("100644 %06d.toml", i), packedID(i))
	}
	h.branch(h.tree(all...))
	write(h.t, h.dir, "refs/heads/all", must[string](h.t)(open(h.t, h.dir).Ref("refs/heads/ledger"))+"\n")
	h.fetch = "refs/heads/all"
	h.branch(h.tree("100644 a.toml", packedID(len(entries)-1)))
}

type packedAt struct {
	oid    string
	offset uint32
}

func packedID(i int) string { return fmt.Sprintf("%08x%032d", 0xab000000+i, 7) }

// pack writes a pack and its index, of version 2.
func (h *hostileRepo) pack(objects []packedAt, body []byte) {
	pack := binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), uint32(len(objects)))
	pack = append(pack, body...)
	sum := sha1.Sum(pack)
	pack = append(pack, sum[:]...)
	var crcs []uint32
	for i, o := range objects {
		end := uint32(len(pack) - 20)
		if i+1 < len(objects) {
			end = objects[i+1].offset
		}
		crc := uint32(0)
		if o.offset < end {
			crc = crc32.ChecksumIEEE(pack[o.offset:end])
		}
		crcs = append(crcs, crc)
	}
	name := "objects/pack/pack-" + hex.EncodeToString(sum[:])
	write(h.t, h.dir, name+".pack", string(pack))
	write(h.t, h.dir, name+".idx", string(h.index(objects, crcs, sum[:])))
}

// index is that of a pack with a checksum, of objects in the order of their ids.
func (h *hostileRepo) index(objects []packedAt, crcs []uint32, checksum []byte) []byte {
	index := []byte("\xfftOc\x00\x00\x00\x02")
	for first := range 256 {
		n := 0
		for _, o := range objects {
			if int(unhex(h.t, o.oid)[0]) <= first {
				n++
			}
		}
		index = binary.BigEndian.AppendUint32(index, uint32(n))
	}
	var sums, offsets []byte
	for i, o := range objects {
		index = append(index, unhex(h.t, o.oid)...)
		sums, offsets = binary.BigEndian.AppendUint32(sums, crcs[i]), binary.BigEndian.AppendUint32(offsets, o.offset)
	}
	index = slices.Concat(index, sums, offsets, checksum)
	end := sha1.Sum(index)
	return append(index, end[:]...)
}

// entryOf is an entry of a pack: its kind (3 blob, 6 and 7 difference) and stated size, what it refers to, and the deflated content.
func entryOf(t *testing.T, kind, size int, reference, deflated []byte) []byte {
	t.Helper()
	head := []byte{byte(kind<<4 | size&15)}
	for size >>= 4; size > 0; size >>= 7 {
		head[len(head)-1] |= 0x80
		head = append(head, byte(size&0x7f))
	}
	return slices.Concat(head, reference, deflated)
}

// offsetBack is how far back the base of a difference begins.
func offsetBack(distance int) []byte {
	out := []byte{byte(distance & 0x7f)}
	for distance >>= 7; distance > 0; distance >>= 7 {
		distance--
		out = append([]byte{0x80 | byte(distance&0x7f)}, out...)
	}
	return out
}

// difference copies the first bytes of its base again and again until there are enough.
func difference(base, result, step int) []byte {
	size := func(n int) (out []byte) {
		for ; n > 0x7f; n >>= 7 {
			out = append(out, byte(n)|0x80)
		}
		return append(out, byte(n))
	}
	out := append(size(base), size(result)...)
	for result > 0 {
		n := min(step, result, 1<<16)
		result -= n
		if n == 1<<16 {
			out = append(out, 0x80) // a copy of 64 KiB from the start
		} else {
			out = append(out, 0xb0, byte(n), byte(n>>8))
		}
	}
	return out
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func deflate(t *testing.T, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	_, err := w.Write(data)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// deflateZeros deflates a text and so many zeros, which are some MiB: one MiB of them again and again, as deflating them takes long under the race detector.
func deflateZeros(t *testing.T, head string, size int) []byte {
	t.Helper()
	block := func(data []byte) []byte {
		var out bytes.Buffer
		w, err := flate.NewWriter(&out, flate.BestSpeed)
		if err == nil {
			_, err = w.Write(data)
		}
		if err = errors.Join(err, w.Flush()); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	sum := adler32.Checksum([]byte(head))
	low, high := uint64(sum&0xffff), uint64(sum>>16)
	high = (high + uint64(size)%65521*low) % 65521
	zeros := bytes.Repeat(block(make([]byte, 1<<20)), size>>20)
	return slices.Concat([]byte{0x78, 0x01}, block([]byte(head)), zeros, []byte{0x03, 0x00}, binary.BigEndian.AppendUint32(nil, uint32(high<<16|low)))
}

// serveOpenly serves a repository to everybody.
func serveOpenly(t *testing.T, bare string) string {
	t.Helper()
	server := serve(t, bare, "")
	return server.URL + "/" + filepath.Base(bare)
}

func readAtMost(from io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(from, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = errors.New("more")
	}
	return data, err
}
