package record

import "time"

// KindMonitor is a monitor's result.
const KindMonitor = "monitor"

// Whether a trigger's condition holds.
const (
	ConditionTrue    = "true"
	ConditionFalse   = "false"
	ConditionUnknown = "unknown"
)

// The states of a trigger.
const (
	TriggerFired   = "fired"
	TriggerQuiet   = "quiet"
	TriggerUnknown = "unknown"
)

// Monitor is what one window of a dataset's source looked like beside the pinned rows before it.
type Monitor struct {
	Header
	ID        string                  `toml:"-"`
	Monitor   string                  `toml:"monitor"`
	Dataset   string                  `toml:"dataset"`
	From      time.Time               `toml:"from"`   // of the window, inclusive
	Before    time.Time               `toml:"before"` // exclusive
	Missed    int                     `toml:"missed"` // windows since the last result that nobody looked at
	Rows      int64                   `toml:"rows"`
	Reference int64                   `toml:"reference_rows"`
	Verdict   string                  `toml:"verdict"` // of drift
	Drifted   []string                `toml:"drifted,omitempty"`
	Watched   []string                `toml:"watched,omitempty"`
	New       []string                `toml:"new,omitempty"`     // columns that the pinned rows do not have
	Changed   map[string]TypeChange   `toml:"changed,omitempty"` // those of Drifted that are of another type now, or gone
	Failed    []string                `toml:"failed,omitempty"`  // checks of quality that failed, by id
	Scores    map[string]float64      `toml:"scores,omitempty"`
	Triggers  map[string]TriggerState `toml:"trigger,omitempty"`
	Drift     Pointer                 `toml:"drift,omitempty"`
	Quality   Pointer                 `toml:"quality,omitempty"`
	Lock      Pointer                 `toml:"lock,omitempty"` // the pin that a trigger asked for, and that was proposed
}

// TriggerState is what a trigger made of a window.
type TriggerState struct {
	Name      string             `toml:"-" json:"name"`
	When      string             `toml:"when" json:"when"`
	Then      string             `toml:"then" json:"then"`              // note | retrain
	Condition string             `toml:"condition" json:"condition"`    // true | false | unknown
	Streak    int                `toml:"streak,omitzero" json:"streak"` // windows in a row in which it holds, this one included
	State     string             `toml:"state" json:"state"`            // fired | quiet | unknown
	Reason    string             `toml:"reason,omitempty" json:"reason"`
	Values    map[string]float64 `toml:"values,omitempty" json:"values"` // what the condition read
	Before    time.Time          `toml:"-" json:"-"`                     // the end of its window
}

// nameTriggers gives each trigger's state what the record says of all of them.
func (m *Monitor) nameTriggers() {
	for name, t := range m.Triggers {
		t.Name, t.Before = name, m.Before
		m.Triggers[name] = t
	}
}
