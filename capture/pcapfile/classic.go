package pcapfile

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"telltale/capture"
)

// Magic numbers of classic pcap files in their writer's byte order
// (draft-ietf-opsawg-pcap §4; the modified one is A. Kuznetzov's patch of libpcap).
const (
	magicMicro    = 0xa1b2c3d4
	magicNano     = 0xa1b23c4d
	magicModified = 0xa1b2cd34
)

const (
	classicHeader  = 24 // file header
	recordHeader   = 16 // record header
	modifiedHeader = 24 // record header with interface, protocol and direction
	classicMajor   = 2
	classicMinor   = 4 // the newest, of 1998
	// Up to this minor version files exist with the two lengths of a record in either order.
	classicMixedMinor = 3
	// The upper half of the link type field tells of frame check sequences.
	classicLinkMask = 0xffff
)

func swap32(v uint32) uint32 { return bits.ReverseBytes32(v) }

func isClassicMagic(m uint32) bool {
	return m == magicMicro || m == magicNano || m == magicModified
}

// classic cuts the records of a classic pcap file.
type classic struct {
	big    bool  // written by a big-endian machine
	mixed  bool  // the shorter of the two lengths is the captured one
	unit   int64 // nanoseconds of a step of the sub-second field
	header int   // bytes of a record header
	max    uint32
	link   capture.LinkType
	name   string
}

// newClassic reads the file header, the first classicHeader bytes of a file that
// sniff called kindClassic.
func newClassic(head []byte, maxPacket int) (*classic, error) {
	le := binary.LittleEndian
	c := &classic{unit: 1000, header: recordHeader, max: uint32(maxPacket), name: "pcap"}
	magic, link := le.Uint32(head), le.Uint32(head[20:])
	major, minor := le.Uint16(head[4:]), le.Uint16(head[6:])
	if !isClassicMagic(magic) {
		c.big = true
		magic, link = swap32(magic), swap32(link)
		major, minor = bits.ReverseBytes16(major), bits.ReverseBytes16(minor)
	}
	switch magic {
	case magicNano:
		c.unit, c.name = 1, "pcap-ns"
	case magicModified:
		c.header, c.name = modifiedHeader, "pcap-modified"
	}
	if major != classicMajor || minor > classicMinor {
		return nil, fmt.Errorf("pcap version %d.%d, only 2.0 to 2.4 exist: convert it first with editcap -F pcap", major, minor)
	}
	c.mixed = minor <= classicMixedMinor
	c.link = capture.LinkType(link & classicLinkMask)
	return c, nil
}

func (c *classic) format() string { return c.name }

// records implements parser.
func (c *classic) records(buf []byte, out []capture.Packet) ([]capture.Packet, int, int, error) {
	pos := 0
	for pos < len(buf) {
		rest := buf[pos:]
		if len(rest) < c.header {
			return out, pos, c.header, nil
		}
		h := (*[recordHeader]byte)(rest)
		sec, frac := binary.LittleEndian.Uint32(h[0:]), binary.LittleEndian.Uint32(h[4:])
		caplen, length := binary.LittleEndian.Uint32(h[8:]), binary.LittleEndian.Uint32(h[12:])
		if c.big {
			sec, frac, caplen, length = swap32(sec), swap32(frac), swap32(caplen), swap32(length)
		}
		if caplen > length {
			// Some writers leave the wire length 0; none of it can be shorter than what was captured.
			if c.mixed {
				caplen, length = length, caplen
			} else {
				length = caplen
			}
		}
		if caplen > c.max {
			return out, pos, 0, tooLong(uint64(caplen), int(c.max))
		}
		end := c.header + int(caplen)
		if end > len(rest) {
			return out, pos, end, nil
		}
		out = append(out, capture.Packet{
			Data:   rest[c.header:end:end],
			Time:   int64(sec)*1e9 + int64(frac)*c.unit,
			Length: length,
			Link:   c.link,
		})
		pos += end
	}
	return out, pos, 0, nil
}

func tooLong(n uint64, limit int) error {
	return fmt.Errorf("a record claims a packet of %d bytes, more than the limit of %d: "+
		"the file is damaged here, else raise the limit on packet length", n, limit)
}
