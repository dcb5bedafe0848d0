package record

// The axes of maturity, in the order in which they are shown.
var Axes = []string{"automation", "collaboration", "monitoring"}

// The outcomes of a probe.
const (
	ProbeTrue          = "true"
	ProbeFalse         = "false"
	ProbeNotApplicable = "not_applicable" // there is nothing that it could be about
)

// Maturity is plumb.maturity/v1: how a team works, by evidence.
type Maturity struct {
	Schema  string          `json:"schema"`  // "plumb.maturity/v1"
	Overall int             `json:"overall"` // 0…3: the least of the axes
	Axes    map[string]Axis `json:"axes"`    // by name, all of Axes
	Probes  []Probe         `json:"probes"`
}

// Axis is one side of how a team works.
type Axis struct {
	Level int      `json:"level"` // 0…3: every probe of this level and below holds, or is about nothing
	Next  []string `json:"next"`  // ids of the probes that keep it from the next level
}

// Probe is one question about how a team works, answered by evidence. A document that says so (Has), a record that it happened (Runs), and that it
// came out well (Passes) are kept apart: what is only written down is not yet done.
type Probe struct {
	ID       string   `json:"id"`
	Axis     string   `json:"axis"`
	Level    int      `json:"level"` // 1…3
	Asks     string   `json:"asks"`
	Outcome  string   `json:"outcome"`
	Has      bool     `json:"has"`
	Runs     bool     `json:"runs"`
	Passes   bool     `json:"passes"`
	Evidence []string `json:"evidence"` // paths of documents, and of records in the ledger
	Remedy   string   `json:"remedy"`   // what to do next; empty when it holds
}
