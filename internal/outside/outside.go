// Package outside finds the programs that tests ask and plumb does not need. Only tests import it.
package outside

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Need gives a program's path, or skips the test. A skip looks like a pass: with PLUMB_REQUIRE naming the program, its absence is a failure.
func Need(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name, "there is no "+name)
	}
	return path
}

// Python gives the path of a python that has the packages of testdata/python/requirements.txt, as Need does; `.ci/run` makes one.
func Python(t testing.TB) string {
	t.Helper()
	path := Need(t, "python")
	if out, err := exec.Command(path, "-c", "import onnxruntime, pandas, pyarrow, scipy, sklearn, xgboost").CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		missing(t, "python", "python lacks packages of testdata/python/requirements.txt: "+lines[len(lines)-1])
	}
	return path
}

func missing(t testing.TB, name, why string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("PLUMB_REQUIRE"), ","), name) {
		t.Fatalf("PLUMB_REQUIRE asks for %s: %s", name, why)
	}
	t.Skip(why)
}
