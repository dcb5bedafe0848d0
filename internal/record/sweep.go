package record

// Sweep is plumb.sweep/v1: one experiment tried over a grid of parameters. Every number that chooses is of the valid part; those of the test part
// are there only when they were asked for.
type Sweep struct {
	Schema     string      `json:"schema"` // "plumb.sweep/v1"
	Sweep      string      `json:"sweep"`  // id: the tag `sweep` of the runs that it made, the same when it goes on
	Experiment string      `json:"experiment"`
	Model      string      `json:"model"`
	Task       string      `json:"task"`
	By         SweepBy     `json:"by"`
	Grid       []SweepAxis `json:"grid"`
	Jobs       int         `json:"jobs"` // cells at a time
	Made       int         `json:"made"` // cells that ran now
	Cached     int         `json:"cached"`
	Failed     int         `json:"failed"`
	Cells      []SweepCell `json:"cells"`   // in the order of the grid: the last parameter changes fastest
	Ranking    []int       `json:"ranking"` // numbers of the cells that have the metric, the best first; of equal ones the first of the grid
	Best       *int        `json:"best"`    // the first of them; null when none has the metric
	Choice     SweepChoice `json:"choice"`
	Seconds    float64     `json:"seconds"`
	Saved      string      `json:"saved"` // the document that the best cell was written to; ""
	Notes      []string    `json:"notes"`
}

// SweepBy is what chooses.
type SweepBy struct {
	Metric    string `json:"metric"`
	Direction string `json:"direction"`
	Part      string `json:"part"` // "valid", always
	Why       string `json:"why"`
}

// SweepAxis is one parameter and the values that were tried.
type SweepAxis struct {
	Param  string `json:"param"`
	Values []any  `json:"values"`
}

// SweepCell is one combination.
type SweepCell struct {
	Cell    int                `json:"cell"` // from 1
	Set     map[string]any     `json:"set"`
	Args    []string           `json:"args"`   // of `plumb run EXPERIMENT`, to run it alone
	Status  string             `json:"status"` // ok | failed | planned
	Cached  bool               `json:"cached"` // the ledger had it
	Run     string             `json:"run"`
	Inputs  string             `json:"inputs"` // digest
	Result  string             `json:"result"` // digest
	Value   *float64           `json:"value"`  // of the metric that chooses
	Reason  string             `json:"reason"` // why there is no value
	Valid   map[string]float64 `json:"valid"`
	Test    map[string]float64 `json:"test,omitempty"`
	Error   string             `json:"error"` // of a cell that failed
	Seconds float64            `json:"seconds"`
	// How far it is behind the best, signed so that up is good, with bounds that all pairs hold together with 95 % confidence. Null for cells that
	// were not compared.
	Gain        *float64 `json:"gain"`
	Low         *float64 `json:"low"`
	High        *float64 `json:"high"`
	WithinNoise *bool    `json:"within_noise"`
}

// SweepChoice says how sure the choice of the best is.
type SweepChoice struct {
	Compared  int      `json:"compared"` // the best cells, which were looked at together
	Rows      int      `json:"rows"`     // of the valid part
	Groups    int      `json:"groups"`
	Within    int      `json:"within"`    // cells that noise can't tell from the best, which is one of them
	Corrected *float64 `json:"corrected"` // the best cell's value without the luck of being the best of many; null when unknown
	Reason    string   `json:"reason"`    // why nothing can be said
}

// Matrix is plumb.matrix/v1, a sweep for a CI that runs each cell in a job of its own. What is in Include is what GitHub Actions reads as
// `strategy.matrix`.
type Matrix struct {
	Schema string      `json:"schema"`
	Matrix MatrixCells `json:"matrix"`
}

// MatrixCells is a matrix of jobs.
type MatrixCells struct {
	Include []MatrixCell `json:"include"`
}

// MatrixCell is one job.
type MatrixCell struct {
	Name       string `json:"name"`       // rounds=100 rate=0.05
	Experiment string `json:"experiment"` // of `plumb run`
	Args       string `json:"args"`       // the rest of its command line, quoted for a POSIX shell
}
