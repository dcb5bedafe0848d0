package plumb_test

import (
	"context"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/flow"
)

var picture = flag.Bool("picture", false, "with TestDemo: take the README's picture of the demo's first page anew")

// takePicture takes one of a page with the browser.
func takePicture(t *testing.T, page, to string) {
	t.Helper()
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal(err)
	}
	if to, err = filepath.Abs(to); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--user-data-dir="+t.TempDir(), "--window-size=1180,1000", "--screenshot="+to, "file://"+strings.ReplaceAll(page, " ", "%20"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// told is plumb.demo/v1.
type told struct {
	Comment string
	Branch  string
	Anew    bool
	Moments []struct {
		Did, Branch, Says string
		Exit              int
	}
}

func (d told) of(branch string) (says string, exit int) {
	for _, m := range d.Moments {
		if m.Branch == branch {
			return m.Says, m.Exit
		}
	}
	return "", -1
}

func (d told) alarms() int {
	n := 0
	for _, m := range d.Moments {
		if strings.HasPrefix(m.Says, "alarm — ") {
			n++
		}
	}
	return n
}

// TestDemo runs the README's first command in process: the comment must be the one that the README shows, and the site must be there.
func TestDemo(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a demo") // with a space
	exit, out, errs := call(".", "demo", dir, "--json")
	if exit != 0 {
		t.Fatalf("exit %d: %s", exit, errs)
	}
	var d told
	if err := json.Unmarshal([]byte(out), &d); err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	shown, _, _ := strings.Cut(d.Comment, "\n<details>")
	quoted := "> " + strings.ReplaceAll(strings.TrimSpace(shown), "\n", "\n> ")
	quoted = strings.ReplaceAll(quoted, "\n> \n", "\n>\n")
	if !strings.Contains(string(readme), quoted) {
		t.Errorf("the README shows another comment than the demo's:\n%s", quoted)
	}
	for branch, want := range map[string]struct {
		says string
		exit int
	}{"origin-history": {"better — ", 0}, "worse": {"worse — ", 1}, "leak": {"minutes_late: delay is late", 2}, "new-feed": {"delay-range", 1}} {
		if says, exit := d.of(branch); !strings.Contains(says, want.says) || exit != want.exit {
			t.Errorf("branch %s: exit %d, %s", branch, exit, says)
		}
	}
	if d.alarms() == 0 {
		t.Error("no alarm")
	}
	if _, err := os.Stat(filepath.Join(dir, "_site", "index.html")); err != nil {
		t.Error(err)
	}
	if *picture {
		takePicture(t, filepath.Join(dir, "_site", "index.html"), filepath.Join(".github", "overview.png"))
	}
	if out := git(t, dir, "log", "--format=%s", "plumb/ledger"); strings.Count(out, "\n") < 10 {
		t.Errorf("the ledger has %q", out)
	}
	if out := git(t, dir, "log", "--format=%s", "main"); !strings.Contains(out, "Pin the newest rows of flights") {
		t.Errorf("main has %q", out)
	}
	if out := git(t, dir, "status", "--porcelain"); out != "" {
		t.Errorf("the demo left %q", out)
	}
	for _, next := range []string{"runs", "run --set rounds=3"} { // fewer rounds, the same words as the demo's last line
		if exit, _, errs := call(dir, strings.Fields(next)...); exit != 0 {
			t.Errorf("the demo's next step `plumb %s`: exit %d: %s", next, exit, errs)
		}
	}
	if exit, _, errs := call(".", "demo", dir); exit != 2 || !strings.Contains(errs, "not empty") {
		t.Errorf("a second time: exit %d: %s", exit, errs)
	}
}

// Nothing in the demo is canned: other data tell another story. With every flight's delay dealt out at random nothing moves from week to week, so no
// trigger fires and nothing is proposed, and what was seen at the origin says nothing, so the good branch is not better any more.
func TestDemoOfShuffledDelays(t *testing.T) {
	t.Parallel()
	source := changedExample(t, `with
		every as (select *, row_number() over (order by filename, file_row_number) as n from read_parquet('ALL', filename = true, file_row_number = true)),
		deal as (select delay as dealt, row_number() over (order by hash(n)) as n from every)
		select date, dealt as delay, distance, origin, destination from every join deal using (n) where parse_filename(filename) = 'FILE' order by n`)
	d := story(t, source)
	for _, m := range d.Moments { // where the flights leave from moves as it did
		if strings.Contains(m.Says, "delays-moved") || strings.Contains(m.Did, "proposal") {
			t.Errorf("over delays that do not move: %s: %s", m.Did, m.Says)
		}
	}
	if says, exit := d.of("origin-history"); strings.HasPrefix(says, "better") {
		t.Errorf("exit %d, %s", exit, says)
	}
}

// A label of another threshold moves every number.
func TestDemoOfAnotherLabel(t *testing.T) {
	t.Parallel()
	source := changedExample(t, "")
	for _, file := range []string{"models/delay.toml", "branches/origin-history/models/delay.toml", "branches/worse/models/delay.toml"} {
		path := filepath.Join(source, filepath.FromSlash(file))
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, []byte(strings.Replace(string(text), "delay > 15", "delay > 60", 1)))
	}
	d := story(t, source)
	if says, _ := d.of("origin-history"); says == "" {
		t.Error("the good branch was not measured")
	}
	for _, m := range d.Moments {
		for _, number := range []string{"0.674 → 0.676", "0.677 → 0.680", "0.678 → 0.568", "0.678 → 0.705", "0.678", "0.705"} { // as the README and the flights example tell them
			if strings.Contains(m.Says, number) {
				t.Errorf("with another label, %s still says %s: %s", m.Did, number, m.Says)
			}
		}
	}
}

// story tells the demo of an example's folder.
func story(t *testing.T, source string) told {
	t.Helper()
	d, err := flow.NewDemo(context.Background(), filepath.Join(t.TempDir(), "demo"), flow.Options{Program: "plumb test"}, flow.DemoOptions{Source: os.DirFS(source)})
	if err != nil {
		t.Fatal(err)
	}
	var out told
	for _, m := range d.Moments {
		out.Moments = append(out.Moments, struct {
			Did, Branch, Says string
			Exit              int
		}{m.Did, m.Branch, m.Says(), m.Found.Exit})
	}
	return out
}

// changedExample copies the flights example, its data files as a query gives them: FILE is the name of the one to make, ALL those there were.
func changedExample(t *testing.T, query string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("examples", "flights"))); err != nil {
		t.Fatal(err)
	}
	if query == "" {
		return dir
	}
	original, err := filepath.Abs(filepath.Join("examples", "flights", "data", "flights"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := engine.Open(context.Background(), engine.Options{Read: []string{dir, original}, Temp: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	files, err := fs.Glob(os.DirFS(dir), "data/flights/*.parquet")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		path := filepath.Join(dir, filepath.FromSlash(file))
		f, err := db.Frame(context.Background(), strings.NewReplacer("FILE", filepath.Base(path), "ALL", filepath.Join(original, "*.parquet")).Replace(query))
		if err != nil {
			t.Fatal(err)
		}
		if err := db.WriteFrame(context.Background(), f, path); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
