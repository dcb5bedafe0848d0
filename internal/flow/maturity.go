package flow

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/maturity"
	"github.com/plumb-ml/plumb/internal/record"
)

// Maturity judges how the team works, by the documents of the working folder and the ledger.
func (p *Project) Maturity(ctx context.Context) (*record.Maturity, error) {
	t, err := p.Working()
	if err != nil {
		return nil, err
	}
	v, err := p.view(ctx)
	if err != nil {
		return nil, err
	}
	m := maturity.Judge(p.facts(t.Docs, v))
	return &m, nil
}

// facts gathers what the probes look at.
func (p *Project) facts(docs *doc.Set, v *ledger.View) maturity.Facts {
	f := maturity.Facts{Docs: docs, Runs: v.Runs(), Comparisons: v.Comparisons(), Snapshots: v.Snapshots(),
		Monitors: v.Monitors(""), Decisions: v.Decisions(""), Served: map[string]string{}, Path: pathsIn(v)}
	for _, id := range keys(docs.Models) {
		f.Versions = append(f.Versions, v.Versions(id)...)
		f.Stages = append(f.Stages, v.Stages(id, production)...)
		if m := docs.Models[id]; m.Champion != "" {
			f.Served[id] = served(docs, m.Champion)
		}
	}
	f.Workflows, f.Owners = p.surroundings()
	return f
}

// pathsIn gives records' paths in the ledger.
func pathsIn(v *ledger.View) func(any) string {
	return func(r any) string {
		switch r := r.(type) {
		case record.Run:
			return v.PathOf(r.ID)
		case record.ComparisonRecord:
			return v.PathOf(r.ID)
		case record.Snapshot:
			return v.PathOf(r.ID)
		case record.Monitor:
			return v.PathOf(r.ID)
		case record.Decision:
			return v.PathOf(r.ID)
		case record.Stage:
			return fmt.Sprintf("stages/%s/%s/%d.toml", r.Model, r.Stage, r.Number)
		}
		return ""
	}
}

// surroundings looks around the documents: workflows that run plumb with the event that they measure, and who owns what.
func (p *Project) surroundings() (workflows map[string][]string, owners string) {
	workflows = map[string][]string{}
	root := os.DirFS(p.Repo.Root())
	files, err := fs.Glob(root, ".github/workflows/*.y*ml")
	if err != nil {
		return workflows, ""
	}
	for _, file := range files {
		text := strings.Join(said(root, file), "\n")
		if !strings.Contains(text, "plumb") {
			continue
		}
		for _, event := range []string{"pull_request", "push", "schedule"} {
			if strings.Contains(text, "event: "+event) {
				workflows[file] = append(workflows[file], event)
			}
		}
	}
	for _, dir := range []string{".github", ".", "docs"} {
		name := path.Join(dir, "CODEOWNERS")
		if len(said(root, name)) > 0 {
			return workflows, name
		}
	}
	return workflows, ""
}

// said is the lines of a file, without comments and empty ones.
func said(root fs.FS, name string) []string {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return nil
	}
	var out []string
	for line := range strings.Lines(string(text)) {
		if line, _, _ = strings.Cut(line, "#"); strings.TrimSpace(line) != "" {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return out
}
