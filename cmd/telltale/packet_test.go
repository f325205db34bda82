package main

import (
	"testing"
	"time"

	"telltale/capture"
)

// FuzzDissect: a decoder that panics must not end the program.
func FuzzDissect(f *testing.F) {
	f.Add(uint32(1), []byte("\x00\x01\x02\x03\x04\x05\x00\x01\x02\x03\x04\x05\x08\x00E\x00"))
	f.Add(uint32(101), []byte("E\x00\x00\x1c"))
	f.Fuzz(func(t *testing.T, link uint32, data []byte) {
		if dissect(&capture.Packet{Link: capture.LinkType(link), Data: data, Length: uint32(len(data))}) == "" {
			t.Error("nothing is said")
		}
	})
}

func TestProgressLine(t *testing.T) {
	for name, c := range map[string]struct {
		stats capture.Stats
		spent time.Duration
		width int
		want  string
	}{
		"half way":     {capture.Stats{Packets: 1000, Read: 5 << 20, Size: 10 << 20}, 2 * time.Second, 120, " 50 % [############............] 1,000 packets, 500/s, 2.5 MiB/s, 2s left"},
		"size unknown": {capture.Stats{Packets: 10, Read: 1024}, time.Second, 120, "1.0 KiB, 10 packets, 10/s, 1.0 KiB/s"},
		"narrow":       {capture.Stats{Packets: 10, Read: 1024}, time.Second, 10, "1.0 KiB, "},
	} {
		if got := progressLine(c.stats, c.spent, c.width); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"a\x1b[31m\nb\tc\\d\x7f":              "a\\027[31m\nb\tc\\d\\127",
		"caf\u00e9 \u202e \u009b \xff \ufffd": "caf\u00e9 \\226\\128\\174 \\194\\155 \\255 \ufffd",
	} {
		if got := printable(in); got != want {
			t.Errorf("printable(%q) = %q, want %q", in, got, want)
		}
	}
}
