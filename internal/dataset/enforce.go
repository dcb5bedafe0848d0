package dataset

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/table"
)

// declaredPatterns are the texts that a declared type accepts: more than would make a guess.
var declaredPatterns = map[table.Type]string{
	table.Int64:     `[+-]?[0-9]+`,
	table.Float64:   `(?i)[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]+)?|[+-]?inf(inity)?|nan`,
	table.Bool:      `(?i)true|false|t|f|yes|no|y|n|1|0`,
	table.Date:      patterns[table.Date],
	table.Timestamp: patterns[table.Timestamp],
	table.Decimal:   `[+-]?[0-9]{1,29}(\.[0-9]{1,9})?`,
}

// enforce looks at every value of the columns whose type is declared and is not the file's own.
func (p *pinner) enforce(ctx context.Context, columns []table.Column, looks []look) error {
	for i, name := range p.names {
		var bad []string
		var which []table.Column
		for _, c := range columns {
			sql, err := p.misfit(c, looks[i], name)
			if err != nil {
				return err
			}
			if sql != "" {
				bad = append(bad, "min(case when "+sql+" then "+engine.RowID+" end)")
				which = append(which, c)
			}
		}
		if len(bad) == 0 {
			continue
		}
		rows, err := p.db.Query(ctx, "select "+strings.Join(bad, ", ")+" from "+p.numbered(name, columns))
		if err != nil {
			return inFile(name, err)
		}
		for k, c := range which {
			if row, found := rows.Values[0][k].(int64); found {
				return problem.Wrongf(fmt.Sprintf("mend the value, or change [column.%s] type in %s", c.Name, p.ds.Path),
					"%s: column %q holds a value that is no %s", p.position(name, row), c.Name, c.Type)
			}
		}
	}
	return nil
}

// misfit is the SQL condition that a value of c can't be read as the declared type; "" when every value can.
func (p *pinner) misfit(c table.Column, l look, name string) (string, error) {
	declared := p.declared(c.Name)
	if declared == "" || declared == table.String {
		return "", nil
	}
	if p.format != engine.Parquet {
		text := p.text(c.Name)
		return text + " <> '' and not " + matches(text, declaredPatterns[declared], declared), nil
	}
	own := l.find(c.Name)
	column := engine.Ident(c.Name)
	switch {
	case own.Type == declared:
		return "", nil
	case declared == table.Decimal:
		return "", problem.Wrongf("declare float64, or write the file with a decimal type", "%s: column %q is %s, which does not say its decimal places", name, c.Name, strings.ToLower(own.Raw))
	case own.Type == table.String:
		return column + " <> '' and not " + matches(column, declaredPatterns[declared], declared), nil
	}
	// A value that does not come back from the declared type has lost something on the way: 1.5 as int64, a time as date.
	as := engine.TypeName(declared)
	return fmt.Sprintf("%s is not null and (try_cast(%s as %s) is null or try_cast(try_cast(%s as %s) as %s) is distinct from %s)",
		column, column, as, column, as, own.Raw, column), nil
}

func (l look) find(name string) sniffed {
	for _, c := range l.columns {
		if c.Name == name {
			return c
		}
	}
	return sniffed{}
}

// numbered is a file's rows as they stand in it, with row_id.
func (p *pinner) numbered(name string, columns []table.Column) string {
	if p.format == engine.Parquet {
		return engine.Scan([]string{p.file(name)}, engine.Parquet, nil)
	}
	return "(select (row_number() over ()) - 1 as " + engine.RowID + ", * from " + engine.Raw([]string{p.file(name)}, p.format, columns) + ")"
}

// position names a row of a file: by line for CSV, else by its number from 1.
func (p *pinner) position(name string, row int64) string {
	if p.format == engine.CSV {
		if line, err := lineOf(p.file(name), row); err == nil {
			return fmt.Sprintf("%s:%d", name, line)
		}
	}
	if p.format == engine.JSON {
		return fmt.Sprintf("%s:%d", name, row+1)
	}
	return fmt.Sprintf("%s, row %d", name, row+1)
}

// openText opens a CSV file for Go, unpacked.
func openText(file string) (io.ReadCloser, error) {
	f, err := os.Open(file)
	if err != nil || extension(file) == strings.TrimSuffix(extension(file), ".gz") {
		return f, err
	}
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("it is no gzip file"), f.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{unpacked, f}, nil
}

func csvReader(r io.Reader, file string) *csv.Reader {
	c := csv.NewReader(r)
	c.FieldsPerRecord = -1
	c.ReuseRecord = true
	if engine.Delimiter([]string{file}) != "," {
		c.Comma = '\t'
	}
	return c
}

// maxHeader is how many bytes a CSV header may have.
const maxHeader = 1 << 20

// readHeader gives the column names of a CSV file; one without a name is called after its number. Go reads it, because the engine, told the
// columns, does not look at the header at all.
func readHeader(file, name string) ([]string, error) {
	f, err := openText(file)
	if err != nil {
		return nil, problem.Failedf("", "%s can't be read: %v", name, reason(err))
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, maxHeader))
	if err != nil && len(head) == 0 {
		return nil, problem.Wrongf("write the file again", "%s can't be unpacked: %v", name, err)
	}
	text := strings.TrimPrefix(string(head), "\ufeff")
	if text == "" {
		return nil, problem.Wrongf("remove the file or write it again", "%s is empty", name)
	}
	if text[0] == '\n' || text[0] == '\r' {
		return nil, problem.Wrongf("the first line holds the names of the columns", "%s:1: the line is empty", name)
	}
	header, err := csvReader(strings.NewReader(text), file).Read()
	if err != nil {
		return nil, problem.Wrongf("the first line holds the names of the columns, with a comma between them", "%s:1: the header is no valid CSV", name)
	}
	for i := range header {
		if !utf8.ValidString(header[i]) {
			return nil, problem.Wrongf("write the file as UTF-8", "%s:1: the text is not UTF-8", name)
		}
		if header[i] == "" {
			header[i] = fmt.Sprintf("column_%d", i+1)
		}
	}
	return header, nil
}

// lineOf gives the line on which a row of a CSV file starts, both counted as people do: the header is line 1, row 0 the one after it.
func lineOf(file string, row int64) (int, error) {
	f, err := openText(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r := csvReader(f, file)
	for range row + 1 {
		if _, err := r.Read(); err != nil {
			return 0, err
		}
	}
	if _, err := r.Read(); err != nil {
		return 0, err
	}
	line, _ := r.FieldPos(0)
	return line, nil
}
