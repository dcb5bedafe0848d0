package record

// Value is plumb.value/v1: what answers are worth, with the arithmetic that says so. A number that does not exist is nil; Refused says why.
type Value struct {
	Schema    string               `json:"schema"` // "plumb.value/v1"
	Currency  string               `json:"currency"`
	Period    string               `json:"period"`
	Lines     []ValueLine          `json:"lines"`
	Value     *float64             `json:"value"`            // money a period, assumptions at their mode
	Low       *float64             `json:"low"`              // least over the assumptions' ranges
	High      *float64             `json:"high"`             // greatest over them
	PPositive *float64             `json:"p_positive"`       // share of draws from the ranges that are above zero
	BreakEven map[string]BreakEven `json:"break_even"`       // by assumption
	Method    string               `json:"method,omitempty"` // how low, high and p_positive were found
	Hours     *Hours               `json:"hours,omitempty"`  // nil when the design card prices no hours
	Reason    string               `json:"reason,omitempty"` // why low, high and p_positive do not exist
	Refused   string               `json:"refused,omitempty"`
	Of        string               `json:"of,omitempty"`        // whose answers: a run, or what was assumed
	Counts    *ValueCounts         `json:"counts,omitempty"`    // of the answers, nil where it was refused
	Precision *BreakEven           `json:"precision,omitempty"` // the precision that makes the value zero, as many cases being flagged; Mode is the one at hand
	Possible  *ValueRange          `json:"possible,omitempty"`  // of a refused question: what its answer may be
	Claim     *ValueClaim          `json:"claim,omitempty"`     // nil where no figure was claimed
}

// ValueCounts is a confusion matrix.
type ValueCounts struct {
	TP float64 `json:"tp"`
	FP float64 `json:"fp"`
	FN float64 `json:"fn"`
	TN float64 `json:"tn"`
}

// ValueRange is the least and the greatest value that what is known allows.
type ValueRange struct {
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Known string  `json:"known"` // what is known
}

// ValueClaim is a figure that somebody names, held against the arithmetic.
type ValueClaim struct {
	Value   float64      `json:"value"`
	Follows bool         `json:"follows"` // from the inputs as they are
	Needs   []ClaimNeeds `json:"needs"`   // what would make it true, one change at a time
}

// ClaimNeeds is one change that would make a claim true. Value is nil where none does.
type ClaimNeeds struct {
	Name   string   `json:"name"` // an assumption, precision or flagged
	Now    float64  `json:"now"`
	Value  *float64 `json:"value"`
	Reason string   `json:"reason,omitempty"` // why no value does, or what speaks against this one
}

// ValueLine is one line of the arithmetic.
type ValueLine struct {
	Label   string   `json:"label"`
	Formula string   `json:"formula"`
	Value   *float64 `json:"value"`
}

// BreakEven is where one assumption makes the value zero, the others at their mode.
type BreakEven struct {
	Value  *float64 `json:"value"`
	Mode   float64  `json:"mode"`
	Low    float64  `json:"low"`
	High   float64  `json:"high"`
	Source string   `json:"source"`
	Reason string   `json:"reason,omitempty"` // why there is no such value
}

// Hours is the time that answers save (positive) or cost.
type Hours struct {
	Lines []ValueLine `json:"lines"`
	Value *float64    `json:"value"` // hours a period, assumptions at their mode
	Low   *float64    `json:"low"`
	High  *float64    `json:"high"`
}
