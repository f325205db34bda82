package geo

import (
	"net/netip"
	"slices"
	"testing"
)

func TestSpecialSpace(t *testing.T) {
	for addr, want := range map[string]string{
		"0.0.0.0":               "This host on this network",
		"0.1.2.3":               "This network",
		"10.1.2.3":              "Private-Use",
		"100.64.0.1":            "Shared Address Space",
		"100.128.0.0":           "",
		"127.0.0.53":            "Loopback",
		"169.254.169.254":       "Link Local",
		"172.16.0.1":            "Private-Use",
		"172.32.0.1":            "",
		"192.0.0.1":             "IPv4 Service Continuity Prefix",
		"192.0.0.9":             "Port Control Protocol Anycast",
		"192.0.0.171":           "NAT64/DNS64 Discovery",
		"192.0.0.200":           "IETF Protocol Assignments",
		"192.0.1.1":             "",
		"192.0.2.1":             "Documentation (TEST-NET-1)",
		"192.88.99.1":           "Deprecated (6to4 Relay Anycast)",
		"192.168.255.255":       "Private-Use",
		"198.18.0.0":            "Benchmarking",
		"198.20.0.0":            "",
		"203.0.113.9":           "Documentation (TEST-NET-3)",
		"224.0.0.251":           "Multicast",
		"250.1.1.1":             "Reserved",
		"255.255.255.255":       "Limited Broadcast",
		"8.8.8.8":               "",
		"223.255.255.255":       "",
		"::":                    "Unspecified Address",
		"::1":                   "Loopback Address",
		"::2":                   reserved,
		"100::1":                "Discard-Only Address Block",
		"2001:2::1":             "Benchmarking",
		"2001:10::1":            "Deprecated (previously ORCHID)",
		"2001:20::1":            "ORCHIDv2",
		"2001:1ff:ffff::1":      "IETF Protocol Assignments",
		"2001:200::1":           "",
		"2001:db8::1":           "Documentation",
		"2001:db9::1":           "",
		"2620:4f:8000::1":       "Direct Delegation AS112 Service",
		"2620:4f:8001::1":       "",
		"2a02:6b8::feed:ff":     "",
		"3fff::1":               "Documentation",
		"3fff:1000::1":          "",
		"4000::1":               reserved,
		"5f00::1":               "Segment Routing (SRv6) SIDs",
		"fd12:3456::1":          "Unique-Local",
		"fe80::1":               "Link-Local Unicast",
		"fec0::1":               "Deprecated (Site-Local)",
		"ff02::fb":              "Multicast",
		"1fff:ffff::1":          reserved,
		"2001:0:4136:e378::f5f": "TEREDO",
	} {
		a := netip.MustParseAddr(addr)
		got, p := specialOf(a)
		if got != want {
			t.Errorf("specialOf(%s) = %q, want %q", addr, got, want)
		}
		if got != "" && !p.Contains(a) {
			t.Errorf("specialOf(%s): prefix %s does not contain it", addr, p)
		}
	}
}

// TestSpecialOrder makes sure that no entry hides a more specific one, and that the quick
// checks before the search let every entry through.
func TestSpecialOrder(t *testing.T) {
	for _, table := range [][]special{special4, special6} {
		for i, s := range table {
			name, p := specialOf(s.prefix.Addr())
			specific := slices.ContainsFunc(table, func(o special) bool {
				return o.prefix.Bits() > s.prefix.Bits() && o.prefix.Contains(s.prefix.Addr())
			})
			if !specific && (name != s.name || p != s.prefix) {
				t.Errorf("%s is found as %s %q", s.prefix, p, name)
			}
			for _, o := range table[:i] {
				if o.prefix.Bits() < s.prefix.Bits() && o.prefix.Overlaps(s.prefix) {
					t.Errorf("%s stands behind %s", s.prefix, o.prefix)
				}
			}
			if s.prefix != s.prefix.Masked() {
				t.Errorf("%s has bits behind its prefix", s.prefix)
			}
		}
	}
}

func TestUnwrap(t *testing.T) {
	for _, c := range []struct{ addr, inner, via string }{
		{"8.8.8.8", "8.8.8.8", ""},
		{"::ffff:8.8.8.8", "8.8.8.8", viaMapped},
		{"::ffff:8.8.8.8%eth0", "8.8.8.8", viaMapped},
		{"64:ff9b::4d58:808", "77.88.8.8", viaNAT64},
		{"64:ff9b:0:1::4d58:808", "64:ff9b:0:1::4d58:808", ""},
		// The four lengths of RFC 6052 §2.2 under a site's own prefix.
		{"64:ff9b:1:4d58:8:800::", "77.88.8.8", viaNAT64},
		{"64:ff9b:1:4d:58:808::", "77.88.8.8", viaNAT64},
		{"64:ff9b:1:ab:4d:5808:800:0", "77.88.8.8", viaNAT64},
		{"64:ff9b:1:ab:0:0:4d58:808", "77.88.8.8", viaNAT64},
		{"64:ff9b:1::4d58:808", "77.88.8.8", viaNAT64},
		{"2002:4d58:808::1", "77.88.8.8", via6to4},
		// RFC 4380 §4: client 192.0.2.45 behind server 65.54.227.120.
		{"2001:0:4136:e378:8000:63bf:3fff:fdd2", "192.0.2.45", viaTeredo},
		{"2a02:6b8::feed:ff", "2a02:6b8::feed:ff", ""},
		{"fe80::1%eth0", "fe80::1", ""},
		{"2003::1", "2003::1", ""},
	} {
		inner, via := unwrap(netip.MustParseAddr(c.addr))
		if inner != netip.MustParseAddr(c.inner) || via != c.via {
			t.Errorf("unwrap(%s) = %s, %q, want %s, %q", c.addr, inner, via, c.inner, c.via)
		}
	}
}
