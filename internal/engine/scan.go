package engine

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/plumb-ml/plumb/internal/table"
)

// RowID is the column that Scan adds: the ordinal of the row in the dataset's row stream, an int64 from 0.
const RowID = "row_id"

// The formats of Scan.
const (
	Parquet = "parquet"
	CSV     = "csv"
	JSON    = "json"
)

// Scan gives a relation in brackets, for use after FROM: row_id and then cols, the rows of files in the order given, each in file order.
// Values have cols' types; CSV and JSON lines are read as text and cast, so that no sample decides what a column is. Empty text is null but in
// a string column where it is quoted.
func Scan(files []string, format string, cols []table.Column) string {
	// A window over nothing keeps the scan's order: DuckDB runs it as a stream, one row after the other.
	return scan("(row_number() over ()) - 1 as "+RowID+", ", files, format, cols)
}

// Rows is Scan without row_id, which many threads can read at once.
func Rows(files []string, format string, cols []table.Column) string {
	return scan("", files, format, cols)
}

func scan(number string, files []string, format string, cols []table.Column) string {
	from, value := Raw(files, format, cols), parsed
	switch format {
	case Parquet:
		// By name, because files may order columns differently, and because a type is then the widest of all files', not the first one's.
		from, value = fmt.Sprintf("read_parquet(%s, hive_partitioning = false, union_by_name = %t)", literals(globs(files)), len(files) > 1), typed
	case JSON:
		value = parsedJSON
	}
	items := make([]string, len(cols))
	for i, c := range cols {
		items[i] = value(c) + " as " + Ident(c.Name)
	}
	if len(cols) == 0 {
		items = []string{"*"}
	}
	return "(select " + number + strings.Join(items, ", ") + " from " + from + ")"
}

// Raw is the table function that reads CSV or JSON lines with every column as it stands in the file: text, or JSON values. Only the names of
// cols count.
func Raw(files []string, format string, cols []table.Column) string {
	kind := "'VARCHAR'"
	if format == JSON {
		kind = "'JSON'"
	}
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = Literal(c.Name) + ": " + kind
	}
	columns := "{" + strings.Join(names, ", ") + "}"
	if format == JSON {
		return fmt.Sprintf("read_json(%s, format = 'newline_delimited', auto_detect = false, hive_partitioning = false, columns = %s)", literals(globs(files)), columns)
	}
	// strict_mode refuses ragged rows; a new-line style is the one thing that DuckDB still finds out by itself.
	return fmt.Sprintf(`read_csv(%s, auto_detect = false, header = true, delim = '%s', quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false, `+
		`strict_mode = true, hive_partitioning = false, columns = %s)`, literals(globs(files)), Delimiter(files), columns)
}

// Delimiter is a tab for .tsv files (also compressed ones) and a comma for all others.
func Delimiter(files []string) string {
	for _, f := range files {
		if strings.Contains(strings.ToLower(filepath.Base(f)), ".tsv") {
			return `\t`
		}
	}
	return ","
}

// typed leaves decimals with the scale that the file has.
func typed(c table.Column) string {
	if c.Type == table.Decimal {
		return Ident(c.Name)
	}
	return cast(Ident(c.Name), c.Type)
}

func parsed(c table.Column) string { return FromText(Ident(c.Name), c.Type) }

func parsedJSON(c table.Column) string { return FromText(Ident(c.Name)+" ->> '$'", c.Type) }

// FromText is the SQL that reads text as a value of type t. Only ISO dates and times are understood; an offset is honoured (a plain cast to
// timestamp would drop it) and a time without one is UTC.
func FromText(sql string, t table.Type) string {
	if t == table.String {
		return "(" + sql + ")"
	}
	return cast("nullif("+sql+", '')", t)
}

func cast(sql string, t table.Type) string {
	if t == table.Timestamp {
		return "cast(cast(" + sql + " as timestamptz) as timestamp)"
	}
	return "cast(" + sql + " as " + TypeName(t) + ")"
}

// TypeName is the SQL name of a column type, one that DuckDB and Trino share. A decimal has 38 digits, 9 of them after the point.
func TypeName(t table.Type) string {
	switch t {
	case table.Int64:
		return "bigint"
	case table.Float64:
		return "double"
	case table.Bool:
		return "boolean"
	case table.Date:
		return "date"
	case table.Timestamp:
		return "timestamp"
	case table.Decimal:
		return "decimal(38, 9)"
	}
	return "varchar"
}

// Ident quotes a name for SQL.
func Ident(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// Literal writes text as SQL has it.
func Literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func literals(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = Literal(s)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

var globEscaper = strings.NewReplacer("[", "[[]", "*", "[*]", "?", "[?]")

// globs brings file names to patterns that match only them: DuckDB would read a1.csv when asked for a[1].csv.
func globs(files []string) []string {
	out := make([]string, len(files))
	for i, f := range files {
		out[i] = globEscaper.Replace(f)
	}
	return out
}

// JSONKeys is the relation of one JSON-lines file with a column for every key that any of its rows has.
func JSONKeys(file string) string {
	return fmt.Sprintf("read_json(%s, format = 'newline_delimited', records = 'true', maximum_depth = 1, sample_size = -1, hive_partitioning = false)",
		literals(globs([]string{file})))
}
