package flow

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
)

// jobs says how many cells run at a time: what was asked for, else one a core, as far as there are cells and memory. A command learner's program takes
// what it likes of the machine, so of those one runs at a time unless more are asked for.
func (s *sweep) jobs(read sheet, cells int) int {
	asked := s.o.Jobs
	n := min(asked, cells)
	if asked == 0 {
		n = min(runtime.NumCPU(), cells)
		if s.t.Docs.Experiments[s.o.Experiment].Train.Learner == learnerCommand {
			return 1
		}
	}
	free, known := freeMemory()
	if !known {
		return n
	}
	need := trainingNeeds(len(read.rows.RowID), len(read.features.Columns))
	if fit := int(max(1, free/need)); fit < n {
		s.out.Notes = append(s.out.Notes, fmt.Sprintf("%d cells at a time, not %d: one needs about %s of memory, and %s are free", fit, n, brief.Bytes(need), brief.Bytes(free)))
		n = fit
	}
	return n
}

// trainingNeeds estimates what one training of a built-in learner takes beside the rows, which all share: a copy of the features as numbers, a few
// numbers a row, the model and what it is written to.
func trainingNeeds(rows, features int) int64 {
	return int64(rows)*int64(features+16)*8 + 64<<20
}

// freeMemory is what this process may still take, in bytes: of the machine, and of the control group that a CI job runs in. Known on Linux only.
func freeMemory() (int64, bool) {
	free, known := int64(0), false
	least := func(n int64) {
		if !known || n < free {
			free, known = max(n, 0), true
		}
	}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if rest, ok := strings.CutPrefix(line, "MemAvailable:"); ok {
				if kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64); err == nil {
					least(kib << 10)
				}
			}
		}
	}
	limit, errLimit := numberIn("/sys/fs/cgroup/memory.max") // "max" is no number
	used, errUsed := numberIn("/sys/fs/cgroup/memory.current")
	if errLimit == nil && errUsed == nil {
		least(limit - used)
	}
	return free, known
}

func numberIn(file string) (int64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
}
