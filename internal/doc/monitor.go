package doc

import (
	"slices"

	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/table"
)

// Monitor is monitors/<id>.toml: what is watched of a dataset's newest rows, window by window.
type Monitor struct {
	Head
	Dataset   string             `toml:"dataset" about:"whose source is watched, as it is now"`
	Window    string             `toml:"window" default:"7d" about:"a duration: how long the rows are looked at together; a new window begins when the last one is full"`
	Reference string             `toml:"reference" about:"a duration: how far the pinned rows that it is compared with reach back from the window; all of them when absent"`
	Columns   []string           `toml:"columns" about:"columns to compare; all that can be when absent"`
	Triggers  map[string]Trigger `toml:"trigger"`
	Order     []string           `toml:"-"` // names of Triggers as the document lists them
}

// Trigger is a condition over a window, and what follows from it.
type Trigger struct {
	When     string `toml:"when" about:"an expression over mean(column), ref.mean(column), share, null_rate, … and rows that is true when something has to be done"`
	MinRows  int64  `toml:"min_rows" default:"50" about:"with fewer rows in the window the answer is unknown"`
	For      int    `toml:"for" default:"1" about:"how many windows in a row it must hold"`
	Cooldown string `toml:"cooldown" about:"a duration: how long it stays quiet after it fired"`
	Then     string `toml:"then" enum:"note|retrain" default:"note" about:"what follows: a line in the report, or a pull request that pins the newest rows, so that every model on them is trained anew"`
	About    string `toml:"about" about:"why this matters, for who reads the alarm"`
}

const mostWindows = 52

func (m *Monitor) check(c checker) {
	c.required("dataset")
	for key, value := range map[string]string{"window": m.Window, "reference": m.Reference} {
		if value != "" && c.has(key) {
			c.duration(value, key)
		}
	}
	for _, name := range m.Order {
		m.checkTrigger(c, name)
	}
}

func (m *Monitor) checkTrigger(c checker, name string) {
	t := m.Triggers[name]
	key := func(k string) []string { return []string{"trigger", name, k} }
	c.required(key("when")...)
	c.notNegative(float64(t.MinRows), key("min_rows")...)
	if c.has(key("for")...) && (t.For < 1 || t.For > mostWindows) {
		c.at("range", key("for")...).errorf("for is 1 to %d windows, not %d", mostWindows, t.For)
	}
	if t.Cooldown != "" {
		c.duration(t.Cooldown, key("cooldown")...)
	}
}

// TriggerEnv gives the names that a trigger over a dataset may use: aggregates of its columns in the window and, as ref.…, in the reference; rows and ref.rows.
func TriggerEnv(lock *Lock, ds *Dataset) rule.Env {
	return rule.Env{Columns: map[string]table.Type{"rows": table.Int64, "ref.rows": table.Int64},
		Aggregates: &rule.Aggregates{Columns: Environment(lock, ds).Columns, Sides: []string{"ref"}}}
}

// crossMonitor checks a monitor against its dataset.
func (l *loader) crossMonitor(m *Monitor, c checker) {
	ds := l.set.Datasets[m.Dataset]
	if ds == nil {
		l.reference(c, "datasets", m.Dataset, "dataset")
		return
	}
	if ds.Time.Event == "" && !l.has(ds.Path, "time", "event") {
		c.at("monitor", "dataset").errorf("dataset %s has no event time, so it has no windows", ds.ID).hint("add [time] event to %s", ds.Path)
	}
	lock := l.lock(m.Dataset)
	if lock == nil {
		return
	}
	for i, name := range m.Columns {
		if !slices.Contains(lock.names(), name) {
			c.at("column", "columns", itoa(i)).errorf("unknown column %q", name).nearest(name, lock.names())
		}
	}
	for _, name := range m.Order {
		if c.has("trigger", name, "when") {
			c.truth(m.Triggers[name].When, TriggerEnv(lock, ds), "trigger", name, "when")
		}
	}
}
