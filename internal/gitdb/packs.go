package gitdb

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
)

// packs reads the pack files of a folder of objects. The indexes and the patching of differences are go-git's. Its reader of packs is not used: it unpacks
// what comes, however much an entry said that it would be, follows references in a circle until the stack is full, and reads all of a base of any size
// (TestHostilePacks). Here every length is held against a limit before it is believed.
type packs struct {
	dir string

	mu     sync.Mutex
	listed bool
	open   map[string]*pack // by name of the .pack file
	recent map[place]unpacked
	kept   int64 // bytes in recent
}

// maxKept is how many bytes of bases are kept: the next object is often a difference to the same one.
const maxKept = 16 << 20

type place struct {
	in     *pack
	offset int64
}

type unpacked struct {
	kind kind
	data []byte
}

func newPacks(dir string) *packs {
	return &packs{dir: filepath.Join(dir, "pack"), open: map[string]*pack{}, recent: map[place]unpacked{}}
}

// indexBytes is the size of all indexes, which are read whole.
func (p *packs) indexBytes() (size int64) {
	entries, _ := os.ReadDir(p.dir) // there is no such folder before there is a pack
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && strings.HasSuffix(entry.Name(), ".idx") {
			size += info.Size()
		}
	}
	return size
}

// find gives where an object is.
func (p *packs) find(oid string) (place, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.listed {
		p.list()
	}
	hash := plumbing.NewHash(oid)
	var damaged error
	for _, pack := range p.open {
		if pack.err != nil {
			if !errors.Is(pack.err, fs.ErrNotExist) { // else a gc has just removed it
				damaged = pack.err
			}
			continue
		}
		if offset, ok := pack.offset(hash); ok {
			return place{pack, offset}, nil
		}
	}
	if damaged != nil {
		return place{}, fmt.Errorf("it may be in a damaged pack: %w", damaged)
	}
	return place{}, ErrNotFound
}

// list opens packs that are new and closes those that are gone. The caller holds the lock.
func (p *packs) list() {
	p.listed = true
	entries, _ := os.ReadDir(p.dir)
	there := map[string]bool{}
	for _, entry := range entries {
		name, isIndex := strings.CutSuffix(entry.Name(), ".idx")
		if !isIndex || !strings.HasPrefix(name, "pack-") {
			continue
		}
		there[name] = true
		if old := p.open[name]; old == nil || old.err != nil {
			p.open[name] = openPack(filepath.Join(p.dir, name))
		}
	}
	// A file that somebody reads just now is closed when it is garbage.
	maps.DeleteFunc(p.open, func(name string, _ *pack) bool { return !there[name] })
}

func (p *packs) refresh() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list()
}

func (p *packs) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, pack := range p.open {
		if pack.file != nil {
			errs = append(errs, pack.file.Close())
		}
	}
	clear(p.open)
	clear(p.recent)
	p.listed = false
	return errors.Join(errs...)
}

func (p *packs) read(oid string, limit int64) (kind, []byte, error) {
	at, err := p.find(oid)
	if err != nil {
		return "", nil, err
	}
	got, err := p.unpack(at, limit, workFor(limit))
	return got.kind, got.data, err
}

// work is what is left to do for one object. Git makes chains of at most 50 differences unless it is told to make longer ones, of at most 4095.
type work struct {
	bytes int64 // that may be unpacked in all
	chain int   // differences that may follow each other
}

func workFor(limit int64) *work { return &work{bytes: 64 * max(limit, maxBase), chain: longestChain} }

const longestChain = 4095

// smallDelta is the size of a difference that is kept while its base is read: a chain of the longest of them is 16 MB.
const smallDelta = 4 << 10

var errChain = errors.New("damaged: a difference to too many others")

// unpack reads the entry at a place, and what it is the difference to.
func (p *packs) unpack(at place, limit int64, left *work) (unpacked, error) {
	if got, ok := p.known(at); ok {
		if int64(len(got.data)) > limit {
			return unpacked{}, tooLarge{int64(len(got.data)), limit}
		}
		return got, nil
	}
	e, err := at.in.entry(at.offset)
	size := e.size
	var delta []byte
	switch {
	case err == nil && e.delta && e.size <= smallDelta: // unpacked once, to learn its sizes and to use it
		if delta, err = at.in.content(e); err == nil {
			_, size, err = parseDelta(delta[:min(len(delta), 20)])
		}
	case err == nil && e.delta:
		_, size, err = at.in.deltaSizes(e)
	}
	if err != nil {
		return unpacked{}, err
	}
	if size > limit || e.size > max(limit, maxBase) {
		return unpacked{}, tooLarge{max(size, e.size), limit}
	}
	left.bytes -= max(size, e.size)
	if left.chain--; left.bytes < 0 || left.chain < 0 {
		return unpacked{}, errChain
	}
	if !e.delta {
		data, err := at.in.content(e)
		if err != nil {
			return unpacked{}, err
		}
		return p.keep(at, unpacked{e.kind, data}), nil
	}
	// The base first: how deep the chain is, only one difference is in memory.
	base, err := p.unpack(place{at.in, e.base}, max(limit, maxBase), left)
	if err != nil {
		return unpacked{}, err // as it is: there may be thousands of us
	}
	if delta == nil {
		if delta, err = at.in.content(e); err != nil {
			return unpacked{}, err
		}
	}
	data, err := patch(base.data, delta)
	if err != nil {
		return unpacked{}, err
	}
	return p.keep(at, unpacked{base.kind, data}), nil
}

func (p *packs) known(at place) (unpacked, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	got, ok := p.recent[at]
	return got, ok
}

// keep remembers an object, and forgets the others when they are too many: what is read together is stored together.
func (p *packs) keep(at place, got unpacked) unpacked {
	size := int64(len(got.data))
	if size > maxKept/8 {
		return got
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kept += size; p.kept > maxKept {
		clear(p.recent)
		p.kept = size
	}
	p.recent[at] = got
	return got
}

// stat reads an object's size without its content: for a difference its first bytes, and the chain of those that it builds on, which say what it is.
func (p *packs) stat(oid string) (kind, int64, error) {
	at, err := p.find(oid)
	if err != nil {
		return "", 0, err
	}
	e, err := at.in.entry(at.offset)
	size := e.size
	if err == nil && e.delta {
		_, size, err = at.in.deltaSizes(e)
	}
	for depth := 0; err == nil && e.delta; depth++ {
		if depth > longestChain {
			return "", 0, errChain
		}
		e, err = at.in.entry(e.base)
	}
	return e.kind, size, err
}

// pack is a pack file and its index.
type pack struct {
	file *os.File
	size int64
	err  error // why it cannot be read

	mu    sync.Mutex // looking something up changes an index
	index *idxfile.MemoryIndex
}

func (p *pack) offset(of plumbing.Hash) (int64, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	offset, err := p.index.FindOffset(of)
	return offset, err == nil
}

func openPack(path string) *pack {
	p := &pack{index: idxfile.NewMemoryIndex()}
	p.err = func() error {
		index, err := os.Open(path + ".idx")
		if err != nil {
			return err
		}
		defer index.Close()
		if err := sound(func() error { return idxfile.NewDecoder(index).Decode(p.index) }); err != nil {
			return err
		}
		if p.file, err = os.Open(path + ".pack"); err != nil {
			return err
		}
		info, err := p.file.Stat()
		if err == nil {
			p.size = info.Size()
		}
		return err
	}()
	if p.err != nil {
		p.err = fmt.Errorf("pack %s: %w", filepath.Base(path), p.err)
	}
	return p
}

// sound turns a panic of go-git over damaged input into an error.
func sound(do func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("damaged: %v", v)
		}
	}()
	return do()
}

// content unpacks an entry: an object, or the difference to one.
func (p *pack) content(e entry) ([]byte, error) {
	unpacked, done, err := inflate(io.NewSectionReader(p.file, e.start, p.size-e.start))
	if err != nil {
		return nil, err
	}
	defer done()
	return exactly(unpacked, e.size)
}
