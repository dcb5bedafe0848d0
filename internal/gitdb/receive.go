package gitdb

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/problem"
)

// Limits bound what is taken in from a remote, in bytes.
type Limits struct {
	Pack int64 // of one pack, as it is received
	File int64 // of one file, unpacked
}

// These are not for whoever sets limits.
const (
	receiveMemory = 192 << 20 // of each process of the git program that receives
	unpackFactor  = 8         // what a pack may unpack to, by what it may be
	largestPushed = 100 << 20 // what forges take
	watchEvery    = 20 * time.Millisecond
	idlePatience  = time.Minute // with a remote that sends nothing
)

// receiveSettings keep the git program from taking more memory than it needs, or from writing large objects through: what is larger than its memory is
// an error then. They let it look at names and modes in trees, and write one pack, which can be watched.
var receiveSettings = [][2]string{
	{"fetch.unpackLimit", "1"}, {"fetch.fsckObjects", "true"}, {"core.bigFileThreshold", "4g"}, {"pack.threads", "1"},
	{"core.deltaBaseCacheLimit", "16m"}, {"core.packedGitWindowSize", "16m"}, {"core.packedGitLimit", "64m"},
}

// watch looks at the pack that the git program is receiving into dir, and cancels it with the reason when it goes beyond the limits or nothing comes. Call
// stop when the program has ended.
func watch(dir string, limits Limits, f format, cancel context.CancelCauseFunc) (stop func()) {
	ended, done := make(chan struct{}), make(chan struct{})
	idle := time.AfterFunc(idlePatience, func() { cancel(fmt.Errorf("nothing has come for %s", idlePatience)) })
	go func() {
		defer close(done)
		tail := &tail{ended: ended, came: func() { idle.Reset(idlePatience) }}
		for tail.file == nil {
			select {
			case <-ended:
				return
			case <-time.After(watchEvery):
			}
			if found, _ := filepath.Glob(filepath.Join(globQuote(dir), "tmp_pack_*")); len(found) > 0 {
				tail.file, _ = os.Open(found[0]) // it may have its name by now
			}
		}
		defer tail.file.Close()
		if err := inspect(tail, limits, f); errors.As(err, new(*beyond)) {
			cancel(err)
		}
		idle.Stop() // it is all here, and being looked through
	}()
	return func() { close(ended); <-done; idle.Stop() }
}

// globQuote lets a folder's name stand for itself in a pattern.
func globQuote(dir string) string {
	var out []rune
	for _, c := range dir {
		if c == '*' || c == '?' || c == '[' || c == '\\' && filepath.Separator != '\\' {
			out = append(out, '\\')
		}
		out = append(out, c)
	}
	return string(out)
}

// tail reads a file that grows until its writer has ended.
type tail struct {
	file  *os.File
	ended <-chan struct{}
	came  func() // called when there was more
}

func (t *tail) Read(p []byte) (int, error) {
	for last := false; ; {
		n, err := t.file.Read(p)
		if n > 0 {
			t.came()
		}
		if n > 0 || err != io.EOF || last {
			return n, err
		}
		select {
		case <-t.ended:
			last = true
		case <-time.After(watchEvery):
		}
	}
}

// beyond says that a remote sends more than is taken in.
type beyond struct{ what string }

func (e *beyond) Error() string        { return e.what }
func (e *beyond) Is(target error) bool { return target == ErrTooLarge }

func beyondf(format string, args ...any) error { return &beyond{fmt.Sprintf(format, args...)} }

// inspect reads a pack as it comes. It unpacks each entry to find the next, and nothing is kept. An error that is not beyond is for the receiver to find.
func inspect(from io.Reader, limits Limits, f format) error {
	counted := &counter{from: from, limit: limits.Pack}
	in := bufio.NewReaderSize(counted, 64<<10)
	var head [12]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return err
	}
	var total int64
	for range binary.BigEndian.Uint32(head[8:]) {
		size, err := inspectEntry(in, limits, f)
		if err != nil {
			return err
		}
		if total += size; total > unpackFactor*limits.Pack {
			return beyondf("it unpacks to more than %d MiB", unpackFactor*limits.Pack>>20)
		}
	}
	return nil
}

// inspectEntry gives the size of the object that an entry is or makes.
func inspectEntry(in *bufio.Reader, limits Limits, f format) (int64, error) {
	head, err := in.Peek(longestHeader)
	if len(head) == 0 {
		return 0, err
	}
	e, _, used, err := parseEntry(head, f.digits/2)
	if err != nil {
		return 0, err
	}
	_, _ = in.Discard(used) // they were seen
	largest := max(limits.File, maxTree)
	switch e.kind {
	case blobObject:
		largest = limits.File
	case commitObject, tagObject:
		largest = maxCommit
	}
	if e.size > largest {
		return 0, beyondf("it holds a %s of %d bytes, %d allowed", e.what(), e.size, largest)
	}
	unpacked, done, err := inflate(in)
	if err != nil {
		return 0, err
	}
	defer done()
	size := e.size
	if e.delta {
		start := make([]byte, min(e.size, 20))
		if _, err := io.ReadFull(unpacked, start); err != nil {
			return 0, err
		}
		if _, size, err = parseDelta(start); err == nil && size > largest {
			return 0, beyondf("it holds an object of %d bytes, %d allowed", size, largest)
		}
	}
	n, err := io.Copy(io.Discard, io.LimitReader(unpacked, e.size+1))
	if err == nil && n > e.size {
		err = errPackEntry
	}
	if err != nil {
		return 0, err
	}
	return max(size, e.size), nil
}

// counter counts what is received.
type counter struct {
	from  io.Reader
	n     int64
	limit int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	if c.n += int64(n); c.n > c.limit {
		return n, beyondf("it is larger than %d MiB", c.limit>>20)
	}
	return n, err
}

// historyFactor is what all of a ref's history may be, by what its tip may be.
const historyFactor = 4

// FetchTip brings the commit that a ref of the remote is at into the mirror, under the same name and without its history. What is beyond the limits is
// refused when so much of it has come: the error is ErrTooLarge.
func (m *Mirror) FetchTip(ctx context.Context, ref string, limits Limits) error {
	return m.receive(ctx, "--depth=1", ref, limits)
}

// FetchWhole is FetchTip with all of the history, of a ref or of a commit by its id, which may be four times as large. The next FetchTip cuts it again.
func (m *Mirror) FetchWhole(ctx context.Context, ref string, limits Limits) error {
	if m.program == "" { // go-git knows no such depth
		return m.bring(ctx, nil, []string{ref})
	}
	limits.Pack *= historyFactor
	limits.File = max(limits.File, largestPushed) // one that was taken out again is history for ever
	return m.receive(ctx, "--depth=2147483647", ref, limits)
}

func (m *Mirror) receive(ctx context.Context, depth, ref string, limits Limits) error {
	h, err := waitLock(ctx, m.lockPath)
	if err != nil {
		return err
	}
	defer h.release()
	m.dropLocks()
	watched, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := watch(filepath.Join(m.common, "objects", "pack"), limits, m.format, cancel)
	err = m.fetch(watched, fetchCall{args: []string{depth}, specs: specs(ref), limits: &limits, share: []*os.File{h.file}})
	stop()
	var reason *beyond
	cause := context.Cause(watched)
	if err != nil && strings.Contains(err.Error(), "ut of memory") {
		cause = beyondf("it takes more than %d MiB of memory to unpack", receiveMemory>>20)
	}
	if err != nil && (errors.As(cause, &reason) || errors.As(err, &reason)) {
		m.dropLocks() // and what it has written so far
		cause = problem.Failedf("`git clone -b BRANCH` shows who pushed to it (`git log`) and what is large (`git ls-tree -r -l HEAD`): take that out by a commit on top; a ledger that is honestly so large needs [limits] ledger in plumb.toml",
			"refusing %s of remote %s: %w", ref, withoutUser(m.mirrors.url), reason)
	}
	if err != nil {
		return cmp.Or(ctx.Err(), cause, err)
	}
	return m.repackWorn(ctx, h)
}
