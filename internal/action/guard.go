package action

import (
	"bytes"
	"io"
	"sync"
)

// Guard passes text on to the log so that no line of it is a workflow command: for everything plumb prints there that is not meant as one, since
// names in it come from pull requests. A zero-width space goes between the colons of a leading `::`, and into the old form `##[`, which the runner
// finds anywhere in a line. Outside GitHub Actions it gives to itself.
//
// Quote is for output of user code, where a line's bytes should stay as they are.
func (w *Writer) Guard(to io.Writer) io.Writer {
	if !w.inActions {
		return to
	}
	return &guard{to: to, fresh: true}
}

// guard sees text in pieces, so it remembers what a piece may have begun.
type guard struct {
	mu     sync.Mutex
	to     io.Writer
	fresh  bool // only space since the line began
	colon  bool // then one colon
	hashes int  // number signs just before, at most 2
}

const apart = "\u200b"

// Write implements io.Writer.
func (g *guard) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := bytes.NewBuffer(make([]byte, 0, len(p)+len(apart)))
	for _, c := range p {
		if g.colon && c == ':' || g.hashes == 2 && c == '[' {
			out.WriteString(apart)
		}
		g.colon = g.fresh && c == ':'
		g.fresh = c == '\n' || c == '\r' || g.fresh && (c <= ' ' || c >= 0x80)
		if c != '#' {
			g.hashes = 0
		} else if g.hashes < 2 {
			g.hashes++
		}
		out.WriteByte(c)
	}
	if _, err := g.to.Write(out.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}
