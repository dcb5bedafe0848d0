package job

import (
	"fmt"

	"github.com/landlock-lsm/go-landlock/landlock"
	llsys "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// Sandbox says what sandbox the kernel gives.
func Sandbox() string {
	abi, err := llsys.LandlockGetABIVersion()
	switch {
	case err != nil || abi <= 0:
		return "none: the kernel has no Landlock"
	case abi < 6:
		return fmt.Sprintf("landlock %d: files only, signals are not held back", abi)
	}
	return fmt.Sprintf("landlock %d", abi)
}

// confine takes rights away from this process and all that it becomes or starts, for ever. A kernel that can do a part of it does that part.
func (a access) confine() error {
	best := landlock.V7.BestEffort()
	err := best.RestrictPaths(
		landlock.RODirs(a.ReadDirs...).IgnoreIfMissing(),
		landlock.ROFiles(a.ReadFiles...).IgnoreIfMissing(),
		landlock.RWDirs(a.WriteDirs...).WithRefer().IgnoreIfMissing(),
		landlock.RWFiles(a.WriteFiles...).IgnoreIfMissing(),
		landlock.RWFiles(a.Devices...).WithIoctlDev().IgnoreIfMissing(),
	)
	if err != nil {
		return err
	}
	return best.RestrictScoped()
}
