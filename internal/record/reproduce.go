package record

// What came of making a run again.
const (
	Identical = "identical" // the result's digest is the same
	Within    = "within"    // metrics and scores are within the tolerance
	Differs   = "differs"
	NotRun    = "not_run" // --dry-run
)

// Reproduced is plumb.reproduce/v1.
type Reproduced struct {
	Schema          string        `json:"schema"`
	Run             string        `json:"run"`
	Experiment      string        `json:"experiment"`
	Commit          string        `json:"commit"`
	Outcome         string        `json:"outcome"` // identical | within | differs | not_run
	Exit            int           `json:"exit"`
	Tolerance       float64       `json:"tolerance"`
	Identical       bool          `json:"identical"`        // metrics, predictions and model, to 10 significant digits
	SamePredictions bool          `json:"same_predictions"` // by digest
	Scores          *float64      `json:"scores"`           // the largest difference of a score; null when they are the same or can't be compared
	Metrics         []MetricAgain `json:"metrics"`
	EnvironmentWas  string        `json:"environment_was"`
	Environment     string        `json:"environment"`
	Seconds         float64       `json:"seconds"`
	Record          string        `json:"record"` // path; "" when none was kept
	Notes           []string      `json:"notes"`
}

// MetricAgain is a metric then and now.
type MetricAgain struct {
	Name   string   `json:"name"`
	Part   string   `json:"part"` // test | valid
	Was    float64  `json:"was"`
	Now    *float64 `json:"now"` // null: it does not exist any more
	Within bool     `json:"within"`
}

// Reproduction is what a decision keeps of it.
type Reproduction struct {
	Outcome     string   `toml:"outcome"`
	Tolerance   float64  `toml:"tolerance"`
	Metrics     float64  `toml:"metrics"`          // largest difference
	Scores      *float64 `toml:"scores,omitempty"` // largest difference, where the predictions are not the same
	Environment string   `toml:"environment"`
	Seconds     float64  `toml:"seconds"`
}
