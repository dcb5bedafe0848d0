package job

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/plumb-ml/plumb/internal/problem"
)

// How often a program is looked at: at its processes, and at its folders. Where looking takes long, because there is much or the machine is busy, it is
// done less often, but never less than the second number says: what a program can do meanwhile is what limits are for.
const (
	lookEvery = 100 * time.Millisecond
	lookLeast = 500 * time.Millisecond
	walkEvery = time.Second
	walkLeast = 5 * time.Second
	tellEvery = time.Second
	patience  = 10 * time.Second // for what can't be killed, such as a process that waits for a disk
)

// The limits of folders. A deeper or fuller one is an accident or an attack, and takes long to remove.
const (
	maxEntries = 100_000
	maxDepth   = 64
	minFree    = 256 << 20 // bytes of the disk that are left to others
)

func after(d time.Duration) <-chan time.Time { return time.After(d) }

// filled puts defaults where nothing is said; dir is on the disk that is written to.
func (l Limits) filled(dir string) Limits {
	if l.Time <= 0 {
		l.Time = time.Hour
	}
	if l.Memory <= 0 {
		l.Memory = machineMemory() / 10 * 8
	}
	if l.Processes <= 0 {
		l.Processes = max(256, 8*runtime.NumCPU())
	}
	if l.Disk <= 0 {
		l.Disk = 16 << 30
		if free, ok := freeDisk(dir); ok {
			l.Disk = min(l.Disk, free/4*3)
		}
	}
	return l
}

// usage is what a tree of processes takes at one moment.
type usage struct {
	memory    int64
	processes int
}

// watch looks at the program until it is gone, and ends it when a limit is passed.
func (p *Process) watch(ctx context.Context) {
	timeout := time.NewTimer(p.spec.Limits.Time)
	defer timeout.Stop()
	look := time.NewTimer(0)
	defer look.Stop()
	var walk, told time.Time // when the next is due
	for {
		select {
		case <-p.done:
			return
		case <-ctx.Done():
			p.stop(context.Cause(ctx))
			return
		case <-timeout.C:
			p.stop(wrongf("give it less to do, or raise `train.timeout`", "it ran longer than %s, its time limit", p.spec.Limits.Time))
			return
		case <-look.C:
		}
		start := time.Now()
		now, err := p.look()
		if mark := time.Now(); err == nil && mark.After(walk) {
			err = p.room.check(p.spec.Limits.Disk)
			walk = time.Now().Add(min(max(walkEvery, 10*time.Since(mark)), walkLeast))
		}
		if err != nil {
			p.stop(err)
			return
		}
		if p.spec.Watch != nil && time.Now().After(told) {
			told = time.Now().Add(tellEvery)
			p.spec.Watch(Now{Line: p.output.line(), Took: time.Since(p.start), Memory: now.memory, Processes: now.processes})
		}
		look.Reset(min(max(lookEvery, 10*time.Since(start)), lookLeast))
	}
}

// stop ends the program, again and again until it is gone, and gives up on what can't be killed.
func (p *Process) stop(why error) {
	p.End(why)
	select {
	case <-p.done:
	case <-after(patience):
		p.tree.abandon()
	}
}

// look measures the tree against the limits.
func (p *Process) look() (usage, error) {
	now, err := p.tree.usage(p.spec.Limits.Memory)
	if err != nil {
		return now, nil // it is just ending, or the system does not tell
	}
	p.mu.Lock()
	p.peak = max(p.peak, now.memory)
	p.mu.Unlock()
	switch l := p.spec.Limits; {
	case now.processes > l.Processes:
		return now, wrongf("start fewer workers at once", "it had %d processes at once, and at most %d are allowed", now.processes, l.Processes)
	case now.memory > l.Memory:
		return now, tooMuchMemory(now.memory, l.Memory)
	}
	return now, nil
}

// check measures the room: bytes, files, depth, and what the disk has left.
func (r *Room) check(limit int64) error {
	if free, ok := freeDisk(r.dir); ok && free < minFree {
		return problem.Failedf("free some, or set TMPDIR to a folder on a larger disk", "the disk of %s has only %s left", os.TempDir(), Size(free))
	}
	var bytes int64
	entries := 0
	for _, name := range own {
		top := filepath.Join(r.dir, name)
		err := walk(top, 0, func(d fs.DirEntry, depth int) error {
			if entries++; entries > maxEntries {
				return wrongf("pack them into fewer", "it made more than %d files and folders", maxEntries)
			}
			if depth > maxDepth {
				return wrongf("", "it made folders nested more than %d deep", maxDepth)
			}
			info, err := d.Info()
			if err != nil || !info.Mode().IsRegular() {
				return nil // gone already
			}
			if bytes += onDisk(info); bytes > limit {
				return wrongf("write less", "it wrote more than %s to its folders", Size(limit))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// walk visits what is below a folder while a program is changing it. Folders that can't be read are passed over.
func walk(dir string, depth int, visit func(fs.DirEntry, int) error) error {
	f, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer f.Close()
	for {
		entries, err := f.ReadDir(1000) // a folder of any size, piece by piece
		for _, e := range entries {
			if err := visit(e, depth); err != nil {
				return err
			}
			if e.IsDir() {
				if err := walk(filepath.Join(dir, e.Name()), depth+1, visit); err != nil {
					return err
				}
			}
		}
		if err != nil || len(entries) == 0 {
			return nil
		}
	}
}

// unstarted is what a tree says of a program that did not begin.
func unstarted(name, why string) ending {
	return ending{err: problem.Failedf("", "%s could not be started: %s", name, fmt.Sprintf("%.300s", why))}
}
