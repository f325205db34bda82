package format

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"telltale/alert"
)

// TestHostileTexts: whatever text an alert holds, each form is one event of printable
// ASCII with the fields it has for a harmless text, and each field holds what it held,
// with the text in place of the harmless one.
func TestHostileTexts(t *testing.T) {
	if n := len(hostileTexts()); n < 300 {
		t.Fatalf("%d texts only", n)
	}
	want := harmlessFields(t)
	for _, text := range fewerIfShort(hostileTexts()) {
		if text != "" {
			carry(t, want, text)
		}
	}
}

// FuzzForms is TestHostileTexts for any text.
func FuzzForms(f *testing.F) {
	for i, text := range hostileTexts() {
		if i%9 == 0 {
			f.Add(text)
		}
	}
	want := harmlessFields(f)
	f.Fuzz(func(t *testing.T, text string) {
		if text != "" && len(text) <= 3000 {
			carry(t, want, text)
		}
	})
}

// harmless is the text that others are compared with.
const harmless = "harmless"

// harmlessFields returns the fields of each of fewAlerts, by format.
func harmlessFields(t testing.TB) map[string][]map[string]string {
	all := map[string][]map[string]string{}
	for _, f := range Formats() {
		fewAlerts(harmless, func(a *alert.Alert) { all[f.Name] = append(all[f.Name], fields(t, f, a)) })
	}
	return all
}

// derived are fields that differ by what they are made of: ids, and the parts of a name,
// which some names do not have.
var derived = regexp.MustCompile(`^\.dns\.question\.(registered_domain|subdomain|top_level_domain)$|[iI]d$|\.uid$|event_id`)

// carry checks text in all forms.
func carry(t testing.TB, want map[string][]map[string]string, text string) {
	t.Helper()
	for _, f := range Formats() {
		i, shown := 0, string([]rune(text))
		if f.Name == "cef" || f.Name == "leef" {
			shown = asciiText(text)
		}
		long := len(shown) > 100 // something may be left out
		fewAlerts(text, func(a *alert.Alert) {
			got := fields(t, f, a)
			for k, v := range got {
				old, ok := want[f.Name][i][k]
				is := strings.ReplaceAll(old, harmless, shown)
				if f.Name == "leef" && strings.HasPrefix(k, "header") {
					is = strings.ReplaceAll(is, "|", "/")
				}
				if !ok && !derived.MatchString(k) {
					t.Fatalf("%s: %q made a field %s=%q", f.Name, text, k, v)
				}
				if !long && v != is && !derived.MatchString(k) {
					t.Fatalf("%s: %q: %s is %q, want %q", f.Name, text, k, v, is)
				}
			}
			for k := range want[f.Name][i] {
				if _, ok := got[k]; !ok && !long && !derived.MatchString(k) {
					t.Fatalf("%s: %q: no field %s", f.Name, text, k)
				}
			}
			i++
		})
	}
}

// fields returns what an alert is in a form, read by a parser that is not ours where
// there is one.
func fields(t testing.TB, f Format, a *alert.Alert) map[string]string {
	t.Helper()
	line := f.Append(nil, a)
	printableASCII(t, line)
	var header []string
	var all map[string]string
	switch f.Name {
	case "cef":
		header, all = parseCEF(t, string(line))
	case "leef":
		header, all = parseLEEF(t, string(line))
	default:
		var v any
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatalf("%s: %v\n%s", f.Name, err, line)
		}
		all = map[string]string{}
		values(v, "", all)
	}
	for i, h := range header {
		all[fmt.Sprintf("header %d", i)] = h
	}
	return all
}

// values notes every leaf of a JSON value with its path.
func values(v any, path string, all map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			values(x, path+"."+k, all)
		}
	case []any:
		for i, x := range v {
			values(x, fmt.Sprintf("%s[%d]", path, i), all)
		}
	default:
		all[path] = fmt.Sprint(v)
	}
}
