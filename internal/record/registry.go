package record

import "time"

// Where an event of a model's history is from.
const (
	SourceLedger = "ledger" // a record, whether or not a tag repeats it
	SourceTag    = "tag"    // an annotated tag that no record stands behind, such as GTO writes
)

// The events of a model's history, by the names that GTO gives them.
const (
	EventCreation       = "creation"
	EventDeprecation    = "deprecation"
	EventRegistration   = "registration"
	EventDeregistration = "deregistration"
	EventAssignment     = "assignment"
	EventUnassignment   = "unassignment"
)

// ModelEvent is one thing that happened to a model: an entry of plumb.model_history/v1. Its first eleven fields are those of `gto history --json`.
type ModelEvent struct {
	Time        time.Time `json:"timestamp"`
	Model       string    `json:"artifact"`
	Event       string    `json:"event"`
	Priority    int       `json:"priority"` // orders events of one second
	Version     *string   `json:"version"`  // "v2.0.0"; of a tag on a commit that no version has, the commit
	Stage       *string   `json:"stage"`
	Commit      string    `json:"commit"`
	Author      string    `json:"author"`
	AuthorEmail string    `json:"author_email"`
	Message     string    `json:"message"`
	Ref         string    `json:"ref"` // the tag; "" for a record that no tag here repeats

	Source  string `json:"source"`  // ledger | tag
	Record  string `json:"record"`  // path; "" for a tag
	Counted bool   `json:"counted"` // false for a tag where the ledger decides, and for a record that was disowned
	Reason  string `json:"reason,omitempty"`
	Number  int    `json:"number,omitempty"` // of the version, of a record
	Intent  string `json:"intent,omitempty"` // commit of the intent branch at which a record was made
}

// ModelStage is a version in a stage for a time.
type ModelStage struct {
	Model      string     `json:"model"`
	Stage      string     `json:"stage"`
	Version    string     `json:"version"`          // "v2.0.0"
	Number     int        `json:"number,omitempty"` // 2; absent for a tag's
	Experiment string     `json:"experiment,omitempty"`
	Run        string     `json:"run,omitempty"`      // id
	Commit     string     `json:"commit"`             // of the version
	Since      time.Time  `json:"since"`              // when it was staged
	Until      *time.Time `json:"until"`              // when another took its place; null: it has not been
	Who        string     `json:"who"`                // who staged it
	Why        string     `json:"why,omitempty"`      // a record's
	Source     string     `json:"source"`             // ledger | tag
	Record     string     `json:"record,omitempty"`   // path of the stage record
	Disowned   string     `json:"disowned,omitempty"` // by whom, when and why the version was disowned; of what is in models_at's disowned, the stage record
	Ref        string     `json:"ref,omitempty"`      // the tag
}

// ModelVersion is a version of a model.
type ModelVersion struct {
	Version    string             `json:"version"`          // "v2.0.0"
	Number     int                `json:"number,omitempty"` // 2; absent for a tag's
	Experiment string             `json:"experiment,omitempty"`
	Run        string             `json:"run,omitempty"` // id
	Metrics    map[string]float64 `json:"metrics"`       // of the run's test part; empty when the run is not in the ledger
	Artifact   *Pointer           `json:"artifact"`
	Commit     string             `json:"commit"`
	Time       time.Time          `json:"time"`
	Who        string             `json:"who"`
	WhoEmail   string             `json:"who_email"`
	Message    string             `json:"message"`
	Active     bool               `json:"active"` // false when a tag has deregistered it
	Stages     []string           `json:"stages"` // that it is in now
	Source     string             `json:"source"`
	Record     string             `json:"record,omitempty"`
	Ref        string             `json:"ref,omitempty"`
}

// ModelSummary is a model in plumb.models/v1.
type ModelSummary struct {
	Model    string       `json:"model"`
	Task     string       `json:"task,omitempty"` // "" when no document describes it
	Champion string       `json:"champion,omitempty"`
	Pin      int          `json:"pin,omitempty"` // version that the document pins
	Versions int          `json:"versions"`
	Latest   *string      `json:"latest"` // newest version that is active
	Stages   []ModelStage `json:"stages"` // what each holds now
	Active   bool         `json:"active"` // false when a tag has deprecated it
	Waiting  string       `json:"waiting,omitempty"`
}

// Models is plumb.models/v1.
type Models struct {
	Schema string         `json:"schema"`
	Ledger string         `json:"ledger"` // tip
	Models []ModelSummary `json:"models"`
}

// ModelShown is plumb.model/v1: one model with its versions, the newest first.
type ModelShown struct {
	Schema string `json:"schema"`
	ModelSummary
	VersionList []ModelVersion `json:"version_list"`
}

// ModelHistory is plumb.model_history/v1: what happened, the newest first.
type ModelHistory struct {
	Schema string       `json:"schema"`
	Model  string       `json:"model"` // "" for all
	Events []ModelEvent `json:"events"`
}

// ModelsAt is plumb.models_at/v1: what each stage held at a time, on a day or at a commit.
type ModelsAt struct {
	Schema string       `json:"schema"`
	Asked  string       `json:"asked"`
	From   *time.Time   `json:"from"`   // null at a commit
	To     *time.Time   `json:"to"`     // equal to from for a moment; the last moment for a day
	Commit string       `json:"commit"` // "" for a time
	Held   []ModelStage `json:"held"`   // by model, stage, time

	Disowned []ModelStage `json:"disowned"` // what was in a stage then by a record that was disowned later: it served, and counts for nothing
}

// ModelPulled is plumb.pull/v1: a model's file that was written.
type ModelPulled struct {
	Schema     string   `json:"schema"`
	Run        string   `json:"run"` // id
	Experiment string   `json:"experiment"`
	Model      string   `json:"model"`
	Learner    string   `json:"learner"`
	Format     string   `json:"format"` // plumb, xgboost or onnx
	File       string   `json:"file"`
	Bytes      int64    `json:"bytes"`
	SHA256     string   `json:"sha256"` // of the file; of the plumb format the record's
	Features   []string `json:"features"`
	Classes    []string `json:"classes,omitempty"` // in the order of the scores
}
