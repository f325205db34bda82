package format

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"telltale/alert"
	"telltale/capture"
	"telltale/detect"
	"telltale/feeds"
)

var update = flag.Bool("update", false, "write the golden files anew")

// goldenAlerts are one of each sort that receivers tell apart.
func goldenAlerts() (all []*alert.Alert) {
	m := alert.Maker{Sensor: "hq-span1", Packs: "d0278b462defabfd", Program: "1.2.3"}
	say := func(kind detect.ChangeKind, topic detect.Topic, class feeds.Class, fill func(*detect.Finding)) {
		f := &detect.Finding{
			ID: strings.Repeat("ab", 12), Topic: topic, Class: class, Vendor: "kaspersky",
			Host:     detect.Host{Addr: netip.MustParseAddr("10.0.0.1"), MAC: [6]byte{0xaa, 2, 3, 4, 5, 6}, VLAN: 7, Name: "pc1"},
			Attempts: 1, Exchanges: 2, BytesOut: 3, BytesIn: 4, FirstSeen: 1699999999e9, LastSeen: 1700000000e9,
			Functions: []feeds.Function{"update"}, Names: []string{"a.example.co.uk"}, Policies: []*feeds.Policy{{ID: "us-bod-17-01"}},
			Facts: []detect.Fact{{Text: "request to a.example.co.uk", Indicator: "kaspersky:suffix:example.co.uk", Packet: 9}, {Text: "no answer", Against: true}},
			Contact: detect.Contact{
				Client: netip.MustParseAddrPort("10.0.0.1:50000"), Server: netip.MustParseAddrPort("198.51.100.1:443"),
				Transport: 6, Proto: capture.ProtoTLS, Flow: 7, Name: "a.example.co.uk",
			},
		}
		fill(f)
		a := m.Change(detect.Change{Kind: kind, Time: 1700000000123456789, Packet: 5, Finding: f})
		a.Number(1690000000000, a.Seq)
		all = append(all, a)
	}
	say(detect.Opened, detect.AboutVendor, feeds.Installed, func(f *detect.Finding) { f.Product = "endpoint security" })
	say(detect.Raised, detect.AboutVendor, feeds.Likely, func(f *detect.Finding) {
		f.Host.Addr = netip.MustParseAddr("2001:db8::1")
		f.Contact.Client, f.Contact.Server = netip.MustParseAddrPort("[2001:db8::1]:50000"), netip.MustParseAddrPort("[2001:db8:1::2]:443")
		f.Contact.Transport, f.Contact.Proto = 17, capture.ProtoQUIC
	})
	say(detect.Summarised, detect.AboutVendor, feeds.Resolved, func(f *detect.Finding) {
		f.Contact.Server, f.Contact.Transport, f.Contact.Proto = netip.MustParseAddrPort("10.0.0.53:53"), 17, capture.ProtoDNS
		f.Roles = []string{"resolver"}
	})
	say(detect.Cleared, detect.AboutVendor, feeds.Visited, func(f *detect.Finding) {
		f.Contact.Server, f.Contact.Proto, f.Contact.Name = netip.MustParseAddrPort("198.51.100.1:80"), capture.ProtoHTTP, "198.51.100.1"
	})
	say(detect.Reopened, detect.AboutVendor, feeds.Device, func(f *detect.Finding) { f.Contact, f.Names = detect.Contact{}, nil })
	say(detect.Opened, detect.AboutLookalike, feeds.None, func(*detect.Finding) {})
	say(detect.Opened, detect.AboutSinkhole, feeds.None, func(*detect.Finding) {})
	say(detect.Opened, detect.AboutForeign, feeds.Located, func(f *detect.Finding) {
		f.Vendor, f.Contact.Proto, f.Contact.Name = "", capture.ProtoFlow, ""
		f.Foreign = &detect.Foreign{
			Addr: netip.MustParseAddr("198.51.100.1"), Country: "RU", ASN: 64500, ASName: "EXAMPLE-AS", Network: netip.MustParsePrefix("198.51.100.0/24"),
			Source: "geo.mmdb", Built: 1.69e18, Reason: "registry country RU", Shared: true,
		}
	})
	say(detect.Opened, detect.AboutEncryptedDNS, feeds.None, func(f *detect.Finding) { f.Vendor, f.Contact.Name = "", "dns.example" })
	in := m.Health(alert.HealthInput, 1700000000123456789, "input.pcap: cut off in packet 9")
	beat := m.Heartbeat(1700000000123456789, alert.Heartbeat{AlertsDropped: 2, AlertsCoalesced: 3, Packets: 4, PacketsDropped: 5})
	in.Number(1690000000000, 10)
	beat.Number(1690000000000, 11)
	return append(all, in, beat, m.Gap(1700000000123456789, 1690000000000, alert.Gap{First: 12, Last: 19, Count: 8, Reason: "the outbox is full"}))
}

// TestGolden shows what each form makes of each sort of alert, to the byte. A change of
// these files is a change of what receivers get.
func TestGolden(t *testing.T) {
	for _, f := range Formats() {
		var got bytes.Buffer
		for _, a := range goldenAlerts() {
			got.Write(append(f.Append(nil, a), '\n'))
		}
		name := "testdata/golden/" + f.Name + ".txt"
		if *update {
			if err := os.WriteFile(name, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); d != "" {
			t.Errorf("%s: -golden +got; if it is meant, run go test ./alert/format -update\n%s", f.Name, d)
		}
	}
}

// TestEveryKindIsTried: the lists of alerts above leave out no kind that the schema has.
func TestEveryKindIsTried(t *testing.T) {
	var s struct {
		Properties struct{ Kind struct{ Enum []string } }
	}
	if err := json.Unmarshal([]byte(alert.Schema), &s); err != nil {
		t.Fatal(err)
	}
	tried := map[string]bool{}
	someAlerts("x", func(a *alert.Alert) { tried[string(a.Kind)] = true })
	if len(s.Properties.Kind.Enum) < 19 {
		t.Fatalf("kinds %v", s.Properties.Kind.Enum)
	}
	for _, k := range s.Properties.Kind.Enum {
		if !tried[k] {
			t.Errorf("%s is not tried", k)
		}
	}
	if slices.Contains(s.Properties.Kind.Enum, "x") || tried["x"] {
		t.Error("a kind that there is not")
	}
}
