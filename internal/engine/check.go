package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/problem"
)

const maxSelect = 64 << 10 // bytes of a person's SQL

// tableFunctions are those that make rows of nothing but their arguments.
var tableFunctions = []string{"range", "generate_series", "unnest"}

// impure are functions whose answer depends on when or where it is asked; a result made with them could not be made again.
var impure = []string{"random", "setseed", "uuid", "uuidv4", "uuidv7", "gen_random_uuid", "now", "get_current_timestamp", "get_current_time", "current_timestamp",
	"current_date", "current_time", "current_localtime", "current_localtimestamp", "localtime", "localtimestamp", "today", "transaction_timestamp",
	"nextval", "currval", "current_setting", "getvariable", "version", "current_user", "session_user", "user", "current_database", "current_schema",
	"current_schemas", "current_catalog", "current_query", "current_query_id", "current_connection_id", "current_transaction_id", "txid_current", "pg_typeof",
	"ago", "pg_conf_load_time", "pg_postmaster_start_time", "get_block_size", "current_role", "stats", "sleep_ms", "pg_sleep", "format_type", "pg_get_constraintdef", "pg_get_viewdef",
	"write_log", "getenv", "in_search_path", "parse_duckdb_log_message", "json_execute_serialized_sql", "json_serialize_sql"}

// clocks are functions that are written like a column.
var clocks = []string{"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// CheckSelect says which tables a person's SQL reads, sorted, without running or preparing it (preparing several statements would run all but
// the last). It must be the first to see such SQL. An error of wrong use unless it is exactly one SELECT over plainly named tables that calls no
// function which reads files or settings, or whose answer changes from one call to the next.
func (db *DB) CheckSelect(ctx context.Context, query string) (tables []string, err error) {
	statement, err := db.syntax(ctx, query)
	if err != nil {
		return nil, err
	}
	w := walker{tables: map[string]bool{}}
	w.walk(statement, nil)
	if w.err != nil {
		return nil, w.err
	}
	for name := range w.tables {
		tables = append(tables, name)
	}
	slices.Sort(tables)
	return tables, nil
}

// syntax gives the tree of one SELECT, as json_serialize_sql writes it; an error of wrong use for anything else.
func (db *DB) syntax(ctx context.Context, query string) (statement any, err error) {
	switch {
	case len(query) > maxSelect:
		return nil, problem.Wrongf("", "the query has %d bytes, at most %d are read", len(query), maxSelect)
	case strings.ContainsRune(query, 0):
		return nil, problem.Wrongf("", "the query holds a zero byte")
	}
	rows, err := db.Query(ctx, "select json_serialize_sql("+Literal(query)+"::varchar)::varchar")
	if err != nil {
		return nil, err
	}
	var parsed struct {
		Error      bool   `json:"error"`
		Message    string `json:"error_message"`
		Statements []any  `json:"statements"`
	}
	text, _ := rows.Values[0][0].(string)
	if err := json.Unmarshal([]byte(text), &parsed); err != nil {
		return nil, fmt.Errorf("reading the query's syntax tree: %w", err)
	}
	switch {
	case parsed.Error && strings.HasPrefix(parsed.Message, "Only SELECT"):
		return nil, problem.Wrongf("write one SELECT", "only SELECT is allowed")
	case parsed.Error:
		return nil, problem.Wrongf("", "%s", strings.TrimSpace(parsed.Message))
	case len(parsed.Statements) != 1:
		return nil, problem.Wrongf("write one SELECT", "the query has %d statements", len(parsed.Statements))
	}
	return parsed.Statements[0], nil
}

// walker goes over the syntax tree that json_serialize_sql gives.
type walker struct {
	tables map[string]bool
	err    error
}

func (w *walker) refuse(hint, format string, args ...any) {
	if w.err == nil {
		w.err = problem.Wrongf(hint, format, args...)
	}
}

// walk visits node; scope holds the names of the WITH clauses that it sees.
func (w *walker) walk(node any, scope []string) {
	switch x := node.(type) {
	case []any:
		for _, child := range x {
			w.walk(child, scope)
		}
	case map[string]any:
		scope = w.with(x, scope)
		w.visit(x, scope)
		for key, child := range x {
			if key != "cte_map" {
				w.walk(child, scope)
			}
		}
	}
}

// with walks the WITH clauses of a query node and gives the scope of its body. A clause sees those before it, and itself only when it is
// recursive, which shows as a node of its own type.
func (w *walker) with(node map[string]any, scope []string) []string {
	clauses, _ := node["cte_map"].(map[string]any)
	list, _ := clauses["map"].([]any)
	for _, item := range list {
		entry, _ := item.(map[string]any)
		name, _ := entry["key"].(string)
		inner := scope
		if recursive(entry["value"]) {
			inner = append(slices.Clip(scope), strings.ToLower(name))
		}
		w.walk(entry["value"], inner)
		scope = append(slices.Clip(scope), strings.ToLower(name))
	}
	return scope
}

func recursive(clause any) bool {
	value, _ := clause.(map[string]any)
	query, _ := value["query"].(map[string]any)
	node, _ := query["node"].(map[string]any)
	return node["type"] == "RECURSIVE_CTE_NODE"
}

func (w *walker) visit(node map[string]any, scope []string) {
	kind, _ := node["type"].(string)
	if node["sample"] != nil {
		w.refuse("the same rows must always give the same answer", "a random sample is not allowed")
	}
	switch {
	case kind == "BASE_TABLE":
		w.table(node, scope)
	case kind == "TABLE_FUNCTION":
		f, _ := node["function"].(map[string]any)
		if name, _ := f["function_name"].(string); !slices.Contains(tableFunctions, strings.ToLower(name)) {
			w.refuse("name a dataset instead", "the table function %s is not allowed", name)
		}
	case kind == "SHOW_REF":
		w.refuse("write one SELECT", "SHOW, DESCRIBE and SUMMARIZE are not allowed")
	case node["class"] == "FUNCTION":
		name, _ := node["function_name"].(string)
		name = strings.ToLower(name)
		arguments, _ := node["children"].([]any)
		if slices.Contains(impure, name) || name == "age" && len(arguments) == 1 { // the age of one time is its distance from today
			w.refuse("the same rows must always give the same answer", "the function %s is not allowed", name)
		}
	case node["class"] == "COLUMN_REF":
		if names, _ := node["column_names"].([]any); len(names) == 1 && slices.Contains(clocks, strings.ToLower(fmt.Sprint(names[0]))) {
			w.refuse("the same rows must always give the same answer", "%s is not allowed", names[0])
		}
	case node["class"] == "PARAMETER":
		w.refuse("write the value itself", "a query parameter is not allowed")
	}
}

func (w *walker) table(node map[string]any, scope []string) {
	name, _ := node["table_name"].(string)
	schema, _ := node["schema_name"].(string)
	catalog, _ := node["catalog_name"].(string)
	switch {
	case schema != "" || catalog != "":
		w.refuse("name a dataset as it is called in datasets/", "the table %s is not a dataset", strings.Trim(catalog+"."+schema+"."+name, "."))
	case slices.Contains(scope, strings.ToLower(name)):
	case !plainName.MatchString(name):
		w.refuse("files are read through a dataset", "%q is not a dataset's name", name)
	default:
		w.tables[name] = true
	}
}
