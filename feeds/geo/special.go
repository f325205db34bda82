package geo

import "net/netip"

// special is an entry of the IANA special-purpose address registries (RFC 6890), or
// other space that belongs to no country.
type special struct {
	prefix netip.Prefix
	name   string
}

// reserved is the name of IPv6 space that is not in use (RFC 4291 §2.4).
const reserved = "Reserved by IETF"

// special4 is the IANA IPv4 special-purpose registry and the multicast space (RFC
// 5771), what is more specific first.
var special4 = specials(
	"0.0.0.0/32", "This host on this network",
	"0.0.0.0/8", "This network",
	"10.0.0.0/8", "Private-Use",
	"100.64.0.0/10", "Shared Address Space",
	"127.0.0.0/8", "Loopback",
	"169.254.0.0/16", "Link Local",
	"172.16.0.0/12", "Private-Use",
	"192.0.0.8/32", "IPv4 dummy address",
	"192.0.0.9/32", "Port Control Protocol Anycast",
	"192.0.0.10/32", "Traversal Using Relays around NAT Anycast",
	"192.0.0.170/31", "NAT64/DNS64 Discovery",
	"192.0.0.0/29", "IPv4 Service Continuity Prefix",
	"192.0.0.0/24", "IETF Protocol Assignments",
	"192.0.2.0/24", "Documentation (TEST-NET-1)",
	"192.31.196.0/24", "AS112-v4",
	"192.52.193.0/24", "AMT",
	"192.88.99.0/24", "Deprecated (6to4 Relay Anycast)",
	"192.168.0.0/16", "Private-Use",
	"192.175.48.0/24", "Direct Delegation AS112 Service",
	"198.18.0.0/15", "Benchmarking",
	"198.51.100.0/24", "Documentation (TEST-NET-2)",
	"203.0.113.0/24", "Documentation (TEST-NET-3)",
	"224.0.0.0/4", "Multicast",
	"255.255.255.255/32", "Limited Broadcast",
	"240.0.0.0/4", "Reserved",
)

// special6 is the IANA IPv6 special-purpose registry, multicast (RFC 4291 §2.7) and the
// former site-local space (RFC 3879), what is more specific first. Prefixes that carry
// an IPv4 address are unwrapped before.
var special6 = specials(
	"::/128", "Unspecified Address",
	"::1/128", "Loopback Address",
	"100::/64", "Discard-Only Address Block",
	"100:0:0:1::/64", "Dummy IPv6 Prefix",
	"2001::/32", "TEREDO",
	"2001:1::1/128", "Port Control Protocol Anycast",
	"2001:1::2/128", "Traversal Using Relays around NAT Anycast",
	"2001:1::3/128", "DNS-SD Service Registration Protocol Anycast",
	"2001:2::/48", "Benchmarking",
	"2001:3::/32", "AMT",
	"2001:4:112::/48", "AS112-v6",
	"2001:10::/28", "Deprecated (previously ORCHID)",
	"2001:20::/28", "ORCHIDv2",
	"2001:30::/28", "Drone Remote ID Protocol Entity Tags",
	"2001::/23", "IETF Protocol Assignments",
	"2001:db8::/32", "Documentation",
	"2620:4f:8000::/48", "Direct Delegation AS112 Service",
	"3fff::/20", "Documentation",
	"5f00::/16", "Segment Routing (SRv6) SIDs",
	"fc00::/7", "Unique-Local",
	"fe80::/10", "Link-Local Unicast",
	"fec0::/10", "Deprecated (Site-Local)",
	"ff00::/8", "Multicast",
)

// specials builds a table of pairs of prefix and name.
func specials(pairs ...string) []special {
	table := make([]special, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		table = append(table, special{netip.MustParsePrefix(pairs[i]), pairs[i+1]})
	}
	return table
}

// specialOf returns the special-purpose space a is in: its name and its prefix, or that
// of the address alone where the space has none. The name is empty for ordinary space.
func specialOf(a netip.Addr) (name string, p netip.Prefix) {
	if a.Is4() {
		if b := a.As4(); maySpecial4(b[0]) {
			return lookUp(special4, a)
		}
		return "", netip.Prefix{}
	}
	k := keyOf(a)
	used := space6.contains(k)
	if used && !maySpecial6(k.hi) {
		return "", netip.Prefix{}
	}
	name, p = lookUp(special6, a)
	if name == "" && !used {
		return reserved, netip.PrefixFrom(a, a.BitLen())
	}
	return name, p
}

func lookUp(table []special, a netip.Addr) (name string, p netip.Prefix) {
	for i := range table {
		if table[i].prefix.Contains(a) {
			return table[i].name, table[i].prefix
		}
	}
	return "", netip.Prefix{}
}

// maySpecial4 reports whether special space begins with this byte.
func maySpecial4(first byte) bool {
	switch first {
	case 0, 10, 100, 127, 169, 172, 192, 198, 203:
		return true
	}
	return first >= 224
}

// maySpecial6 reports whether special space within 2000::/3 begins like this.
func maySpecial6(hi uint64) bool {
	switch hi >> 48 {
	case 0x2001:
		next := hi >> 32 & 0xffff
		return next < 0x200 || next == 0xdb8
	case 0x2620, 0x3fff:
		return true
	}
	return false
}
