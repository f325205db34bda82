package format

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"telltale/alert"
)

// field is a row of ECS's list of fields.
type field struct {
	kind  string
	array bool
}

// ecsFields reads the list of fields of that version.
func ecsFields(t *testing.T, version string) map[string]field {
	t.Helper()
	f, err := os.Open("../../../shared/schemas/ecs/" + version + "/fields.csv")
	if err != nil {
		t.Skip("no shared schemas beside the project")
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	all := map[string]field{}
	for _, r := range rows[1:] {
		all[r[column["Field"]]] = field{r[column["Type"]], strings.Contains(r[column["Normalization"]], "array")}
	}
	return all
}

// breaches returns what in v is no field of ECS, or is of the wrong type.
func breaches(fields map[string]field, path string, v any) (bad []string) {
	known, ok := fields[path]
	if m, isObject := v.(map[string]any); isObject && !ok {
		for k, x := range m {
			if sub := strings.TrimPrefix(path+"."+k, "."); sub != "telltale" {
				bad = append(bad, breaches(fields, sub, x)...)
			}
		}
		return bad
	}
	list, isList := v.([]any)
	switch {
	case !ok:
		return []string{path + " is no field"}
	case isList != known.array:
		return []string{fmt.Sprintf("%s: a list is %v, want %v", path, isList, known.array)}
	case !isList:
		list = []any{v}
	}
	for _, x := range list {
		_, number := x.(float64)
		_, text := x.(string)
		switch known.kind {
		case "long", "float", "integer":
			ok = number
		case "keyword", "constant_keyword", "wildcard", "match_only_text", "ip", "date":
			ok = text
		}
		if !ok {
			bad = append(bad, fmt.Sprintf("%s: %v is no %s", path, x, known.kind))
		}
	}
	return bad
}

// TestECSFields holds every leaf against the published list of fields.
func TestECSFields(t *testing.T) {
	for name, version := range map[string]string{"ecs": "v9.4.0", "ecs8": "v8.17.0"} {
		t.Run(name, func(t *testing.T) {
			fields, f := ecsFields(t, version), form(t, name)
			check := func(a *alert.Alert) {
				line := f.Append(nil, a)
				var doc any
				if err := json.Unmarshal(line, &doc); err != nil {
					t.Fatal(err)
				}
				if bad := breaches(fields, "", doc); len(bad) > 0 {
					t.Fatalf("%s\n%s", strings.Join(bad, "\n"), line)
				}
			}
			someAlerts("www.example.co.uk", check)
			for _, text := range fewerIfShort(hostileTexts()) {
				fewAlerts(text, check)
			}
			if len(breaches(fields, "", map[string]any{"dns": map[string]any{"id": 5.0, "x": "y"}, "related": map[string]any{"ip": "1.1.1.1"}})) != 3 {
				t.Error("breaches are not seen")
			}
		})
	}
}

// TestPublicSuffix: the parts of a name that dashboards group by.
func TestPublicSuffix(t *testing.T) {
	var doc struct {
		DNS struct{ Question map[string]string }
	}
	someAlerts("a.b.example.co.uk", func(a *alert.Alert) {
		if a.Finding == nil || a.Finding.Contact.Proto.String() != "dns" || doc.DNS.Question != nil {
			return
		}
		if err := json.Unmarshal(form(t, "ecs").Append(nil, a), &doc); err != nil {
			t.Fatal(err)
		}
	})
	got := doc.DNS.Question
	if got["registered_domain"] != "example.co.uk" || got["subdomain"] != "a.b" || got["top_level_domain"] != "co.uk" {
		t.Errorf("%v", got)
	}
}
