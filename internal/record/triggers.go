package record

// Triggers is plumb.triggers/v1: what is watched for, and what it last did.
type Triggers struct {
	Schema   string    `json:"schema"` // "plumb.triggers/v1"
	Triggers []Trigger `json:"triggers"`
}

// Trigger is one condition of a monitor.
type Trigger struct {
	Monitor     string        `json:"monitor"`
	Name        string        `json:"name"`
	Dataset     string        `json:"dataset"`
	When        string        `json:"when"`
	Then        string        `json:"then"`
	Window      string        `json:"window"`
	About       string        `json:"about"`
	Last        *TriggerState `json:"last"`         // in the newest window that was looked at; null where there is none
	Before      string        `json:"before"`       // when that window ended
	FalseAlarms *FalseAlarms  `json:"false_alarms"` // null unless asked for
}

// FalseAlarms is how often a trigger fires in years of windows drawn from the pinned rows, in which nothing is wrong.
type FalseAlarms struct {
	PerYear *float64 `json:"per_year"`
	Unknown float64  `json:"unknown"` // share of windows that could not be judged
	Windows int      `json:"windows"` // drawn
	Blocks  int      `json:"blocks"`  // days or hours that they were drawn from
	Reason  string   `json:"reason,omitempty"`
}
