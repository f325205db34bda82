package generate

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/gopacket/layers"
)

func updater(t *testing.T, conf UpdaterConfig) *Capture {
	t.Helper()
	c, err := Updater(conf)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestUpdaterIsFoundInThePackets(t *testing.T) {
	c := updater(t, UpdaterConfig{Hosts: 3, Rounds: 5, Every: 2 * time.Hour, Seed: 1})
	p := parse(t, c.PCAP)
	if diff := cmp.Diff(c.Contacts, p.contacts(t), cmpopts.EquateComparable(Contact{})); diff != "" {
		t.Errorf("contacts (-claimed +in the packets):\n%s", diff)
	}
	count := map[string]int{}
	for _, s := range p.streams() {
		switch {
		case strings.HasPrefix(s, "GET /updaters/updater.xml.") && strings.Contains(s, "\r\nUser-Agent: *B0c"):
			count["request"]++
		case strings.Contains(s, "\r\n\r\nKLD2"):
			count["KLD2"]++
		case strings.Contains(s, "\r\n\r\nKLZF"):
			count["KLZF"]++
		case s[0] == recordHandshake && s[5] == messageClient:
			count["hello"]++
			if h := parseHello(t, s); h.alpn != "" {
				t.Errorf("hello to %s offers ALPN %q, want none", h.name, h.alpn)
			}
		}
	}
	want := map[string]int{"request": 30, "KLD2": 15, "KLZF": 15, "hello": 45}
	if diff := cmp.Diff(want, count); diff != "" {
		t.Errorf("3 hosts, 5 rounds (-want +got):\n%s", diff)
	}
}

func TestUpdaterIsPeriodic(t *testing.T) {
	const rounds = 6
	every := 30 * time.Minute
	c := updater(t, UpdaterConfig{Hosts: 1, Rounds: rounds, Every: every, Seed: 2})
	var opened []time.Time
	p := parse(t, c.PCAP)
	for i, packet := range p.packets {
		if tcp, ok := packet.Layer(layers.LayerTypeTCP).(*layers.TCP); ok && tcp.DstPort == 80 && tcp.SYN {
			opened = append(opened, p.frames[i].at)
		}
	}
	if len(opened) != 2*rounds {
		t.Fatalf("%d connections to port 80, want %d", len(opened), 2*rounds)
	}
	for i := 2; i < len(opened); i += 2 {
		if apart := opened[i].Sub(opened[i-2]); (apart - every).Abs() > 10*time.Second {
			t.Errorf("round %d comes %v after the one before, want about %v", i/2, apart, every)
		}
	}
}

func TestBlockedUpdaterExchangesNothing(t *testing.T) {
	c := updater(t, UpdaterConfig{Hosts: 2, Rounds: 3, Every: time.Hour, Blocked: true, Seed: 1})
	p := parse(t, c.PCAP)
	if n := len(p.streams()); n != 0 {
		t.Errorf("%d TCP streams carry data, want none", n)
	}
	resets, refusals := 0, 0
	for _, packet := range p.packets {
		if tcp, ok := packet.Layer(layers.LayerTypeTCP).(*layers.TCP); ok && tcp.RST {
			resets++
		}
		if m, ok := packet.Layer(layers.LayerTypeDNS).(*layers.DNS); ok && m.ResponseCode == layers.DNSResponseCodeNXDomain {
			refusals++
		}
	}
	if resets != 12 || refusals != 36 {
		t.Errorf("%d resets and %d NXDOMAIN, want 12 and 36", resets, refusals)
	}
	for _, contact := range c.Contacts {
		if contact.Protocol != "dns" {
			t.Errorf("contact %v claimed, but everything is blocked", contact)
		}
	}
}

func TestUpdaterRefusesConfig(t *testing.T) {
	for _, conf := range []UpdaterConfig{
		{Hosts: 0, Rounds: 1, Every: time.Hour},
		{Hosts: 10001, Rounds: 1, Every: time.Hour},
		{Hosts: 1, Rounds: 0, Every: time.Hour},
		{Hosts: 1, Rounds: 1, Every: time.Second},
	} {
		if _, err := Updater(conf); err == nil {
			t.Errorf("Updater(%+v): no error", conf)
		}
	}
}
