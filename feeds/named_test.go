package feeds

import (
	"strings"
	"testing"
)

// TestIndicatorsFindsAll: whatever table an indicator of the packs lies in, it is found
// by its id.
func TestIndicatorsFindsAll(t *testing.T) {
	lib, err := Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Compile(lib, Options{})
	if err != nil {
		t.Fatal(err)
	}
	found := s.Indicators(func(string) bool { return true })
	count := 0
	for _, p := range lib.Packs {
		for _, list := range [][]*Indicator{p.Indicators, p.Lookalikes, p.Sinkholes} {
			for _, i := range list {
				count++
				if m := found[i.ID]; m.Indicator != i || m.Vendor.ID != p.ID || m.Kind != i.Kind {
					t.Errorf("%s is not found: add its table to Indicators", i.ID)
				}
			}
		}
		for _, w := range p.Walks {
			if found[w.Indicator.ID].Indicator != w.Indicator {
				t.Errorf("walk %s is not found", w.Indicator.ID)
			}
		}
		for _, b := range p.Brands {
			if !found[p.ID+":lookalike:typo:"+b].Lookalike {
				t.Errorf("brand %s is not found", b)
			}
		}
	}
	if count < 100 {
		t.Errorf("%d indicators in the embedded packs", count)
	}
	only := s.Indicators(func(id string) bool { return strings.HasPrefix(id, "kaspersky:") })
	for id := range only {
		if !strings.HasPrefix(id, "kaspersky:") {
			t.Errorf("%s was not wanted", id)
		}
	}
}
