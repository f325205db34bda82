package decode

import "encoding/binary"

const (
	fragmentMore4   = 0x2000 // RFC 791 §3.1, in the word with the offset
	fragmentOffset4 = 0x1fff // in units of eight bytes

	fragmentHeader6 = 8
	fragmentMore6   = 0x0001 // RFC 8200 §4.5
	fragmentOffset6 = 0xfff8 // in bytes
)

// fragment4 takes one IPv4 fragment and, if it is the last that was missing, returns
// the payload of the whole datagram.
func (d *Decoder) fragment4(s *Segment, flags uint16, protocol uint8, v view) (view, Reason) {
	if !worthReassembly(protocol) {
		return v, protocolReason(protocol)
	}
	more := flags&fragmentMore4 != 0
	if len(v.b) < v.wire {
		d.fragments.refuseCut()
		return v, FragmentDropped
	}
	if more {
		v = v.resize(v.wire &^ 7) // as Linux does: what exceeds a multiple of eight cannot be placed
	}
	p := piece{offset: int(flags&fragmentOffset4) * 8, more: more, next: protocol, data: v.b}
	k := datagramKey{src: s.Src, dst: s.Dst, id: s.ID, vlan: s.VLAN, protocol: protocol, path: pathOf(s)}
	if r := d.copies.fragment(&k, s.Time, &p); r != OK {
		return v, r
	}
	_, data, r := d.fragments.add(&k, s.Time, p)
	s.Reassembled = r == OK
	return view{data, len(data)}, r
}

// fragment6 takes one IPv6 fragment, v being its fragment header, and, if it is the
// last that was missing, returns the fragmentable part of the whole packet and the
// type of its first header.
func (d *Decoder) fragment6(s *Segment, v view) (uint8, view, Reason) {
	if len(v.b) < fragmentHeader6 {
		return 0, v, v.short(fragmentHeader6)
	}
	next, flags := v.b[0], binary.BigEndian.Uint16(v.b[2:4])
	s.ID = binary.BigEndian.Uint32(v.b[4:8])
	v = v.skip(fragmentHeader6)
	if flags&(fragmentMore6|fragmentOffset6) == 0 {
		return next, v, OK // whole in one piece (RFC 6946)
	}
	if !worthReassembly(next) {
		return 0, v, protocolReason(next)
	}
	if len(v.b) < v.wire {
		d.fragments.refuseCut()
		return 0, v, FragmentDropped
	}
	p := piece{offset: int(flags & fragmentOffset6), more: flags&fragmentMore6 != 0, next: next, data: v.b}
	// The first fragment alone says what follows (RFC 8200 §4.5), so it is not part of the key.
	k := datagramKey{src: s.Src, dst: s.Dst, id: s.ID, vlan: s.VLAN, v6: true, path: pathOf(s)}
	if r := d.copies.fragment(&k, s.Time, &p); r != OK {
		return 0, v, r
	}
	next, data, r := d.fragments.add(&k, s.Time, p)
	s.Reassembled = r == OK
	return next, view{data, len(data)}, r
}
