//go:build !linux

package job

import (
	"errors"
	"io/fs"
	"os/exec"
	"sync"
)

// tree is a program and what it started, as far as this system tells: its process group, and what ps finds below it.
type tree struct {
	command *exec.Cmd
	once    *sync.Once
}

func start(p *Process, program string) (tree, error) {
	log, err := p.output.pipe()
	if err != nil {
		return tree{}, err
	}
	defer log.Close()
	c := exec.Command(program)
	c.Args, c.Env, c.Dir = p.spec.Argv, p.spec.Env, p.room.Work()
	c.Stdout, c.Stderr = log, log
	if p.spec.stdin != nil {
		c.Stdin, c.Stdout = p.spec.stdin, p.spec.stdout
	}
	c.SysProcAttr = ownGroup()
	c.WaitDelay = patience
	t := tree{command: c, once: &sync.Once{}}
	return t, c.Start()
}

// end kills what can be found, until nothing is.
func (t tree) end() { t.once.Do(func() { killTree(t.command.Process.Pid) }) }

func (t tree) abandon() { _ = t.command.Process.Kill() }

// wait waits for the main process; what it left running is killed.
func (t tree) wait() ending {
	err := t.command.Wait()
	t.end()
	state := t.command.ProcessState
	if state == nil {
		return ending{exit: -1, err: err}
	}
	e := ending{exit: state.ExitCode(), signal: signalOf(state)}
	if e.exit == 0 && err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		e.err = err
	}
	return e
}

func (t tree) sandbox() string { return Sandbox() }

func (t tree) usage(int64) (usage, error) { return usageBelow(t.command.Process.Pid) }

func onDisk(info fs.FileInfo) int64 { return info.Size() }

// Sandbox says what sandbox this system gives.
func Sandbox() string { return "none: this system has no Landlock" }
