package pcapfile

import (
	"fmt"

	"telltale/capture"
)

// Bytes before the packet data in the bodies of packet blocks.
const (
	enhancedHeader = 20
	simpleHeader   = 4
)

// enhanced reads an enhanced packet block (draft-ietf-opsawg-pcapng §4.3).
func (s *sections) enhanced(body []byte, out []capture.Packet) ([]capture.Packet, error) {
	if len(body) < enhancedHeader {
		return out, short("a packet")
	}
	return s.packet(s.u32(body), body, out)
}

// obsolete reads a packet block (draft-ietf-opsawg-pcapng §B.1), which differs from
// the enhanced one by a drop counter in the place of half the interface number.
func (s *sections) obsolete(body []byte, out []capture.Packet) ([]capture.Packet, error) {
	if len(body) < enhancedHeader {
		return out, short("a packet")
	}
	return s.packet(uint32(s.u16(body)), body, out)
}

// packet reads what the enhanced and the obsolete packet block have in common.
func (s *sections) packet(id uint32, body []byte, out []capture.Packet) ([]capture.Packet, error) {
	if uint64(id) >= uint64(len(s.faces)) {
		return out, unknownInterface(id)
	}
	f := &s.faces[id]
	caplen := s.u32(body[12:])
	if uint64(caplen) > uint64(len(body)-enhancedHeader) {
		return out, short("a packet")
	}
	if uint64(caplen) > uint64(s.max) {
		return out, tooLong(uint64(caplen), s.max)
	}
	end := enhancedHeader + int(caplen)
	s.last = f.clock.nanoseconds(uint64(s.u32(body[4:]))<<32 | uint64(s.u32(body[8:])))
	return append(out, capture.Packet{
		Data:   body[enhancedHeader:end:end],
		Time:   s.last,
		Length: max(s.u32(body[16:]), caplen),
		Link:   f.link,
	}), nil
}

// simple reads a simple packet block (draft-ietf-opsawg-pcapng §4.4). It has no time;
// it gets the time of the packet before it.
func (s *sections) simple(body []byte, out []capture.Packet) ([]capture.Packet, error) {
	if len(body) < simpleHeader {
		return out, short("a simple packet")
	}
	if len(s.faces) == 0 {
		return out, unknownInterface(0)
	}
	f := &s.faces[0]
	length := s.u32(body)
	caplen := length
	if f.snap > 0 {
		caplen = min(caplen, f.snap)
	}
	caplen = min(caplen, uint32(len(body)-simpleHeader))
	if uint64(caplen) > uint64(s.max) {
		return out, tooLong(uint64(caplen), s.max)
	}
	end := simpleHeader + int(caplen)
	return append(out, capture.Packet{
		Data:   body[simpleHeader:end:end],
		Time:   s.last,
		Length: length,
		Link:   f.link,
	}), nil
}

func unknownInterface(id uint32) error {
	return fmt.Errorf("a packet names interface %d, which the section does not describe: the file is damaged here", id)
}
