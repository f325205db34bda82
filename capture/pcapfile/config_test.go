package pcapfile

import (
	"strings"
	"testing"
)

func TestValidateTellsAll(t *testing.T) {
	bad := Config{Paths: []string{"", "-", "-"}, Start: -1, End: -1, MaxPacket: 1, MaxOpen: -1}
	err := bad.Validate()
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range []string{
		"path 1 is empty", "named 2 times", "no standard input", "start lies before 1970",
		"end lies before 1970", "start must lie before end", "max packet", "max open",
	} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%v\ndoes not say %q", err, part)
		}
	}
	if err := (Config{}).Validate(); err == nil || !strings.Contains(err.Error(), "nothing to read") {
		t.Errorf("no paths: error %v", err)
	}
	if err := (Config{Paths: []string{"a", "-"}, Stdin: strings.NewReader("")}).Validate(); err != nil {
		t.Errorf("a sound configuration: %v", err)
	}
	if _, err := Open(bad); err == nil {
		t.Error("Open accepts what Validate does not")
	}
}

func TestTimeRange(t *testing.T) {
	packets := at("p", 1000, 2000, 3000, 4000, 5000)
	path := store(t, t.TempDir(), "a", written(t, packets))
	for _, tt := range []struct {
		start, end int64
		first      uint64
		n          int
	}{{0, 0, 1, 5}, {2 * sec, 0, 2, 4}, {2*sec + 1, 0, 3, 3}, {0, 3 * sec, 1, 2}, {2 * sec, 5 * sec, 2, 3}, {9 * sec, 0, 0, 0}} {
		out, r := readAll(t, Config{Paths: []string{path}, Start: tt.start, End: tt.end})
		if len(out) != tt.n || tt.n > 0 && out[0].Ordinal != tt.first {
			t.Errorf("%d to %d: %v; want %d packets from ordinal %d", tt.start, tt.end, out, tt.n, tt.first)
		}
		if s := r.Stats(); s.Skipped != uint64(5-tt.n) || s.Packets != uint64(tt.n) {
			t.Errorf("%d to %d: stats %+v", tt.start, tt.end, s)
		}
		if info := r.Files()[0]; info.Packets != 5 {
			t.Errorf("%d to %d: the file has %d packets, want 5", tt.start, tt.end, info.Packets)
		}
	}
}
