package generate

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/gopacket/layers"
)

// pages are the names that the tests visit.
func pages() []string {
	return []string{"www.kaspersky.com", "www.kaspersky.ru", "media.kasperskycontenthub.com", "analytics.tiktok.com", "mc.yandex.ru"}
}

func visits(t *testing.T, n int, seed uint64) *Capture {
	t.Helper()
	c, err := Visits(n, pages(), seed)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestVisitsAreFoundInThePackets(t *testing.T) {
	c := visits(t, 60, 1)
	p := parse(t, c.PCAP)
	if diff := cmp.Diff(c.Contacts, p.contacts(t), cmpopts.EquateComparable(Contact{})); diff != "" {
		t.Errorf("contacts (-claimed +in the packets):\n%s", diff)
	}
	clients := map[string]bool{}
	for _, contact := range c.Contacts {
		clients[contact.Client.String()] = true
	}
	if len(clients) != visitors {
		t.Errorf("%d visits by %d hosts, want %d", 60, len(clients), visitors)
	}
	hellos, large := 0, 0
	for _, s := range p.streams() {
		if s[0] == recordHandshake && s[5] == messageClient {
			hellos++
			if len(s) > maxSegment {
				large++
			}
		}
	}
	if hellos < 60 || large != hellos {
		t.Errorf("%d hellos, %d of them longer than a segment: want at least 60, and all", hellos, large)
	}
}

func TestTimesRise(t *testing.T) {
	frames := parse(t, visits(t, 40, 1).PCAP).frames
	if !slices.IsSortedFunc(frames, func(a, b frame) int { return a.at.Compare(b.at) }) {
		t.Error("packets are not in order of time")
	}
	if !frames[0].at.Equal(start()) {
		t.Errorf("first packet at %v, want %v", frames[0].at, start())
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	a, b, other := visits(t, 10, 7), visits(t, 10, 7), visits(t, 10, 8)
	if !bytes.Equal(a.PCAP, b.PCAP) {
		t.Error("the same arguments gave different bytes")
	}
	if bytes.Equal(a.PCAP, other.PCAP) {
		t.Error("another seed gave the same bytes")
	}
}

func TestVisitsRefusesWhatDNSCannotCarry(t *testing.T) {
	for _, names := range [][]string{nil, {""}, {strings.Repeat("a", 64) + ".example"}} {
		if _, err := Visits(1, names, 0); err == nil {
			t.Errorf("Visits of %q: no error", names)
		}
	}
}

func TestChecksums(t *testing.T) {
	for i, packet := range parse(t, visits(t, 5, 1).PCAP).packets {
		ip := packet.Layer(layers.LayerTypeIPv4).(*layers.IPv4)
		if got := checksum(ip.Contents, 0); got != 0 {
			t.Fatalf("packet %d: IPv4 header sums to %#x, want 0", i+1, got)
		}
	}
}

// TestHellosAreLikeThoseRecorded holds the hellos built here against those that real
// clients sent.
func TestHellosAreLikeThoseRecorded(t *testing.T) {
	for _, c := range []struct {
		recording, name string
		build           func(*trace, string) []byte
	}{
		{"chromium-visit", "analytics.tiktok.com", (*trace).browserHello},
		{"openssl-sclient", "s00.upd.kaspersky.com", (*trace).productHello},
	} {
		got := parseHello(t, string(c.build(newTrace(3), c.name)))
		var want *shape
		for _, s := range parse(t, recorded(t, c.recording)).streams() {
			if s[0] != recordHandshake || s[5] != messageClient || !strings.Contains(s, c.name) {
				continue
			}
			// One client's hellos differ by its flags: the one of that length is meant.
			if h := parseHello(t, s); len(h.ciphers) == len(got.ciphers) {
				want = &h
			}
		}
		if want == nil {
			t.Errorf("%s: no hello for %s with %d cipher suites recorded", c.recording, c.name, len(got.ciphers))
			continue
		}
		if diff := cmp.Diff(*want, got, cmp.AllowUnexported(shape{})); diff != "" {
			t.Errorf("%s (-recorded +built):\n%s", c.recording, diff)
		}
	}
}

func BenchmarkVisits(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Visits(100, pages(), 1); err != nil {
			b.Fatal(err)
		}
	}
}
