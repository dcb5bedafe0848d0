package gitdb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
)

// catFile lets the git program read objects: those that are named by SHA-256, those that a partial clone has to ask its remote for, and those of repositories
// whose pack indexes are too large to be read whole.
type catFile struct {
	repo *Repo

	mu       sync.Mutex
	sizes    *talk // git cat-file --batch-check
	contents *talk // git cat-file --batch
}

// readerMemory is what the git program may take to read a size: enough for what plumb asks for, not for a small object that unpacks to anything.
func readerMemory(size int64) uint64 { return 128<<20 + 6*uint64(max(size-maxBase, 0)) }

// talk is a git program that answers a line for a line.
type talk struct {
	cmd    *exec.Cmd
	to     io.WriteCloser
	from   *bufio.Reader
	errors *strings.Builder
	memory uint64 // that it may take
}

func (c *catFile) stat(oid string) (kind, int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ask(&c.sizes, oid, 0)
}

func (c *catFile) read(oid string, limit int64) (kind, []byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// Its size first: what is asked for with its content has to be taken in to its end.
	_, size, err := c.ask(&c.sizes, oid, 0)
	if err != nil {
		return "", nil, err
	}
	if size > limit {
		return "", nil, tooLarge{size, limit}
	}
	found, size, err := c.ask(&c.contents, oid, size)
	if err != nil {
		return "", nil, err
	}
	data := make([]byte, size)
	if _, err = io.ReadFull(c.contents.from, data); err == nil {
		_, err = c.contents.from.Discard(1) // a line end
	}
	if err != nil {
		return "", nil, c.broken(&c.contents, err)
	}
	return found, data, nil
}

// ask sends an object id and takes in the answer, "<oid> <kind> <size>". The object's size, when it is known, says what the program may take.
func (c *catFile) ask(with **talk, oid string, size int64) (kind, int64, error) {
	memory := readerMemory(size)
	if *with != nil && (*with).memory < memory {
		(*with).end()
		*with = nil
	}
	if *with == nil {
		how := "--batch"
		if with == &c.sizes {
			how = "--batch-check"
		}
		started, err := c.repo.startTalk(memory, "cat-file", how)
		if err != nil {
			return "", 0, err
		}
		*with = started
	}
	if _, err := io.WriteString((*with).to, oid+"\n"); err != nil {
		return "", 0, c.broken(with, err)
	}
	line, err := (*with).from.ReadString('\n')
	if err != nil {
		return "", 0, c.broken(with, err)
	}
	words := strings.Fields(line)
	if len(words) == 2 && words[1] == "missing" {
		return "", 0, ErrNotFound
	}
	if len(words) != 3 {
		return "", 0, c.broken(with, fmt.Errorf("it said %q", line))
	}
	size, err = strconv.ParseInt(words[2], 10, 64)
	return kind(words[1]), size, err
}

// broken ends a git program that did not answer, as it does not for an object that it cannot fetch or that is damaged.
func (c *catFile) broken(with **talk, err error) error {
	ended := *with
	*with = nil
	said := lastLines(ended.end())
	switch {
	case strings.Contains(said, "promisor remote"), strings.Contains(said, "could not fetch"):
		return fmt.Errorf("%w: %s", ErrNotFound, said)
	case said != "":
		err = errors.New(said)
	}
	return fmt.Errorf("git cat-file: %w", err)
}

func (c *catFile) refresh() {} // it looks for new packs by itself

func (c *catFile) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, with := range []**talk{&c.sizes, &c.contents} {
		if *with != nil {
			(*with).end()
			*with = nil
		}
	}
	return nil
}

// startTalk starts a git program that answers until its input ends.
func (r *Repo) startTalk(memory uint64, args ...string) (*talk, error) {
	cmd, err := r.command(context.Background(), call{args: args, config: r.tokenSettings()})
	if err != nil {
		return nil, err
	}
	t := &talk{cmd: cmd, errors: &strings.Builder{}, memory: memory}
	cmd.Stderr = t.errors
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if t.to, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	t.from = bufio.NewReaderSize(out, 64<<10)
	return t, start(cmd, memory)
}

// end closes the program's input and gives what it said on its standard error.
func (t *talk) end() string {
	_ = t.to.Close()
	_ = t.cmd.Process.Kill()
	_ = t.cmd.Wait() // it was killed
	return t.errors.String()
}
