package engine

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/plumb-ml/plumb/internal/problem"
)

// Error is what DuckDB said, brought to one line. It stands inside a problem.Failure, which has the hint.
type Error struct {
	Message string
	Line    int // of the CSV file, from 1; 0 when not known
}

func (e *Error) Error() string { return e.Message }

var (
	csvLine  = regexp.MustCompile(`CSV Error on Line: (\d+)`)
	prefixes = regexp.MustCompile(`^((Invalid Input|IO|Binder|Catalog|Parser|Conversion|Permission|Out of Memory|Out of Range|Invalid|Constraint|Not implemented|Serialization) Error: )+`)
)

// shorten makes an Error of what the driver gives; a done context stays recognisable.
func shorten(err error) error {
	var d *duckdb.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return errors.Join(errStopped, contextPart(err))
	case !errors.As(err, &d):
		return err
	}
	lines := strings.Split(d.Msg, "\n")
	out := &Error{Message: prefixes.ReplaceAllString(strings.TrimSpace(lines[0]), "")}
	if m := csvLine.FindStringSubmatch(d.Msg); m != nil {
		out.Line, _ = strconv.Atoi(m[1])
		out.Message = csvMessage(lines)
	}
	return problem.Failedf(hintFor(d), "%w", out)
}

var errStopped = errors.New("the query was stopped")

func contextPart(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return context.DeadlineExceeded
	}
	return context.Canceled
}

// csvMessage says what is wrong with a row of CSV without repeating the row, which DuckDB's message does.
func csvMessage(lines []string) string {
	for _, line := range lines {
		switch m := csvColumns.FindStringSubmatch(line); {
		case m != nil:
			return "the row has " + m[2] + " fields where the header has " + m[1]
		case strings.HasPrefix(line, "Invalid unicode"):
			return "the text is not UTF-8"
		case strings.HasPrefix(line, "Value with unterminated quote"):
			return "a quoted field is not closed"
		case strings.HasPrefix(line, "Maximum line size"):
			return "the row is longer than 2 MB; a quote is probably not closed"
		}
	}
	return "the row is not valid CSV (RFC 4180)"
}

var csvColumns = regexp.MustCompile(`^Expected Number of Columns: (\d+) Found: (\d+)`)

func hintFor(d *duckdb.Error) string {
	damaged := []string{"Footer length", "too small to be a Parquet", "No magic bytes", "decompression failure", "TProtocolException", "Failed to read file",
		"Invalid string encoding", "metadata", "don't know what type"}
	for _, sign := range damaged {
		if strings.Contains(d.Msg, sign) {
			return "the file is damaged or no Parquet file: write it again"
		}
	}
	switch {
	case strings.Contains(d.Msg, "reached an invalid state"):
		return `quotes must be doubled inside a quoted field, and all lines end alike (\n or \r\n)`
	case strings.Contains(d.Msg, "Malformed JSON"):
		return "every line must be one JSON object"
	case d.Type == duckdb.ErrorTypeOutOfMemory:
		return "give the engine more memory, or fewer columns at once"
	case d.Type == duckdb.ErrorTypePermission:
		return "a query reads only the project's data"
	}
	return ""
}
