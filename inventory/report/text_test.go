package report

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"telltale/capture"
	"telltale/detect"
	"telltale/feeds"
)

var (
	day    = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	thirty = 30
	policy = &feeds.Policy{
		ID: "us-test", Citation: "Directive 1", Issued: "2026-02-20", Starts: feeds.StartFinding,
		Deadlines: []feeds.Deadline{{Days: &thirty, What: "remove"}, {Date: "2026-03-01", What: "plan"}, {What: "promptly"}},
	}
	later = &feeds.Policy{ID: "us-later", Issued: "2027-01-01"}
	mute  = &feeds.Policy{ID: "us-mute", Issued: "2020-01-01"}
)

func summary(list ...*detect.Finding) *Summary {
	s := &Summary{Findings: list, MaxFacts: 1, Vendor: func(id string) *feeds.Vendor {
		if id == "acme" {
			return &feeds.Vendor{ID: id, Name: "Acme"}
		}
		return nil
	}}
	s.Coverage = detect.Coverage{Hosts: 1234, Flows: 10}
	s.Coverage.Unnamed[capture.Named] = 7
	s.Coverage.Unnamed[capture.NoSNI] = 3
	s.Input = Input{Packets: 1234567, Bytes: 5 << 20, First: day.UnixNano(), Last: day.Add(90 * time.Minute).UnixNano(), Dropped: []Tally{{"not_ip", 2}, {"icmp", 0}}, Damaged: []string{"x.pcap: cut short"}, Packs: []string{"acme@1"}}
	return s
}

func found(host string, class feeds.Class, policies ...*feeds.Policy) *detect.Finding {
	return &detect.Finding{
		Host: detect.Host{Addr: netip.MustParseAddr(host)}, Vendor: "acme", Class: class, Functions: []feeds.Function{"update"},
		FirstSeen: day.UnixNano(), LastSeen: day.Add(time.Hour).UnixNano(), Attempts: 3, Exchanges: 4, BytesOut: 2048,
		Facts: []detect.Fact{{Text: "first fact", Packet: 9}, {Text: "second fact", Against: true}}, Policies: policies,
	}
}

func text(t *testing.T, s *Summary) string {
	t.Helper()
	var b strings.Builder
	if err := s.Text(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestText(t *testing.T) {
	allowed := found("10.0.0.3", feeds.Likely, mute)
	allowed.Allowed = &detect.Allow{Owner: "alice", Reason: "lab", Expires: day}
	got := text(t, summary(found("10.0.0.2", feeds.Visited), found("10.0.0.1", feeds.Installed, policy, later), allowed))
	for _, want := range []string{
		"Findings (3)", "Acme", "2026-03-02 12:00:00", "2.0 KiB", "+ first fact (packet 9)", "and 1 more",
		"allowed by alice until 2026-03-02: lab",
		"us-test  Directive 1", "2026-04-01  remove (30 days after the last packet)", "2026-03-01  plan (1 day before the last packet)", "promptly",
		"issued after the last packet: us-later",
		"1,234,567 (5.0 MiB)", "(1 h 30 min)", "not_ip 2", "1,234", "7 (70.0 %)", "no_sni 3", "x.pcap: cut short",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if strings.Contains(got, "us-mute") {
		t.Error("the policy of an allowed finding runs a clock")
	}
	if strings.Index(got, "10.0.0.1") > strings.Index(got, "10.0.0.2") {
		t.Error("the weaker finding comes first")
	}
}

func TestNothingFoundHasItsCoverage(t *testing.T) {
	got := text(t, summary())
	if !strings.Contains(got, "none") || !strings.Contains(got, "Coverage") {
		t.Errorf("got\n%s", got)
	}
}

func TestTextReportsWriteErrors(t *testing.T) {
	if err := summary().Text(broken{}); !errors.Is(err, errBroken) {
		t.Errorf("error %v", err)
	}
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestUnits(t *testing.T) {
	for n, want := range map[uint64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 5 << 20: "5.0 MiB", 1 << 63: "8.0 EiB"} {
		if got := Size(n); got != want {
			t.Errorf("Size(%d) = %s, want %s", n, got, want)
		}
	}
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := Count(n); got != want {
			t.Errorf("Count(%d) = %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{1500 * time.Millisecond: "1.5 s", 125 * time.Second: "2 min 5 s", 26*time.Hour + time.Minute: "1 d 2 h"} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%s) = %s, want %s", d, got, want)
		}
	}
}

func TestEncryptedIsListed(t *testing.T) {
	s := summary()
	if got := text(t, s); strings.Contains(got, "Encrypted DNS") {
		t.Errorf("a list of nothing:\n%s", got)
	}
	for i := range 25 {
		s.Coverage.Encrypted = append(s.Coverage.Encrypted, detect.EncryptedUse{
			Host: netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), Resolver: "dns.google", Kind: detect.DoQ,
			First: day.UnixNano(), Last: day.Add(time.Hour).UnixNano(), Connections: 7,
		})
	}
	s.Coverage.Encrypted[0].Operator = "Google"
	got := text(t, s)
	for _, want := range []string{
		"Encrypted DNS (25): what these hosts ask there is not seen\n",
		"10.0.0.0   dns.google  Google    doq   7            2026-03-02 12:00:00  2026-03-02 13:00:00\n",
		"10.0.0.19  dns.google  -         doq   7 ",
		"\nand 5 more\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if strings.Contains(got, "10.0.0.20") {
		t.Error("more than twenty are listed")
	}
}
