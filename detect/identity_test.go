package detect

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"telltale/capture"
	"telltale/feeds"
)

// Hardware addresses: of Hikvision, of Huawei, two of nobody in a pack, and a router.
var (
	camera = mac(0x28, 0x57, 0xbe, 1, 2, 3)
	huawei = mac(0x00, 0x18, 0x82, 1, 2, 3)
	laptop = mac(0x52, 0x54, 0x00, 1, 2, 3)
	second = mac(0x52, 0x54, 0x00, 1, 2, 4)
	router = mac(0x52, 0x54, 0x00, 9, 9, 9)
)

func mac(b ...byte) [6]byte { return [6]byte(b) }

// fields makes a list of what a message says: key, value, key, value.
func fields(list ...any) (all []capture.IdentityField) {
	for n := 0; n < len(list); n += 2 {
		all = append(all, capture.IdentityField{Key: list[n].(capture.FieldKey), Value: []byte(list[n+1].(string))})
	}
	return all
}

// says makes an identity message: what it says of the hardware and address, and more.
func (b *bench) says(p capture.Proto, frame [6]byte, client, server string, m [6]byte, addr string, list ...any) {
	b.now += 1e6
	b.packet++
	o := &capture.Observation{
		Time: b.now, Packet: b.packet, Order: b.packet, Proto: p, Kind: capture.Identify, ClientMAC: frame,
		ID: &capture.Identity{MAC: m, Fields: fields(list...)},
	}
	if client != "" {
		o.Client, o.Server = netip.MustParseAddrPort(client), netip.MustParseAddrPort(server)
	}
	if addr != "" {
		o.ID.Addr = netip.MustParseAddr(addr)
	}
	b.Observe(o)
}

func (b *bench) arp(m [6]byte, addr string) {
	b.says(capture.ProtoARP, m, addr+":0", "10.0.0.1:0", m, addr, capture.FieldMessage, "request")
}

func (b *bench) dhcp(m [6]byte, message, addr string, list ...any) {
	b.says(capture.ProtoDHCP, [6]byte{}, "0.0.0.0:68", "255.255.255.255:67", m, addr, append([]any{capture.FieldMessage, message}, list...)...)
}

// framed makes an update request in frames between these hardware addresses.
func (b *bench) framed(from, to [6]byte, client, server string) {
	o := b.observation(capture.ProtoTLS, capture.Request, client, server+":443")
	o.Flow, o.ClientMAC, o.ServerMAC = b.packet, from, to
	o.Name, o.TLS = []byte("s00.upd.kaspersky.com"), &capture.ClientHello{}
	b.Observe(o)
}

func TestHostHasItsOwnMAC(t *testing.T) {
	b := newBench(t, Config{})
	b.framed(laptop, router, "10.0.0.5", "192.0.2.1")
	if f := b.finding("kaspersky"); f.Host.MAC != [6]byte{} {
		t.Errorf("MAC %x although nothing told whose it is", f.Host.MAC)
	}
	b.arp(laptop, "10.0.0.5")
	b.dhcp(laptop, "request", "10.0.0.5", capture.FieldHostname, "pc-5\n")
	f := b.finding("kaspersky")
	if f.Host.MAC != laptop || f.Host.Name != `pc-5\010` {
		t.Errorf("host %+v", f.Host)
	}
	b.says(capture.ProtoMDNS, laptop, "10.0.0.5:5353", "224.0.0.251:5353", [6]byte{}, "10.0.0.5", capture.FieldHostname, "Other.local")
	if f := b.finding("kaspersky"); f.Host.Name != `pc-5\010` {
		t.Errorf("name %q: that of DHCP outranks that of mDNS", f.Host.Name)
	}
}

// A frame passed on by a router has the router's hardware address, whatever told it.
func TestRouterIsNotTheHost(t *testing.T) {
	tests := map[string]func(b *bench){
		"carries many addresses": func(b *bench) {
			b.says(capture.ProtoMDNS, router, "10.0.0.5:5353", "224.0.0.251:5353", [6]byte{}, "10.0.0.5", capture.FieldHostname, "a")
			b.arp(router, "10.0.0.1")
			for _, a := range []string{"10.1.0.1", "10.1.0.2", "10.1.0.3", "10.1.0.4", "10.1.0.5"} {
				b.framed(router, laptop, a, "10.0.0.9")
			}
		},
		"next hop of many": func(b *bench) {
			b.arp(router, "10.0.0.1")
			b.arp(router, "10.0.0.5")
			for _, a := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"} {
				b.framed(laptop, router, "10.0.0.7", a)
			}
		},
		"answers for many": func(b *bench) {
			for _, a := range []string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"} {
				b.arp(router, a)
			}
		},
		"shared by routers": func(b *bench) {
			vrrp := mac(0x00, 0x00, 0x5e, 0x00, 0x01, 0x07)
			b.arp(vrrp, "10.0.0.1")
			b.arp(vrrp, "10.0.0.5")
		},
		"ARP in the frame of another": func(b *bench) {
			b.says(capture.ProtoARP, router, "10.0.0.5:0", "10.0.0.1:0", laptop, "10.0.0.5", capture.FieldMessage, "request")
		},
		"a discovery group that is routed": func(b *bench) {
			b.says(capture.ProtoSSDP, router, "10.0.0.5:1900", "239.255.255.250:1900", [6]byte{}, "")
		},
	}
	for name, play := range tests {
		b := newBench(t, Config{})
		play(b)
		b.framed(router, laptop, "10.0.0.5", "192.0.2.1")
		for _, f := range b.Findings() {
			if f.Host.Addr == netip.MustParseAddr("10.0.0.5") && f.Host.MAC != [6]byte{} {
				t.Errorf("%s: the host has MAC %x", name, f.Host.MAC)
			}
		}
	}
}

func TestGatewayHasItsOwnMAC(t *testing.T) {
	b := newBench(t, Config{})
	b.arp(router, "10.0.0.1")
	for _, a := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"} {
		b.framed(laptop, router, "10.0.0.7", a)
	}
	b.framed(router, laptop, "10.0.0.1", "192.0.2.9")
	for _, f := range b.Findings() {
		if f.Host.Addr == netip.MustParseAddr("10.0.0.1") && f.Host.MAC != router {
			t.Errorf("the gateway has MAC %x", f.Host.MAC)
		}
	}
}

func TestHardwareAddress(t *testing.T) {
	b := newBench(t, Config{})
	b.arp(camera, "10.0.0.64")
	f := b.finding("hikvision")
	if f.Class != feeds.Device || f.Attempts+f.Exchanges != 0 || f.Host.MAC != camera {
		t.Errorf("%s, %d attempts, %d exchanges, host %+v", f.Class, f.Attempts, f.Exchanges, f.Host)
	}
	if got := facts(f, false); !strings.Contains(got, "hardware address 28:57:be:01:02:03, of a block registered to Hikvision") {
		t.Errorf("facts %q", got)
	}
	made := newBench(t, Config{})
	made.arp(mac(0x2a, 0x57, 0xbe, 1, 2, 3), "10.0.0.64") // locally administered
	if n := len(made.Findings()); n != 0 {
		t.Errorf("%d findings about an address that the host made up", n)
	}
}

// A maker of parts is weak alone, and enough beside what the host says of itself.
func TestHardwareOfParts(t *testing.T) {
	b := newBench(t, Config{})
	b.arp(huawei, "10.0.0.8")
	f := b.finding("huawei")
	if f.Class != feeds.Located || !strings.Contains(facts(f, true), "in the devices of others") {
		t.Errorf("%s against %q", f.Class, facts(f, true))
	}
	b.dhcp(huawei, "request", "10.0.0.8", capture.FieldHostname, "HUAWEI_P30-9e8b")
	if f := b.finding("huawei"); f.Class != feeds.Device {
		t.Errorf("%s with a host name of its own, want device", f.Class)
	}
}

func TestIdentityPatterns(t *testing.T) {
	tests := map[string]struct {
		play   func(b *bench)
		vendor string
		addr   string
	}{
		"SADP": {func(b *bench) {
			b.says(capture.ProtoSADP, router, "10.0.0.64:37020", "239.255.255.250:37020", laptop, "10.0.0.64", capture.FieldModel, "DS-2CD2385G1-I")
		}, "hikvision", "10.0.0.64"},
		"SSDP through a router": {func(b *bench) {
			b.says(capture.ProtoSSDP, router, "10.0.0.64:1900", "239.255.255.250:1900", [6]byte{}, "", capture.FieldServer, "Linux UPnP/1.0 Hikvision/5")
		}, "hikvision", "10.0.0.64"},
		"WS-Discovery": {func(b *bench) {
			b.says(capture.ProtoWSD, laptop, "10.0.0.64:3702", "10.0.0.7:50000", [6]byte{}, "", capture.FieldScope, "onvif://www.onvif.org/name/HIKVISION%20DS")
		}, "hikvision", "10.0.0.64"},
		"LLDP with an address": {func(b *bench) {
			b.says(capture.ProtoLLDP, laptop, "", "", laptop, "10.0.0.2", capture.FieldDescription, "S5720\r\nHuawei Versatile Routing Platform Software")
		}, "huawei", "10.0.0.2"},
		"LLDP, the address told later": {func(b *bench) {
			b.says(capture.ProtoLLDP, laptop, "", "", laptop, "", capture.FieldDescription, "Huawei Versatile Routing Platform Software")
			if c := b.Coverage(); c.Unaddressed != 1 {
				t.Errorf("%d without address, want 1", c.Unaddressed)
			}
			b.arp(laptop, "10.0.0.2")
			b.says(capture.ProtoLLDP, laptop, "", "", laptop, "", capture.FieldDescription, "Huawei Versatile Routing Platform Software")
		}, "huawei", "10.0.0.2"},
		"DHCP before the lease": {func(b *bench) {
			b.dhcp(laptop, "discover", "", capture.FieldVendorClass, "HUAWEI:android:ELE")
			b.dhcp(laptop, "ack", "10.0.0.8")
			b.dhcp(laptop, "request", "10.0.0.8", capture.FieldVendorClass, "HUAWEI:android:ELE")
		}, "huawei", "10.0.0.8"},
		"NDP, not by a link-local address": {func(b *bench) {
			b.says(capture.ProtoNDP, camera, "[fe80::9]:0", "[ff02::2]:0", camera, "")
			b.says(capture.ProtoNDP, camera, "[2001:db8::9]:0", "[ff02::2]:0", camera, "")
		}, "hikvision", "2001:db8::9"},
	}
	for name, c := range tests {
		b := newBench(t, Config{Roles: []RoleDecl{{netip.MustParsePrefix("10.0.0.0/8"), Proxy | NAT}}})
		c.play(b)
		f := b.finding(c.vendor)
		if f.Class != feeds.Device || f.Host.Addr != netip.MustParseAddr(c.addr) || b.Coverage().Unaddressed != 0 {
			t.Errorf("%s: %s of %v, %d without address", name, f.Class, f.Host.Addr, b.Coverage().Unaddressed)
		}
	}
}

// ids returns address and id of the Findings of a vendor.
func (b *bench) found(vendor string) (all []*Finding) {
	for _, f := range b.Findings() {
		if f.Vendor == vendor {
			all = append(all, f)
		}
	}
	return all
}

func TestFindingFollowsTheLease(t *testing.T) {
	b := newBench(t, Config{})
	b.dhcp(laptop, "ack", "10.0.0.5")
	b.framed(laptop, router, "10.0.0.5", "192.0.2.1")
	id := b.finding("kaspersky").ID
	b.dhcp(laptop, "ack", "10.0.0.6")
	b.framed(laptop, router, "10.0.0.6", "192.0.2.1")
	f := b.finding("kaspersky")
	if f.ID != id || f.Host.Addr != netip.MustParseAddr("10.0.0.6") || f.Host.MAC != laptop || f.Attempts != 2 {
		t.Errorf("id %s (was %s), host %+v, %d attempts", f.ID, id, f.Host, f.Attempts)
	}
	if got := facts(f, false); !strings.Contains(got, "had the address 10.0.0.5 before") {
		t.Errorf("facts %q", got)
	}
	// Another host on the old address is another host.
	b.dhcp(second, "ack", "10.0.0.5")
	b.framed(second, router, "10.0.0.5", "192.0.2.1")
	all := b.found("kaspersky")
	if len(all) != 2 || all[1].ID == id || all[1].Host.MAC != second || all[1].Host.Addr != netip.MustParseAddr("10.0.0.5") {
		t.Fatalf("%d findings, the last %+v", len(all), all[len(all)-1].Host)
	}
	// Both change places, one after the other.
	b.dhcp(second, "ack", "10.0.0.7")
	b.dhcp(laptop, "ack", "10.0.0.5")
	b.dhcp(second, "ack", "10.0.0.6")
	b.framed(second, router, "10.0.0.6", "192.0.2.1")
	b.framed(laptop, router, "10.0.0.5", "192.0.2.1")
	all = b.found("kaspersky")
	if len(all) != 2 || all[0].Host.MAC != laptop || all[0].Attempts != 3 || all[1].Host.MAC != second || all[1].Attempts != 2 {
		t.Errorf("%d findings, %+v with %d and %+v with %d attempts", len(all), all[0].Host, all[0].Attempts, all[1].Host, all[1].Attempts)
	}
}

// An address leased to another host begins anew; what was found stays where it was.
func TestAddressLeasedToAnother(t *testing.T) {
	for name, first := range map[string]func(b *bench){
		"known by its lease": func(b *bench) { b.dhcp(laptop, "ack", "10.0.0.5") },
		"known by ARP":       func(b *bench) { b.arp(laptop, "10.0.0.5") },
	} {
		b := newBench(t, Config{})
		first(b)
		b.framed(laptop, router, "10.0.0.5", "192.0.2.1")
		b.dhcp(second, "ack", "10.0.0.5")
		b.framed(second, router, "10.0.0.5", "192.0.2.1")
		all := b.found("kaspersky")
		if len(all) != 2 || all[0].ID == all[1].ID || all[0].Attempts != 1 || all[1].Attempts != 1 {
			t.Errorf("%s: %d findings", name, len(all))
		}
	}
}

// Where it is not sure whose the hardware address is, the Finding stays with the address.
func TestFindingStaysWithTheAddress(t *testing.T) {
	tests := map[string]func(b *bench){
		"told by ARP only": func(b *bench) { b.arp(laptop, "10.0.0.5"); b.again(); b.arp(laptop, "10.0.0.6") },
		"two addresses at once": func(b *bench) {
			b.dhcp(laptop, "ack", "10.0.0.5")
			b.arp(laptop, "10.0.0.77")
			b.again()
			b.dhcp(laptop, "ack", "10.0.0.6")
		},
		"a router": func(b *bench) {
			b.dhcp(laptop, "ack", "10.0.0.5")
			b.again()
			for _, a := range []string{"10.1.0.1", "10.1.0.2", "10.1.0.3", "10.1.0.4", "10.1.0.5"} {
				b.framed(laptop, router, a, "192.0.2.1")
			}
			b.dhcp(laptop, "ack", "10.0.0.6")
		},
		"offered only":         func(b *bench) { b.dhcp(laptop, "ack", "10.0.0.5"); b.again(); b.dhcp(laptop, "offer", "") },
		"the same lease again": func(b *bench) { b.dhcp(laptop, "ack", "10.0.0.5"); b.again(); b.dhcp(laptop, "ack", "10.0.0.5") },
	}
	for name, play := range tests {
		b := newBench(t, Config{})
		play(b)
		if f := b.found("kaspersky")[0]; f.Host.Addr != netip.MustParseAddr("10.0.0.5") {
			t.Errorf("%s: the finding went to %v", name, f.Host.Addr)
		}
	}
}

// again makes a contact of the laptop.
func (b *bench) again() { b.framed(laptop, router, "10.0.0.5", "192.0.2.1") }

func TestHardwareIsThereWhileItTalks(t *testing.T) {
	b := newBench(t, Config{ClearAfter: 48 * time.Hour})
	b.arp(camera, "10.0.0.64")
	for range 5 {
		b.wait(24 * time.Hour)
		o := b.observation(capture.ProtoDNS, capture.Request, "10.0.0.64", "10.0.0.1:53")
		o.ClientMAC, o.Name, o.DNS = camera, []byte("example.org"), &capture.DNS{Type: 1, Class: 1}
		b.Observe(o)
	}
	if f := b.finding("hikvision"); f.Cleared {
		t.Error("cleared although its frames are seen every day")
	}
}

func TestStationsAreBounded(t *testing.T) {
	b := newBench(t, Config{MaxStations: 8})
	for n := range 100 {
		m := mac(0x52, 0x54, 0, 0, byte(n>>8), byte(n))
		b.arp(m, netip.AddrFrom4([4]byte{10, 0, 1, byte(n)}).String())
	}
	c := b.Coverage()
	if n := len(b.stations.byMAC) + len(b.stations.byAddr); n > 16 || c.StationsLost != 92 {
		t.Errorf("%d entries, %d forgotten", n, c.StationsLost)
	}
	for n := range 100 { // one that claims every address
		b.arp(laptop, netip.AddrFrom4([4]byte{10, 0, 2, byte(n)}).String())
	}
	if n := len(b.stations.byAddr); n > 4*maxOwn+8 {
		t.Errorf("%d addresses", n)
	}
}

// Identity is no traffic: it neither counts as a contact nor as activity.
func TestIdentityIsNoContact(t *testing.T) {
	b := newBench(t, Config{ClearAfter: 48 * time.Hour})
	b.framed(laptop, router, "10.0.0.5", "192.0.2.1")
	for range 5 {
		b.wait(24 * time.Hour)
		b.arp(laptop, "10.0.0.5")
	}
	if f := b.finding("kaspersky"); f.Cleared || f.Attempts != 1 {
		t.Errorf("cleared %v, %d attempts", f.Cleared, f.Attempts)
	}
}
