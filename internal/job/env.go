package job

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Environment is that of a program: PATH and LANG as they are, HOME and TMPDIR of the room, TZ=UTC, the variables of env that are named, and set on
// top of all (PLUMB_SEED=1 and so on). A name that env does not have stays unset.
func (r *Room) Environment(env []string, named []string, set ...string) []string {
	out := []string{"PATH=" + absolute(valueOf(env, "PATH")), "LANG=" + orElse(valueOf(env, "LANG"), "C.UTF-8")}
	if runtime.GOOS == "windows" { // without these hardly a program starts there
		out = append(out, "SYSTEMROOT="+valueOf(env, "SYSTEMROOT"), "USERPROFILE="+r.Home(), "TEMP="+r.Temp(), "TMP="+r.Temp())
	}
	for _, pair := range env {
		if name, _, _ := strings.Cut(pair, "="); slices.Contains(named, name) {
			out = slices.DeleteFunc(out, func(had string) bool { return strings.HasPrefix(had, name+"=") })
			out = append(out, pair)
		}
	}
	fixed := append([]string{"HOME=" + r.Home(), "TMPDIR=" + r.Temp(), "TZ=UTC"}, set...)
	for _, pair := range fixed {
		name, _, _ := strings.Cut(pair, "=")
		out = slices.DeleteFunc(out, func(had string) bool { return strings.HasPrefix(had, name+"=") })
	}
	return append(out, fixed...)
}

// absolute drops what of a PATH depends on where one stands.
func absolute(path string) string {
	list := slices.DeleteFunc(filepath.SplitList(path), func(dir string) bool { return !filepath.IsAbs(dir) })
	return strings.Join(list, string(os.PathListSeparator))
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
