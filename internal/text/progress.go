package text

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/escape"
)

// Progress tells how far a long piece of work is: a line that is written over on a terminal, a line every few seconds in a log, nothing with --json.
// It may be used by several goroutines.
type Progress struct {
	mu    sync.Mutex
	out   Out
	quiet bool
	every time.Duration
	now   func() time.Time
	name  string
	start time.Time
	last  time.Time
	drawn bool
}

// Quiet is a Progress that says nothing.
func Quiet() *Progress { return &Progress{quiet: true, now: time.Now} }

// NewProgress tells about work on o, usually standard error. now is the clock; nil is the machine's.
func NewProgress(o Out, now func() time.Time) *Progress {
	if now == nil {
		now = time.Now
	}
	p := &Progress{out: o, now: now, every: 5 * time.Second}
	if o.Terminal {
		p.every = 100 * time.Millisecond
	}
	return p
}

// Step begins a piece of work and ends the one before.
func (p *Progress) Step(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.quiet {
		return
	}
	p.finish()
	p.name, p.start = escape.Terminal(name), p.now()
	p.last = p.start
	if p.out.Terminal {
		p.draw(p.name)
	}
}

// Update says that done of total is done; total 0 means that nobody knows how much there is. It may be called as often as is handy.
func (p *Progress) Update(done, total int, note string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.quiet || p.name == "" || p.now().Sub(p.last) < p.every {
		return
	}
	p.last = p.now()
	line := p.name
	if total > 0 {
		line += fmt.Sprintf(" %d/%d (%d %%)", done, total, 100*int64(done)/int64(total))
	} else if done > 0 {
		line += " " + brief.Count(done)
	}
	if note != "" {
		line += ", " + escape.Terminal(note)
	}
	if p.out.Terminal {
		p.draw(line)
		return
	}
	p.print(line + "\n")
}

// Done ends the work and takes the line away.
func (p *Progress) Done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.quiet {
		p.finish()
	}
}

// finish tells in a log how long a step took that took long enough to wonder; a terminal's line is wiped.
func (p *Progress) finish() {
	if p.drawn {
		p.print("\r\x1b[K")
		p.drawn = false
	}
	if took := p.now().Sub(p.start); p.name != "" && took >= p.every && !p.out.Terminal {
		p.print(p.name + ": done in " + brief.Seconds(took.Seconds()) + "\n")
	}
	p.name = ""
}

func (p *Progress) draw(line string) {
	if w := p.out.Width; w > 0 {
		line = brief.Clip(line, max(w-1, 10))
	}
	p.print("\r\x1b[K" + line)
	p.drawn = true
}

// print drops errors: a progress line that cannot be written must not stop the work.
func (p *Progress) print(text string) {
	if p.out.W != nil && strings.TrimSpace(text) != "" {
		_, _ = io.WriteString(p.out.W, text)
	}
}
