package decode

import "testing"

// No two readers may claim one number: the second would hide the first.
func TestRegistriesHaveNoDuplicates(t *testing.T) {
	unique(t, "EtherType", etherReaders.entries)
	unique(t, "GRE payload", greReaders.entries)
	unique(t, "UDP port", udpReaders.entries)
}

func unique[T any](t *testing.T, what string, entries []sparseEntry[T]) {
	t.Helper()
	if len(entries) == 0 || len(entries)+maxUDPPorts > 255 {
		t.Errorf("%s: %d entries, want some and room for %d more up to 255", what, len(entries), maxUDPPorts)
	}
	seen := map[uint16]bool{}
	for _, e := range entries {
		if seen[e.number] {
			t.Errorf("%s %#x is registered twice", what, e.number)
		}
		seen[e.number] = true
	}
}

func TestSparse(t *testing.T) {
	var s sparse[string]
	for number, value := range map[uint16]string{0x0102: "a", 0x0202: "b", 0xff02: "c", 0x0003: "d", 0: "e"} {
		s.add(number, value)
	}
	s.add(0x0202, "later")
	for number, want := range map[uint16]string{0x0102: "a", 0x0202: "later", 0xff02: "c", 0x0003: "d", 0: "e"} {
		if got := s.find(number); got == nil || *got != want {
			t.Errorf("%#x: %v, want %s", number, got, want)
		}
	}
	for _, number := range []uint16{0x0302, 0x0103, 1, 0xffff} {
		if got := s.find(number); got != nil {
			t.Errorf("%#x: %s, want nothing", number, *got)
		}
	}
}
