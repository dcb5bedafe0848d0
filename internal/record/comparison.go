package record

// The verdicts of a metric and of a model.
const (
	Better       = "better"
	Worse        = "worse"
	Same         = "same"
	Inconclusive = "inconclusive"
	Missing      = "missing"
	First        = "first"
	NewQuestion  = "new_question"
)

// The states of a gate.
const (
	GatePass    = "pass"
	GateFail    = "fail"
	GateNone    = "none"
	GateUnknown = "unknown"
)

// ComparisonRecord is a comparison in the ledger: the shape that every face reads, with the record's header.
type ComparisonRecord struct {
	Header
	ID         string     `toml:"-"`
	Comparison Comparison `toml:"comparison"`
}

// Comparison is plumb.comparison/v1: two answers to one question on the same rows.
type Comparison struct {
	Schema     string             `json:"schema,omitempty" toml:"-"` // "plumb.comparison/v1" at top level only
	Model      string             `json:"model" toml:"model"`
	Experiment string             `json:"experiment" toml:"experiment"`
	Promotes   bool               `json:"promotes" toml:"promotes"` // changes what is served
	Base       Side               `json:"base" toml:"base"`
	Head       Side               `json:"head" toml:"head"`
	Verdict    string             `json:"verdict" toml:"verdict"`
	Reason     string             `json:"reason,omitempty" toml:"reason,omitempty"` // of first, new_question, missing, inconclusive
	Method     string             `json:"method,omitempty" toml:"method,omitempty"` // rescored | stored | unpaired
	Rows       int                `json:"rows" toml:"rows"`                         // test rows compared
	LeftOut    int                `json:"left_out" toml:"left_out"`                 // test rows that either side trained on
	Groups     int                `json:"groups" toml:"groups"`
	Metrics    []MetricDifference `json:"metrics" toml:"metrics"`
	Gates      []Gate             `json:"gates" toml:"gates"`
	Hypothesis *Hypothesis        `json:"hypothesis,omitempty" toml:"hypothesis,omitempty"`
	Inputs     InputsChanged      `json:"inputs" toml:"inputs"`
	Value      *ValueDifference   `json:"value,omitempty" toml:"value,omitempty"`
	Notes      []string           `json:"notes,omitempty" toml:"notes,omitempty"` // e.g. "hypothesis changed after the run"
}

// Side is one of the two runs.
type Side struct {
	Run        string  `json:"run" toml:"run"` // id; "" when made for this comparison only
	Experiment string  `json:"experiment" toml:"experiment"`
	Commit     string  `json:"commit" toml:"commit"`
	Distance   int     `json:"distance" toml:"distance"` // commits between the base and the head of its branch
	Digest     string  `json:"digest" toml:"digest"`     // of the inputs
	Threshold  float64 `json:"threshold" toml:"threshold"`
	Seeds      *Seeds  `json:"seeds,omitempty" toml:"seeds,omitempty"` // nil: it was trained once
	Who        string  `json:"who,omitempty" toml:"who,omitempty"`
	Evaluation Pointer `json:"evaluation" toml:"evaluation"` // the rows as scored for this comparison
}

// Seeds says how the seeds of a side's training count in a comparison.
type Seeds struct {
	Tried      int       `json:"tried" toml:"tried"`                               // as the document asks
	Same       bool      `json:"same,omitempty" toml:"same,omitempty"`             // they made no difference
	Elsewhere  bool      `json:"elsewhere,omitempty" toml:"elsewhere,omitempty"`   // they answered other rows: the side is the served model, with their spread
	Thresholds []float64 `json:"thresholds,omitempty" toml:"thresholds,omitempty"` // binary: of the second seed and those after it, where they choose their own
}

// MetricDifference is one metric of both sides. A number that does not exist is nil; Reason says why.
type MetricDifference struct {
	Name       string   `json:"name" toml:"name"`
	Slice      string   `json:"slice" toml:"slice"` // "" for all rows, else "column=value"
	Unit       string   `json:"unit" toml:"unit"`
	Direction  string   `json:"direction" toml:"direction"` // up | down: what is good
	Level      string   `json:"level" toml:"level"`         // gate | guard | info
	Base       *float64 `json:"base" toml:"base,omitempty"`
	Head       *float64 `json:"head" toml:"head,omitempty"`
	Difference *float64 `json:"difference" toml:"difference,omitempty"` // head − base, in the metric's own unit
	Low        *float64 `json:"low" toml:"low,omitempty"`               // 95 % interval of Difference
	High       *float64 `json:"high" toml:"high,omitempty"`
	P          *float64 `json:"p" toml:"p,omitempty"`
	BaseSpread *float64 `json:"base_spread,omitempty" toml:"base_spread,omitempty"` // standard deviation over the seeds, where there are several; Base and Head are then their means
	HeadSpread *float64 `json:"head_spread,omitempty" toml:"head_spread,omitempty"`
	Training   *float64 `json:"training,omitempty" toml:"training,omitempty"` // half width that the spread of seeds alone gives the interval
	N          int      `json:"n" toml:"n"`
	Groups     int      `json:"groups" toml:"groups"`
	Method     string   `json:"method" toml:"method"` // e.g. "clustered DeLong"
	Tolerance  float64  `json:"tolerance" toml:"tolerance"`
	Require    string   `json:"require" toml:"require,omitempty"`
	Verdict    string   `json:"verdict" toml:"verdict"`
	Gate       string   `json:"gate" toml:"gate"`
	Reason     string   `json:"reason,omitempty" toml:"reason,omitempty"`
	RowsNeeded int      `json:"rows_needed,omitempty" toml:"rows_needed,omitzero"` // inconclusive: about so many more
}

// Gate is a [gate.*] rule of the base and what it says.
type Gate struct {
	Name    string             `json:"name" toml:"name"`
	State   string             `json:"state" toml:"state"` // pass | fail | unknown
	Require string             `json:"require" toml:"require"`
	Values  map[string]float64 `json:"values" toml:"values,omitempty"`
	Reason  string             `json:"reason,omitempty" toml:"reason,omitempty"`
	Changed string             `json:"changed,omitempty" toml:"changed,omitempty"` // how head changes this gate
}

// Hypothesis is what was claimed beforehand and what became of it.
type Hypothesis struct {
	Text   string  `json:"text" toml:"text"`
	State  string  `json:"state" toml:"state"` // confirmed | refuted | open
	Metric string  `json:"metric" toml:"metric"`
	Gain   float64 `json:"gain" toml:"gain"`
}

// InputsChanged names the inputs whose digests differ.
type InputsChanged struct {
	Changed []string `json:"changed" toml:"changed"`
}

// ValueDifference is the money per period that the change is worth.
type ValueDifference struct {
	Currency   string   `json:"currency" toml:"currency"`
	Period     string   `json:"period" toml:"period"`
	Base       *float64 `json:"base" toml:"base,omitempty"`
	Head       *float64 `json:"head" toml:"head,omitempty"`
	Difference *float64 `json:"difference" toml:"difference,omitempty"`
	Low        *float64 `json:"low" toml:"low,omitempty"`
	High       *float64 `json:"high" toml:"high,omitempty"`
	Reason     string   `json:"reason,omitempty" toml:"reason,omitempty"`
	AssumeLow  *float64 `json:"assume_low,omitempty" toml:"assume_low,omitempty"` // Difference over the assumptions' ranges
	AssumeHigh *float64 `json:"assume_high,omitempty" toml:"assume_high,omitempty"`
	Ranged     int      `json:"ranged,omitempty" toml:"ranged,omitempty"`   // assumptions with a range
	Guesses    int      `json:"guesses,omitempty" toml:"guesses,omitempty"` // of these, guesses
}

// RunChange is one thing in which two runs differ beside their results: an entry of `changes` in what plumb diff prints.
type RunChange struct {
	Kind   string `json:"kind"` // params | features | learner | data | question | code | environment
	Name   string `json:"name"`
	Was    string `json:"was"` // "" where the run has none
	Now    string `json:"now"`
	Detail string `json:"detail,omitempty"`
}
