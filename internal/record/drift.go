package record

// The verdicts of drift, of a column and of all.
const (
	DriftFound        = "drift"
	DriftWatch        = "watch"
	DriftStable       = "stable"
	DriftInsufficient = "insufficient"
)

// Drift is plumb.drift/v1: how rows of one time or place differ from those of another.
type Drift struct {
	Schema    string        `json:"schema"` // "plumb.drift/v1"
	Reference DriftSide     `json:"reference"`
	Current   DriftSide     `json:"current"`
	Verdict   string        `json:"verdict"`
	Drifted   int           `json:"drifted"`
	Watched   int           `json:"watched"`
	Columns   []DriftColumn `json:"columns"` // in the order of the input
	Skipped   []DriftSkip   `json:"skipped"` // columns that were not compared, and why
	Notes     []string      `json:"notes"`
}

// DriftSide says what one side is.
type DriftSide struct {
	Name   string `json:"name"`
	Rows   int    `json:"rows"`
	From   string `json:"from,omitempty"`   // RFC 3339, inclusive; of a window
	Before string `json:"before,omitempty"` // RFC 3339, exclusive
	Blocks int    `json:"blocks,omitempty"` // groups of rows that move together, as days
}

// DriftColumn is one column's finding. Numbers that do not exist are null, with the reason beside them.
type DriftColumn struct {
	Name               string          `json:"name"`
	Kind               string          `json:"kind"` // numeric | categorical | text; time of a changed one
	Role               string          `json:"role"` // feature | target | prediction
	Verdict            string          `json:"verdict"`
	Severe             bool            `json:"severe"`
	Effect             *float64        `json:"effect"`
	EffectName         string          `json:"effect_name"` // ks_d | cramers_v
	Threshold          float64         `json:"threshold"`
	P                  *float64        `json:"p"`
	Q                  *float64        `json:"q"`                 // Benjamini–Hochberg over the columns
	Changed            *TypeChange     `json:"changed,omitempty"` // it is not the column that it was; nothing is measured then, and it has drifted
	Method             string          `json:"method"`
	Reason             string          `json:"reason,omitempty"`
	NReference         int             `json:"n_reference"` // rows that have a value
	NCurrent           int             `json:"n_current"`
	NullShareReference float64         `json:"null_share_reference"`
	NullShareCurrent   float64         `json:"null_share_current"`
	Statistics         DriftStatistics `json:"statistics"`
	NewCategories      []DriftCategory `json:"new_categories"` // the 20 most common that the reference does not have; named only of public columns
	Importance         *float64        `json:"importance"`
	Impact             *float64        `json:"impact"` // importance × effect
	Reference          *DriftSummary   `json:"reference"`
	Current            *DriftSummary   `json:"current"`
	Bins               []DriftBin      `json:"bins"`   // what a histogram shows: at most 20, of numeric columns
	Shares             []DriftShare    `json:"shares"` // of categorical columns: the 20 most common values of both sides, named only of public columns
}

// DriftStatistics are reported beside the effect and decide nothing.
type DriftStatistics struct {
	PSI           *float64 `json:"psi"`
	PSICritical   *float64 `json:"psi_critical"`
	Wasserstein   *float64 `json:"wasserstein"` // in the column's unit
	JensenShannon *float64 `json:"jensen_shannon"`
}

// DriftSummary describes the values of one side of a numeric column.
type DriftSummary struct {
	Mean   float64 `json:"mean"`
	Median float64 `json:"median"`
	P05    float64 `json:"p05"`
	P95    float64 `json:"p95"`
}

// DriftBin counts the values in [From, To) on both sides; the last bin holds To too.
type DriftBin struct {
	From      float64 `json:"from"`
	To        float64 `json:"to"`
	Reference int64   `json:"reference"`
	Current   int64   `json:"current"`
}

// DriftShare is how common a category is among all rows of a side. Value is null unless the column is public; Missing marks the rows without a value.
type DriftShare struct {
	Value     *string `json:"value"`
	Missing   bool    `json:"missing"`
	Reference float64 `json:"reference"`
	Current   float64 `json:"current"`
}

// DriftCategory is a value that only the current rows have. Value is null unless the column is public.
type DriftCategory struct {
	Value *string `json:"value"`
	Count int64   `json:"count"`
	Share float64 `json:"share"`
	Low   float64 `json:"low"` // Wilson's interval of the share
	High  float64 `json:"high"`
}

// DriftSkip is a column that was not compared.
type DriftSkip struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
	New    bool   `json:"new,omitempty"` // the reference does not have it
}

// TypeChange is a column whose values are of another kind than before, or that is gone. A wider type of the same kind, float64 after int64, is no change.
type TypeChange struct {
	Was string `json:"was" toml:"was"`
	Is  string `json:"is,omitempty" toml:"is,omitempty"` // none: no file has it
}
