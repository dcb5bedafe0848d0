package page

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

var (
	shots = flag.String("shots", "", "a folder to leave pictures of the pages in, to look at them")
	axe   = flag.String("axe", "", "axe.min.js of npm's axe-core, to check accessibility with")
)

// view is a way to look at a page.
type view struct {
	name        string
	width, tall int64
	scheme      string
}

var views = []view{{"desktop", 1280, 900, "light"}, {"dark", 1280, 900, "dark"}, {"phone", 390, 844, "light"}, {"small", 320, 640, "dark"}}

// findBrowser skips the test where there is no browser, unless PLUMB_REQUIRE says that there has to be one.
func findBrowser(t *testing.T) string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if strings.Contains(os.Getenv("PLUMB_REQUIRE"), "chromium") {
		t.Fatal("PLUMB_REQUIRE asks for chromium, and there is none")
	}
	t.Skip("no chromium")
	return ""
}

// Every page, wide and narrow, light and dark, from file://: no script error, nothing that the content security policy stops, no request that leaves
// the site, nothing wider than the window.
func TestBrowser(t *testing.T) {
	browser := findBrowser(t)
	dir := t.TempDir()
	files := build(t, withPullRequest(fixture(t, 24)))
	leave(t, dir, files)
	options := append([]chromedp.ExecAllocatorOption{chromedp.ExecPath(browser), chromedp.NoSandbox, chromedp.Flag("disable-gpu", true)}, chromedp.DefaultExecAllocatorOptions[:]...)
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	w := &watch{}
	if err := chromedp.Listen(ctx, w.hear); err != nil {
		t.Fatalf("starting %s: %v", browser, err)
	}
	for _, enable := range []func() error{
		func() error { _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); return err },
		func() error {
			_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
			return err
		},
	} {
		if err := enable(); err != nil {
			t.Fatal(err)
		}
	}
	for _, page := range samples(files) {
		for _, v := range views {
			if (v.name == "dark" || v.name == "phone") && *shots == "" && *axe == "" {
				continue // the small one is dark, too
			}
			w.look(ctx, t, "file://"+filepath.ToSlash(filepath.Join(dir, page)), page, v)
		}
	}
}

// samples takes a page of every kind.
func samples(files map[string][]byte) []string {
	seen := map[string]bool{}
	var out []string
	for _, name := range sortedKeys(files) {
		kind := filepath.Dir(name)
		if n := bytes.Index(files[name], []byte(">which-of-")); n > 0 && kind == "runs" {
			kind = string(files[name][n : n+13]) // a question with classes shows other tables
		}
		if filepath.Base(name) == "index.html" || kind == "." {
			kind = name
		}
		if filepath.Ext(name) == ".html" && !seen[kind] {
			seen[kind] = true
			out = append(out, name)
		}
	}
	return out
}

// watch gathers what goes wrong on a page.
type watch struct {
	mu    sync.Mutex
	wrong []string
}

func (w *watch) hear(ev any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch ev := ev.(type) {
	case *log.EventEntryAdded:
		w.wrong = append(w.wrong, fmt.Sprintf("%s: %s", ev.Entry.Level, ev.Entry.Text))
	case *runtime.EventExceptionThrown:
		w.wrong = append(w.wrong, "exception: "+ev.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		w.wrong = append(w.wrong, "console: "+string(ev.Type))
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(ev.Request.URL, "file://") {
			w.wrong = append(w.wrong, "asks for "+ev.Request.URL)
		}
	}
}

func (w *watch) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.wrong
	w.wrong = nil
	return out
}

func (w *watch) look(ctx context.Context, t *testing.T, url, page string, v view) {
	t.Helper()
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: v.scheme}}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(v.width, v.tall), chromedp.Navigate(url)); err != nil {
		t.Fatalf("%s: %v", page, err)
	}
	wide, err := chromedp.Run(ctx, chromedp.Evaluate[int64]("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"))
	if err != nil {
		t.Fatal(err)
	}
	if wide > v.width {
		t.Errorf("%s is %d wide in a window of %d", page, wide, v.width)
	}
	if *axe != "" && v.name != "phone" {
		checkAxe(ctx, t, page+", "+v.name)
	}
	if *shots != "" {
		data, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		if err != nil {
			t.Fatal(err)
		}
		name := strings.NewReplacer("/", "-", ".html", "").Replace(filepath.Dir(page)+"-"+filepath.Base(page)) + "-" + v.name + ".png"
		if err := os.WriteFile(filepath.Join(*shots, strings.TrimPrefix(name, ".-")), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, wrong := range w.take() {
		t.Errorf("%s, %s: %s", page, v.name, wrong)
	}
}

func checkAxe(ctx context.Context, t *testing.T, page string) {
	t.Helper()
	src, err := os.ReadFile(*axe)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[string](string(src)+"; ''")); err != nil {
		t.Fatal(err)
	}
	found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`axe.run(document, {preload: false, runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(r =>
		r.violations.flatMap(v => v.nodes.slice(0, 3).map(n => v.id + ": " + n.target + " " + n.html.slice(0, 160) + " " + (n.any[0] || {message: ""}).message)))`, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Errorf("%s: axe: %s", page, f)
	}
}
