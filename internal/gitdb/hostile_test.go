package gitdb

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hostile are repositories that somebody made to hurt who reads them. Each builds itself in a bare repository, with a branch "ledger".
var hostile = []struct {
	name  string
	build func(t *testing.T, h *hostileRepo)
	want  string // of the error
	over  string // of the error when it is fetched; "" when it is to be wanted as well, "-" when git would not send it
}{
	{"a link that leads out", func(t *testing.T, h *hostileRepo) {
		h.branch(h.tree("120000 runs", h.blob("../../outside")))
	}, "not what plumb reads", ""},
	{"a link and a folder behind it", func(t *testing.T, h *hostileRepo) {
		h.branch(h.tree("120000 s", h.blob(".git"), "40000 s", h.tree("100644 config", h.blob("[core]\n\tpager = touch owned\n"))))
	}, "not what plumb reads", "duplicateEntries"},
	{"a submodule", func(t *testing.T, h *hostileRepo) { h.branch(h.tree("160000 runs", strings.Repeat("1", 40))) }, "not what plumb reads", ""},
	{"odd modes", func(t *testing.T, h *hostileRepo) { h.branch(h.tree("177777 a", h.blob("x"))) }, "not what plumb reads", ""},
	{"a mode of no length", func(t *testing.T, h *hostileRepo) { h.branch(h.tree(" a", h.blob("x"))) }, "no tree", "repository corruption"},
	{"a folder that is a file", func(t *testing.T, h *hostileRepo) { h.branch(h.tree("40000 runs", h.blob("x"))) }, "is a blob", "repository corruption|not a tree"},
	{"a file that is a folder", func(t *testing.T, h *hostileRepo) {
		h.branch(h.tree("100644 a.toml", h.tree("100644 b", h.blob("x"))))
	}, "is a tree", "not a tree"},
	{"half a tree", func(t *testing.T, h *hostileRepo) { h.branch(h.put("tree", []byte("40000 runs\x00short"))) }, "no tree", "repository corruption"},
	{"a folder that holds itself", func(t *testing.T, h *hostileRepo) {
		oid := strings.Repeat("ab", 20)
		entry := append([]byte("40000 a\x00"), unhex(t, oid)...)
		h.as(oid, "tree", append(entry, append([]byte("40000 b\x00"), unhex(t, oid)...)...))
		h.branch(h.tree("40000 runs", oid))
	}, "folders deep", "-"},
	{"a billion files in ten trees", func(t *testing.T, h *hostileRepo) {
		at := h.tree("100644 a", h.blob("x"))
		for range 9 {
			var entries []string
			for i := range 10 {
				entries = append(entries, fmt.Sprint("40000 ", i), at)
			}
			at = h.tree(entries...)
		}
		h.branch(at)
	}, "more than", ""},
	{"a thousand folders deep", func(t *testing.T, h *hostileRepo) {
		at := h.tree("100644 a", h.blob("x"))
		for range 1000 {
			at = h.tree("40000 a", at)
		}
		h.branch(at)
	}, "folders deep", ""},
	{"a blob that says it has 1 GB", func(t *testing.T, h *hostileRepo) {
		h.branch(h.tree("100644 a.toml", h.loose(deflate(t, []byte("blob 1073741824\x00little")))))
	}, "1073741824 bytes, 1048576 allowed", "-"},
	{"a blob that has 1 GB", func(t *testing.T, h *hostileRepo) {
		h.branch(h.tree("100644 a.toml", h.loose(deflateZeros(t, "blob 1073741824\x00", much))))
	}, "1073741824 bytes, 1048576 allowed", "-"},
	{"a blob that says it has little and has 1 GB", func(t *testing.T, h *hostileRepo) {
		h.branch(h.tree("100644 a.toml", h.loose(deflateZeros(t, "blob 10\x00", much))))
	}, "it says that it has 10 bytes", "-"},
	{"a tree of 1 GB", func(t *testing.T, h *hostileRepo) { h.branch(h.loose(deflateZeros(t, "tree 1073741824\x00", much))) }, "bytes, 16777216 allowed", "-"},
	{"a commit of 1 GB", func(t *testing.T, h *hostileRepo) {
		h.ref(h.loose(deflateZeros(t, "commit 1073741824\x00", much)))
	}, "bytes, 16777216 allowed", "-"},
	{"a packed blob of 1 GB", func(t *testing.T, h *hostileRepo) {
		h.packed(entryOf(t, 3, 1<<30, nil, deflateZeros(t, "", much)))
	}, "1073741824 bytes, 1048576 allowed", "blob of 1073741824 bytes, 1048576 allowed|out of memory|takes more"},
	{"a packed blob that says it has little", func(t *testing.T, h *hostileRepo) {
		h.packed(entryOf(t, 3, 10, nil, deflateZeros(t, "", much)))
	}, "it says that it has 10 bytes", "fatal|inflate|bad"},
	{"a difference to 1 GB", func(t *testing.T, h *hostileRepo) {
		big := entryOf(t, 3, 1<<30, nil, deflateZeros(t, "", much))
		delta := difference(1<<30, 10, 10)
		h.packed(big, entryOf(t, 6, len(delta), offsetBack(len(big)), deflate(t, delta)))
	}, "1073741824 bytes, 16777216 allowed", "1073741824 bytes, 1048576 allowed|out of memory|takes more"},
	{"a difference that makes 1 GB", func(t *testing.T, h *hostileRepo) {
		base := entryOf(t, 3, 1<<16, nil, deflate(t, make([]byte, 1<<16)))
		delta := difference(1<<16, 1<<30, 1<<16)
		h.packed(base, entryOf(t, 6, len(delta), offsetBack(len(base)), deflate(t, delta)))
	}, "1073741824 bytes, 1048576 allowed", "1073741824 bytes, 16777216 allowed|out of memory|takes more"},
	{"a thousand differences of 16 MB", func(t *testing.T, h *hostileRepo) {
		entries := [][]byte{entryOf(t, 3, 1<<24, nil, deflateZeros(t, "", 1<<24))}
		delta := difference(1<<24, 1<<24, 1<<16)
		for range 1000 {
			entries = append(entries, entryOf(t, 6, len(delta), offsetBack(len(entries[len(entries)-1])), deflate(t, delta)))
		}
		last := difference(1<<24, 1000, 1000)
		entries = append(entries, entryOf(t, 6, len(last), offsetBack(len(entries[len(entries)-1])), deflate(t, last)))
		h.packed(entries...)
	}, "too many others", "16777216 bytes, 1048576 allowed|out of memory|takes more"},
	{"a difference to itself", func(t *testing.T, h *hostileRepo) {
		delta := difference(10, 10, 10)
		h.packed(entryOf(t, 7, len(delta), unhex(t, packedID(0)), deflate(t, delta)))
	}, "too many others", "-"},
	{"half a pack", func(t *testing.T, h *hostileRepo) {
		h.packed(entryOf(t, 3, 1000, nil, deflate(t, []byte(strings.Repeat("abcdefghij", 100)))))
		path := h.glob("*.pack")
		if err := os.Truncate(path, 40); err != nil {
			t.Fatal(err)
		}
	}, "damaged", "-"},
	{"a pack of nothing", func(t *testing.T, h *hostileRepo) {
		h.packed(entryOf(t, 3, 1000, nil, deflate(t, make([]byte, 1000))))
		if err := os.Truncate(h.glob("*.pack"), 0); err != nil {
			t.Fatal(err)
		}
	}, "damaged", "-"},
	{"half an index", func(t *testing.T, h *hostileRepo) {
		h.packed(entryOf(t, 3, 1000, nil, deflate(t, make([]byte, 1000))))
		if err := os.Truncate(h.glob("*.idx"), 1040); err != nil {
			t.Fatal(err)
		}
	}, "damaged pack", "-"},
	{"an index that leads out of its pack", func(t *testing.T, h *hostileRepo) {
		h.pack([]packedAt{{packedID(0), 1 << 30}}, []byte("nothing"))
		h.branch(h.tree("100644 a.toml", packedID(0)))
	}, "damaged", "-"},
	{"a branch beyond the folder of refs", func(t *testing.T, h *hostileRepo) {
		write(t, h.dir, "HEAD", "ref: refs/heads/../../../secret\n")
		write(t, h.dir, "../secret", h.branch(h.tree("100644 a.toml", h.blob("x"))))
		h.read = "HEAD"
	}, "not the name of a ref", "-"},
	{"packed refs beyond the folder of refs", func(t *testing.T, h *hostileRepo) {
		commit := h.branch(h.tree("100644 a.toml", h.blob("x")))
		write(t, h.dir, "packed-refs", commit+" refs/heads/../../config\n"+commit+" refs/heads/.git/x\n"+commit+" ../x\n")
		h.read = "refs/heads/../../config"
	}, "not the name of a ref", "-"},
	{"a ref without an end", func(t *testing.T, h *hostileRepo) {
		write(t, h.dir, "refs/heads/ledger", "")
		if err := os.Truncate(filepath.Join(h.dir, "refs", "heads", "ledger"), 1<<34); err != nil {
			t.Fatal(err)
		}
	}, "not an object id", "-"},
}

const much = 1 << 30

// Names that some file system takes for .git, or that leave the folder.
var hostileNames = []string{".git", ".GIT", ".gIt", "git~1", "GIT~1", ".g\u200cit", "\u200d.git", ".git\ufeff", ".git ", ".git.", ".git . .", ".git::$INDEX_ALLOCATION", "..", ".", "a\\..\\b", "c/d"}

func TestHostileRepositories(t *testing.T) {
	list := hostile
	for _, name := range hostileNames {
		list = append(list, hostile[0])
		last := &list[len(list)-1]
		last.name, last.over = fmt.Sprintf("a folder %q", name), "fsck|is not what plumb reads"
		last.build = func(t *testing.T, h *hostileRepo) {
			h.branch(h.tree("40000 "+name, h.tree("100644 config", h.blob("[core]\n\tpager = touch owned\n"))))
		}
	}
	for _, c := range list {
		t.Run(c.name, func(t *testing.T) {
			h := newHostile(t)
			c.build(t, h)
			before := h.around()
			h.mustFail(c.want, "hostile", h.dir, h.read)
			if c.over != "-" {
				server := serveOpenly(t, h.dir)
				for _, program := range []string{"git", "go-git"} {
					clone := filepath.Join(filepath.Dir(h.dir), "clone-"+program)
					gitRun(t, ".", "init", "-q", clone)
					gitRun(t, clone, "remote", "add", "origin", server)
					want := c.over
					if want == "" || program == "go-git" {
						want += "|" + c.want
					}
					h.mustFail(want, "hostile-fetch", clone, program, h.fetch)
					os.RemoveAll(clone)
				}
			}
			if after := h.around(); !slices.Equal(after, before) {
				t.Errorf("written outside: %v, before %v", after, before)
			}
		})
	}
}

// A folder of 100,000 is large and not hostile.
func TestLargeFolder(t *testing.T) {
	h := newHostile(t)
	var entries []string
	blob := h.blob("x")
	for i := range 100_000 {
		entries = append(entries, fmt.Sprintf("100644 20010630T120000Z-%012d.toml", i), blob)
	}
	h.branch(h.tree("40000 runs", h.tree(entries...)))
	h.mustFail("100000 files", "hostile", h.dir, h.read)
}

// A ledger of junk is refused when so much of it has come as is allowed, however much there is. PLUMB_JUNK says how many MiB; half of it is allowed.
func TestJunk(t *testing.T) {
	megabytes := 24
	if text := os.Getenv("PLUMB_JUNK"); text != "" {
		fmt.Sscan(text, &megabytes)
	}
	h := newHostile(t)
	h.junk(megabytes)
	server := serveOpenly(t, h.dir)
	for _, program := range []string{"git", "go-git"} {
		clone := filepath.Join(filepath.Dir(h.dir), "clone-"+program)
		gitRun(t, ".", "init", "-q", clone)
		gitRun(t, clone, "remote", "add", "origin", server)
		h.slow = true // as long as it comes
		h.mustFail(fmt.Sprintf("it is larger than %d MiB", megabytes/2), "hostile-fetch", clone, program, h.fetch, fmt.Sprint(megabytes/2<<20))
		left := 0
		for _, pattern := range []string{"*", "*/*"} {
			packs, err := filepath.Glob(filepath.Join(clone, ".git/plumb/cache/*/objects/", pattern, "*pack*"))
			if err != nil {
				t.Fatal(err)
			}
			for _, pack := range packs {
				if info, err := os.Stat(pack); err == nil && !info.IsDir() {
					left++
				}
			}
		}
		if left > 0 {
			t.Errorf("%s left %d files of packs", program, left)
		}
		os.RemoveAll(clone)
	}
}

// Junk that was taken away again is still in the history, which may be four times as large as what is read at once, and no larger.
// Bug: the whole history came in however large it was.
func TestJunkInHistory(t *testing.T) {
	h := newHostile(t)
	random := rand.NewChaCha8([32]byte{7})
	data := make([]byte, 1<<20)
	var names []string
	for i := range 12 {
		random.Read(data)
		names = append(names, fmt.Sprintf("100644 %06d.toml", i), h.put("blob", data))
	}
	junk := h.branch(h.tree(names...))
	h.ref(h.put("commit", []byte("tree "+h.tree()+"\nparent "+junk+"\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n")))
	dir, clone := serveOpenly(t, h.dir), t.TempDir()
	gitRun(t, ".", "init", "-q", clone)
	gitRun(t, clone, "remote", "add", "origin", dir)
	r, err := Open(clone)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	m, err := r.Mirror(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	limits := Limits{Pack: 2 << 20, File: 4 << 20}
	if err := m.FetchTip(t.Context(), "refs/heads/ledger", limits); err != nil {
		t.Fatal(err)
	}
	if err := m.FetchWhole(t.Context(), "refs/heads/ledger", limits); !errors.Is(err, ErrTooLarge) {
		t.Errorf("12 MiB of history, 8 are allowed: %v", err)
	}
	limits.Pack *= 2
	if err := m.FetchWhole(t.Context(), "refs/heads/ledger", limits); err != nil {
		t.Errorf("12 MiB of history, 16 are allowed: %v", err)
	}
}

// junk packs files of a megabyte that cannot be deflated.
func (h *hostileRepo) junk(megabytes int) {
	h.t.Helper()
	file, err := os.Create(filepath.Join(h.dir, "junk.pack"))
	if err != nil {
		h.t.Fatal(err)
	}
	defer file.Close()
	sum := sha1.New()
	to := io.MultiWriter(file, sum)
	fmt.Fprintf(to, "PACK\x00\x00\x00\x02%s", binary.BigEndian.AppendUint32(nil, uint32(megabytes)))
	random := rand.NewChaCha8([32]byte{7})
	data := make([]byte, 1<<20)
	at, offset := []packedAt{}, 12
	var crcs []uint32
	var names []string
	for i := range megabytes {
		random.Read(data)
		var stored bytes.Buffer
		w, _ := zlib.NewWriterLevel(&stored, zlib.NoCompression)
		w.Write(data)
		w.Close()
		entry := entryOf(h.t, 3, len(data), nil, stored.Bytes())
		at, crcs = append(at, packedAt{packedID(i), uint32(offset)}), append(crcs, crc32.ChecksumIEEE(entry))
		names = append(names, fmt.Sprintf("100644 %06d.toml", i), packedID(i))
		offset += len(entry)
		if _, err := to.Write(entry); err != nil {
			h.t.Fatal(err)
		}
	}
	end := sum.Sum(nil)
	if _, err := file.Write(end); err != nil {
		h.t.Fatal(err)
	}
	name := filepath.Join(h.dir, "objects", "pack", "pack-"+hex.EncodeToString(end))
	write(h.t, h.dir, "objects/pack/pack-"+hex.EncodeToString(end)+".idx", string(h.index(at, crcs, end)))
	if err := os.Rename(file.Name(), name+".pack"); err != nil {
		h.t.Fatal(err)
	}
	h.branch(h.tree(names...))
}

// mustFail lets another process read what is hostile, and holds it to an error, two seconds of computing and 200 MB.
func (h *hostileRepo) mustFail(want string, name string, args ...string) {
	h.t.Helper()
	cmd := job(name, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	begin := time.Now()
	err := start(cmd, 4<<30) // what goes wrong is to end this process, not the machine
	if err == nil {
		timer := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
		err = cmd.Wait()
		timer.Stop()
	}
	took := time.Since(begin)
	text := out.String()
	matches := func(part string) bool { return part != "" && strings.Contains(text, part) }
	if err == nil || cmd.ProcessState.ExitCode() != 7 || !slices.ContainsFunc(strings.Split(want, "|"), matches) {
		h.t.Errorf("%s %v: %v, want an error that says %q:\n%s", name, args[1:], err, want, lastLines(text))
	}
	var memory int64
	_, rest, _ := strings.Cut(text, "memory: ")
	fmt.Sscan(rest, &memory)
	computed := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	h.t.Logf("%s: %d MB, %.2f s, of them %.2f s computing: %s", name, memory>>10, took.Seconds(), computed.Seconds(), firstLine(text))
	if memory > 200<<10 {
		h.t.Errorf("it took %d MB", memory>>10)
	}
	if computed > 2*time.Second && !h.slow && !testing.Short() { // short is what the race detector runs, which is slow
		h.t.Errorf("it computed for %s", computed)
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// hostileJob reads all files of a ref: hostileJob REPO REF. Its exit code is 7 for an error, as it is for what is read, which it counts.
func hostileJob(args []string) int {
	r, err := Open(args[0])
	if err == nil {
		err = readAll(r, args[1])
	}
	fmt.Println(err)
	reportMemory()
	return 7
}

// reportMemory prints the most that this process and any of its children had, in KiB. The kernel's figure for this process alone counts the one that it was
// forked from.
func reportMemory() {
	var most int64
	status, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	fmt.Sscan(rest, &most)
	var children syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &children); err == nil {
		most = max(most, children.Maxrss)
	}
	fmt.Printf("memory: %d\n", most)
}

const maxHostile = 1 << 20 // of a file that is read

func readAll(r *Repo, ref string) error {
	if _, err := r.Refs("refs/"); err != nil {
		return err
	}
	tip, err := r.Ref(ref)
	if ref == "HEAD" {
		tip, _, err = r.Head()
	}
	if err != nil {
		return err
	}
	files, err := r.FilesUnder(tip, "")
	last := ""
	for _, file := range files {
		if err == nil && file.OID != last {
			_, err = r.BlobLimit(file.OID, maxHostile)
		}
		last = file.OID
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("%d files", len(files))
}

// hostileFetchJob fetches the branch and reads it: hostileFetchJob CLONE PROGRAM REF [BYTES].
func hostileFetchJob(args []string) int {
	r, err := Open(args[0])
	if err == nil && args[1] == "go-git" {
		r.program = ""
	}
	var limit int64 = 64 << 20
	if len(args) > 3 {
		fmt.Sscan(args[3], &limit)
	}
	var mirror *Mirror
	if err == nil {
		mirror, err = r.Mirror(context.Background())
	}
	if err == nil {
		err = mirror.FetchTip(context.Background(), args[2], Limits{Pack: limit, File: maxHostile})
	}
	if err == nil {
		err = readAll(mirror.Repo, args[2])
	}
	fmt.Println(err)
	reportMemory()
	return 7
}
