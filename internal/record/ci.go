package record

import (
	"time"

	"github.com/plumb-ml/plumb/internal/problem"
)

// CI is plumb.ci/v1: what one flow did and found. The comment and the check are made from it alone.
type CI struct {
	Schema      string            `json:"schema"` // "plumb.ci/v1"
	Event       string            `json:"event"`  // pull_request | push | schedule
	Exit        int               `json:"exit"`
	Project     string            `json:"project"`
	Base        string            `json:"base"` // commit
	Head        string            `json:"head"` // commit
	PullRequest int               `json:"pull_request,omitempty"`
	RunNumber   int64             `json:"run_number,omitempty"` // of the CI run, for "never overwrites newer"
	Steps       []Step            `json:"steps"`
	Comparisons []Comparison      `json:"comparisons"`
	Runs        []RunSummary      `json:"runs_made"`
	Features    []FeatureCheck    `json:"features,omitempty"`    // new queries that were tried; the measuring job's word
	Scored      []string          `json:"runs_scored,omitempty"` // push: ids of runs made elsewhere whose models this job let score the rows
	Data        []DataChange      `json:"data"`
	OnMerge     []string          `json:"on_merge"` // sentences: what happens when this is merged
	Changes     []string          `json:"changes"`  // sentences: features, code, environment, gates changed
	Staged      []StageChange     `json:"staged,omitempty"`
	Monitors    []MonitorChange   `json:"monitors,omitempty"`
	Proposals   []Proposal        `json:"proposals,omitempty"`
	Problems    []problem.Problem `json:"problems"`
}

// Step is one entry of a flow's list.
type Step struct {
	Name    string  `json:"name"`
	State   string  `json:"state"` // done | skipped | failed
	Why     string  `json:"why"`
	Seconds float64 `json:"seconds"`
}

// DataChange is a dataset whose lock differs between base and head, or whose checks say something.
type DataChange struct {
	Dataset  string             `json:"dataset"`
	RowsBase int64              `json:"rows_base"`
	RowsHead int64              `json:"rows_head"`
	Changed  bool               `json:"changed"`
	Scores   map[string]float64 `json:"scores"`
	Failed   []string           `json:"failed"`   // sentences, one a failed check
	Blocking bool               `json:"blocking"` // a critical check fails
}

// MonitorChange is what a monitor found in one window.
type MonitorChange struct {
	Monitor  string         `json:"monitor"`
	Dataset  string         `json:"dataset"`
	From     time.Time      `json:"from"`
	Before   time.Time      `json:"before"`
	Missed   int            `json:"missed"` // windows before it that nobody looked at
	Rows     int64          `json:"rows"`
	Pinned   int64          `json:"reference"` // rows that they are compared with
	Verdict  string         `json:"verdict"`   // of drift
	Drifted  []string       `json:"drifted"`
	Watched  []string       `json:"watched"`
	Failed   []string       `json:"failed"` // checks, by id
	Triggers []TriggerState `json:"triggers"`

	New     []string              `json:"new,omitempty"`     // columns that the pinned rows do not have
	Changed map[string]TypeChange `json:"changed,omitempty"` // those of Drifted that are of another type now, or gone
}

// Proposal is a pull request that the publisher made, or the branch for one where there is no forge.
type Proposal struct {
	Kind    string `json:"kind"` // retrain
	Dataset string `json:"dataset"`
	Monitor string `json:"monitor"`
	Branch  string `json:"branch"`
	Title   string `json:"title"`
	URL     string `json:"url,omitempty"`
}

// StageChange is what a push stages.
type StageChange struct {
	Model      string `json:"model"`
	Experiment string `json:"experiment"`
	Version    int    `json:"version"` // 0 until published
	Why        string `json:"why"`
}

// RunSummary is a run in plumb.runs/v1.
type RunSummary struct {
	ID         string             `json:"id"`
	Experiment string             `json:"experiment"`
	Model      string             `json:"model"`
	Time       string             `json:"time"`
	Status     string             `json:"status"`
	Commit     string             `json:"commit"`
	Params     map[string]any     `json:"params"`
	Metrics    map[string]float64 `json:"metrics"`
	Operations map[string]float64 `json:"operations,omitempty"` // size, prediction and training time, by name
	Tags       map[string]string  `json:"tags"`

	// In a list of runs only.
	Task    string             `json:"task,omitempty"`
	Valid   map[string]float64 `json:"valid,omitempty"`   // metrics on the valid part
	Set     map[string]any     `json:"set,omitempty"`     // what --set changed
	Private bool               `json:"private,omitempty"` // in this clone only
	Columns map[string]any     `json:"columns,omitempty"` // what --columns asked for
}

// The states of a requirement.
const (
	Met         = "met"
	NotMet      = "not_met"
	NotMeasured = "not_measured"
)

// Requirement is a bound of the design card held against a run.
type Requirement struct {
	Name    string   `json:"name"`
	Metric  string   `json:"metric"`
	AtMost  *float64 `json:"at_most,omitempty"`
	AtLeast *float64 `json:"at_least,omitempty"`
	State   string   `json:"state"`
	Value   *float64 `json:"value"`
	Reason  string   `json:"reason,omitempty"` // why it was not measured
}

// Bundle is bundle.json, plumb.bundle/v1: the table of contents of what a measuring job leaves.
type Bundle struct {
	Schema      string   `json:"schema"`
	Event       string   `json:"event"`
	Repository  string   `json:"repository"`
	Base        string   `json:"base"`
	Head        string   `json:"head"`
	PullRequest int      `json:"pull_request,omitempty"`
	Program     string   `json:"program"`
	Members     []Member `json:"members"`
}

// Member is one file of the bundle.
type Member struct {
	Name   string `json:"name"` // slash-separated, from the bundle's root
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}
