package record

// Features is plumb.features/v1: every feature that the documents define or use, views first, then row expressions, then columns.
type Features struct {
	Schema   string    `json:"schema"` // "plumb.features/v1"
	Features []Feature `json:"features"`
}

// Feature is what one is, and who uses it. Of an aggregate, a query and an expression, Definition is the text; of a column, its name.
type Feature struct {
	Name        string            `json:"name"` // as features.use of an experiment says it
	Kind        string            `json:"kind"` // agg | sql | row | column
	View        string            `json:"view"` // "" unless agg or sql
	Dataset     string            `json:"dataset"`
	Entity      []string          `json:"entity"`
	On          map[string]string `json:"on"`
	Definition  string            `json:"definition"`
	Window      string            `json:"window"` // agg
	TTL         string            `json:"ttl"`    // sql; "": for ever
	Description string            `json:"description"`
	Experiments []string          `json:"experiments"` // that use it
	Models      []string          `json:"models"`      // of those experiments
	ChampionOf  []string          `json:"champion_of"` // models whose champion uses it
}

// FeatureView is plumb.feature/v1: one feature with its past.
type FeatureView struct {
	Schema string `json:"schema"` // "plumb.feature/v1"
	Feature
	Digest       string          `json:"digest"`        // of the view, as in the inputs of a run; "" for a row feature or column
	History      []FeatureChange `json:"history"`       // newest first
	HistoryWhole bool            `json:"history_whole"` // false: the clone is shallow, or there is more than is listed
	Runs         []FeatureRun    `json:"runs"`          // newest first
	RunsTotal    int             `json:"runs_total"`
}

// FeatureChange is a commit at which the definition became what it says, on the first-parent line from the checked-out commit back.
type FeatureChange struct {
	Commit     string `json:"commit"` // "": the working folder
	Time       string `json:"time"`
	Subject    string `json:"subject"` // first line of the commit's message
	Change     string `json:"change"`  // added | changed | removed
	Definition string `json:"definition"`
	Window     string `json:"window"`
	TTL        string `json:"ttl"`
}

// FeatureRun is a run that used a feature.
type FeatureRun struct {
	Run        string   `json:"run"`
	Experiment string   `json:"experiment"`
	Model      string   `json:"model"`
	Time       string   `json:"time"`
	Current    bool     `json:"current"`    // its view and data were what they are now
	Importance *float64 `json:"importance"` // share of what the model knows; null where the run's details can't be read, with the reason
	Rank       int      `json:"rank"`       // by importance, from 1; 0 where there is none
	Of         int      `json:"of"`         // features of the run
	Reason     string   `json:"reason,omitempty"`
}

// FeatureChecks is plumb.feature_check/v1: which features see what was not known when the question was asked.
type FeatureChecks struct {
	Schema   string         `json:"schema"` // "plumb.feature_check/v1"
	Seed     uint64         `json:"seed"`
	Cuts     int            `json:"cuts"`    // the most that were tried for a feature
	Verdict  string         `json:"verdict"` // leak | unstable | clean | nothing: the first that a feature has
	Features []FeatureCheck `json:"features"`
}

// The states of a checked feature.
const (
	FeatureClean    = "clean"    // nothing was found
	FeatureLeaks    = "leak"     // an answer changes with what was not known yet
	FeatureUnstable = "unstable" // an answer changes with the order in which rows are read
	FeatureUntried  = "untried"  // it could not be tried
)

// FeatureCheck is one feature, tried on the questions of one model.
type FeatureCheck struct {
	Name    string       `json:"name"`
	Kind    string       `json:"kind"` // agg | sql
	Model   string       `json:"model"`
	Dataset string       `json:"dataset"` // of the questions
	State   string       `json:"state"`
	Cuts    int          `json:"cuts"`   // moments that were tried
	Asked   int          `json:"asked"`  // answers that were compared
	Example *FeatureLeak `json:"leak"`   // null unless leak or unstable
	Reason  string       `json:"reason"` // of untried

	Blocking bool `json:"blocking,omitempty"` // plumb.ci/v1: what is served would use it, and it says no
}

// FeatureLeak is a question whose answer changes. Time and Cut are "" unless the event's column is public; Before and After are null also when
// there is no value; Redacted says that they are left out because a column that the feature reads is not public.
type FeatureLeak struct {
	Pass     string   `json:"pass"` // drop | randomise; "" of unstable
	Sees     []string `json:"sees"` // own_row, late_columns, later_rows: what alone changes the answer
	RowID    int64    `json:"row_id"`
	Time     string   `json:"time"` // of the question
	Cut      string   `json:"cut"`  // after which nothing may matter
	Before   *string  `json:"before"`
	After    *string  `json:"after"`
	Redacted bool     `json:"redacted"`
	Changed  int      `json:"changed"` // questions whose answer changes
	Asked    int      `json:"asked"`   // of so many
}

// FeatureDiff is plumb.feature_diff/v1: what is different about features between two commits.
type FeatureDiff struct {
	Schema   string          `json:"schema"` // "plumb.feature_diff/v1"
	Base     string          `json:"base"`   // commit
	Head     string          `json:"head"`   // commit; "": the working folder
	Features []FeatureMoved  `json:"features"`
	Uses     []FeatureUseDif `json:"uses"`
}

// FeatureMoved is a feature that is new, gone or defined otherwise, with its values on the same rows: head's.
type FeatureMoved struct {
	Name       string       `json:"name"`
	Kind       string       `json:"kind"`       // agg | sql | row
	Experiment string       `json:"experiment"` // of a row feature
	Change     string       `json:"change"`     // added | removed | changed
	Base       string       `json:"base"`       // definition with window or ttl, entity and dataset; "" where there is none
	Head       string       `json:"head"`
	Values     FeatureDrift `json:"values"`
}

// FeatureDrift is how values differ. What there is not is null, with the reason.
type FeatureDrift struct {
	Rows      int      `json:"rows"`
	Changed   *float64 `json:"changed"`   // share of the rows whose value differs
	BaseMean  *float64 `json:"base_mean"` // of the rows that have a number; true counts 1
	HeadMean  *float64 `json:"head_mean"`
	BaseNulls *float64 `json:"base_nulls"` // share
	HeadNulls *float64 `json:"head_nulls"`
	Reason    string   `json:"reason"`
}

// FeatureUseDif is an experiment that starts or stops using features.
type FeatureUseDif struct {
	Experiment string   `json:"experiment"`
	Added      []string `json:"added"`
	Removed    []string `json:"removed"`
}
