package dataset

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/table"
)

// look is what one file looks like on its own.
type look struct {
	rows    int64
	columns []sniffed
}

// sniffed is a column of one file. Type is "" when it has no value (text formats), Raw the file's own type (Parquet).
type sniffed struct {
	table.Column
	Raw string
}

func (s sniffed) describe() string {
	switch {
	case s.Raw != "":
		return strings.ToLower(s.Raw)
	case s.Type == "":
		return "empty"
	}
	return string(s.Type)
}

// join gives the type that holds both columns' values without a loss. Text knows no types, so 1 and 1.5 are both float64 there; Parquet files
// say what they mean, so only the width of integers and floats may differ.
func join(a, b sniffed) (table.Type, bool) {
	if a.Raw != "" {
		return a.Type, a.Type == b.Type && (a.Type != table.Decimal || a.Raw == b.Raw)
	}
	wider := map[[2]table.Type]table.Type{{table.Int64, table.Float64}: table.Float64, {table.Date, table.Timestamp}: table.Timestamp}
	switch {
	case a.Type == b.Type || b.Type == "":
		return a.Type, true
	case a.Type == "":
		return b.Type, true
	}
	for _, pair := range [][2]table.Type{{a.Type, b.Type}, {b.Type, a.Type}} {
		if t, ok := wider[pair]; ok {
			return t, true
		}
	}
	return "", false
}

func (p *pinner) look(ctx context.Context, name string) (look, error) {
	if p.format == engine.Parquet {
		return p.lookParquet(ctx, name)
	}
	names, err := p.keys, error(nil)
	if p.format == engine.CSV {
		names, err = readHeader(p.file(name), name)
	}
	if err != nil {
		return look{}, err
	}
	columns := make([]sniffed, len(names))
	for i, n := range names {
		columns[i] = sniffed{Column: table.Column{Name: n, Type: p.declared(n)}}
	}
	if err := checkNames(columns, name); err != nil {
		return look{}, err
	}
	l := look{columns: columns}
	return l, p.sniff(ctx, name, &l)
}

func (p *pinner) lookParquet(ctx context.Context, name string) (look, error) {
	from := engine.Scan([]string{p.file(name)}, engine.Parquet, nil)
	described, err := p.db.Columns(ctx, "select * from "+from)
	if err != nil {
		return look{}, inFile(name, err)
	}
	l := look{}
	for _, d := range described[1:] { // without row_id
		if d.Type == "" {
			return look{}, problem.Wrongf("write it as plain columns or text", "%s: column %q is of type %s, which can't be pinned", name, d.Name, strings.ToLower(d.Raw))
		}
		l.columns = append(l.columns, sniffed{Column: d.Column, Raw: d.Raw})
	}
	if err := checkNames(l.columns, name); err != nil {
		return look{}, err
	}
	rows, err := p.db.Query(ctx, "select count(*) from "+from)
	if err != nil {
		return look{}, inFile(name, err)
	}
	l.rows = rows.Values[0][0].(int64)
	return l, nil
}

// jsonKeys gives the keys of all rows of all files.
func (p *pinner) jsonKeys(ctx context.Context) ([]string, error) {
	var keys []string
	seen := map[string]bool{}
	for _, name := range p.names {
		if err := p.holdsText(name); err != nil {
			return nil, err
		}
		described, err := p.db.Columns(ctx, "select * from "+engine.JSONKeys(p.file(name)))
		if err != nil {
			return nil, inFile(name, err)
		}
		for _, d := range described {
			if !seen[d.Name] {
				seen[d.Name] = true
				keys = append(keys, d.Name)
			}
		}
	}
	return keys, nil
}

// holdsText refuses a file of nothing but white space, of which the engine says that it is no JSON.
func (p *pinner) holdsText(name string) error {
	f, err := openText(p.file(name))
	if err != nil {
		return problem.Failedf("", "%s can't be read: %v", name, reason(err))
	}
	defer f.Close()
	text := bufio.NewReader(f)
	for {
		switch c, err := text.ReadByte(); {
		case errors.Is(err, io.EOF):
			return problem.Wrongf("remove the file or write it again", "%s is empty", name)
		case err != nil:
			return problem.Wrongf("write the file again", "%s can't be unpacked: %v", name, reason(err))
		case c != ' ' && c != '\t' && c != '\r' && c != '\n':
			return nil
		}
	}
}

// inFile names the file, and the line when the engine knows it.
func inFile(name string, err error) error {
	var e *engine.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	if e.Line > 0 {
		return problem.Wrongf(problem.Hint(err), "%s:%d: %s", name, e.Line, e.Message)
	}
	return problem.Wrongf(problem.Hint(err), "%s: %s", name, e.Message)
}

// checkNames refuses columns that SQL could not tell apart, and plumb's own.
func checkNames(columns []sniffed, file string) error {
	if len(columns) == 0 {
		return problem.Wrongf("a dataset needs at least one column", "%s has no columns", file)
	}
	seen := map[string]string{}
	for _, c := range columns {
		lower := strings.ToLower(c.Name)
		other, twice := seen[lower]
		switch {
		case twice:
			return problem.Wrongf("rename one of them; capital letters make no difference in SQL", "%s has two columns %q and %q", file, other, c.Name)
		case lower == engine.RowID:
			return problem.Wrongf("rename it; plumb numbers the rows itself under that name", "%s has a column %q", file, c.Name)
		case !utf8.ValidString(c.Name) || strings.ContainsFunc(c.Name, unicode.IsControl) || len(c.Name) > 256:
			return problem.Wrongf("give it a short, plain name", "%s has a column named %.80q", file, c.Name)
		}
		seen[lower] = c.Name
	}
	return nil
}

// sampleRows is how many rows give the first guess of a type. Every value is then looked at: the sample only saves work.
const sampleRows = 20_000

// widening is what a guess gives way to when a value does not fit.
var widening = map[table.Type]table.Type{table.Int64: table.Float64, table.Float64: table.String, table.Bool: table.String, table.Date: table.Timestamp, table.Timestamp: table.String}

var guesses = []table.Type{table.Int64, table.Float64, table.Bool, table.Date, table.Timestamp}

// sniff counts the rows of a text file and finds the types that are not declared.
func (p *pinner) sniff(ctx context.Context, name string, l *look) error {
	cols := make([]table.Column, len(l.columns))
	var open []int // columns without a type
	for i, c := range l.columns {
		cols[i] = c.Column
		if c.Type == "" {
			open = append(open, i)
		}
	}
	from := engine.Raw([]string{p.file(name)}, p.format, cols)
	if err := p.guess(ctx, name, l, open, fmt.Sprintf("(select * from %s limit %d)", from, sampleRows)); err != nil {
		return err
	}
	var blank []int // no value in the sample
	for _, i := range open {
		if l.columns[i].Type == "" {
			blank = append(blank, i)
		}
	}
	if err := p.guess(ctx, name, l, blank, from); err != nil {
		return err
	}
	for {
		misfits, err := p.misfits(ctx, name, l, open, from)
		if err != nil || misfits == 0 {
			return err
		}
	}
}

// guess sets the first type of guesses that all values fit, string when none does; a column without a value stays open.
func (p *pinner) guess(ctx context.Context, name string, l *look, open []int, from string) error {
	if len(open) == 0 {
		return nil
	}
	var items []string
	for _, i := range open {
		text := p.text(l.columns[i].Name)
		items = append(items, "count(nullif("+text+", ''))")
		for _, t := range guesses {
			items = append(items, "count(case when "+p.fits(l.columns[i].Name, t)+" then 1 end)")
		}
	}
	rows, err := p.db.Query(ctx, "select "+strings.Join(items, ", ")+" from "+from)
	if err != nil {
		return inFile(name, err)
	}
	for k, i := range open {
		counts := rows.Values[0][k*(len(guesses)+1):]
		if counts[0] == int64(0) {
			continue
		}
		l.columns[i].Type = table.String
		for g, t := range guesses {
			if counts[g+1] == counts[0] {
				l.columns[i].Type = t
				break
			}
		}
	}
	return nil
}

// misfits counts the rows, and widens the guesses that not all values fit; it says how many those were.
func (p *pinner) misfits(ctx context.Context, name string, l *look, open []int, from string) (int, error) {
	items := []string{"count(*)"}
	var asked []int
	for _, i := range open {
		if t := l.columns[i].Type; t != "" && t != table.String {
			items = append(items, "count(case when not "+p.fits(l.columns[i].Name, t)+" and "+p.text(l.columns[i].Name)+" <> '' then 1 end)")
			asked = append(asked, i)
		}
	}
	rows, err := p.db.Query(ctx, "select "+strings.Join(items, ", ")+" from "+from)
	if err != nil {
		return 0, inFile(name, err)
	}
	l.rows = rows.Values[0][0].(int64)
	n := 0
	for k, i := range asked {
		if rows.Values[0][k+1] != int64(0) {
			l.columns[i].Type = widening[l.columns[i].Type]
			n++
		}
	}
	return n, nil
}

// text is the SQL of a column's text as it stands in a CSV or JSON-lines file.
func (p *pinner) text(name string) string {
	if p.format == engine.JSON {
		return "(" + engine.Ident(name) + " ->> '$')"
	}
	return engine.Ident(name)
}

// patterns are the texts that stand for a value of a type. A number with a leading zero is a name.
var patterns = map[table.Type]string{
	table.Int64:     `-?(0|[1-9][0-9]*)`,
	table.Float64:   `(?i)[+-]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]+)?|[+-]?inf(inity)?|nan`,
	table.Bool:      `(?i)true|false`,
	table.Date:      `[0-9]{4}-[0-9]{2}-[0-9]{2}`,
	table.Timestamp: `[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?( ?(Z|[+-][0-9]{2}(:?[0-9]{2})?))?)?`,
}

// fits is the SQL condition that a text is a value of type t. Of JSON, a string is no number and no truth value.
func (p *pinner) fits(name string, t table.Type) string {
	out := matches(p.text(name), patterns[t], t)
	if p.format == engine.JSON && (t == table.Int64 || t == table.Float64 || t == table.Bool) {
		out = "(" + out + " and json_type(" + engine.Ident(name) + ") <> 'VARCHAR')"
	}
	return out
}

func matches(text, pattern string, t table.Type) string {
	as := engine.TypeName(t)
	if t == table.Timestamp {
		as = "timestamptz"
	}
	return fmt.Sprintf("(regexp_full_match(%s, '%s') and try_cast(%s as %s) is not null)", text, pattern, text, as)
}
