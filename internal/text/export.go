package text

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/record"
)

// Cell texts of values as they are recorded: nil, bool, int64, float64, string, time.Time or json.RawMessage. What is not there is empty: no zero.
func valueText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case json.RawMessage:
		return string(v)
	}
	return fmt.Sprint(v)
}

// Values writes rows of values as texts.
func Values(rows [][]any) [][]string {
	out := make([][]string, len(rows))
	for i, row := range rows {
		out[i] = make([]string, len(row))
		for j, v := range row {
			out[i][j] = valueText(v)
		}
	}
	return out
}

// CSV writes a table as RFC 4180 has it, with a header. No text is taken for a formula.
func CSV(w io.Writer, columns []string, rows [][]any) error {
	out := csv.NewWriter(w)
	line := make([]string, len(columns))
	for j, c := range columns {
		line[j] = escape.CSV(c)
	}
	if err := out.Write(line); err != nil {
		return err
	}
	for _, row := range rows {
		for j, v := range row {
			line[j] = valueText(v)
			if _, isText := v.(string); isText {
				line[j] = escape.CSV(line[j])
			}
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// MarkdownTable writes a table as GitHub reads it, numbers to the right.
func MarkdownTable(w io.Writer, columns []string, rows [][]any) error {
	var b strings.Builder
	line := func(cells []string) {
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	head, under := make([]string, len(columns)), make([]string, len(columns))
	for j, c := range columns {
		head[j], under[j] = escape.MarkdownCell(c), "---"
		for _, row := range rows {
			switch row[j].(type) {
			case int64, float64:
				under[j] = "---:"
			}
		}
	}
	line(head)
	line(under)
	for _, row := range rows {
		cells := make([]string, len(row))
		for j, v := range row {
			cells[j] = markdownCell(valueText(v))
		}
		line(cells)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// markdownCell shows an id as code, which is copied as it is: elsewhere zero-width spaces keep GitHub from making a link of it, and they would be pasted too.
func markdownCell(value string) string {
	if record.IsID(value) || commitPattern.MatchString(value) {
		return escape.MarkdownCode(value)
	}
	return escape.MarkdownCell(value)
}

var commitPattern = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)
