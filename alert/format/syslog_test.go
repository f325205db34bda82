package format

import (
	"strings"
	"testing"

	"github.com/leodido/go-syslog/v4/rfc3164"

	"telltale/alert"
	"telltale/detect"
	"telltale/feeds"
)

// TestHeaderProfiles: each profile, to the byte.
func TestHeaderProfiles(t *testing.T) {
	s := Syslog{Facility: 16, Host: "sensor1", ProcID: "7"}
	m := alert.Maker{Sensor: `s"]\`}
	a := m.Health(alert.HealthInput, 1700000000123456789, "x")
	a.Number(5, 9)
	for name, want := range map[string]string{
		"rfc5424": `<132>1 2023-11-14T22:13:20.123456Z sensor1 telltale 7 health.input [telltale@32473 id="` + a.ID + `" seq="9" epoch="5" sensor="s\"\]\\"] `,
		"leef":    "<132>1 2023-11-14T22:13:20.123Z sensor1 ",
		"rfc3164": "<132>Nov 14 22:13:20 sensor1 ",
	} {
		h, err := HeaderByName(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(s.Append(nil, h, a)); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
	if _, err := HeaderByName("syslog"); err == nil || !strings.Contains(err.Error(), "rfc3164") {
		t.Errorf("an unknown profile: %v", err)
	}
}

// TestRFC3164Header holds the header against an independent parser, for hostile names of
// the sending host too.
func TestRFC3164Header(t *testing.T) {
	m := alert.Maker{Sensor: "s"}
	a := m.Health(alert.HealthInput, 1700000000123456789, "x")
	for _, text := range append(hostileTexts(), "host.example", strings.Repeat("h", 400)) {
		s := Syslog{Facility: 16, Host: text}
		line := form(t, "cef").Append(s.Append(nil, RFC3164, a), a)
		printableASCII(t, line)
		if _, rest, ok := strings.Cut(string(line), " CEF:0|"); !ok || strings.Count(string(line[:len(line)-len(rest)]), " ") != 4 {
			t.Fatalf("%q: the header is not time and host: %s", text, line)
		}
		got, err := rfc3164.NewParser().Parse([]byte(strings.Replace(string(line), " CEF:0|", " telltale: CEF:0|", 1)))
		if err != nil {
			t.Fatalf("%q: %v\n%s", text, err, line)
		}
		if strings.Contains(text, ":") {
			continue // this parser takes such a host for a tag
		}
		if msg := got.(*rfc3164.SyslogMessage); *msg.Priority != 132 || !strings.HasPrefix(*msg.Message, "CEF:0|telltale|") {
			t.Fatalf("%q: %+v", text, msg)
		}
	}
}

// TestLongestMessage: the longest alert with the longest header is below 8 KiB, where
// receivers begin to cut.
func TestLongestMessage(t *testing.T) {
	long := strings.Repeat(`"`, 400)
	s := Syslog{Facility: 23, Host: long, ProcID: long}
	a := crowded()
	a.Sensor, a.Epoch, a.Seq = long, 1<<64-1, 1<<64-1
	for _, h := range []Header{RFC5424, LEEFHeader, RFC3164} {
		head := len(s.Append(nil, h, a))
		if head >= maxHeader {
			t.Errorf("a header of %d bytes", head)
		}
		if head < 512 && h == RFC5424 {
			t.Errorf("the longest header has but %d bytes", head)
		}
		for _, f := range Formats() {
			if n := head + len(f.Append(nil, a)); n >= 8<<10 {
				t.Errorf("%s: a message of %d bytes", f.Name, n)
			}
		}
	}
}

// TestWithin: an ordinary alert with much to say fits a datagram.
func TestWithin(t *testing.T) {
	f := hostileFinding(detect.AboutVendor, feeds.Installed, "update.example.com")
	for range 20 {
		f.Facts = append(f.Facts, detect.Fact{Text: strings.Repeat("request to update.example.com ", 5), Indicator: "kaspersky:suffix:update.example.com", Packet: 7})
		f.Policies = append(f.Policies, &feeds.Policy{ID: "us-fcc-covered-2024-kaspersky"})
		f.Names = append(f.Names, "ksn-verdict-geo.kaspersky-labs.com")
	}
	m := alert.Maker{Sensor: "sensor1", Packs: "d0278b462defabfd", Program: "1.2.3"}
	a := m.Change(detect.Change{Time: 1.7e18, Finding: f})
	for _, f := range Formats() {
		line := f.Within([]byte("before"), a, 1800)
		if !strings.HasPrefix(string(line), "before") || len(line)-6 > 1800 {
			t.Errorf("%s: %d bytes", f.Name, len(line)-6)
		}
		if len(f.Append(nil, a)) <= 1800 {
			t.Errorf("%s: the alert is not long", f.Name)
		}
		if f.Name != "cef" && f.Name != "leef" {
			jsonLeaves(t, line[6:])
		}
	}
}
