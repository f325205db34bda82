package format

import (
	"strings"
	"testing"

	"telltale/alert"
)

// TestCEFLimits: no text is longer than the dictionary allows, whatever an alert holds,
// and labels go with their fields.
func TestCEFLimits(t *testing.T) {
	a := crowded()
	a.Sensor = strings.Repeat("s", 300)
	a.Finding.Foreign.Reason = strings.Repeat("r", 2000)
	for i := range a.Finding.Names {
		a.Finding.Names[i] = strings.Repeat("n", 70)
	}
	_, ext := parseCEF(t, string(cef(nil, a)))
	cut := 0
	for key, limit := range cefLimits {
		if n := len(ext[key]); n > limit {
			t.Errorf("%s has %d bytes", key, n)
		} else if n == limit {
			cut++
		}
	}
	if cut < 4 {
		t.Errorf("%d texts met their limits: %v", cut, ext)
	}
	someAlerts("x", func(a *alert.Alert) {
		_, ext := parseCEF(t, string(cef(nil, a)))
		for key := range ext {
			custom := strings.HasPrefix(key, "cs") || strings.HasPrefix(key, "cn") && key != "cnt" || strings.HasPrefix(key, "c6a") || strings.HasPrefix(key, "flex")
			if custom && !strings.HasSuffix(key, "Label") && ext[key+"Label"] == "" {
				t.Fatalf("%s has no label: %v", key, ext)
			}
		}
	})
}

// TestLEEFHeader: a pipe, for which its header has no escape, makes no field there.
func TestLEEFHeader(t *testing.T) {
	m := alert.Maker{Sensor: "s", Program: "1|2\t3"}
	header, _ := parseLEEF(t, string(leef(nil, m.Health(alert.HealthInput, 1.7e18, "x"))))
	if header[3] != `1/2\0093` || header[4] != "health.input" {
		t.Errorf("%q", header)
	}
}

// TestEVEHasFewFields: Wazuh's decoder gives up an event of more than 256 fields. A list
// is one field to it.
func TestEVEHasFewFields(t *testing.T) {
	for _, name := range []string{"eve", "eve7"} {
		keys := map[string]bool{}
		for _, path := range jsonLeaves(t, form(t, name).Append(nil, crowded())) {
			keys[strings.SplitN(path, "[", 2)[0]] = true
		}
		if len(keys) < 20 || len(keys) > 100 {
			t.Errorf("%s: %d fields", name, len(keys))
		}
	}
}
