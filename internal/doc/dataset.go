package doc

import (
	"path"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/table"
)

// Dataset is datasets/<id>.toml.
type Dataset struct {
	Head
	Owner   string                `toml:"owner" about:"who answers for it, as \"@ann\""`
	Source  Source                `toml:"source"`
	Time    Time                  `toml:"time"`
	Columns map[string]ColumnNote `toml:"column"`
	Checks  map[string]Check      `toml:"check"`
	Order   []string              `toml:"-"` // ids of Checks as the document lists them
}

// Source says where rows come from: Path is a glob of Parquet, CSV or JSON-lines files, relative to the project's root.
type Source struct {
	Path string   `toml:"path" about:"a glob of .parquet, .csv or .jsonl files, relative to the project's root"`
	Key  []string `toml:"key" about:"columns that name a row; its ordinal when absent"`
}

// Time says when a row's question is asked (Event, a column) and when its late columns are known (Known, an expression).
type Time struct {
	Event string `toml:"event" about:"the column that says when the row's question is asked"`
	Known string `toml:"known" about:"an expression: when the row's late columns are known"`
}

// ColumnNote is what people say about a column.
type ColumnNote struct {
	Type        string `toml:"type" enum:"int64|float64|bool|string|date|timestamp|decimal" about:"the type to read it as; found out when absent"`
	Unit        string `toml:"unit" about:"as \"min\""`
	Late        bool   `toml:"late" about:"not known at event time: never a feature of its own row"`
	Public      bool   `toml:"public" about:"its values may be shown; other columns are shown as counts only"`
	Description string `toml:"description" about:"what it means"`
}

// formats are the file endings that can be read, and what they hold.
var formats = map[string]string{".parquet": "parquet", ".csv": "csv", ".tsv": "csv", ".jsonl": "json", ".ndjson": "json", ".json": "json"}

// Format gives parquet, csv or json by a file's ending (a .gz after it is no matter), or "".
func Format(file string) string {
	return formats[strings.ToLower(path.Ext(strings.TrimSuffix(file, ".gz")))]
}

// Environment gives the names that a row's expressions may use: the columns as pinned. Without a lock it is what the document declares.
func Environment(lock *Lock, ds *Dataset) rule.Env {
	env := rule.Env{Columns: map[string]table.Type{}}
	if lock != nil {
		for _, c := range lock.Columns {
			env.Columns[c.Name] = table.Type(c.Type)
		}
		return env
	}
	if ds != nil {
		for name, c := range ds.Columns {
			if c.Type != "" {
				env.Columns[name] = table.Type(c.Type)
			}
		}
	}
	return env
}

// Late lists the columns that are not known at event time, sorted.
func (d *Dataset) Late() []string {
	var out []string
	for name, c := range d.Columns {
		if c.Late {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// check looks at the document by itself; against the lock it is looked at by crossDataset.
func (d *Dataset) check(c checker) {
	if c.required("source", "path") {
		d.checkPath(c)
	}
	if late := d.Late(); len(late) > 0 {
		if !c.has("time", "known") {
			c.at("late", "column", late[0], "late").errorf("column %s is late, but nothing says when it is known", late[0]).
				hint(`add to [time]: known = "an expression", such as known = "EVENT + days(30)"`)
		}
		if slices.Contains(late, d.Time.Event) {
			c.at("late", "time", "event").errorf("%s is late, so it can't be the time at which the question is asked", d.Time.Event)
		}
	}
	if d.Time.Known != "" && !c.has("time", "event") {
		c.at("missing", "time", "known").errorf("known needs event beside it").hint("event is the column that says when the row's question is asked")
	}
	for _, id := range d.Order {
		d.Checks[id].check(c)
		if k := d.Checks[id]; k.Kind == "newest_event_within" && k.Column == "" && !c.has("time", "event") {
			c.atKey("missing", "check", id).errorf("check %s names no column, and the dataset has no [time] event that it could look at", id)
		}
	}
}

func (d *Dataset) checkPath(c checker) {
	p := d.Source.Path
	s := c.at("path", "source", "path")
	switch {
	case p == "":
		s.errorf("path is empty")
	case strings.Contains(p, "://"):
		s.errorf("%q is not a file of this project", p).hint("copy the data into the project, or next to it with a link-free relative path")
	case path.IsAbs(p) || strings.Contains(p, `\`) || (len(p) > 1 && p[1] == ':'):
		s.errorf("%q is not relative to the project's root", p).hint("as data/flights/*.parquet")
	case slices.Contains(strings.Split(p, "/"), ".."):
		s.errorf("%q leaves the project", p).hint("as data/flights/*.parquet")
	case Format(p) == "":
		s.errorf("%q does not say what kind of file it is", p).hint("the path ends in .parquet, .csv, .jsonl or .json")
	default:
		if _, err := path.Match(p, "x"); err != nil {
			s.errorf("%q is no pattern: a bracket is not closed", p)
		}
	}
}

// crossDataset checks a dataset against its lock.
func (l *loader) crossDataset(d *Dataset, c checker) {
	lock := l.set.Locks[d.ID]
	if lock == nil {
		if !l.known["datasets/"+d.ID+".lock.toml"] {
			c.atKey("lock", "source", "path").errorf("dataset %s is not pinned: nobody knows which rows it has", d.ID).hint("plumb data pin %s", d.ID)
		}
		return
	}
	if lock = l.lock(d.ID); lock == nil {
		return
	}
	env := Environment(lock, d)
	names := lock.names()
	for _, name := range sortedKeys(d.Columns) {
		l.crossColumn(d, c, name, env)
	}
	for i, name := range d.Source.Key {
		c.column(name, names, "source", "key", itoa(i))
	}
	if d.Time.Event != "" && c.column(d.Time.Event, names, "time", "event") && !temporal(env.Columns[d.Time.Event]) {
		c.at("type", "time", "event").errorf("event must be a time or a date; column %s is %s", d.Time.Event, typeName(env.Columns[d.Time.Event])).
			hint(`declare it: [column.%s] type = "timestamp", then plumb data pin %s`, d.Time.Event, d.ID)
	}
	if d.Time.Known != "" {
		if e, ok := c.expression(d.Time.Known, env, "time", "known"); ok && !temporal(e.Type()) {
			c.at("expression", "time", "known").errorf("known must be a time; this is %s", typeName(e.Type()))
		}
	}
	for _, id := range d.Order {
		d.Checks[id].cross(c, env, names)
	}
}

func (l *loader) crossColumn(d *Dataset, c checker, name string, env rule.Env) {
	note := d.Columns[name]
	pinned, ok := env.Columns[name]
	if !ok {
		c.atKey("column", "column", name).errorf("dataset %s has no column %q", d.ID, name).nearest(name, sortedKeys(env.Columns))
		return
	}
	if note.Type != "" && note.Type != string(pinned) && slices.Contains(columnTypes, note.Type) {
		c.at("lock", "column", name, "type").errorf("%s is declared %s but pinned as %s", name, note.Type, pinned).hint("plumb data pin %s", d.ID)
	}
}

// column reports a name that is no column.
func (c checker) column(name string, known []string, key ...string) bool {
	if name == "" || slices.Contains(known, name) {
		return name != ""
	}
	c.at("column", key...).errorf("unknown column %q", name).nearest(name, known)
	return false
}

var columnTypes = []string{"int64", "float64", "bool", "string", "date", "timestamp", "decimal"}
