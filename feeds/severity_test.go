package feeds

import "testing"

func TestBounds(t *testing.T) {
	lib := shippedLibrary(t)
	find := func(id string) *Policy { return lib.Policy(id) }
	bod, bsi, pspf := find("us-bod-17-01"), find("de-bsi-2022"), find("au-pspf-002-2025")
	everything, chosen := Options{}, Options{Policies: []string{"au-pspf-002-2025", "de-bsi-2022"}}
	tests := []struct {
		name        string
		opts        Options
		vendor      string
		counting    []*Policy
		least, most Level
	}{
		{"a vendor no policy names", everything, "zoom", nil, "", LevelLow},
		{"the same, asked for", Options{Vendors: []string{"zoom"}}, "zoom", nil, "", LevelHigh},
		{"no policy counts", everything, "kaspersky", nil, "", LevelHigh},
		{"an order counts", everything, "kaspersky", []*Policy{bsi, bod}, "", LevelHigh},
		{"only advice counts", everything, "kaspersky", []*Policy{bsi}, "", LevelMedium},
		{"a chosen policy counts", chosen, "kaspersky", []*Policy{pspf}, LevelMedium, LevelHigh},
		{"chosen advice counts", chosen, "kaspersky", []*Policy{bsi}, LevelMedium, LevelMedium},
		{"a chosen policy does not count", chosen, "kaspersky", nil, "", LevelHigh},
	}
	for _, tt := range tests {
		if least, most := compiled(t, lib, tt.opts).Bounds(tt.vendor, tt.counting); least != tt.least || most != tt.most {
			t.Errorf("%s: %q to %q, want %q to %q", tt.name, least, most, tt.least, tt.most)
		}
	}
	weak := &Policy{Severity: LevelLow}
	if least, most := compiled(t, lib, chosen).Bounds("kaspersky", []*Policy{weak}); least != LevelLow || most != LevelLow {
		t.Errorf("what weighs little raises nothing: %q to %q", least, most)
	}
}
