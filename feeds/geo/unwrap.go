package geo

import (
	"bytes"
	"net/netip"
)

// Ways an IPv4 address travels in an IPv6 address, as in Result.Via.
const (
	viaMapped = "IPv4-mapped"
	viaNAT64  = "NAT64"
	via6to4   = "6to4"
	viaTeredo = "Teredo"
)

var (
	nat64     = netip.MustParsePrefix("64:ff9b::/96")   // RFC 6052 §2.1
	nat64Site = netip.MustParsePrefix("64:ff9b:1::/48") // RFC 8215
	sixToFour = netip.MustParsePrefix("2002::/16")      // RFC 3056 §2
	teredo    = netip.MustParsePrefix("2001::/32")      // RFC 4380 §2.6
)

// unwrap returns the IPv4 address inside a and how it got there, or a without its zone
// and "". Of a Teredo address it is the client's, not the server's.
func unwrap(a netip.Addr) (inner netip.Addr, via string) {
	switch {
	case !a.Is6():
		return a, ""
	case a.Is4In6():
		return a.Unmap(), viaMapped
	}
	a = a.WithZone("")
	b := a.As16()
	switch {
	case b[0] != 0x20 && b[0] != 0:
		return a, ""
	case sixToFour.Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6])), via6to4
	case teredo.Contains(a):
		return netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]}), viaTeredo
	case nat64.Contains(a):
		return netip.AddrFrom4([4]byte(b[12:])), viaNAT64
	case nat64Site.Contains(a):
		return siteNAT64(b), viaNAT64
	}
	return a, ""
}

// siteNAT64 returns the IPv4 address in one of 64:ff9b:1::/48. How long a prefix is in
// use is the site's choice; behind one of 48, 56 or 64 bits the rest is zero, and so is
// byte 8 (RFC 6052 §2.2).
func siteNAT64(b [16]byte) netip.Addr {
	var zero [5]byte
	switch {
	case b[8] != 0:
	case bytes.Equal(b[11:], zero[:5]):
		return netip.AddrFrom4([4]byte{b[6], b[7], b[9], b[10]})
	case bytes.Equal(b[12:], zero[:4]):
		return netip.AddrFrom4([4]byte{b[7], b[9], b[10], b[11]})
	case bytes.Equal(b[13:], zero[:3]):
		return netip.AddrFrom4([4]byte(b[9:13]))
	}
	return netip.AddrFrom4([4]byte(b[12:]))
}
