package alert

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"telltale/detect"
	"telltale/feeds"
)

func TestFilter(t *testing.T) {
	found := &Alert{Kind: FindingRaised, Severity: Medium, Finding: &detect.Finding{
		Vendor: "kaspersky", Class: feeds.Likely, Policies: []*feeds.Policy{{ID: "us-bod-17-01"}},
	}}
	beat, input := &Alert{Kind: HealthHeartbeat, Severity: Info}, &Alert{Kind: HealthInput, Severity: Medium}
	for name, c := range map[string]struct {
		filter             Filter
		found, beat, input bool
	}{
		"none":           {Filter{}, true, true, true},
		"kinds":          {Filter{Kinds: []string{"finding.*"}}, true, false, false},
		"one kind":       {Filter{Kinds: []string{"health.input", "foreign"}}, false, false, true},
		"severity":       {Filter{MinSeverity: High}, false, true, false},
		"its severity":   {Filter{MinSeverity: Medium}, true, true, true},
		"class":          {Filter{Classes: []string{"installed", "likely"}}, true, true, true},
		"other class":    {Filter{Classes: []string{"installed"}}, false, true, true},
		"other vendor":   {Filter{Vendors: []string{"huawei"}}, false, true, true},
		"policy":         {Filter{Policies: []string{"us-bod-17-01"}}, true, true, true},
		"other policy":   {Filter{Policies: []string{"x"}}, false, true, true},
		"vendor + class": {Filter{Vendors: []string{"kaspersky"}, Classes: []string{"visited"}}, false, true, true},
	} {
		if got := [3]bool{c.filter.Passes(found), c.filter.Passes(beat), c.filter.Passes(input)}; got != [3]bool{c.found, c.beat, c.input} {
			t.Errorf("%s: finding, heartbeat, input pass: %v", name, got)
		}
		if err := c.filter.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad := Filter{Kinds: []string{"found.*"}, Classes: []string{"certain"}, MinSeverity: "fatal"}
	err := bad.Validate()
	for _, want := range []string{"found.*", "certain", "fatal"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}

// TestKindsAreThoseOfTheSchema: a kind that is new is in the schema and in kinds, so that
// filters know it.
func TestKindsAreThoseOfTheSchema(t *testing.T) {
	var s struct {
		Properties struct {
			Kind struct{ Enum []Kind }
		}
	}
	if err := json.Unmarshal([]byte(Schema), &s); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Properties.Kind.Enum, kinds) {
		t.Errorf("the schema has %v\nkinds has      %v", s.Properties.Kind.Enum, kinds)
	}
}
