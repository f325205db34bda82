package capture

import "strconv"

// LinkType is a link-layer header type as registered at tcpdump.org
// (LINKTYPE_ values, the ones stored in capture files).
type LinkType uint32

// Link types this project names. Any other value may occur and is reported by number.
const (
	LinkNull     LinkType = 0   // BSD loopback: 4-byte family in the writer's byte order
	LinkEthernet LinkType = 1   // IEEE 802.3
	LinkRawOld   LinkType = 12  // raw IP as some systems number it (DLT_RAW)
	LinkRawBSD   LinkType = 14  // raw IP as OpenBSD numbers it
	LinkRaw      LinkType = 101 // raw IPv4 or IPv6
	LinkLoop     LinkType = 108 // OpenBSD loopback: 4-byte family, big-endian
	LinkSLL      LinkType = 113 // Linux cooked capture v1
	LinkIPv4     LinkType = 228 // raw IPv4
	LinkIPv6     LinkType = 229 // raw IPv6
	LinkSLL2     LinkType = 276 // Linux cooked capture v2
)

// String returns the registered name of the types named here, else the number.
func (l LinkType) String() string {
	switch l {
	case LinkNull:
		return "null"
	case LinkEthernet:
		return "ethernet"
	case LinkRaw, LinkRawOld, LinkRawBSD:
		return "raw"
	case LinkLoop:
		return "loop"
	case LinkSLL:
		return "linux_sll"
	case LinkIPv4:
		return "ipv4"
	case LinkIPv6:
		return "ipv6"
	case LinkSLL2:
		return "linux_sll2"
	}
	return "linktype-" + strconv.FormatUint(uint64(l), 10)
}

// Packet is one captured frame.
type Packet struct {
	// Data is what was captured, from the link-layer header on. It may be shorter
	// than Length and is valid only as long as the Batch it came in.
	Data []byte
	// Time is the capture time in nanoseconds since 1970-01-01 UTC.
	Time int64
	// Ordinal is the 1-based place of the packet in the whole stream; over many
	// files it goes on counting, so cutting a capture in two changes no number.
	Ordinal uint64
	// Length is the length on the wire in bytes.
	Length uint32
	// Link says how Data begins.
	Link LinkType
	// VLAN is the identifier of the outermost 802.1Q tag if it was taken out of Data
	// before it was captured, as the kernel does with live packets; else 0.
	VLAN uint16
}

// Batch is a run of packets and the memory they live in. The zero value is ready for use.
type Batch struct {
	Packets []Packet
	// Buffer is owned by the Source that fills the batch.
	Buffer []byte
}

// Source delivers packets.
type Source interface {
	// Next replaces the content of b by the next packets, at least one unless an
	// error is returned; at the end of the stream the error is io.EOF. A live source
	// delivers none when none came for a moment, so that its reader can look at the
	// time. What b held before is invalid as soon as b is passed in again, and not
	// earlier.
	Next(b *Batch) error
	// Stats returns what has been read so far. It may be called from any goroutine.
	Stats() Stats
	Close() error
}

// Stats counts what a Source has read.
type Stats struct {
	Packets uint64 // packets delivered
	Bytes   uint64 // captured bytes of those packets
	Skipped uint64 // packets outside the requested time range
	Cut     uint64 // packets shorter than on the wire (snap length)
	Read    int64  // bytes consumed of the input as stored (compressed where it is)
	Size    int64  // bytes of all inputs as stored, 0 if unknown
	Dropped uint64 // packets lost between the interface and here, live sources only
	Frozen  uint64 // times the queue in the kernel was full, live sources only
}

// Add adds the counts of o, those of another source.
func (s *Stats) Add(o Stats) {
	s.Packets += o.Packets
	s.Bytes += o.Bytes
	s.Skipped += o.Skipped
	s.Cut += o.Cut
	s.Read += o.Read
	s.Size += o.Size
	s.Dropped += o.Dropped
	s.Frozen += o.Frozen
}
