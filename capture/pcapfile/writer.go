package pcapfile

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"telltale/capture"
)

// Writer writes packets of one link type as a classic pcap file, version 2.4 in
// little-endian order (draft-ietf-opsawg-pcap §4 and §5).
type Writer struct {
	w    io.Writer
	link capture.LinkType
	unit int64 // nanoseconds of a step of the sub-second field
	head [recordHeader]byte
}

// NewWriter writes the file header to w, which should be buffered, and returns a
// Writer for packets of type link. Times are kept to the nanosecond if nano, else cut
// to the microsecond.
func NewWriter(w io.Writer, link capture.LinkType, nano bool) (*Writer, error) {
	if link > classicLinkMask {
		return nil, fmt.Errorf("writing a capture: link type %d does not fit the format, the largest is %d", link, classicLinkMask)
	}
	out := &Writer{w: w, link: link, unit: 1000}
	magic := uint32(magicMicro)
	if nano {
		out.unit, magic = 1, magicNano
	}
	var h [classicHeader]byte
	le := binary.LittleEndian
	le.PutUint32(h[0:], magic)
	le.PutUint16(h[4:], classicMajor)
	le.PutUint16(h[6:], classicMinor)
	le.PutUint32(h[16:], DefaultMaxPacket)
	le.PutUint32(h[20:], uint32(link))
	if _, err := w.Write(h[:]); err != nil {
		return nil, fmt.Errorf("writing a capture header: %w", err)
	}
	return out, nil
}

// Write appends p. A packet of another link type, longer than DefaultMaxPacket or of a
// time the format cannot hold (before 1970 or from 2106-02-07 on) is refused and
// nothing is written.
func (w *Writer) Write(p *capture.Packet) error {
	switch {
	case p.Link != w.link:
		return fmt.Errorf("writing a packet: its link type is %v, the file's is %v: use a file for each", p.Link, w.link)
	case len(p.Data) > DefaultMaxPacket:
		return fmt.Errorf("writing a packet: %d bytes exceed the limit of %d", len(p.Data), DefaultMaxPacket)
	case p.Time < 0 || p.Time/second > math.MaxUint32:
		return fmt.Errorf("writing a packet: its time, %d s since 1970, does not fit the format", p.Time/second)
	}
	le := binary.LittleEndian
	le.PutUint32(w.head[0:], uint32(p.Time/second))
	le.PutUint32(w.head[4:], uint32(p.Time%second/w.unit))
	le.PutUint32(w.head[8:], uint32(len(p.Data)))
	le.PutUint32(w.head[12:], max(p.Length, uint32(len(p.Data))))
	if _, err := w.w.Write(w.head[:]); err != nil {
		return fmt.Errorf("writing a packet header: %w", err)
	}
	if _, err := w.w.Write(p.Data); err != nil {
		return fmt.Errorf("writing a packet: %w", err)
	}
	return nil
}
