package job

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// tree is a program and all that it started, below its supervisor.
type tree struct {
	name       string
	supervisor *exec.Cmd
	control    *os.File // closed to end everything
	report     *os.File
	shm        int64 // bytes of shared memory files when it began
	once       *sync.Once
}

// start starts a supervisor, and tells it what to launch.
func start(p *Process, program string) (tree, error) {
	controlRead, controlWrite, err := os.Pipe()
	if err != nil {
		return tree{}, err
	}
	reportRead, reportWrite, err := os.Pipe()
	if err != nil {
		return tree{}, err
	}
	log, err := p.output.pipe()
	if err != nil {
		return tree{}, err
	}
	defer log.Close()
	c := exec.Command("/proc/self/exe")
	c.Args = []string{supervisorName}
	c.Env = []string{}
	c.Dir = p.room.dir
	c.Stdout, c.Stderr = log, log
	if p.spec.stdin != nil {
		c.Stdin, c.Stdout = p.spec.stdin, p.spec.stdout
	}
	c.ExtraFiles = []*os.File{controlRead, reportWrite}
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	c.WaitDelay = patience
	t := tree{name: p.spec.Argv[0], supervisor: c, control: controlWrite, report: reportRead, shm: sharedMemory(), once: &sync.Once{}}
	if err := c.Start(); err != nil {
		return tree{}, err
	}
	_ = controlRead.Close()
	_ = reportWrite.Close()
	err = gob.NewEncoder(controlWrite).Encode(orders{Program: program, Argv: p.spec.Argv, Env: p.spec.Env, Dir: p.room.Work(), Memory: p.spec.Limits.Memory,
		Disk: p.spec.Limits.Disk, Access: p.room.access(p.spec, program), Room: p.room.dir})
	if err != nil {
		t.end()
		return tree{}, errors.Join(err, c.Wait())
	}
	return t, nil
}

// end lets the supervisor kill everything.
func (t tree) end() { t.once.Do(func() { _ = t.control.Close() }) }

// abandon gives up on what can't be killed.
func (t tree) abandon() { _ = t.supervisor.Process.Kill() }

// wait waits until everything is gone.
func (t tree) wait() ending {
	text, readErr := io.ReadAll(io.LimitReader(t.report, 64<<10))
	waitErr := t.supervisor.Wait()
	t.end()
	_ = t.report.Close()
	var r report
	if readErr != nil || json.Unmarshal(text, &r) != nil {
		return ending{exit: -1, err: wrongf("", "it ended its supervisor (%v), and nobody knows what came of it", waitErr)}
	}
	if r.Failed != "" {
		return unstarted(t.name, r.Failed)
	}
	return ending{exit: r.Exit, signal: r.Signal, memory: r.Memory}
}

func (t tree) sandbox() string { return Sandbox() }

// usage adds up what the processes below the supervisor take. Where their resident sets together are over the limit, the kernel is asked for shares:
// pages that forked workers share would count once each.
func (t tree) usage(limit int64) (usage, error) {
	below := descendants(t.supervisor.Process.Pid)
	if len(below) == 0 {
		return usage{}, errors.New("there is no process")
	}
	u := usage{processes: len(below)}
	for _, p := range below {
		u.memory += p.resident
	}
	shared := max(0, sharedMemory()-t.shm)
	if u.memory+shared > limit {
		u.memory = 0
		for _, p := range below {
			u.memory += proportional(p)
		}
	}
	u.memory += shared
	return u, nil
}

// process is one line of the process table.
type process struct {
	pid, parent int
	resident    int64
	task        string // where /proc tells of its memory
}

// descendants lists the processes below one. Zombies are among them: one whose first thread has ended looks like a zombie and lives on.
func descendants(top int) []process {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	children := map[int][]process{}
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			if p, ok := readProcess(pid); ok {
				children[p.parent] = append(children[p.parent], p)
			}
		}
	}
	var out []process
	queue := []int{top}
	for len(queue) > 0 {
		for _, p := range children[queue[0]] {
			if out = append(out, p); p.pid != top {
				queue = append(queue, p.pid)
			}
		}
		queue = queue[1:]
	}
	return out
}

var pageSize = int64(os.Getpagesize())

// readProcess reads /proc/<pid>/stat: the name in brackets may hold anything, so fields are counted from the last bracket.
func readProcess(pid int) (process, bool) {
	p := process{pid: pid, task: fmt.Sprintf("/proc/%d", pid)}
	text, err := os.ReadFile(p.task + "/stat")
	if err != nil {
		return p, false
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 22 {
		return p, false
	}
	parent, err1 := strconv.Atoi(string(fields[1]))
	pages, err2 := strconv.ParseInt(string(fields[21]), 10, 64)
	p.parent, p.resident = parent, pages*pageSize
	if fields[0][0] == 'Z' && string(fields[17]) > "1" { // its other threads know what memory it has
		p.anotherThread()
	}
	return p, err1 == nil && err2 == nil
}

func (p *process) anotherThread() {
	tasks, err := os.ReadDir(p.task + "/task")
	if err != nil {
		return
	}
	for _, t := range tasks {
		text, err := os.ReadFile(p.task + "/task/" + t.Name() + "/statm")
		if fields := bytes.Fields(text); err == nil && len(fields) > 1 {
			if pages, err := strconv.ParseInt(string(fields[1]), 10, 64); err == nil && pages > 0 {
				p.resident, p.task = pages*pageSize, p.task+"/task/"+t.Name()
				return
			}
		}
	}
}

// proportional is a process's share of the memory that it uses.
func proportional(p process) int64 {
	text, err := os.ReadFile(p.task + "/smaps_rollup")
	if err != nil {
		return p.resident
	}
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte("Pss:")); ok {
			if kib, err := strconv.ParseInt(string(bytes.Fields(rest)[0]), 10, 64); err == nil {
				return kib << 10
			}
		}
	}
	return p.resident
}

// sharedMemory is what lies in /dev/shm, which is memory and belongs to no process.
func sharedMemory() int64 {
	var s unix.Statfs_t
	if unix.Statfs("/dev/shm", &s) != nil {
		return 0
	}
	return int64(s.Blocks-s.Bfree) * s.Bsize
}

// machineMemory is what there is: the machine's, or less where a container has a limit.
func machineMemory() int64 {
	have := int64(4 << 30)
	var i unix.Sysinfo_t
	if unix.Sysinfo(&i) == nil {
		have = int64(i.Totalram) * int64(i.Unit)
	}
	for _, file := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		if text, err := os.ReadFile(file); err == nil {
			if limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && limit > 0 {
				have = min(have, limit)
			}
		}
	}
	return have
}

func freeDisk(path string) (int64, bool) {
	var s unix.Statfs_t
	if unix.Statfs(path, &s) != nil {
		return 0, false
	}
	return int64(s.Bavail) * s.Bsize, true
}

// onDisk is what a file takes: a hole in it takes nothing.
func onDisk(info fs.FileInfo) int64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Blocks * 512
	}
	return info.Size()
}
