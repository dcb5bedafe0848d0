package job

import (
	"fmt"

	"github.com/landlock-lsm/go-landlock/landlock"
	llsys "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// The versions of Landlock that bring what is used here beside the first.
const (
	landlockMoves   = 2 // files may be moved from folder to folder
	landlockSignals = 6 // signals and abstract sockets stay inside
)

// Sandbox says what sandbox the kernel gives.
func Sandbox() string {
	switch abi := landlockVersion(); {
	case abi == 0:
		return "none: the kernel has no Landlock"
	case abi < landlockSignals:
		return fmt.Sprintf("landlock %d: files only, signals are not held back", abi)
	default:
		return fmt.Sprintf("landlock %d", abi)
	}
}

func landlockVersion() int {
	abi, err := llsys.LandlockGetABIVersion()
	if err != nil {
		return 0
	}
	return max(abi, 0)
}

// confine takes rights away from this process and all that it becomes or starts, for ever. A kernel that can do a part of it does that part. Network
// is left alone.
func (a access) confine() error {
	best := landlock.V9.BestEffort()
	if err := best.RestrictPaths(a.rules(landlockVersion())...); err != nil {
		return err
	}
	return best.RestrictScoped()
}

// rules are what a version of Landlock is asked for. The right to move files is the one that must not be asked of a version without it: the whole
// sandbox would be left out.
func (a access) rules(version int) []landlock.Rule {
	own := landlock.RWDirs(a.WriteDirs...)
	if version >= landlockMoves {
		own = own.WithRefer()
	}
	return []landlock.Rule{
		landlock.RODirs(a.ReadDirs...).IgnoreIfMissing(),
		landlock.ROFiles(a.ReadFiles...).IgnoreIfMissing(),
		own.IgnoreIfMissing(),
		landlock.RWFiles(a.WriteFiles...).IgnoreIfMissing(),
		landlock.RWFiles(a.Devices...).WithIoctlDev().IgnoreIfMissing(),
		landlock.RODirs(resolvers...).WithResolveUnix().IgnoreIfMissing(), // from version 9 on sockets outside are shut: Docker's would be a way around
	}
}

// resolvers are the folders of the sockets by which names of machines and people are looked up.
var resolvers = []string{"/run/systemd/resolve", "/run/nscd"}
