package rule

import "strconv"

// Name writes a column's name as an expression: plainly where it can stand so, else as col("…").
func Name(column string) string {
	if scan(column, false) == nil {
		tree, err := parseTree(column)
		if got, ok := dotted(tree); err == nil && ok && got == column && column != "null" {
			return column
		}
	}
	return "col(" + Literal(column) + ")"
}

// Literal writes a text as an expression.
func Literal(text string) string { return strconv.Quote(text) }
