package doc_test

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
)

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{"28d": 672 * time.Hour, "12h": 12 * time.Hour, "90m": 90 * time.Minute, "30s": 30 * time.Second, "2w": 336 * time.Hour, "0d": 0} {
		if got, err := doc.Duration(text); err != nil || got != want {
			t.Errorf("%s: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "7", "d", "7 d", "-7d", "1.5h", "7D", "999999999w", "7days", "1h30m", "７d", "1e3s", "99999999999999999999s"} {
		if got, err := doc.Duration(text); err == nil {
			t.Errorf("%q gave %v", text, got)
		}
	}
}

func TestBytes(t *testing.T) {
	for text, want := range map[string]int64{"4GiB": 4 << 30, "200MB": 200e6, "1kB": 1000, "0B": 0, "512MiB": 512 << 20, "2TB": 2e12} {
		if got, err := doc.Bytes(text); err != nil || got != want {
			t.Errorf("%s: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "4", "GiB", "4 GiB", "-4GiB", "4gib", "999999999999999TiB", "1.5GB"} {
		if got, err := doc.Bytes(text); err == nil {
			t.Errorf("%q gave %v", text, got)
		}
	}
}

func TestLockRoundTrip(t *testing.T) {
	lock := doc.Lock{Content: "sha256:" + strings.Repeat("b", 64), Format: "csv", Rows: 3, Columns: []doc.LockColumn{{Name: "odd \"name\"\n", Type: "string"}, {Name: "n", Type: "int64"}},
		Files: []doc.LockFile{{Path: "data/ä b.csv", SHA256: strings.Repeat("c", 64), Bytes: 7, Rows: 3}}}
	m := project(t)
	put(m, "datasets/odd.toml", "schema = 1\n[source]\npath = \"data/*.csv\"\n")
	put(m, "datasets/odd.lock.toml", string(lock.Encode()))
	set := doc.Load(m)
	if text := set.Problems.Text(set.Source); text != "" {
		t.Fatal(text)
	}
	got := *set.Locks["odd"]
	got.Head = doc.Head{}
	if !reflect.DeepEqual(got, lock) {
		t.Errorf("got %+v", got)
	}
	if strings.Contains(string(lock.Encode()), "[[") || got.Digest() != lock.Digest() {
		t.Errorf("%s", lock.Encode())
	}
	empty := doc.Lock{}
	put(m, "datasets/odd.lock.toml", string(empty.Encode()))
	if doc.Load(m).Locks["odd"] == nil {
		t.Error("an empty lock can't be read back")
	}
}

// TestLockOf20000Files holds that the largest lock allowed is read, and one file more is refused.
func TestLockOf20000Files(t *testing.T) {
	for _, n := range []int{doc.MaxLockFiles, doc.MaxLockFiles + 1} {
		lock := doc.Lock{Content: "sha256:" + strings.Repeat("b", 64), Format: "parquet", Rows: int64(n), Columns: []doc.LockColumn{{Name: "x", Type: "int64"}}}
		for i := range n {
			lock.Files = append(lock.Files, doc.LockFile{Path: "data/a-rather-long-folder-name/part-" + strings.Repeat("0", 5) + string(rune('a'+i%26)) + "-" + time.Duration(i).String() + ".parquet", SHA256: strings.Repeat("c", 64), Bytes: 1, Rows: 1})
		}
		m := fstest.MapFS{}
		put(m, "datasets/d.toml", "schema = 1\n[source]\npath = \"data/**\"\n")
		put(m, "datasets/d.toml", "schema = 1\n[source]\npath = \"data/*.parquet\"\n")
		put(m, "datasets/d.lock.toml", string(lock.Encode()))
		set := doc.Load(m)
		if fine := set.Problems.Errors() == 0; fine != (n == doc.MaxLockFiles) {
			t.Errorf("%d files: %.500s", n, set.Problems.Text(nil))
		}
	}
}

// TestSchema holds that every kind has a schema, that every key in it is explained, and that documents of the kind fit it key by key.
func TestSchema(t *testing.T) {
	for _, kind := range doc.Kinds() {
		var s map[string]any
		if err := json.Unmarshal(doc.Schema(kind), &s); err != nil {
			t.Fatal(kind, err)
		}
		explained(t, kind, s)
		if !reflect.DeepEqual(s["additionalProperties"], false) || !strings.Contains(s["title"].(string), kind) {
			t.Errorf("%s: %v", kind, s["title"])
		}
	}
	if doc.Schema("nothing") != nil {
		t.Error("a schema of nothing")
	}
}

func explained(t *testing.T, path string, s map[string]any) {
	properties, _ := s["properties"].(map[string]any)
	for name, p := range properties {
		p := p.(map[string]any)
		inner, isTable := p["properties"]
		_, isItems := p["additionalProperties"].(map[string]any)
		if _, ok := p["description"]; !ok && inner == nil && !isItems && p["type"] != "array" {
			t.Errorf("%s.%s is not explained", path, name)
		}
		if isTable {
			explained(t, path+"."+name, p)
		}
		if items, ok := p["additionalProperties"].(map[string]any); ok {
			explained(t, path+"."+name+".*", items)
		}
	}
}

func TestLoadProject(t *testing.T) {
	p := doc.LoadProject(fstest.MapFS{})
	if p.Branch != "main" || p.Store.URL != "git" || p.Engine.Driver != "duckdb" || p.Limits.BundleMembers != 2000 || p.Limits.BundleBytes != "200MB" {
		t.Errorf("defaults %+v", p)
	}
	if p := doc.LoadProject(os.DirFS("testdata/good")); p.Name != "flights" || p.Branch != "main" {
		t.Errorf("%+v", p)
	}
}

// TestNothing holds that an empty tree is no mistake.
func TestNothing(t *testing.T) {
	set := doc.Load(fstest.MapFS{})
	if len(set.Problems.All()) > 0 || set.Project != nil || set.Design != nil || len(set.Files) > 0 {
		t.Errorf("%+v", set)
	}
}

// TestLinks holds that a link in the place of a document is not followed.
func TestLinks(t *testing.T) {
	m := project(t)
	m["experiments/link.toml"] = &fstest.MapFile{Data: []byte("/etc/passwd"), Mode: os.ModeSymlink}
	set := doc.Load(m)
	if all := set.Problems.All(); len(all) != 1 || all[0].Rule != "read" {
		t.Errorf("%v", all)
	}
}

// FuzzLoad holds that no document makes Load panic and that each problem has a place in its file.
func FuzzLoad(f *testing.F) {
	for _, text := range []string{"schema = 1\nmodel = \"delay\"\nextends = \"baseline\"\n[features]\nuse = [\"x\", 1]\n[features.row]\nx = \"a +\"\n",
		"schema = 1\n[check.a]\nkind = \"newest_event_within\"\nvalue = 3\n[time]\nknown = \"\"\n[source]\npath = \"[.csv\"\n",
		"schema = 1\ndataset = \"flights\"\n[feature.x]\nagg = \"avg( )\"\n", "schema = 1\n[question]\nlabel = \"\"\nsplit = 3\nthreshold = []\n[gate.x]\n", "columns = [3, {}]\nfiles = [{}, 4]\n"} {
		f.Add(text)
	}
	good := fstest.MapFS{}
	for _, file := range []string{"datasets/flights.toml", "datasets/flights.lock.toml", "models/delay.toml", "experiments/baseline.toml", "features/origin.toml"} {
		data, err := os.ReadFile("testdata/good/" + file)
		if err != nil {
			f.Fatal(err)
		}
		put(good, file, string(data))
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, file := range []string{"plumb.toml", "design.toml", "datasets/flights.toml", "datasets/flights.lock.toml", "models/delay.toml", "experiments/fuzz.toml", "features/origin.toml"} {
			m := fstest.MapFS{}
			for name, file := range good {
				m[name] = file
			}
			put(m, file, text)
			set := doc.Load(m)
			for _, p := range set.Problems.All() {
				if p.File == "" || p.Message == "" || p.Rule == "" {
					t.Fatalf("%+v", p)
				}
			}
			if set.Experiments["fuzz"] != nil && set.Problems.Errors() == 0 {
				if _, err := set.Inputs("fuzz", 1, builtin); err != nil && !strings.Contains(err.Error(), "code") && !strings.Contains(err.Error(), "lock") && !strings.Contains(err.Error(), "matches no") {
					t.Fatalf("valid but has no inputs: %v", err)
				}
			}
		}
	})
}
