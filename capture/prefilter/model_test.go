package prefilter

import (
	"strings"
	"testing"
)

func FuzzDecide(f *testing.F) {
	for _, path := range captures(f)[:8] {
		for i, p := range packets(f, path) {
			if i < 8 {
				f.Add(p.Data, p.Data)
			}
		}
	}
	m := NewModel(Config{Flows: 1 << 4, Window: 1024})
	f.Fuzz(func(t *testing.T, first, second []byte) {
		m.Decide(first, 1e18)
		if c := m.Decide(second, 1e18); c >= ClassCount || len(second) < least && c != Passed {
			t.Errorf("class %d of %d bytes", c, len(second))
		}
	})
}

// TestDecideDoesNotAllocate: the Model could stand on a packet path.
func TestDecideDoesNotAllocate(t *testing.T) {
	m := NewModel(Config{Flows: 1 << 8})
	all := packets(t, captures(t)[0])
	if n := testing.AllocsPerRun(10, func() {
		for i := range all {
			m.Decide(all[i].Data, all[i].Time)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestConfigSaysAllThatIsWrong names every field at once.
func TestConfigSaysAllThatIsWrong(t *testing.T) {
	if err := (Config{}).Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	err := Config{Mode: modeCount, Window: 1, Flows: 3, Vendors: -1}.Validate()
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	for _, word := range []string{"mode", "window", "flows", "vendors"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q is not named: %v", word, err)
		}
	}
	for m := range modeCount {
		if got, err := ParseMode(m.String()); got != m || err != nil {
			t.Errorf("%s: %v %v", m, got, err)
		}
	}
	if _, err := ParseMode("fast"); err == nil {
		t.Error("an unknown mode is accepted")
	}
}
