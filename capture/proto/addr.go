package proto

import (
	"bytes"
	"net/netip"
)

// parseAddr is netip.ParseAddr, for bytes and without zones and IPv4 inside IPv6. It
// allocates nothing.
func parseAddr(b []byte) (netip.Addr, bool) {
	if httpIsIPv4(b) {
		var a [4]byte
		for i := range a {
			var part []byte
			part, b, _ = bytes.Cut(b, []byte{'.'})
			if len(part) > 1 && part[0] == '0' {
				return netip.Addr{}, false
			}
			a[i] = byte(httpNumber(part, 10))
		}
		return netip.AddrFrom4(a), true
	}
	head, tail, short := bytes.Cut(b, []byte("::"))
	var a, z [16]byte
	n, ok := parseGroups(&a, head)
	m, also := parseGroups(&z, tail)
	if !ok || !also || short && n+m > 14 || !short && n != 16 {
		return netip.Addr{}, false
	}
	copy(a[16-m:], z[:m])
	return netip.AddrFrom16(a), true
}

// parseGroups reads groups of hexadecimal digits with colons between into a and returns
// the number of bytes.
func parseGroups(a *[16]byte, b []byte) (n int, ok bool) {
	for more := len(b) > 0; more; {
		var group []byte
		group, b, more = bytes.Cut(b, []byte{':'})
		v := httpNumber(group, 16)
		if v < 0 || len(group) > 4 || n == len(a) {
			return 0, false
		}
		a[n], a[n+1] = byte(v>>8), byte(v)
		n += 2
	}
	return n, true
}
