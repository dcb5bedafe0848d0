package record

import "time"

// The kinds of record.
const (
	KindRun        = "run"
	KindSnapshot   = "snapshot"
	KindComparison = "comparison"
	KindVersion    = "version"
	KindStage      = "stage"
	KindDecision   = "decision"
)

// The actors.
const (
	ActorCI    = "ci"
	ActorHuman = "human"
)

// Header starts every record.
type Header struct {
	Schema int       `toml:"schema"`
	Kind   string    `toml:"kind"`
	Time   time.Time `toml:"time"`
	Actor  string    `toml:"actor"`
	By     By        `toml:"by"`
	Code   Code      `toml:"code"`
}

// By is who or what made the record.
type By struct {
	Who         string `toml:"who,omitempty"`
	URL         string `toml:"url,omitempty"`         // of the CI run
	Program     string `toml:"program"`               // name and version
	PullRequest int    `toml:"pull_request,omitzero"` // recorded for this pull request; no cache hit elsewhere until its digest is on the intent branch
	Now         bool   `toml:"now,omitempty"`         // the time was given with --now
}

// Code is the commit of the intent branch that was run.
type Code struct {
	Commit     string `toml:"commit,omitempty"`
	Dirty      bool   `toml:"dirty"`
	Difference string `toml:"difference,omitempty"` // digest of what the commit does not have
}

// Pointer names a blob.
type Pointer struct {
	SHA256 string `toml:"sha256" json:"sha256"` // 64 hex digits
	Bytes  int64  `toml:"bytes" json:"bytes"`
	Type   string `toml:"type" json:"type"`
	Rows   int64  `toml:"rows,omitempty" json:"rows,omitempty"`
	Name   string `toml:"name,omitempty" json:"name,omitempty"` // of the one file that a person's program left as its model
	OID    string `toml:"oid,omitempty" json:"oid,omitempty"`   // the Git object id, `git` store only
}

// Inputs is name → digest of everything that decides an outcome; `seed` and `semantics` are integers, `digest` is that of the rest.
type Inputs map[string]any

// Key is the digest of the inputs as it was written, the run-cache key; "" when there is none.
func (in Inputs) Key() string {
	key, _ := in["digest"].(string)
	return key
}

// Run is one execution of an experiment.
type Run struct {
	Header
	ID          string         `toml:"-"` // from the path
	Experiment  string         `toml:"experiment"`
	Model       string         `toml:"model"`
	Task        string         `toml:"task"`
	Status      string         `toml:"status"` // ok | failed | killed
	Error       string         `toml:"error,omitempty"`
	Hypothesis  string         `toml:"hypothesis,omitempty"` // digest of hypothesis and expect as they were
	Learner     string         `toml:"learner"`
	Threshold   float64        `toml:"threshold"`
	Repeats     int            `toml:"repeats,omitzero"`     // seeds that training was to be tried with, from the document's on; 0: one
	SameSeeds   bool           `toml:"same_seeds,omitempty"` // the second seed gave the scores of the first, so that no further was tried
	Features    []string       `toml:"features"`
	Inputs      Inputs         `toml:"inputs"`
	Result      Result         `toml:"result"`
	Params      map[string]any `toml:"params,omitempty"`
	Split       Split          `toml:"split"`
	Rows        RowCounts      `toml:"rows"`
	Timings     Timings        `toml:"timings"`
	Speed       Speed          `toml:"operations,omitempty"`
	Artifact    Pointer        `toml:"artifact,omitempty"` // the model
	Evaluation  Pointer        `toml:"evaluation,omitempty"`
	Detail      Pointer        `toml:"detail,omitempty"`
	Log         Pointer        `toml:"log,omitempty"`     // of a person's program: what it printed
	Sandbox     string         `toml:"sandbox,omitempty"` // of a person's program: what held it, as "landlock 7" or "none: why"
	Set         map[string]any `toml:"set,omitempty"`     // what --set changed
	Sweep       string         `toml:"sweep,omitempty"`   // the sweep that it was made for: a tag, so that its runs are shown together
	Environment string         `toml:"environment,omitempty"`
}

// Result is everything that must be equal when the same inputs run again.
type Result struct {
	Metrics     map[string]float64 `toml:"metrics"`
	Valid       map[string]float64 `toml:"valid"`
	Predictions string             `toml:"predictions"`
	Model       string             `toml:"model,omitempty"` // built-in learners only
	Digest      string             `toml:"digest"`
}

// Split is the split rule with its absolute cuts, so that it can be applied to other rows.
type Split struct {
	By      string    `toml:"by"`
	Valid   time.Time `toml:"valid,omitempty"` // time: train is event ≤ Valid
	Test    time.Time `toml:"test,omitempty"`  // time: valid is Valid < event ≤ Test, test is event > Test
	Key     string    `toml:"key,omitempty"`
	Column  string    `toml:"column,omitempty"`
	TestTo  float64   `toml:"test_to,omitzero"`  // hash: test is bucket share < TestTo
	ValidTo float64   `toml:"valid_to,omitzero"` // hash: valid is TestTo ≤ share < ValidTo
}

// RowCounts says where the dataset's rows went.
type RowCounts struct {
	Train   int `toml:"train" json:"train"`
	Valid   int `toml:"valid" json:"valid"`
	Test    int `toml:"test" json:"test"`
	NoLabel int `toml:"no_label" json:"no_label"`
	LeftOut int `toml:"left_out" json:"left_out"` // label known only after the part ended
}

// Timings are seconds.
type Timings struct {
	Features float64 `toml:"features" json:"features"`
	Train    float64 `toml:"train" json:"train"`                        // of the first seed, which is served
	Repeats  float64 `toml:"repeats,omitzero" json:"repeats,omitempty"` // training and scoring with further seeds
	Evaluate float64 `toml:"evaluate" json:"evaluate"`
	Total    float64 `toml:"total" json:"total"`
}

// Speed is how fast a run's model answered on the machine of the run: no input, no result, and another number the next time.
type Speed struct {
	P50        float64 `toml:"latency_p50_ms,omitzero"` // of one row at a time, features at hand, in the run's own process, after a warm-up
	P95        float64 `toml:"latency_p95_ms,omitzero"`
	P99        float64 `toml:"latency_p99_ms,omitzero"`
	Throughput float64 `toml:"throughput_rps,omitzero"` // rows a second, many at once
	Calls      int     `toml:"calls,omitzero"`          // rows that were asked one at a time
	Why        string  `toml:"why,omitempty"`           // why there is no latency
}

// Operations are the operations metrics of a run by name, those that were measured.
func (r *Run) Operations() map[string]float64 {
	out := map[string]float64{}
	for name, v := range map[string]float64{"latency_p50_ms": r.Speed.P50, "latency_p95_ms": r.Speed.P95, "latency_p99_ms": r.Speed.P99,
		"throughput_rps": r.Speed.Throughput, "model_bytes": float64(r.Artifact.Bytes), "train_seconds": r.Timings.Train} {
		if v > 0 {
			out[name] = v
		}
	}
	return out
}

// Snapshot is a dataset as it was pinned.
type Snapshot struct {
	Header
	ID      string             `toml:"-"`
	Dataset string             `toml:"dataset"`
	Content string             `toml:"content"`
	Lock    string             `toml:"lock"` // digest of the lock
	Files   int                `toml:"files"`
	Rows    int64              `toml:"rows"`
	Columns []string           `toml:"columns"` // "name type"
	Profile Pointer            `toml:"profile,omitempty"`
	Quality Pointer            `toml:"quality,omitempty"`
	Scores  map[string]float64 `toml:"scores,omitempty"`
}

// Fails says whether a critical check fails on the snapshot's rows.
func (s *Snapshot) Fails() bool {
	for _, score := range s.Scores {
		if score < Sound {
			return true
		}
	}
	return false
}

// Version is a numbered pointer to one artifact and the run that made it.
type Version struct {
	Header
	Model      string  `toml:"model"`
	Number     int     `toml:"version"`
	Experiment string  `toml:"experiment"`
	Run        string  `toml:"run"` // path of the run record
	Artifact   Pointer `toml:"artifact,omitempty"`
	Ledger     string  `toml:"ledger,omitempty"` // tip when it was claimed
}

// Stage says which version serves from now on.
type Stage struct {
	Header
	Model    string  `toml:"model"`
	Stage    string  `toml:"stage"`
	Number   int     `toml:"number"`
	Version  int     `toml:"version"`
	Previous int     `toml:"previous,omitzero"`
	Why      string  `toml:"why"`
	Run      string  `toml:"run"`
	Inputs   string  `toml:"inputs"` // digest of the champion's inputs
	Outcome  string  `toml:"outcome"`
	Seconds  float64 `toml:"seconds,omitzero"`
	Ledger   string  `toml:"ledger,omitempty"` // tip when it was claimed
}
