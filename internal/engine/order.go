package engine

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/problem"
)

// inOrder are functions that answer by the order in which they are given rows.
var inOrder = []string{"any_value", "arbitrary", "array_agg", "first", "first_value", "group_concat", "lag", "last", "last_value", "lead", "list", "listagg",
	"nth_value", "ntile", "row_number", "string_agg"}

// estimates are aggregates whose answer depends on how rows are divided among threads.
var estimates = []string{"approx_quantile", "approx_top_k", "reservoir_quantile"}

// CheckOrdered refuses what a query can say plainly that makes its answer depend on the order in which an engine happens to read rows, for results
// that must be the same when they are made again. It can't see that rows tie in what they are ordered by.
func (db *DB) CheckOrdered(ctx context.Context, query string) error {
	statement, err := db.syntax(ctx, query)
	if err != nil {
		return err
	}
	return unordered(statement)
}

// SelectNames gives the names that a query's list of columns spells out: the alias, or the column's own. What has no name of its own is left out.
func (db *DB) SelectNames(ctx context.Context, query string) ([]string, error) {
	statement, err := db.syntax(ctx, query)
	if err != nil {
		return nil, err
	}
	whole, _ := statement.(map[string]any)
	node, _ := whole["node"].(map[string]any)
	for node["left"] != nil && len(items(node["select_list"])) == 0 { // of a union, the first query names the columns
		node, _ = node["left"].(map[string]any)
	}
	var out []string
	for _, item := range items(node["select_list"]) {
		column, _ := item.(map[string]any)
		name, _ := column["alias"].(string)
		if path := items(column["column_names"]); name == "" && len(path) > 0 {
			name, _ = path[len(path)-1].(string)
		}
		if name != "" {
			out = append(out, name)
		}
	}
	return out, nil
}

// unordered finds the first part of a syntax tree that needs an order and has none.
func unordered(node any) error {
	switch x := node.(type) {
	case []any:
		for _, child := range x {
			if err := unordered(child); err != nil {
				return err
			}
		}
	case map[string]any:
		if err := needsOrder(x); err != nil {
			return err
		}
		for _, key := range slices.Sorted(maps.Keys(x)) {
			if err := unordered(x[key]); err != nil {
				return err
			}
		}
	}
	return nil
}

func needsOrder(node map[string]any) error {
	name, _ := node["function_name"].(string)
	name = strings.ToLower(name)
	switch {
	case slices.Contains(estimates, name):
		return problem.Wrongf("an exact one: quantile_cont, or count", "%s depends on how rows are read", name)
	case node["class"] == "FUNCTION" && slices.Contains(inOrder, name) && node["is_operator"] != true:
		by, _ := node["order_bys"].(map[string]any)
		if len(items(by["orders"])) == 0 {
			return problem.Wrongf(name+"(x order by y), with a y that no two rows share", "%s depends on the order in which rows are read", name)
		}
	case node["class"] == "WINDOW" && len(items(node["orders"])) == 0 && len(items(node["arg_orders"])) == 0:
		if slices.Contains(inOrder, name) || byRows(node["start"]) || byRows(node["end"]) {
			return problem.Wrongf("over (… order by y), with a y that no two rows share", "the window of %s depends on the order in which rows are read", name)
		}
	}
	return cutsRows(items(node["modifiers"]))
}

// cutsRows refuses to keep some rows of a list that has no order.
func cutsRows(modifiers []any) error {
	ordered := false
	for _, m := range modifiers {
		modifier, _ := m.(map[string]any)
		switch modifier["type"] {
		case "ORDER_MODIFIER":
			ordered = true
		case "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER":
			if !ordered {
				return problem.Wrongf("order by columns that no two rows share", "limit without order by keeps any rows")
			}
		case "DISTINCT_MODIFIER":
			if len(items(modifier["distinct_on_targets"])) > 0 && !slices.ContainsFunc(modifiers, isOrder) {
				return problem.Wrongf("order by columns that no two rows share", "distinct on without order by keeps any row")
			}
		}
	}
	return nil
}

func isOrder(modifier any) bool {
	m, _ := modifier.(map[string]any)
	return m["type"] == "ORDER_MODIFIER"
}

func byRows(bound any) bool {
	text, _ := bound.(string)
	return strings.HasSuffix(text, "_ROWS") || strings.HasSuffix(text, "_GROUPS")
}

func items(list any) []any {
	out, _ := list.([]any)
	return out
}
