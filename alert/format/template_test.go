package format

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"testing"

	"telltale/alert"
)

// TestElasticTemplate: the templates map every field that an alert can have, by types that
// Elasticsearch and OpenSearch both have.
func TestElasticTemplate(t *testing.T) {
	var index struct {
		ComposedOf    []string       `json:"composed_of"`
		IndexPatterns []string       `json:"index_patterns"`
		DataStream    map[string]any `json:"data_stream"`
	}
	readJSON(t, "elastic-template.json", &index)
	if len(index.ComposedOf) != 1 || index.ComposedOf[0] != "telltale-alert" || index.IndexPatterns[0] != "logs-telltale.alert-*" || index.DataStream == nil {
		t.Errorf("%+v", index)
	}
	var doc struct {
		Template struct{ Mappings map[string]any }
	}
	readJSON(t, "elastic-component.json", &doc)
	mapped := map[string]bool{}
	properties(doc.Template.Mappings, "", mapped)
	list := regexp.MustCompile(`\[[0-9]*\]`)
	f := form(t, "ecs")
	someAlerts("www.example.co.uk", func(a *alert.Alert) {
		for _, path := range jsonLeaves(t, f.Append(nil, a)) {
			if path = list.ReplaceAllString(path, ""); !mapped[path] {
				t.Fatalf("%s is not mapped", path)
			}
		}
	})
	if mapped[".telltale.no_such_field"] {
		t.Error("everything is mapped")
	}
	for _, kind := range types(doc.Template.Mappings, nil) {
		if !slices.Contains([]string{"date", "text", "keyword", "long", "ip", "boolean"}, kind) {
			t.Errorf("type %s", kind)
		}
	}
}

func readJSON(t *testing.T, name string, v any) {
	t.Helper()
	b, err := os.ReadFile("../../docs/siem/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
}

// properties notes the path of every field that has a type.
func properties(v map[string]any, path string, all map[string]bool) {
	if _, ok := v["type"].(string); ok {
		all[path] = true
	}
	fields, _ := v["properties"].(map[string]any)
	for name, sub := range fields {
		if m, ok := sub.(map[string]any); ok {
			properties(m, path+"."+name, all)
		}
	}
}

// types returns the types of all fields.
func types(v map[string]any, all []string) []string {
	if kind, ok := v["type"].(string); ok {
		all = append(all, kind)
	}
	fields, _ := v["properties"].(map[string]any)
	for _, sub := range fields {
		if m, ok := sub.(map[string]any); ok {
			all = types(m, all)
		}
	}
	return all
}
