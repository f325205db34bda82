package decode

import "encoding/binary"

var (
	_ = registerLink(linkDot11, readDot11)
	_ = registerLink(linkPrism, readPrism)
	_ = registerLink(linkRadiotap, readRadiotap)
	_ = registerLink(linkAVS, readPrism)
)

// Link types of IEEE 802.11 frames, bare and behind what a radio says of them.
const (
	linkDot11    = 105
	linkPrism    = 119
	linkRadiotap = 127
	linkAVS      = 163
)

// readDot11 reads an 802.11 frame (LINKTYPE_IEEE802_11).
func readDot11(d *Decoder, s *Segment, v view) Reason { return d.dot11(s, v, dot11Form{}) }

// readPrism reads a frame behind a Prism or AVS header (LINKTYPE_IEEE802_11_PRISM,
// LINKTYPE_IEEE802_11_AVS).
func readPrism(d *Decoder, s *Segment, v view) Reason {
	v, r := prismFrame(v)
	if r != OK {
		return r
	}
	return readDot11(d, s, v)
}

// prismFrame passes the header: a number, and the length in the byte order that the
// number tells. AVS has a number of its own, big-endian.
func prismFrame(v view) (view, Reason) {
	const (
		least     = 8
		avsNumber = 0x80211000
		avsMask   = 0xfffff000
		longest   = 4096
	)
	if len(v.b) < least {
		return v, v.short(least)
	}
	length := binary.LittleEndian.Uint32(v.b[4:])
	if binary.BigEndian.Uint32(v.b)&avsMask == avsNumber || length > longest {
		length = binary.BigEndian.Uint32(v.b[4:])
	}
	if length < least || length > longest {
		return v, BadHeader
	}
	if n := int(length); len(v.b) < n {
		return v, v.short(n)
	}
	return v.skip(int(length)), OK
}

// readRadiotap reads a frame behind a radiotap header (LINKTYPE_IEEE802_11_RADIOTAP,
// radiotap.org).
func readRadiotap(d *Decoder, s *Segment, v view) Reason {
	const (
		header  = 8
		dataPad = 0x20
	)
	if len(v.b) < header {
		return v.short(header)
	}
	n := int(binary.LittleEndian.Uint16(v.b[2:]))
	if v.b[0] != 0 || n < header {
		return BadHeader
	}
	if len(v.b) < n {
		return v.short(n)
	}
	padded := radiotapFlags(v.b[:n])&dataPad != 0
	return d.dot11(s, v.skip(n), dot11Form{padded: padded})
}

// radiotapFlags returns the field "flags" of a header, 0 if there is none. Words that
// say which fields there are come first, then the timer, aligned to its eight bytes.
func radiotapFlags(b []byte) uint8 {
	const (
		hasTimer = 1 << 0
		hasFlags = 1 << 1
		more     = 1 << 31
	)
	present := binary.LittleEndian.Uint32(b[4:])
	if present&hasFlags == 0 {
		return 0
	}
	at := 8
	for word := present; word&more != 0 && at+4 <= len(b); at += 4 {
		word = binary.LittleEndian.Uint32(b[at:])
	}
	if present&hasTimer != 0 {
		at = (at+7)&^7 + 8
	}
	if at >= len(b) {
		return 0
	}
	return b[at]
}
