package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/record"
)

// TestSameBytes builds the site twice, the second time from the same input in another order.
func TestSameBytes(t *testing.T) {
	in := withPullRequest(fixture(t, 40))
	first := build(t, in)
	slices.Reverse(in.Runs)
	slices.Reverse(in.Comparisons)
	slices.Reverse(in.Versions)
	second := build(t, in)
	for name, data := range first {
		if !bytes.Equal(data, second[name]) {
			t.Errorf("%s differs between two builds", name)
		}
	}
	if len(first) != len(second) {
		t.Errorf("%d files, then %d", len(first), len(second))
	}
}

// TestSizes holds the site's budgets.
func TestSizes(t *testing.T) {
	files := build(t, withPullRequest(fixture(t, 200)))
	var runs []int
	for name, data := range files {
		if path.Ext(name) == ".html" && len(data) > MaxPageBytes {
			t.Errorf("%s has %d bytes", name, len(data))
		}
		if strings.HasPrefix(name, "runs/2") && path.Ext(name) == ".html" {
			runs = append(runs, len(data))
		}
		for i, table := range regexp.MustCompile(`(?s)<tbody>(.*?)</tbody>`).FindAllSubmatch(data, -1) {
			if n := bytes.Count(table[1], []byte("<tr>")); n > MaxRows {
				t.Errorf("%s: table %d has %d rows", name, i, n)
			}
		}
	}
	slices.Sort(runs)
	if median := runs[len(runs)/2]; median > 12_000 {
		t.Errorf("the median run page has %d bytes", median)
	}
	if n := len(files["assets/site.css"]); n > 30_000 {
		t.Errorf("the style has %d bytes", n)
	}
	if n := len(files["assets/charts.js"]); n == 0 || n > 60_000 {
		t.Errorf("the script has %d bytes", n)
	}
}

var (
	reference = regexp.MustCompile(`(?:href|src)="([^"]*)"`)
	element   = regexp.MustCompile(`</?([a-zA-Z][a-zA-Z0-9]*)[^>]*?(/?)>`)
	attribute = regexp.MustCompile(`(?:aria-label|title|content)="[^"]*"`)
	void      = map[string]bool{"meta": true, "link": true, "br": true, "hr": true, "img": true}
)

// checkPages checks what holds for every page whatever is on it: balanced tags, links that lead to a file, nothing inline, nothing from elsewhere.
func checkPages(t *testing.T, files map[string][]byte) {
	t.Helper()
	for name, data := range files {
		if path.Ext(name) != ".html" {
			continue
		}
		var open []string
		for _, e := range element.FindAllSubmatch(data, -1) {
			tag := string(e[1])
			switch {
			case void[tag] || len(e[2]) > 0:
			case e[0][1] != '/':
				open = append(open, tag)
			case len(open) == 0 || open[len(open)-1] != tag:
				t.Errorf("%s: </%s> closes %v", name, tag, open)
			default:
				open = open[:len(open)-1]
			}
		}
		if len(open) > 0 {
			t.Errorf("%s leaves %v open", name, open)
		}
		for _, r := range reference.FindAllSubmatch(data, -1) {
			target := string(r[1])
			if strings.HasPrefix(target, "#") || strings.HasPrefix(target, "https://example.org/") {
				continue
			}
			if where := path.Join(path.Dir(name), target); files[where] == nil {
				t.Errorf("%s links to %s, which is not there", name, target)
			}
		}
		inside := bytes.ToLower(bytes.Join(element.FindAll(attribute.ReplaceAll(data, nil), -1), nil))
		for _, bad := range []string{" style=", "<style", " onclick=", " onload=", " onerror=", "<img", "<iframe", "zgotmplz", "\u202e"} {
			if bytes.Contains(inside, []byte(bad)) {
				t.Errorf("%s holds %s", name, bad)
			}
		}
		if bytes.Contains(data, []byte(`="javascript:`)) || bytes.Contains(data, []byte("ZgotmplZ")) || bytes.Contains(data, []byte("\u202e")) {
			t.Errorf("%s holds a script address, what html/template refused, or a turn of direction", name)
		}
		if !bytes.Contains(data, []byte(`content="default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"`)) {
			t.Errorf("%s has no content security policy", name)
		}
		if n := bytes.Count(data, []byte("<h1>")); n != 1 {
			t.Errorf("%s has %d first headings", name, n)
		}
	}
}

func TestPages(t *testing.T) {
	for name, in := range map[string]Input{"full": withPullRequest(fixture(t, 60)), "young": fixture(t, 1), "empty": {}, "no store": withoutStore(fixture(t, 8)), "documents only": {Docs: documents()}} {
		t.Run(name, func(t *testing.T) {
			files := build(t, in)
			checkPages(t, files)
			if files["index.html"] == nil || files["assets/site.css"] == nil || files["manifest.json"] == nil {
				t.Error("the site lacks what it cannot do without")
			}
		})
	}
}

func withoutStore(in Input) Input {
	in.Detail = nil
	return in
}

// TestManifest checks that the manifest lists every other file, and the commit and the ledger that they were made from.
func TestManifest(t *testing.T) {
	in := fixture(t, 4)
	files := build(t, in)
	var m struct {
		Schema, Commit, Ledger string
		Files                  []file
	}
	if err := json.Unmarshal(files["manifest.json"], &m); err != nil {
		t.Fatal(err)
	}
	if m.Schema != "plumb.site/v1" || m.Commit != in.Commit || m.Ledger != in.LedgerTip || len(m.Files) != len(files)-1 {
		t.Errorf("manifest of %d files: %+v", len(files), m)
	}
}

// TestOldRuns checks that what a version, a champion or a comparison names has a page however old it is, and other old runs are in the list only.
func TestOldRuns(t *testing.T) {
	in := Input{Docs: documents(), Commit: "c"}
	names := []string{"baseline", "origin-history"}
	for i := range MaxRunPages + 40 {
		in.Runs = append(in.Runs, runOf(i, names[min(i, 1)], "delay"))
	}
	in.Versions = []record.Version{{Model: "delay", Number: 1, Run: "runs/origin-history/2001-07/" + in.Runs[7].ID + ".toml"}}
	files := build(t, in)
	for i, want := range map[int]bool{0: true, 7: true, 8: false, 39: false, 40: true, MaxRunPages + 39: true} {
		if got := files["runs/"+in.Runs[i].ID+".html"] != nil; got != want {
			t.Errorf("run %d has a page: %v", i, got)
		}
	}
	if n := bytes.Count(files["runs/runs.csv"], []byte("\n")); n != len(in.Runs)+1 {
		t.Errorf("the CSV file has %d lines for %d runs", n, len(in.Runs))
	}
	checkPages(t, files)
}

const evil = "</script><script>alert(1)</script><img src=x onerror=alert(1)>{{.}}`'\"__f__alert(1)__f__\u202e|[a](javascript:alert(1)) ![p](http://evil.example/p.png)"

// TestHostile puts the worst text into every field that a pull request can fill.
func TestHostile(t *testing.T) {
	in := withPullRequest(fixture(t, 8))
	in.Docs.Project.Name, in.Docs.Design.Vision = evil, evil+"\n\n# h\n\n<b>x</b> [ok](https://example.org/a) <https://example.org/b>"
	for i := range in.Runs {
		in.Runs[i].Error, in.Runs[i].Learner, in.Runs[i].Model = evil, evil, evil
		in.Runs[i].Params = map[string]any{evil: evil, "nan": math.NaN()}
		in.Runs[i].Set = map[string]any{evil: []any{evil}}
		in.Runs[i].Result.Metrics = map[string]float64{"auc": math.NaN(), evil: math.Inf(1), "x": 1e300, "y": -1e-300}
		if i > 2 {
			in.Runs[i].Experiment = evil
		}
	}
	in.Runs[1].ID, in.Runs[2].ID = "../../../etc/passwd", "index"
	for i := range in.Comparisons {
		c := &in.Comparisons[i].Comparison
		c.Model, c.Experiment, c.Reason, c.Notes = evil, evil, evil, []string{evil}
		c.Hypothesis.Text, c.Hypothesis.State, c.Verdict, c.Base.Run, c.Head.Who, c.Value.Currency = evil, evil, evil, evil, evil, evil
		for m := range c.Metrics {
			c.Metrics[m].Name, c.Metrics[m].Slice, c.Metrics[m].Unit, c.Metrics[m].Reason, c.Metrics[m].Method = evil, evil, evil, evil, evil
			c.Metrics[m].Low, c.Metrics[m].High = at(math.Inf(-1)), at(math.NaN())
		}
	}
	in.Docs.Experiments["con"] = &doc.Experiment{Model: "delay", Hypothesis: evil, Features: doc.FeatureUse{Use: []string{evil}}, Train: doc.Train{Command: []string{evil}}}
	in.Docs.Experiments["../up"] = in.Docs.Experiments["con"]
	in.Snapshots[0].Dataset = evil
	in.CI.OnMerge, in.CI.Changes, in.CI.Comparisons = []string{evil}, []string{evil}, []record.Comparison{in.Comparisons[0].Comparison}
	files := build(t, in)
	checkPages(t, files)
	for name, data := range files {
		if strings.Contains(name, "..") || strings.ContainsAny(name, `\: <>`) {
			t.Errorf("a file is called %q", name)
		}
		for _, bad := range []string{"<script>alert", "<img src=x", "evil.example/p.png\""} {
			if path.Ext(name) == ".html" && bytes.Contains(data, []byte(bad)) {
				t.Errorf("%s holds %s", name, bad)
			}
		}
	}
	if files["experiments/con_.html"] == nil || files["experiments/con.html"] != nil {
		t.Error("con is a device on Windows and must not be a file")
	}
	if !bytes.Contains(files["index.html"], []byte(`href="https://example.org/a"`)) {
		t.Error("a plain link in the vision is lost")
	}
}

// TestMissing checks that what does not exist reads as absent, with the reason, and never as zero.
func TestMissing(t *testing.T) {
	in := fixture(t, 1)
	in.Runs[0].Result.Metrics, in.Runs[0].Result.Valid, in.Detail = map[string]float64{}, nil, func(record.Pointer) ([]byte, error) { return nil, fmt.Errorf("it expired") }
	files := build(t, in)
	if overview := string(files["index.html"]); !strings.Contains(overview, "<dd>–</dd>") || strings.Contains(overview, "<dd>0</dd>") {
		t.Error("the overview does not say that the champion has no AUC")
	}
	if page := string(files["runs/"+in.Runs[0].ID+".html"]); !strings.Contains(page, "it expired") {
		t.Error("the run's page does not say why it has no curves")
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      string
	}{{0, 1, "0.0 0.5 1.0"}, {-0.01, 0.045, "0.00 0.02 0.04"}, {0, 9000, "0 5,000"}, {0, 90000, "0 50k"}, {0.6998, 0.7102, "0.700 0.705 0.710"}, {5, 5, ""}, {math.NaN(), 1, ""}, {0, math.Inf(1), ""}} {
		var got []string
		for _, r := range ticks(c.low, c.high, 4) {
			got = append(got, r.text)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("ticks from %v to %v: %v, want %s", c.low, c.high, got, c.want)
		}
	}
}

// Plotted coordinates come back to the data: path's relative steps add up to where the points are.
func TestPath(t *testing.T) {
	a := newAxes(0, 1, 0, 1)
	var points []xy
	for i := range 100 {
		x := float64(i) / 99
		points = append(points, xy{x, math.Pow(x, 0.3)})
	}
	path := a.path(points, 30)
	var x, y, dx, dy float64
	n := 0
	for _, part := range strings.Split(strings.TrimPrefix(path, "M"), "l") {
		if _, err := fmt.Sscanf(part, "%f,%f", &dx, &dy); err != nil {
			t.Fatal(err)
		}
		x, y, n = x+dx, y+dy, n+1
	}
	if n != 30 || math.Abs(x-a.x(1)) > 0.11 || math.Abs(y-a.y(1)) > 0.11 {
		t.Errorf("%d points end at %v, %v", n, x, y)
	}
}

// BenchmarkSite has a budget: the whole site of 10,000 runs in less than 20 s.
func BenchmarkSite(b *testing.B) {
	in := fixture(b, 10_000)
	for b.Loop() {
		began := time.Now()
		files := build(b, in)
		bytes := 0
		for _, data := range files {
			bytes += len(data)
		}
		b.ReportMetric(float64(len(files)), "files")
		b.ReportMetric(float64(bytes)/1e6, "MB")
		b.ReportMetric(time.Since(began).Seconds(), "s/site")
	}
}

// What a branch pinned is newer and not what the site is about: a dataset's health is that of the rows as they are pinned here.
func TestHealthIsOfThePinnedRows(t *testing.T) {
	in := fixture(t, 5)
	lock := &doc.Lock{Content: digestOf("flights"), Rows: 199876}
	in.Docs.Locks = map[string]*doc.Lock{"flights": lock}
	in.Snapshots[0].Lock = lock.Digest()
	branch := in.Snapshots[0]
	branch.ID, branch.Lock, branch.Time, branch.Rows = "20020101T120000Z-0123456789ab", digestOf("a branch"), branch.Time.AddDate(1, 0, 0), 12
	in.Snapshots = append(in.Snapshots, branch)
	if page := string(build(t, in)["datasets/index.html"]); !strings.Contains(page, "199,876 rows") {
		t.Errorf("the page is of another snapshot: %.3000s", page)
	}
}
