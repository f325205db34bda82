package decode

import "encoding/binary"

// What a UDP port or a label stack only suggests is checked by what is inside.

// anyLength is the room for an IP packet where mirroring may have cut it.
const anyLength = 1 << 17

// plausibleIP says whether v begins with an IP packet of at most room bytes.
func plausibleIP(v view, room int) bool {
	return plausibleIPv4(v, room) || plausibleIPv6(v, room)
}

func plausibleIPv4(v view, room int) bool {
	b := v.b
	if len(b) < ipv4Header || b[0]>>4 != 4 {
		return false
	}
	header, total := int(b[0]&0x0f)*4, int(binary.BigEndian.Uint16(b[2:4]))
	return header >= ipv4Header && total >= header && total <= room
}

func plausibleIPv6(v view, room int) bool {
	b := v.b
	return len(b) >= ipv6Header && b[0]>>4 == 6 && ipv6Header+int(binary.BigEndian.Uint16(b[4:6])) <= room
}

// wholeIPv6 says whether v is an IPv6 packet with nothing behind it.
func wholeIPv6(v view) bool {
	return plausibleIPv6(v, v.wire) && ipv6Header+int(binary.BigEndian.Uint16(v.b[4:])) == v.wire
}

// frameWithIP says whether v begins with an Ethernet frame that carries IP.
func frameWithIP(v view) bool {
	if len(v.b) < ethernetHeader {
		return false
	}
	t, v := skipTags(binary.BigEndian.Uint16(v.b[12:]), v.skip(ethernetHeader))
	return t == etherIPv4 && plausibleIPv4(v, anyLength) || t == etherIPv6 && plausibleIPv6(v, anyLength)
}

// plausibleFrame says whether v begins with an Ethernet frame of a known EtherType.
func plausibleFrame(v view) bool {
	return len(v.b) >= ethernetHeader &&
		plausibleEther(binary.BigEndian.Uint16(v.b[12:]), v.skip(ethernetHeader))
}

// plausibleEther says whether EtherType t is known and v can be what it announces.
func plausibleEther(t uint16, v view) bool {
	const spanningTree = 0x42
	t, v = skipTags(t, v)
	switch {
	case t == etherIPv4:
		return plausibleIPv4(v, anyLength)
	case t == etherIPv6:
		return plausibleIPv6(v, anyLength)
	case t >= minEtherType:
		return knownEther(t)
	case t > maxLength || int(t) > v.wire:
		return false
	}
	inner, _ := unwrapLLC(v)
	return inner != 0 || len(v.b) >= 2 && v.b[0] == spanningTree && v.b[1] == spanningTree
}

// knownEther says whether EtherType t is one that is read or known to be no IP.
func knownEther(t uint16) bool {
	switch t {
	case etherIPv4, etherIPv6, etherVLAN, etherQinQ, etherOldQ:
		return true
	}
	return t >= minEtherType && (etherReaders.find(t) != nil || etherReason(t) != UnknownEthertype)
}

// skipTags passes VLAN tags.
func skipTags(t uint16, v view) (uint16, view) {
	for range maxTags {
		if t != etherVLAN && t != etherQinQ && t != etherOldQ || len(v.b) < tagLength {
			break
		}
		t, v = binary.BigEndian.Uint16(v.b[2:]), v.skip(tagLength)
	}
	return t, v
}

// plausibleInner says whether the header of a tunnel can announce EtherType t and v be
// what it announces.
func plausibleInner(t uint16, v view) bool {
	const bridged = 0x6558
	if t == bridged {
		return plausibleFrame(v)
	}
	return t >= minEtherType && plausibleEther(t, v)
}
