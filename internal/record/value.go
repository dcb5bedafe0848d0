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
