package page

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/site"
	"github.com/plumb-ml/plumb/templates"
)

// builder is one build: the input, sorted and indexed, and where it goes.
type builder struct {
	Input
	templates   *template.Template
	out         Writer
	files       []file
	project     string
	runs        []*record.Run // newest first
	runByID     map[string]*record.Run
	runsOf      map[string][]*record.Run // by experiment, newest first
	paged       map[string]bool          // ids of the runs that have a page
	comparisons []*record.ComparisonRecord
	scored      map[string]bool              // ids of the runs made elsewhere that CI scored
	snapshots   map[string]*record.Snapshot  // the newest by dataset
	versions    map[string][]*record.Version // by model, newest first
	stages      map[string][]*record.Stage   // by model, newest first
	watched     map[string][]*record.Monitor // by monitor, newest window first
	interactive bool                         // some page has a chart that scripts draw
}

// file is a line of the manifest.
type file struct {
	Path   string `json:"path"`
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256"`
}

func newBuilder(in Input, t *template.Template, out Writer) *builder {
	if in.Docs == nil {
		in.Docs = &doc.Set{}
	}
	s := &builder{Input: in, templates: t, out: out, project: "plumb", runByID: map[string]*record.Run{}, runsOf: map[string][]*record.Run{}, paged: map[string]bool{},
		scored: map[string]bool{}, snapshots: map[string]*record.Snapshot{}, versions: map[string][]*record.Version{}, stages: map[string][]*record.Stage{}, watched: map[string][]*record.Monitor{}}
	if p := in.Docs.Project; p != nil && p.Name != "" {
		s.project = p.Name
	}
	s.indexRuns()
	s.indexRest()
	s.choosePages()
	return s
}

func (s *builder) indexRuns() {
	for i := range s.Input.Runs {
		if r := &s.Input.Runs[i]; isFileName(r.ID) && s.runByID[r.ID] == nil {
			s.runs = append(s.runs, r)
			s.runByID[r.ID] = r
		}
	}
	slices.SortFunc(s.runs, func(a, b *record.Run) int { return cmp.Or(b.Time.Compare(a.Time), strings.Compare(b.ID, a.ID)) })
	for _, r := range s.runs {
		s.runsOf[r.Experiment] = append(s.runsOf[r.Experiment], r)
	}
}

func (s *builder) indexRest() {
	seen := map[string]bool{}
	for i := range s.Input.Comparisons {
		if c := &s.Input.Comparisons[i]; isFileName(c.ID) && !seen[c.ID] {
			seen[c.ID] = true
			s.comparisons = append(s.comparisons, c)
			if c.Actor == record.ActorCI && brief.Trained(c.Comparison.Head) != "" {
				s.scored[c.Comparison.Head.Run] = true
			}
		}
	}
	slices.SortFunc(s.comparisons, func(a, b *record.ComparisonRecord) int {
		return cmp.Or(b.Time.Compare(a.Time), strings.Compare(b.ID, a.ID))
	})
	for i := range s.Input.Snapshots {
		n := &s.Input.Snapshots[i]
		if old := s.snapshots[n.Dataset]; old == nil || s.rather(n, old) {
			s.snapshots[n.Dataset] = n
		}
	}
	for i := range s.Input.Versions {
		v := &s.Input.Versions[i]
		s.versions[v.Model] = append(s.versions[v.Model], v)
	}
	for _, list := range s.versions {
		slices.SortFunc(list, func(a, b *record.Version) int { return b.Number - a.Number })
	}
	for i := range s.Input.Stages {
		g := &s.Input.Stages[i]
		s.stages[g.Model] = append(s.stages[g.Model], g)
	}
	for i := range s.Input.Monitors {
		m := &s.Input.Monitors[i]
		s.watched[m.Monitor] = append(s.watched[m.Monitor], m)
	}
	for _, list := range s.watched {
		slices.SortFunc(list, func(a, b *record.Monitor) int { return cmp.Or(b.Before.Compare(a.Before), strings.Compare(b.ID, a.ID)) })
	}
	for _, list := range s.stages {
		slices.SortFunc(list, newestStageFirst)
	}
}

func newestStageFirst(a, b *record.Stage) int {
	return cmp.Or(strings.Compare(a.Stage, b.Stage), b.Number-a.Number)
}

// rather says whether a snapshot stands for its dataset rather than another one: that of the rows as they are pinned here, else the newer. What some
// branch pinned is not what the site is about.
func (s *builder) rather(n, old *record.Snapshot) bool {
	if lock := s.Docs.Locks[n.Dataset]; lock != nil {
		pinned := lock.Digest()
		if (n.Lock == pinned) != (old.Lock == pinned) {
			return n.Lock == pinned
		}
	}
	return cmp.Or(n.Time.Compare(old.Time), strings.Compare(n.ID, old.ID)) > 0
}

// choosePages says which runs get a page.
func (s *builder) choosePages() {
	for _, r := range s.runs[:min(len(s.runs), MaxRunPages)] {
		s.paged[r.ID] = true
	}
	name := func(id string) {
		if s.runByID[id] != nil {
			s.paged[id] = true
		}
	}
	for _, c := range s.comparisons[:min(len(s.comparisons), MaxRunPages)] {
		name(c.Comparison.Base.Run)
		name(c.Comparison.Head.Run)
	}
	for _, list := range s.versions {
		for _, v := range list {
			name(runOfPath(v.Run))
		}
	}
	for model := range s.Docs.Models {
		if r := s.champion(model); r != nil {
			name(r.ID)
		}
	}
}

// latest gives the run that stands for an experiment, or nil: the newest that came to an end over the rows as they are pinned here and with the
// settings of the document, else the newest that came to an end. What some branch pinned or somebody tried is not what the site is about.
func (s *builder) latest(experiment string) *record.Run {
	var content any
	if e := s.Docs.Experiments[experiment]; e != nil {
		if m := s.Docs.Models[e.Model]; m != nil && s.Docs.Locks[m.Question.Dataset] != nil {
			content = s.Docs.Locks[m.Question.Dataset].Content
		}
	}
	var newest *record.Run
	for _, r := range s.runsOf[experiment] {
		if r.Status != "" && r.Status != "ok" {
			continue
		}
		if len(r.Set) == 0 && r.Inputs["dataset"] == content {
			return r
		}
		if newest == nil {
			newest = r
		}
	}
	return newest
}

// champion gives the run that stands for a model's champion, or nil: the one that is live when it is the champion's, else the newest; none where that which is live
// can't be read.
func (s *builder) champion(model string) *record.Run {
	m := s.Docs.Models[model]
	for _, g := range s.stages[model] {
		if g.Stage == "production" { // the newest
			r := s.runByID[runOfPath(g.Run)]
			if r != nil && r.Experiment == m.Champion {
				return r
			}
			if r == nil && strings.HasPrefix(g.Run, "runs/"+m.Champion+"/") {
				return nil // it can't be read, and no other run is what is live
			}
			break
		}
	}
	return s.latest(m.Champion)
}

// runOfPath gives the id of the run whose record is at a path of the ledger.
func runOfPath(p string) string { return strings.TrimSuffix(path.Base(p), ".toml") }

// blob reads a blob as JSON into v, and says why when it cannot.
func (s *builder) blob(p record.Pointer, v any) string {
	switch {
	case p.SHA256 == "":
		return "the record names none"
	case s.Detail == nil:
		return "the blob store was not read"
	case p.Bytes > maxBlob:
		return "it is larger than 8 MB"
	}
	data, err := s.Detail(p)
	if err != nil {
		return "reading it: " + err.Error()
	}
	if len(data) > maxBlob {
		return "it is larger than 8 MB"
	}
	if err := json.Unmarshal(data, v); err != nil {
		return "it is not what its media type says"
	}
	return ""
}

// render writes one page.
func (s *builder) render(name, where string, view any) error {
	var b bytes.Buffer
	if err := s.templates.ExecuteTemplate(&b, name, view); err != nil {
		return err
	}
	return s.write(where, bytes.Map(readable, b.Bytes()))
}

// readable takes out what turns the direction of the text that follows: html/template leaves it, and a reader would see another order.
func readable(r rune) rune {
	switch {
	case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0x200E, r == 0x200F, r == 0x61C:
		return '\uFFFD'
	}
	return r
}

func (s *builder) write(where string, data []byte) error {
	sum := sha256.Sum256(data)
	s.files = append(s.files, file{where, len(data), hex.EncodeToString(sum[:])})
	return s.out(where, data)
}

// writeJSON writes a download. A record with a number that JSON does not have (a hostile one: plumb writes none) costs its download, not the site.
func (s *builder) writeJSON(where string, v any) error {
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		data, err = json.MarshalIndent(map[string]any{"schema": "plumb.error/v1", "error": "writing " + where + ": " + err.Error(), "hint": "", "exit": 3}, "", " ")
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", where, err)
	}
	return s.write(where, append(data, '\n'))
}

// writeAssets copies style, and the scripts when a page has a use for them.
func (s *builder) writeAssets() error {
	return fs.WalkDir(site.FS, "assets", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !s.interactive && path.Ext(name) != ".css" && path.Ext(name) != ".svg" {
			return nil
		}
		data, err := fs.ReadFile(site.FS, name)
		if err != nil {
			return err
		}
		return s.write(name, data)
	})
}

// writeManifest lists every file, so that a copy of the site can be checked against commit and ledger.
func (s *builder) writeManifest() error {
	sort.Slice(s.files, func(a, b int) bool { return s.files[a].Path < s.files[b].Path })
	return s.writeJSON("manifest.json", struct {
		Schema  string `json:"schema"`
		Project string `json:"project"`
		Commit  string `json:"commit"`
		Ledger  string `json:"ledger"`
		Runs    int    `json:"runs"`
		Files   []file `json:"files"`
	}{"plumb.site/v1", s.project, s.Commit, s.LedgerTip, len(s.runs), s.files})
}

var fileName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`)

// isFileName says whether an id can name a file anywhere: no dot, slash or space is in it.
func isFileName(id string) bool { return fileName.MatchString(id) }

// reserved are names that a page cannot have: the folder's own page, and devices of Windows.
var reserved = regexp.MustCompile(`(?i)^(index|con|prn|aux|nul|(com|lpt)[0-9])$`)

// pagePath gives the path of an id's page in a folder, "" when the id cannot name a file.
func pagePath(folder, id string) string {
	switch {
	case !isFileName(id):
		return ""
	case reserved.MatchString(id):
		id += "_"
	}
	return folder + "/" + id + ".html"
}

// templatesOf parses the templates once. Indentation is for people who read templates, not pages.
var templatesOf = sync.OnceValues(func() (*template.Template, error) {
	t := template.New("")
	err := fs.WalkDir(templates.FS, "page", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		src, err := fs.ReadFile(templates.FS, name)
		if err != nil {
			return err
		}
		_, err = t.New(strings.TrimSuffix(path.Base(name), ".html")).Parse(indent.ReplaceAllString(string(src), "\n"))
		return err
	})
	return t, err
})

var indent = regexp.MustCompile(`\s*\n\s*`)
