package generate

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket/layers"
)

// recorded returns a capture of testdata/case.
func recorded(t *testing.T, name string) []byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "case", name, "input.*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("case %s: found %v (%v), want one input file", name, files, err)
	}
	file, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// rewrites are those that change no byte of any stream.
var rewrites = []struct {
	name   string
	change func([]byte) ([]byte, error)
}{
	{"cut into 7 bytes", func(c []byte) ([]byte, error) { return CutSegments(c, 7) }},
	{"cut into 536 bytes", func(c []byte) ([]byte, error) { return CutSegments(c, 536) }},
	{"swapped", func(c []byte) ([]byte, error) { return SwapNeighbours(c, 5) }},
	{"duplicated", func(c []byte) ([]byte, error) { return Duplicate(c, 3) }},
	{"fragmented", func(c []byte) ([]byte, error) { return Fragment(c, 64) }},
	{"cut and swapped", func(c []byte) ([]byte, error) {
		c, err := CutSegments(c, 100)
		if err != nil {
			return nil, err
		}
		return SwapNeighbours(c, 5)
	}},
}

func TestRewritesKeepTheStreams(t *testing.T) {
	captures := map[string][]byte{"generated": visits(t, 4, 1).PCAP}
	for _, name := range []string{"updater", "link-vlan", "link-qinq", "link-sll", "link-raw", "dig-dns"} {
		captures[name] = recorded(t, name)
	}
	for name, c := range captures {
		want := parse(t, c).streams()
		if len(want) == 0 {
			t.Fatalf("%s: no stream to keep", name)
		}
		for _, r := range rewrites {
			out, err := r.change(c)
			if err != nil {
				t.Fatalf("%s, %s: %v", name, r.name, err)
			}
			if diff := cmp.Diff(want, parse(t, out).whole(t).streams()); diff != "" {
				t.Errorf("%s, %s: streams differ:\n%.500s", name, r.name, diff)
			}
			frames, _, err := decode(out)
			if err != nil || !slices.IsSortedFunc(frames, func(a, b frame) int { return a.at.Compare(b.at) }) {
				t.Errorf("%s, %s: packets are not in order of time (%v)", name, r.name, err)
			}
		}
	}
}

func TestCutSegmentsCuts(t *testing.T) {
	const size = 100
	before := parse(t, visits(t, 4, 1).PCAP)
	out, err := CutSegments(visits(t, 4, 1).PCAP, size)
	if err != nil {
		t.Fatal(err)
	}
	after := parse(t, out)
	if len(after.packets) < 3*len(before.packets) {
		t.Errorf("%d packets became %d, want at least three times as many", len(before.packets), len(after.packets))
	}
	for i, packet := range after.packets {
		tcp, ok := packet.Layer(layers.LayerTypeTCP).(*layers.TCP)
		if !ok {
			continue
		}
		if len(tcp.Payload) > size {
			t.Fatalf("packet %d carries %d bytes, want at most %d", i+1, len(tcp.Payload), size)
		}
		ip := packet.Layer(layers.LayerTypeIPv4).(*layers.IPv4)
		given := tcp.Checksum
		if err := tcp.SetNetworkLayerForChecksum(ip); err != nil {
			t.Fatal(err)
		}
		if sum, err := tcp.ComputeChecksum(); err != nil || sum != 0 && given != sum {
			t.Fatalf("packet %d: TCP checksum %#04x is wrong (%#04x, %v)", i+1, given, sum, err)
		}
	}
}

func TestCutSegmentsInIPv6(t *testing.T) {
	c := recorded(t, "openssl-sclient")
	out, err := CutSegments(c, 40)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(parse(t, c).streams(), parse(t, out).streams()); diff != "" {
		t.Errorf("streams differ:\n%.500s", diff)
	}
	cut := 0
	for i, packet := range parse(t, out).packets {
		if packet.Layer(layers.LayerTypeIPv6) == nil {
			continue
		}
		tcp, ok := packet.Layer(layers.LayerTypeTCP).(*layers.TCP)
		if ok && len(tcp.Payload) > 40 {
			t.Errorf("packet %d carries %d bytes, want at most 40", i+1, len(tcp.Payload))
		}
		if ok && len(tcp.Payload) == 40 {
			cut++
		}
	}
	if cut == 0 {
		t.Error("no IPv6 segment was cut")
	}
}

func TestFragmentInIPv6(t *testing.T) {
	out, err := Fragment(recorded(t, "openssl-sclient"), 80)
	if err != nil {
		t.Fatal(err)
	}
	frames, _, err := decode(out)
	if err != nil {
		t.Fatal(err)
	}
	const ethernet, header = 14, 40
	positions := map[uint32]int{} // by identification: where the next fragment must begin
	for i, f := range frames {
		if binary.BigEndian.Uint16(f.data[12:]) != 0x86dd || f.data[ethernet+6] != byte(layers.IPProtocolIPv6Fragment) {
			continue
		}
		extension := f.data[ethernet+header:]
		field, ident := binary.BigEndian.Uint16(extension[2:]), binary.BigEndian.Uint32(extension[4:])
		if at := int(field &^ 7); at != positions[ident] {
			t.Fatalf("packet %d: fragment at %d, want %d", i+1, at, positions[ident])
		}
		if length := int(binary.BigEndian.Uint16(f.data[ethernet+4:])); length != len(f.data)-ethernet-header {
			t.Fatalf("packet %d: payload length %d, there are %d bytes", i+1, length, len(f.data)-ethernet-header)
		}
		positions[ident] += len(extension) - 8
		if field&1 == 0 {
			positions[ident] = -1
		}
	}
	if len(positions) == 0 {
		t.Fatal("no IPv6 packet was fragmented")
	}
	for ident, at := range positions {
		if at != -1 {
			t.Errorf("the last fragment of %d is missing", ident)
		}
	}
}

func TestSwapNeighboursSwaps(t *testing.T) {
	c := visits(t, 4, 1).PCAP
	out, err := SwapNeighbours(c, 1)
	if err != nil {
		t.Fatal(err)
	}
	before, after := parse(t, c).frames, parse(t, out).frames
	moved := 0
	for i := range before {
		if !before[i].at.Equal(after[i].at) {
			t.Fatalf("packet %d: time %v became %v", i+1, before[i].at, after[i].at)
		}
		if string(before[i].data) != string(after[i].data) {
			moved++
		}
	}
	if moved < 10 || moved > len(before)/2 {
		t.Errorf("%d of %d packets moved, want some", moved, len(before))
	}
}

func TestDuplicateRepeats(t *testing.T) {
	c := visits(t, 1, 1).PCAP
	out, err := Duplicate(c, 3)
	if err != nil {
		t.Fatal(err)
	}
	before, after := len(parse(t, c).frames), parse(t, out).frames
	if len(after) != before+before/3 {
		t.Errorf("%d packets became %d, want %d", before, len(after), before+before/3)
	}
	if string(after[2].data) != string(after[3].data) {
		t.Error("the third packet does not come twice")
	}
}

func TestMergeKeepsEveryPacket(t *testing.T) {
	a := visits(t, 5, 1).PCAP
	b := updater(t, UpdaterConfig{Hosts: 1, Rounds: 1, Every: time.Minute, Seed: 1}).PCAP
	out, err := Merge(a, b)
	if err != nil {
		t.Fatal(err)
	}
	got := parse(t, out)
	if want := len(parse(t, a).frames) + len(parse(t, b).frames); len(got.frames) != want {
		t.Errorf("%d packets, want %d", len(got.frames), want)
	}
	if !slices.IsSortedFunc(got.frames, func(x, y frame) int { return x.at.Compare(y.at) }) {
		t.Error("packets are not in order of time")
	}
}

func TestRewritesRefuse(t *testing.T) {
	good := visits(t, 1, 1).PCAP
	for name, c := range map[string]struct {
		run  func() ([]byte, error)
		want string
	}{
		"an empty file":      {func() ([]byte, error) { return CutSegments(nil, 10) }, "file header"},
		"a cut file":         {func() ([]byte, error) { return CutSegments(good[:len(good)-3], 10) }, "reading packet"},
		"segments of 0":      {func() ([]byte, error) { return CutSegments(good, 0) }, "at least 1"},
		"fragments of 12":    {func() ([]byte, error) { return Fragment(good, 12) }, "multiple of 8"},
		"every packet no 0":  {func() ([]byte, error) { return Duplicate(good, 0) }, "at least 1"},
		"a wide link type":   {func() ([]byte, error) { return CutSegments(recorded(t, "link-sll2"), 10) }, "link type 276"},
		"link types at odds": {func() ([]byte, error) { return Merge(good, recorded(t, "link-raw")) }, "link type"},
	} {
		if _, err := c.run(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}
