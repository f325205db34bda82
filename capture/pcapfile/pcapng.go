package pcapfile

import (
	"encoding/binary"
	"fmt"
	"math"

	"telltale/capture"
)

// Block types of pcapng (draft-ietf-opsawg-pcapng §11.1). The first reads the same in
// both byte orders.
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockPacket    = 2 // obsolete
	blockSimple    = 3
	blockEnhanced  = 6
)

const (
	sectionMagic   = 0x1a2b3c4d
	sectionHead    = 28 // bytes of the shortest section header block
	blockOverhead  = 12 // type, length, length again
	blockSlack     = 64 << 10
	maxInterfaces  = 1 << 16
	optionEnd      = 0
	optionTSResol  = 9
	optionTSOffset = 14
)

// face is an interface of a section.
type face struct {
	link  capture.LinkType
	snap  uint32 // 0 is no limit
	clock resolution
}

// sections cuts the blocks of a pcapng file.
type sections struct {
	big   bool   // the section is written in big-endian order
	faces []face // interfaces of the section
	skip  uint32 // bytes left of a block that is passed over
	max   int    // longest packet
	last  int64  // time of the last packet, lent to those that have none
}

// newSections checks the first sectionHead bytes of a file that sniff called kindSection.
func newSections(head []byte, maxPacket int) (*sections, error) {
	s := &sections{max: maxPacket}
	if _, err := s.size(head); err != nil {
		return nil, err
	}
	return s, s.section(head[8:])
}

func (s *sections) format() string { return "pcapng" }

func (s *sections) u16(b []byte) uint16 {
	if s.big {
		return binary.BigEndian.Uint16(b)
	}
	return binary.LittleEndian.Uint16(b)
}

func (s *sections) u32(b []byte) uint32 {
	if s.big {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

// records implements parser.
func (s *sections) records(buf []byte, out []capture.Packet) ([]capture.Packet, int, int, error) {
	pos := 0
	for {
		n := min(int64(s.skip), int64(len(buf)-pos))
		s.skip -= uint32(n)
		pos += int(n)
		rest := buf[pos:]
		if s.skip > 0 || len(rest) == 0 {
			return out, pos, int(min(s.skip, math.MaxInt32)), nil
		}
		if len(rest) < blockOverhead {
			return out, pos, blockOverhead, nil
		}
		size, err := s.size(rest)
		if err != nil {
			return out, pos, 0, err
		}
		if int64(size) > int64(len(rest)) {
			if int64(size) <= int64(s.limit()) {
				return out, pos, int(size), nil
			}
			s.skip = size // size has refused every block of which the content is wanted
			continue
		}
		if again := s.u32(rest[size-4:]); again != size {
			return out, pos, 0, fmt.Errorf("a block gives its length as %d and as %d: the file is damaged here", size, again)
		}
		if out, err = s.block(s.u32(rest), rest[8:size-4], out); err != nil {
			return out, pos, 0, err
		}
		pos += int(size)
	}
}

// limit is the longest block of which the content is wanted.
func (s *sections) limit() int { return s.max + blockSlack }

// size returns the length of the block at the front of b, at least blockOverhead bytes,
// after taking the byte order from it if it begins a section.
func (s *sections) size(b []byte) (uint32, error) {
	kind := s.u32(b)
	least := uint32(blockOverhead)
	if kind == blockSection {
		switch uint32(sectionMagic) {
		case binary.LittleEndian.Uint32(b[8:]):
			s.big = false
		case binary.BigEndian.Uint32(b[8:]):
			s.big = true
		default:
			return 0, fmt.Errorf("a section has the unknown byte order mark % x: the file is damaged here", b[8:12])
		}
		least = sectionHead
	}
	n := s.u32(b[4:])
	if n < least || n%4 != 0 {
		return 0, fmt.Errorf("a block of type %#x has the impossible length %d: the file is damaged here", kind, n)
	}
	switch kind {
	case blockEnhanced, blockSimple, blockPacket, blockSection, blockInterface:
		if uint64(n) > uint64(s.limit()) {
			return 0, tooLong(uint64(n), s.limit())
		}
	}
	return n, nil
}

// block reads one block; blocks of other types say nothing of packets.
func (s *sections) block(kind uint32, body []byte, out []capture.Packet) ([]capture.Packet, error) {
	switch kind {
	case blockEnhanced:
		return s.enhanced(body, out)
	case blockPacket:
		return s.obsolete(body, out)
	case blockSimple:
		return s.simple(body, out)
	case blockInterface:
		return out, s.iface(body)
	case blockSection:
		return out, s.section(body)
	}
	return out, nil
}

func (s *sections) section(body []byte) error {
	if major := s.u16(body[4:]); major != 1 {
		return fmt.Errorf("pcapng version %d.%d, only 1.x is known: convert it first with editcap -F pcap", major, s.u16(body[6:]))
	}
	s.faces = s.faces[:0]
	return nil
}

// iface reads an interface description block (draft §4.2).
func (s *sections) iface(body []byte) error {
	if len(body) < 8 {
		return short("an interface description")
	}
	if len(s.faces) >= maxInterfaces {
		return fmt.Errorf("more than %d interfaces in a section: the file is damaged here", maxInterfaces)
	}
	resol, offset := byte(6), int64(0)
	for opt := body[8:]; len(opt) >= 4; {
		code, n := s.u16(opt), int(s.u16(opt[2:]))
		if code == optionEnd || n > len(opt)-4 {
			break
		}
		switch value := opt[4 : 4+n]; {
		case code == optionTSResol && n >= 1:
			resol = value[0]
		case code == optionTSOffset && n >= 8:
			offset = s.signed(value)
		}
		opt = opt[min(4+(n+3)&^3, len(opt)):]
	}
	s.faces = append(s.faces, face{
		link:  capture.LinkType(s.u16(body)),
		snap:  s.u32(body[4:]),
		clock: newResolution(resol, offset),
	})
	return nil
}

func (s *sections) signed(b []byte) int64 {
	if s.big {
		return int64(binary.BigEndian.Uint64(b))
	}
	return int64(binary.LittleEndian.Uint64(b))
}

func short(what string) error {
	return fmt.Errorf("%s block is too short for what it says: the file is damaged here", what)
}
