package job

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"

	"github.com/plumb-ml/plumb/internal/problem"
)

// Room is the temporary folder of one program: work (where it runs), data (what it is given), model (given when it scores), home, tmp and out.
//
// Names of files in a room are slash-separated, as out/model/x. They are looked up from a handle on the room that was opened before the program ran,
// and no link is followed, so that a program can't have plumb read for it what it may not read itself.
type Room struct {
	dir  string
	root *os.Root
}

// own are the folders that a program may write; the others are read-only to it.
var own = []string{"work", "home", "tmp", "out"}

// NewRoom makes an empty room in the system's temporary folder. (In the repository's it would have the labels of the test part above it, for whoever
// climbs.) Close removes it.
func NewRoom() (*Room, error) {
	dir, err := os.MkdirTemp("", "plumb-job-")
	if err != nil {
		return nil, fmt.Errorf("making a room: %w", err)
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, err
	}
	r := &Room{dir: dir}
	if r.root, err = os.OpenRoot(dir); err != nil {
		return nil, err
	}
	for _, name := range append([]string{"data", "model"}, own...) {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			return nil, errors.Join(fmt.Errorf("making a room: %w", err), r.Close())
		}
	}
	return r, nil
}

// Work is where the program runs, with its code.
func (r *Room) Work() string { return filepath.Join(r.dir, "work") }

// Data is for what the program is given.
func (r *Room) Data() string { return filepath.Join(r.dir, "data") }

// Model is for the model that a program scores with.
func (r *Room) Model() string { return filepath.Join(r.dir, "model") }

// Home is the program's HOME.
func (r *Room) Home() string { return filepath.Join(r.dir, "home") }

// Temp is the program's TMPDIR.
func (r *Room) Temp() string { return filepath.Join(r.dir, "tmp") }

// Out is where the program leaves what it made.
func (r *Room) Out() string { return filepath.Join(r.dir, "out") }

// Close removes the room.
func (r *Room) Close() error { return errors.Join(r.root.Close(), removeAll(r.dir)) }

// removeAll removes a folder, also where a program took its own right to do so away.
func removeAll(dir string) error {
	err := os.RemoveAll(dir)
	if err == nil {
		return nil
	}
	_ = filepath.WalkDir(dir, func(place string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(place, 0o700) // what stays is said by RemoveAll
		}
		return nil
	})
	return os.RemoveAll(dir)
}

// Put writes a new file, and the folders that it lies in.
func (r *Room) Put(name string, mode fs.FileMode, from io.Reader) error {
	place := filepath.FromSlash(name)
	if !filepath.IsLocal(place) {
		return fmt.Errorf("%q is no file of a room", name)
	}
	if err := r.root.MkdirAll(filepath.Dir(place), 0o700); err != nil {
		return err
	}
	f, err := r.root.OpenFile(place, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Close())
}

// Read reads a file that a program left: a regular file of at most so many bytes, and no link, pipe or device, whatever stood there a moment ago.
// fs.ErrNotExist is as of os.
func (r *Room) Read(name string, most int64) ([]byte, error) {
	f, size, err := r.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > most {
		return nil, problem.Failedf("", "%s has %s, and at most %s are read", path.Base(name), Size(size), Size(most))
	}
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("%s grows while it is read", path.Base(name))
	}
	return data, err
}

// ReadEnd reads the last bytes of a file, at most so many, while a program may be writing it.
func (r *Room) ReadEnd(name string, most int64) ([]byte, error) {
	f, size, err := r.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	end := make([]byte, min(size, most))
	n, err := f.ReadAt(end, size-int64(len(end)))
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return end[:n], err
}

// open opens a regular file that no link leads to.
func (r *Room) open(name string) (f *os.File, size int64, err error) {
	if err := r.folder(path.Dir(name)); err != nil {
		return nil, 0, err
	}
	place := filepath.FromSlash(name)
	before, err := r.root.Lstat(place)
	if err != nil {
		return nil, 0, err
	}
	if !before.Mode().IsRegular() {
		return nil, 0, problem.Failedf("write a file of its own there", "%s is %s, not a file", path.Base(name), kindOf(before.Mode()))
	}
	if f, err = r.root.OpenFile(place, os.O_RDONLY|syscall.O_NONBLOCK, 0); err != nil { // a pipe that takes the file's place would wait for a writer
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && (!info.Mode().IsRegular() || !os.SameFile(before, info)) {
		err = fmt.Errorf("%s was replaced while it was opened", path.Base(name))
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// folder holds that a folder of the room is one, all the way down.
func (r *Room) folder(name string) error {
	if name == "." {
		return nil
	}
	if err := r.folder(path.Dir(name)); err != nil {
		return err
	}
	info, err := r.root.Lstat(filepath.FromSlash(name))
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return problem.Failedf("leave the folders where they are", "%s is %s, not a folder", path.Base(name), kindOf(info.Mode()))
	}
	return nil
}

// kindOf names what is not a regular file.
func kindOf(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a folder"
	case m&fs.ModeSymlink != 0:
		return "a link"
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "something else"
}

// File is one file that a program left.
type File struct {
	Name string // slash-separated, from the folder that was listed
	Size int64
	Mode fs.FileMode
}

// Files lists what a program left below a folder, sorted by name: at most so many files and bytes, and nothing but files and folders.
func (r *Room) Files(folder string, most int, bytes int64) ([]File, error) {
	if err := r.folder(folder); err != nil {
		return nil, err
	}
	below, err := r.root.OpenRoot(filepath.FromSlash(folder))
	if err != nil {
		return nil, err
	}
	defer below.Close()
	var out []File
	var total int64
	err = fs.WalkDir(below.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return nil
		case !d.Type().IsRegular():
			return problem.Failedf("copy the file itself there", "%.200q is %s, not a file", name, kindOf(d.Type()))
		case len(out) >= most:
			return problem.Failedf("pack them into one file", "there are more than %d files", most)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if total += info.Size(); total > bytes {
			return problem.Failedf("", "its files have more than %s", Size(bytes))
		}
		out = append(out, File{Name: name, Size: info.Size(), Mode: info.Mode()})
		return nil
	})
	return out, err
}
