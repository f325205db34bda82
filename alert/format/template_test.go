package format

import (
	"encoding/json"
	"os"
	"regexp"
	"testing"

	"telltale/alert"
)

// TestElasticTemplate: the template maps every field that an alert can have.
func TestElasticTemplate(t *testing.T) {
	b, err := os.ReadFile("../../docs/siem/elastic-template.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Template struct{ Mappings map[string]any }
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
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
