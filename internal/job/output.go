package job

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/plumb-ml/plumb/internal/escape"
)

// What is kept of a program's output, at its beginning and at its end; and how much more is looked at, so that a secret that lies across a cut is
// seen whole.
const (
	keptHead = 1 << 20
	keptTail = 1 << 20
	margin   = 64 << 10
)

// capture keeps the beginning and the end of an output of any length. It reads until nobody writes any more, so a program never waits for it.
type capture struct {
	secrets *escape.Secrets
	read    *os.File
	done    chan struct{}

	mu    sync.Mutex
	head  []byte
	tail  []byte // a ring, once it is full
	next  int    // where the ring goes on
	total int64
}

func newCapture(secrets *escape.Secrets) *capture {
	return &capture{secrets: secrets, done: make(chan struct{})}
}

// pipe gives the end to write to; the caller closes it once the program has it.
func (c *capture) pipe() (*os.File, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	c.read = read
	go func() {
		defer close(c.done)
		_, _ = io.Copy(writerOnly{c}, read) // it ends when the last writer is gone, or finish loses patience
	}()
	return write, nil
}

// writerOnly hides everything but Write, so that io.Copy uses its own small buffer.
type writerOnly struct{ io.Writer }

// Write never fails and never waits.
func (c *capture) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(p)
	c.total += int64(n)
	if room := keptHead + margin - len(c.head); room > 0 {
		take := min(room, len(p))
		c.head, p = append(c.head, p[:take]...), p[take:]
	}
	const most = keptTail + margin
	if len(p) > most {
		p = p[len(p)-most:]
	}
	if grow := min(most-len(c.tail), len(p)); grow > 0 {
		c.tail, p = append(c.tail, p[:grow]...), p[grow:]
	}
	for len(p) > 0 {
		k := copy(c.tail[c.next:], p)
		c.next, p = (c.next+k)%len(c.tail), p[k:]
	}
	return n, nil
}

// finish waits until all that was written is read. Nobody is left to write, so this takes no time; where somebody got away, it is not waited for.
func (c *capture) finish() {
	if c.read == nil {
		return
	}
	select {
	case <-c.done:
	case <-after(patience):
	}
	_ = c.read.Close()
	<-c.done
}

// ring gives the tail in order. The caller holds the lock.
func (c *capture) ring() []byte {
	return append(bytes.Clone(c.tail[c.next:]), c.tail[:c.next]...)
}

// log is what is kept, without secrets.
func (c *capture) log() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	tail := c.ring()
	left := c.total - int64(len(c.head)) - int64(len(tail))
	if left <= 0 {
		whole := c.secrets.Redact(append(bytes.Clone(c.head), tail...))
		if len(whole) <= keptHead+keptTail {
			return whole
		}
		return joined(whole[:keptHead], whole[len(whole)-keptTail:], int64(len(whole)-keptHead-keptTail))
	}
	head, tail := c.secrets.Redact(c.head), c.secrets.Redact(tail)
	return joined(head[:min(len(head), keptHead)], tail[max(0, len(tail)-keptTail):], c.total-keptHead-keptTail)
}

func joined(head, tail []byte, left int64) []byte {
	return bytes.Join([][]byte{head, []byte(fmt.Sprintf("\n… %s left out …\n", Size(max(left, 1)))), tail}, nil)
}

// line is the last line that is whole, or what is there of the first, without secrets.
func (c *capture) line() string {
	c.mu.Lock()
	end := c.ring()
	if len(end) == 0 {
		end = bytes.Clone(c.head)
	}
	c.mu.Unlock()
	end = end[max(0, len(end)-margin):]
	end = bytes.TrimRight(c.secrets.Begun(end), "\r\n ")
	if i := bytes.LastIndexAny(end, "\r\n"); i >= 0 {
		end = end[i+1:]
	}
	return string(end[:min(len(end), 200)])
}
