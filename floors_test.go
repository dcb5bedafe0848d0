package plumb_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/plumb-ml/plumb"

// floors is the house from the ground up: a package imports only from lower floors, never from its own.
// A new package stands here first; doc.go says what goes where.
var floors = [][]string{
	{"internal/problem", "internal/stat", "internal/digest", "internal/escape", "internal/table", "internal/onnx", "internal/retry", "templates", "site", "examples"},
	{"internal/tomlio", "internal/rule", "internal/metric", "internal/parts"},
	{"internal/doc", "internal/record", "internal/action", "internal/model"},
	{"internal/compare", "internal/evaluate", "internal/quality", "internal/drift", "internal/trigger", "internal/maturity", "internal/value", "internal/registry", "internal/index", "internal/gitdb", "internal/engine", "internal/forge", "internal/objects", "internal/oci", "internal/job", "internal/learn"},
	{"internal/ledger", "internal/store"},
	{"internal/dataset"},
	{"internal/trainset", "internal/program", "internal/brief"},
	{"internal/page", "internal/comment", "internal/text"},
	{"internal/flow"},
	{"internal/cli"},
	{"cmd/plumb"},
}

// doors names, for each library with power or risk, the one package that may import it.
var doors = map[string][]string{
	"github.com/go-git/":                      {"internal/gitdb"},
	"github.com/google/go-github":             {"internal/forge"},
	"github.com/duckdb/":                      {"internal/engine"},
	"github.com/BurntSushi/toml":              {"internal/tomlio"},
	"github.com/pelletier/go-toml":            {"internal/tomlio"},
	"github.com/expr-lang/expr":               {"internal/rule"},
	"github.com/yuin/goldmark":                {"internal/page"},
	"github.com/go-echarts/":                  {"internal/page"},
	"github.com/spf13/":                       {"internal/cli"},
	"github.com/rogpeppe/":                    {"internal/flow"},
	"gonum.org/":                              {"internal/stat"},
	"golang.org/x/mod":                        {"internal/registry"},
	"gocloud.dev/":                            {"internal/objects"},
	"github.com/aws/":                         {"internal/objects"},
	"github.com/Azure/":                       {"internal/objects"},
	"cloud.google.com/go/":                    {"internal/objects"},
	"google.golang.org/api/":                  {"internal/objects"},
	"github.com/google/go-containerregistry/": {"internal/oci"},
	"golang.org/x/sync":                       {"internal/store"},
	"golang.org/x/sys":                        {"internal/gitdb", "internal/job"},
	"github.com/landlock-lsm/":                {"internal/job"},
	"golang.org/x/term":                       {"internal/text"},
}

// beside are test doubles: packages that only tests import.
var beside = []string{"internal/forge/forgetest", "internal/store/storetest", "internal/outside"}

func TestFloors(t *testing.T) {
	floorOf := map[string]int{}
	for n, packages := range floors {
		for _, p := range packages {
			floorOf[p] = n
			if files, _ := filepath.Glob(filepath.Join(filepath.FromSlash(p), "*.go")); len(files) == 0 {
				t.Errorf("%s stands on floor %d but does not exist", p, n)
			}
		}
	}
	opened := map[string]bool{}
	for file, imports := range imports(t) {
		from := path.Dir(file)
		if from == "." || slices.Contains(beside, from) {
			continue
		}
		floor, known := floorOf[from]
		if !known {
			t.Errorf("%s: package %s stands on no floor: add it to the table", file, from)
			continue
		}
		for _, imported := range imports {
			if to, own := strings.CutPrefix(imported, module+"/"); own {
				if at, ok := floorOf[to]; !ok || at >= floor {
					t.Errorf("%s: %s (floor %d) imports %s (floor %d): only lower floors", file, from, floor, to, at)
				}
				continue
			}
			if lib, wrong := wrongDoor(imported, from); lib == "" && strings.Contains(strings.Split(imported, "/")[0], ".") {
				t.Errorf("%s: library %s has no door: add it to the table", file, imported)
			} else if wrong {
				t.Errorf("%s: %s may be imported only by %v", file, imported, doors[lib])
			} else if lib != "" {
				opened[lib] = true
			}
		}
	}
	for lib := range doors {
		if !opened[lib] {
			t.Errorf("library %s has a door but nobody uses it", lib)
		}
	}
}

// wrongDoor gives the door's library for an import, and whether the importing package is not at it.
func wrongDoor(imported, from string) (lib string, wrong bool) {
	for l, at := range doors {
		if strings.HasPrefix(imported, l) {
			return l, !slices.Contains(at, from)
		}
	}
	return "", false
}

// imports lists what each non-test Go file of the module imports, by slash-separated path.
// It reads the files itself: `go list` would hide a change from the test cache.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && p != "." && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "node_modules") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		src, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, src, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, im := range f.Imports {
			out[filepath.ToSlash(p)] = append(out[filepath.ToSlash(p)], strings.Trim(im.Path.Value, `"`))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// top is what may stand at the top of the repository.
var top = strings.Fields(`cmd internal action templates site examples testdata action.yml go.mod go.sum README.md
	LICENSE CONTRIBUTING.md CHANGELOG.md SECURITY.md .github .ci .git .gitignore doc.go staticcheck.conf plumb-demo`) // the last is what the demo makes

func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(top, e.Name()) && !strings.HasSuffix(e.Name(), "_test.go") {
			t.Errorf("%s does not belong at the top level", e.Name())
		}
	}
}
