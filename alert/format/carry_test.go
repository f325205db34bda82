package format

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"telltale/alert"
)

// FuzzForms: whatever text an alert holds, each form is one event of printable ASCII with
// the keys it has for a harmless text.
func FuzzForms(f *testing.F) {
	for i, text := range hostileTexts() {
		if i%9 == 0 {
			f.Add(text)
		}
	}
	harmless := map[string][][]string{}
	fewAlerts("harmless", func(a *alert.Alert) {
		for _, form := range Formats() {
			harmless[form.Name] = append(harmless[form.Name], eventKeys(f, form, a))
		}
	})
	f.Fuzz(func(t *testing.T, text string) {
		if text == "" || len(text) > 300 {
			return
		}
		i := 0
		fewAlerts(text, func(a *alert.Alert) {
			for _, f := range Formats() {
				if d := cmp.Diff(harmless[f.Name][i], eventKeys(t, f, a)); d != "" {
					t.Fatalf("%s: other keys for %q\n%s", f.Name, text, d)
				}
			}
			i++
		})
	})
}

// eventKeys returns the keys of an alert in a form, read by a parser that is not ours
// where there is one.
func eventKeys(t testing.TB, f Format, a *alert.Alert) []string {
	t.Helper()
	line := f.Append(nil, a)
	printableASCII(t, line)
	switch f.Name {
	case "cef":
		_, ext := parseCEF(t, string(line))
		return sortedKeys(ext)
	case "leef":
		_, ext := parseLEEF(t, string(line))
		return sortedKeys(ext)
	}
	var v any
	if err := json.Unmarshal(line, &v); err != nil {
		t.Fatalf("%s: %v\n%s", f.Name, err, line)
	}
	return plainKeys(leaves(v, "", nil))
}
