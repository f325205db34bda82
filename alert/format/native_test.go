package format

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"telltale/alert"
	"telltale/capture"
	"telltale/detect"
	"telltale/feeds"
)

// schema compiles the published JSON Schema.
func schema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(alert.Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("alert.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("alert.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func valid(t testing.TB, s *jsonschema.Schema, line []byte) error {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(line)))
	if err != nil {
		return err
	}
	return s.Validate(v)
}

// hostile are texts that try to leave their field.
var hostile = []string{
	"plain", "", `quote " and \ backslash`, "new\nline\r\x00nul", "\x1b[31mred\x1b[0m", "\u202eright to left",
	"caf\u00e9", "\U0001f600", "bad utf8 \xff\xfe", "</script><b>", "=1+1", "a|b=c\\", strings.Repeat("x", 3000),
}

func finding(topic detect.Topic, class feeds.Class, text string) *detect.Finding {
	f := &detect.Finding{
		ID: strings.Repeat("ab", 12), Topic: topic, Class: class, Vendor: "kaspersky", Product: text,
		Host:     detect.Host{Addr: netip.MustParseAddr("10.0.0.1"), MAC: [6]byte{1, 2, 3, 4, 5, 6}, VLAN: 7, Name: "host"},
		Attempts: 1, Exchanges: 2, BytesOut: 3, BytesIn: 4, FirstSeen: 1, LastSeen: 2e18,
		Functions: []feeds.Function{"update"}, Names: []string{"a.example"},
		Facts: []detect.Fact{{Text: text, Indicator: "k:suffix:x", Packet: 9}, {Text: text, Against: true}},
		Contact: detect.Contact{
			Client: netip.MustParseAddrPort("10.0.0.1:50000"), Server: netip.MustParseAddrPort("[2001:db8::1]:443"),
			Transport: 6, Proto: capture.ProtoTLS, Flow: 7, Name: "a.example",
		},
		Roles: []string{"resolver"}, Policies: []*feeds.Policy{{ID: "us-bod-17-01"}},
	}
	if topic == detect.AboutForeign {
		f.Vendor = ""
		f.Foreign = &detect.Foreign{Addr: netip.MustParseAddr("2001:db8::1"), Country: "RU", ASN: 13238, ASName: text, Network: netip.MustParsePrefix("2001:db8::/32"), Source: text, Built: 1e18, Reason: text, Shared: true}
	}
	return f
}

// TestEveryAlertFitsTheSchema: every kind x every class x hostile texts.
func TestEveryAlertFitsTheSchema(t *testing.T) {
	s := schema(t)
	m := alert.Maker{Sensor: "s", Packs: "p"}
	check := func(a *alert.Alert, text string) {
		line := Native(nil, a)
		if err := valid(t, s, line); err != nil {
			t.Fatalf("%s: %v\n%s", a.Kind, err, line)
		}
		for _, c := range line {
			if c < 0x20 || c > 0x7e {
				t.Fatalf("%s: byte %#x in the output\n%s", a.Kind, c, line)
			}
		}
		if a.Finding == nil {
			return
		}
		var back struct{ Product *string }
		if err := json.Unmarshal(line, &back); err != nil {
			t.Fatal(err)
		}
		if want := strings.ToValidUTF8(text, "\ufffd"); text != "" && len([]rune(want)) == len([]rune(text)) && *back.Product != string([]rune(text)) {
			t.Errorf("product came back as %q, want %q", *back.Product, text)
		}
	}
	for _, text := range hostile {
		for topic := detect.AboutVendor; topic <= detect.AboutEncryptedDNS; topic++ {
			for kind := detect.Opened; kind <= detect.Cleared; kind++ {
				for class := feeds.None; class <= feeds.Installed; class++ {
					check(m.Change(detect.Change{Kind: kind, Time: 1.7e18, Packet: 5, Finding: finding(topic, class, text)}), text)
				}
			}
		}
		check(m.Health(alert.HealthInput, 1.7e18, "x"+text), text)
		check(m.Health(alert.HealthTest, 1.7e18, "x"+text), text)
		check(m.Gap(1.7e18, 1, alert.Gap{First: 3, Last: 7, Count: 5, Reason: text}), text)
	}
	beat := m.Heartbeat(1.7e18, alert.Heartbeat{AlertsDropped: 1, Packets: 9})
	beat.Number(1795000000000, 8)
	check(beat, "")
	if beat.Heartbeat.LastSeq != 7 {
		t.Errorf("the heartbeat numbered 8 says the last was %d", beat.Heartbeat.LastSeq)
	}
}

// TestSchemaRefuses: a schema that accepts everything proves nothing.
func TestSchemaRefuses(t *testing.T) {
	s := schema(t)
	m := alert.Maker{Sensor: "s", Packs: "p"}
	good := string(Native(nil, m.Change(detect.Change{Finding: finding(detect.AboutVendor, feeds.Installed, "x")})))
	for _, edit := range [][2]string{
		{`"kind":"finding.opened"`, `"kind":"finding.closed"`},
		{`"class":"installed"`, `"class":"certain"`},
		{`"attempts":1`, `"attempts":-1`},
		{`"sensor":"s"`, `"sensor":"s","extra":1`},
		{`"for":true`, `"for":true,"against":true`},
		{`"sensor":"s"`, `"sensor":"s","heartbeat":{"last_seq":1,"alerts_dropped":0,"alerts_coalesced":0,"packets":0,"packets_dropped":0}`},
		{`"ip":"10.0.0.1"`, `"ip":"host\n"`},
		{`"finding":"`, `"found":"`},
	} {
		bad := strings.Replace(good, edit[0], edit[1], 1)
		if bad == good {
			t.Fatalf("%s does not occur in %s", edit[0], good)
		}
		if valid(t, s, []byte(bad)) == nil {
			t.Errorf("accepted with %s", edit[1])
		}
	}
}

func TestIDsAreStable(t *testing.T) {
	var a, b alert.Maker
	c := detect.Change{Kind: detect.Opened, Time: 5, Packet: 6, Finding: finding(detect.AboutVendor, feeds.Visited, "x")}
	b.Health(alert.HealthInput, 1, "another alert before")
	x, y := a.Change(c), b.Change(c)
	if x.ID != y.ID {
		t.Error("the same change has two ids")
	}
	if x.Seq == y.Seq {
		t.Error("the sequence does not count")
	}
	c.Packet++
	if a.Change(c).ID == x.ID {
		t.Error("another packet has the same id")
	}
}

func BenchmarkNative(b *testing.B) {
	var m alert.Maker
	a := m.Change(detect.Change{Finding: finding(detect.AboutVendor, feeds.Installed, "text")})
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = Native(dst[:0], a)
	}
}
