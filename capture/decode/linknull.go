package decode

import (
	"encoding/binary"
	"math/bits"

	"telltale/capture"
)

var (
	_ = registerLink(capture.LinkNull, readNull)
	_ = registerLink(capture.LinkLoop, readNull)
)

const nullHeader = 4

// Address families as the capturing system numbers them (LINKTYPE_NULL).
const (
	familyIPv4        = 2
	familyIPv6Linux   = 10
	familyIPv6Windows = 23
	familyIPv6NetBSD  = 24 // also OpenBSD, BSD/OS
	familyIPv6FreeBSD = 28 // also DragonFly BSD
	familyIPv6Darwin  = 30
)

// readNull reads a BSD loopback header: the address family in the byte order of the
// capturing host (null) or big-endian (loop). A family fits 16 bits, so a value in
// the upper half tells the other byte order.
func readNull(d *Decoder, s *Segment, v view) Reason {
	if len(v.b) < nullHeader {
		return Truncated
	}
	family := binary.BigEndian.Uint32(v.b)
	if family > 0xffff {
		family = bits.ReverseBytes32(family)
	}
	return d.family(s, family, v.skip(nullHeader))
}

// family reads a packet of an address family.
func (d *Decoder) family(s *Segment, family uint32, v view) Reason {
	switch family {
	case familyIPv4:
		return d.ipv4(s, v)
	case familyIPv6Linux, familyIPv6Windows, familyIPv6NetBSD, familyIPv6FreeBSD, familyIPv6Darwin:
		return d.ipv6(s, v)
	}
	return NotIP
}
