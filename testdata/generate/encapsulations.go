package generate

import (
	"encoding/binary"
	"net/netip"
)

// Encapsulations returns DNS questions as Tunnels does, in further encapsulations: those
// of IPv6, of PPP, protected ones that can be read and two that cannot.
func Encapsulations() (*Capture, error) {
	t := newTrace(37)
	t.wrap(furtherShells(), ethernet)
	return t.finish()
}

// furtherShells are one of each encapsulation, and some in others.
func furtherShells() []wrapped {
	l2tp := udpShell(1701, false, words16(0x0002, 84, 1)) // RFC 2661 §3.1
	gpe := udpShell(4790, false, words16(0x0c00, 1, 0, 86<<8))
	l2tp3 := udpShell(1701, true, words16(3, 0, 0, 85)) // RFC 3931 §4.1.2
	teredo := udpShell(3544, false, nil)
	return []wrapped{
		in6("6in4", sixInFour),
		in("4in6", fourInSix),
		in6("teredo", teredo),
		in("l2tpv2", ppp, l2tp),
		in("l2tpv3", l2tp3),
		in("l2tpv3-on-ip", framed(115, words16(0, 85))),
		in("pptp", ppp, pptp),
		in("vxlan-gpe", gpe),
		in("vxlan-8472", udpShell(8472, true, words16(0x0800, 0, 0, 87<<8))),
		in("gre-all-flags", greAllFlags),
		in("erspan1", framed(47, words16(0, 0x88be))),
		in("etag", etag),
		in("llc-snap", snap),
		in("esp-null", espNull),
		in6("esp-null-ipv6", espNull),
		in("macsec-clear", macsecClear),
		in("l2tpv2-in-esp-null", ppp, l2tp, espNull),
		in6("teredo-in-vxlan-gpe-in-llc", teredo, gpe, snap),
		in6("6in4-in-l2tpv3-in-4in6", sixInFour, l2tp3, fourInSix),
		in("macsec-in-vxlan", macsecClear, udpShell(4789, true, words16(0x0800, 0, 0, 88<<8))),
		{name: "esp", shells: []shell{espSealed}, hidden: true},
		{name: "macsec", shells: []shell{macsecSealed}, hidden: true},
		{name: "esp-in-vxlan-gpe", shells: []shell{espSealed, gpe}, hidden: true},
	}
}

// in6 is in with the question in IPv6.
func in6(name string, shells ...shell) wrapped {
	return wrapped{name: name, shells: append([]shell{toSix}, shells...), six: true}
}

// inSix is the address in IPv6 of a host.
func inSix(four netip.Addr) netip.Addr {
	six := netip.MustParseAddr("2001:db8::").As16()
	copy(six[12:], four.AsSlice())
	return netip.AddrFrom16(six)
}

// toSix puts the datagram of an IPv4 packet into IPv6, between the same hosts.
func toSix(_ uint16, four []byte) (uint16, []byte) {
	const source, target, header = 12, 16, 20
	var ends []byte
	for _, at := range []int{source, target} {
		ends = append(ends, inSix(netip.AddrFrom4([4]byte(four[at:]))).AsSlice()...)
	}
	udp := append([]byte(nil), four[header:]...)
	udp[6], udp[7] = 0, 0
	pseudo := 17 + uint32(len(udp)) + uint32(^checksum(ends, 0))
	binary.BigEndian.PutUint16(udp[6:], checksum(udp, pseudo))
	return overIP6(17, ends, udp)
}

// overIP6 is an IPv6 packet between ends, two addresses one behind the other.
func overIP6(next uint8, ends, body []byte) (uint16, []byte) {
	head := words16(0x6000, 0, uint16(len(body)), uint16(next)<<8|64)
	return 0x86dd, append(append(head, ends...), body...)
}

func sixInFour(_ uint16, ip []byte) (uint16, []byte) { return overIP(41, ip) }

func fourInSix(_ uint16, ip []byte) (uint16, []byte) {
	near, far := netip.MustParseAddr("2001:db8:ff::1"), netip.MustParseAddr("2001:db8:ff::2")
	return overIP6(4, append(near.AsSlice(), far.AsSlice()...), ip)
}

// ppp has no EtherType of its own.
func ppp(kind uint16, ip []byte) (uint16, []byte) {
	protocol := map[uint16]uint16{0x0800: 0x0021, 0x86dd: 0x0057, 0x8847: 0x0281}[kind]
	return 0, append(words16(0xff03, protocol), ip...)
}

// pptp is GRE version 1 with call 89 and sequence number 1 (RFC 2637 §4.1).
func pptp(_ uint16, frame []byte) (uint16, []byte) {
	return overIP(47, append(words16(0x3001, 0x880b, uint16(len(frame)), 89, 0, 1), frame...))
}

// greAllFlags has checksum, key 90 and sequence number 1 (RFC 2784 §2.1, RFC 2890 §2).
func greAllFlags(kind uint16, body []byte) (uint16, []byte) {
	const sum = 4
	packet := append(words16(0xb000, kind, 0, 0, 0, 90, 0, 1), body...)
	binary.BigEndian.PutUint16(packet[sum:], checksum(packet, 0))
	return overIP(47, packet)
}

// etag is a tag of IEEE 802.1BR.
func etag(kind uint16, body []byte) (uint16, []byte) {
	return 0x893f, append(words16(0, 1, 0, kind), body...)
}

// snap is 802.2 LLC with SNAP; the length stands where others have their EtherType.
func snap(kind uint16, body []byte) (uint16, []byte) {
	body = append(words16(0xaaaa, 0x0300, 0, kind), body...)
	return uint16(len(body)), body
}

// espNull is ESP in tunnel mode without encryption (RFC 4303 §2, RFC 2410), with index
// 0x5b5b and a check value of 96 bits that is not computed.
func espNull(kind uint16, ip []byte) (uint16, []byte) {
	b := append(words16(0, 0x5b5b, 0, 1), ip...)
	var pad uint8
	for ; (len(b)+2)%4 != 0; pad++ {
		b = append(b, pad+1)
	}
	b = append(b, pad, map[uint16]uint8{0x0800: 4, 0x86dd: 41}[kind])
	return overIP(50, append(b, make([]byte, 12)...))
}

// espSealed has noise in the place of what is wrapped.
func espSealed(_ uint16, ip []byte) (uint16, []byte) {
	return overIP(50, append(words16(0, 0x5c5c, 0, 1), sealed(ip)...))
}

// macsecClear is a frame that is protected but not encrypted, packet number 1 (IEEE
// 802.1AE §9.3), with a check value that is not computed.
func macsecClear(kind uint16, body []byte) (uint16, []byte) {
	body = append(words16(0, 0, 1, kind), body...)
	return 0x88e5, append(body, make([]byte, 16)...)
}

// macsecSealed has noise in the place of what is wrapped.
func macsecSealed(_ uint16, body []byte) (uint16, []byte) {
	return 0x88e5, append(words16(0x0c00, 0, 1), sealed(body)...)
}

// sealed is noise of about the length of body.
func sealed(body []byte) []byte { return newTrace(uint64(len(body))).bytes(len(body) + 16) }
