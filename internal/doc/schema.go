package doc

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// kinds are the document kinds with their structs and the keys that each needs, as the checks require them.
var kinds = []struct {
	name  string
	value any
	needs []string
}{
	{"project", Project{}, []string{"name"}},
	{"design", Design{}, nil},
	{"dataset", Dataset{}, []string{"source"}},
	{"lock", Lock{}, []string{"content", "format", "rows", "columns", "files"}},
	{"feature", Feature{}, []string{"dataset", "entity", "feature"}},
	{"model", Model{}, []string{"task", "question"}},
	{"experiment", Experiment{}, nil},
	{"monitor", Monitor{}, []string{"dataset"}},
}

// Kinds lists the document kinds that have a schema.
func Kinds() []string {
	out := make([]string, len(kinds))
	for i, k := range kinds {
		out[i] = k.name
	}
	return out
}

// Schema gives the JSON Schema (draft 2020-12) of a document kind, generated from its struct: editors complete and explain keys with it. It is nil for a kind that
// does not exist.
func Schema(kind string) []byte {
	for _, k := range kinds {
		if k.name != kind {
			continue
		}
		s := schemaOf(reflect.TypeOf(k.value), reflect.StructField{})
		s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
		s["title"] = "plumb " + kind
		s["required"] = append([]string{"schema"}, k.needs...)
		s["properties"].(map[string]any)["schema"] = map[string]any{"const": SchemaVersion, "description": "the version of this document's format"}
		out, err := json.MarshalIndent(s, "", "  ")
		if err != nil { // maps of strings and numbers always encode
			return nil
		}
		return append(out, '\n')
	}
	return nil
}

// schemaOf describes a type; the tags of the field that holds it say what the type does not.
func schemaOf(t reflect.Type, f reflect.StructField) map[string]any {
	s := map[string]any{}
	if about := f.Tag.Get("about"); about != "" {
		s["description"] = about
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem(), f)
	case reflect.Struct:
		s["type"] = "object"
		s["additionalProperties"] = false
		properties := map[string]any{}
		addProperties(t, properties)
		s["properties"] = properties
	case reflect.Map:
		s["type"] = "object"
		s["additionalProperties"] = schemaOf(t.Elem(), reflect.StructField{})
	case reflect.Slice:
		s["type"] = "array"
		s["items"] = schemaOf(t.Elem(), reflect.StructField{})
	case reflect.String:
		s["type"] = "string"
		if enum := f.Tag.Get("enum"); enum != "" {
			s["enum"] = strings.Split(enum, "|")
		}
	case reflect.Bool:
		s["type"] = "boolean"
	case reflect.Int, reflect.Int64:
		s["type"] = "integer"
	case reflect.Float64:
		s["type"] = "number"
	}
	if def, ok := f.Tag.Lookup("default"); ok {
		s["default"] = defaultOf(t, def)
	}
	return s
}

func addProperties(t reflect.Type, into map[string]any) {
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("toml")
		switch {
		case f.Anonymous:
			addProperties(f.Type, into)
		case name != "" && name != "-":
			into[name] = schemaOf(f.Type, f)
		}
	}
}

// defaultOf gives a default as JSON has it.
func defaultOf(t reflect.Type, text string) any {
	if t.Kind() == reflect.String {
		return text
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		return n
	}
	return text
}
