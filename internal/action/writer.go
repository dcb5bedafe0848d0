package action

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/problem"
)

// What GitHub takes of one step; more is dropped there without a word, or fails the upload of all of it.
const (
	AnnotationsPerLevel = 10
	SummaryBytes        = 1 << 20
	OutputBytes         = 64 << 10 // GitHub's own limit is 1 MB a job; a value of more than some kilobytes should be a file
)

// Writer tells the runner things. Outside GitHub Actions it writes log groups as plain lines and nothing else.
type Writer struct {
	Prefix string // from the repository's root to the project's, slash-separated; put before the files of annotations

	inActions bool
	log       io.Writer
	output    string // file of step outputs
	summary   string // file of the step's summary
	mu        sync.Mutex
	counts    map[problem.Level]int
}

// NewWriter gives a writer for the job that env tells of; log is where the runner reads workflow commands: standard output or error.
func NewWriter(env []string, log io.Writer) *Writer {
	get := reader(env)
	return &Writer{
		inActions: get("GITHUB_ACTIONS") == "true",
		log:       log,
		output:    get("GITHUB_OUTPUT"),
		summary:   get("GITHUB_STEP_SUMMARY"),
		counts:    map[problem.Level]int{},
	}
}

var outputName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)

// Output sets a step output. Its value may have several lines; it cannot end itself and begin another, since the delimiter is random.
func (w *Writer) Output(name, value string) error {
	if !w.inActions || w.output == "" {
		return nil
	}
	if !outputName.MatchString(name) {
		return fmt.Errorf("setting output %q: a name is lower-case letters, digits and hyphens", name)
	}
	if len(value) > OutputBytes || !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
		return fmt.Errorf("setting output %s: %d bytes; at most %d bytes of UTF-8 are allowed", name, len(value), OutputBytes)
	}
	delimiter := "plumb-" + rand.Text()
	if strings.Contains(value, delimiter) {
		return fmt.Errorf("setting output %s: it holds the delimiter", name)
	}
	if err := appendTo(w.output, name+"<<"+delimiter+"\n"+value+"\n"+delimiter+"\n"); err != nil {
		return fmt.Errorf("setting output %s: %w", name, err)
	}
	return nil
}

// Summary adds sections of Markdown to the step's summary, the most important first. A section that no longer fits is left out whole, and so are
// those after it; the last line says how many.
func (w *Writer) Summary(sections ...string) error {
	if !w.inActions || w.summary == "" {
		return nil
	}
	const left = "\n_%d sections are left out: the summary is full. The report holds them._\n"
	room := SummaryBytes - len(left) - 20
	if info, err := os.Stat(w.summary); err == nil {
		room -= int(min(info.Size(), SummaryBytes))
	}
	var b strings.Builder
	for i, s := range sections {
		s = strings.ToValidUTF8(strings.TrimRight(s, "\n"), "\ufffd") + "\n\n"
		if b.Len()+len(s) > room {
			fmt.Fprintf(&b, left, len(sections)-i)
			break
		}
		b.WriteString(s)
	}
	if room <= 0 {
		return nil
	}
	if err := appendTo(w.summary, b.String()); err != nil {
		return fmt.Errorf("writing the summary: %w", err)
	}
	return nil
}

// Annotate shows problems beside the lines they are on: as many of each level as GitHub shows, and one notice about the others.
func (w *Writer) Annotate(problems []problem.Problem) error {
	if !w.inActions {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var b strings.Builder
	more := map[problem.Level]int{}
	for _, p := range problems {
		level := problem.LevelWarning
		if p.Level == problem.LevelError {
			level = problem.LevelError
		}
		if w.counts[level]++; w.counts[level] > AnnotationsPerLevel {
			more[level]++
			continue
		}
		b.WriteString(w.annotation(level, p))
	}
	if n, m := more[problem.LevelError], more[problem.LevelWarning]; n+m > 0 {
		fmt.Fprintf(&b, "::notice::%d more errors and %d more warnings are in the log\n", n, m)
	}
	_, err := io.WriteString(w.log, b.String())
	return err
}

// annotation is the workflow command of one problem.
func (w *Writer) annotation(level problem.Level, p problem.Problem) string {
	var properties []string
	if p.File != "" {
		properties = append(properties, "file="+escape.WorkflowProperty(path.Join(w.Prefix, p.File)))
	}
	if p.File != "" && p.Line > 0 {
		properties = append(properties, fmt.Sprint("line=", p.Line), fmt.Sprint("col=", max(1, p.Col)))
	}
	if p.Rule != "" {
		properties = append(properties, "title="+escape.WorkflowProperty("plumb: "+p.Rule))
	}
	message := p.Message
	if p.Hint != "" {
		message += "\nhint: " + p.Hint
	}
	return fmt.Sprintf("::%s %s::%s\n", level, strings.Join(properties, ","), escape.WorkflowData(message))
}

// Group folds what body writes under a title.
func (w *Writer) Group(title string, body func() error) error {
	if !w.inActions {
		if _, err := fmt.Fprintln(w.log, escape.Terminal(title)); err != nil {
			return err
		}
		return body()
	}
	if _, err := fmt.Fprintf(w.log, "::group::%s\n", escape.WorkflowData(title)); err != nil {
		return err
	}
	err := body()
	_, ended := fmt.Fprintln(w.log, "::endgroup::")
	return errors.Join(err, ended)
}

// Quote runs body with a writer to the log whose lines are never taken for workflow commands, whatever they hold: for output of user code. The word
// that ends this state is random and reaches nobody but the log, so body must not be given another way to it.
func (w *Writer) Quote(body func(log io.Writer) error) error {
	if !w.inActions {
		return body(w.log)
	}
	word := rand.Text()
	if _, err := fmt.Fprintf(w.log, "::stop-commands::%s\n", word); err != nil {
		return err
	}
	q := &quoted{to: w.log, last: '\n'}
	err := body(q)
	return errors.Join(err, q.end(word))
}

// quoted passes writes on and knows whether the last line has ended. It may be used from several goroutines until it ends.
type quoted struct {
	mu    sync.Mutex
	to    io.Writer
	last  byte
	ended bool
}

// Write implements io.Writer. After the end it refuses: a process that outlives body must not write past the guard.
func (q *quoted) Write(p []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ended {
		return 0, errors.New("writing to the log after its end")
	}
	if len(p) > 0 {
		q.last = p[len(p)-1]
	}
	return q.to.Write(p)
}

func (q *quoted) end(word string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	line := "::" + word + "::\n"
	if q.last != '\n' {
		line = "\n" + line
	}
	_, err := io.WriteString(q.to, line)
	return err
}

// appendTo adds text to one of the runner's files.
func appendTo(name, text string) error {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
