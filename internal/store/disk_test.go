package store

import (
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/plumb-ml/plumb/internal/problem"
)

// What a disk refuses has a hint each, and one that plumb knows nothing of is left as it is.
func TestExplainDisk(t *testing.T) {
	for _, c := range []struct {
		errno error
		hint  string
	}{{syscall.ENOSPC, "make room"}, {syscall.EDQUOT, "begins anew"}, {syscall.EROFS, "mounted read-only"}, {syscall.EACCES, "who may write"}, {syscall.EIO, ""}} {
		err := explainDisk(&fs.PathError{Op: "write", Path: "shelf", Err: c.errno})
		if hint := problem.Hint(err); c.hint == "" != (hint == "") || !strings.Contains(hint, c.hint) {
			t.Errorf("%v: %q", c.errno, hint)
		}
	}
}
