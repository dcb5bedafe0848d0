package job

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// access is what a sandboxed program may touch outside itself. Files and folders that do not exist are left out.
type access struct {
	ReadDirs, ReadFiles   []string
	WriteDirs, WriteFiles []string
	Devices               []string // written, and told things (ioctl)
}

// system are the folders that programs are made of.
var system = []string{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix/store", "/gnu/store", "/run/current-system",
	"/snap", "/proc", "/sys", "/run/systemd/resolve", "/run/nscd", "/var/cache/fontconfig"}

// private is what of the system folders no program needs, and only root could read anyway, which is who CI jobs in containers are.
var private = []string{"/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/sudoers", "/etc/sudoers.d", "/etc/ssl/private", "/etc/ssh", "/etc/docker", "/etc/kubernetes"}

// plainDevices may be written by anyone without harm.
var plainDevices = []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"}

// gpus are where computing devices are.
var gpus = []string{"/dev/nvidia*", "/dev/dri/*", "/dev/kfd", "/dev/nvidia-caps/*"}

// installed are the folders of an interpreter's prefix that it needs. The prefix itself is not opened: beside ~/.cargo/bin are credentials.
var installed = []string{"bin", "sbin", "lib", "lib64", "libexec", "include", "share", "shims", "versions", "plugins", "etc", "ssl", "opt", "Cellar", "conda-meta", "pyvenv.cfg", "completions", "version"}

// grants gathers what a program may touch: the room, the system, the interpreters that PATH names, and what it was given by name; never a hidden
// folder, nor one that holds a hidden one.
type grants struct {
	hidden []string // the repository and what belongs to it: nothing below is opened either, but for a Python environment that PATH names
	home   string   // the person's: below it are interpreters
	access access
	seen   map[string]bool // folders of programs that were looked at
}

// access says what a program may touch.
func (r *Room) access(s Spec, program string) access {
	g := &grants{hidden: resolved(slices.Concat(s.Hidden, private)), seen: map[string]bool{}}
	if list := resolved([]string{s.Home}); len(list) > 0 {
		g.home = list[0]
	}
	for _, name := range own {
		g.access.WriteDirs = append(g.access.WriteDirs, filepath.Join(r.dir, name))
	}
	g.access.ReadDirs = append(g.access.ReadDirs, r.Data(), r.Model())
	for _, dir := range system {
		g.open(dir)
	}
	for _, link := range []string{"/etc/resolv.conf", "/etc/localtime", "/etc/hosts"} {
		g.strict(link)
	}
	for _, dir := range filepath.SplitList(valueOf(s.Env, "PATH")) {
		if filepath.IsAbs(dir) {
			g.programs(dir)
			g.strict(dir)
		}
	}
	g.program(program)
	for _, path := range s.Read {
		g.strict(path)
	}
	for _, device := range plainDevices {
		g.file(&g.access.WriteFiles, device)
	}
	if isDir("/dev/shm") { // semaphores of Python's multiprocessing live there
		g.access.WriteDirs = append(g.access.WriteDirs, "/dev/shm")
	}
	for _, pattern := range gpus {
		found, _ := filepath.Glob(pattern) // the patterns are sound
		for _, device := range found {
			g.file(&g.access.Devices, device)
		}
	}
	return g.access
}

// program opens the program and what the links to it lead to. Its path may be a stranger's word, so nothing is opened but folders of programs, and
// nothing in the repository.
func (g *grants) program(path string) {
	for range 16 {
		if g.inHidden(path) {
			return
		}
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			g.strict(path)
			g.programs(filepath.Dir(path))
		}
		to, err := os.Readlink(path)
		if err != nil {
			return
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
}

// programs opens a folder of programs and what is installed beside it, and follows a Python environment to the installation that it was made from.
func (g *grants) programs(bin string) {
	top := filepath.Dir(bin)
	if g.seen[bin] || !slices.Contains([]string{"bin", "sbin", "shims", "libexec", "Scripts"}, filepath.Base(bin)) {
		return
	}
	g.seen[bin] = true
	config, err := os.ReadFile(filepath.Join(top, "pyvenv.cfg"))
	environment := err == nil || isDir(filepath.Join(top, "conda-meta"))
	if g.inHidden(bin) && !environment {
		return
	}
	for _, name := range installed {
		if name == "share" && filepath.Base(top) == ".local" { // beside what uv installed lie keyrings
			name = "share/uv"
		}
		if real, err := filepath.EvalSymlinks(filepath.Join(top, name)); err == nil && !g.holdsHidden(real) {
			g.add(real)
		}
	}
	for line := range strings.Lines(string(config[:min(len(config), 64<<10)])) {
		if key, value, _ := strings.Cut(line, "="); strings.TrimSpace(key) == "home" {
			base := strings.TrimSpace(value)
			g.programs(base)
			if real, err := filepath.EvalSymlinks(base); err == nil {
				g.programs(real)
			}
		}
	}
}

// strict opens a path that is not hidden, nor holds anything hidden, nor lies in it.
func (g *grants) strict(path string) {
	if real, err := filepath.EvalSymlinks(path); err == nil && !g.holdsHidden(real) && !g.inHidden(real) {
		g.add(real)
	}
}

// open opens a folder, or what of it is not hidden.
func (g *grants) open(path string) {
	real, err := filepath.EvalSymlinks(path)
	switch {
	case err != nil:
	case !g.holdsHidden(real):
		g.add(real)
	case !g.inHidden(real) && real != g.home:
		entries, err := os.ReadDir(real)
		if err != nil {
			return
		}
		for _, e := range entries {
			if e.Type()&os.ModeSymlink == 0 { // a link's goal is opened where it lies
				g.open(filepath.Join(real, e.Name()))
			}
		}
	}
}

func (g *grants) add(real string) {
	if slices.ContainsFunc(g.access.ReadDirs, func(d string) bool { return within(real, d) }) {
		return
	}
	if isDir(real) {
		g.access.ReadDirs = append(g.access.ReadDirs, real)
		return
	}
	g.file(&g.access.ReadFiles, real)
}

func (g *grants) file(list *[]string, path string) {
	if _, err := os.Stat(path); err == nil && !slices.Contains(*list, path) {
		*list = append(*list, path)
	}
}

// holdsHidden says whether a hidden folder or the person's home is at or below a path.
func (g *grants) holdsHidden(path string) bool {
	return g.home != "" && within(g.home, path) || slices.ContainsFunc(g.hidden, func(h string) bool { return within(h, path) })
}

func (g *grants) inHidden(path string) bool {
	return slices.ContainsFunc(g.hidden, func(h string) bool { return within(path, h) })
}

// within says whether a path is a folder or lies in it.
func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}

func resolved(paths []string) []string {
	var out []string
	for _, p := range paths {
		if p == "" {
			continue
		}
		if real, err := filepath.EvalSymlinks(p); err == nil {
			out = append(out, real)
		}
	}
	return out
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
