package prefilter

import (
	"encoding/binary"
	"time"
)

// Layout of a frame as the decision sees it: places count from the frame's first byte
// once tags are passed over.
const (
	least    = 54 // bytes below which a frame passes: Ethernet, IPv4, TCP
	head     = 96 // bytes looked at
	etherAt  = 12
	ipAt     = 14
	tcp4At   = ipAt + 20
	tcp6At   = ipAt + 40
	tcpSize  = 20
	udpSize  = 8
	udpLeast = 12 // bytes of payload below which a datagram passes
	tcpLeast = 12 // and a segment
)

// Epoch is the time in which one packet of each kind passes for each direction of a
// flow, so that a flow is seen to live.
const Epoch = 10 * time.Second

// epochOf returns the number of the epoch of a packet time.
func epochOf(now int64) uint32 { return uint32(now / int64(Epoch)) }

// Model decides as the program in the kernel does, in Go.
type Model struct {
	conf  Config
	table *table
	epoch uint32
}

// NewModel returns a Model. A conf that Validate refuses is replaced by the defaults.
func NewModel(conf Config) *Model {
	if conf.Validate() != nil {
		conf = Config{}
	}
	conf = conf.withDefaults()
	return &Model{conf: conf, table: newTable(conf.Flows)}
}

// Decide returns the class of an Ethernet frame captured at a time in nanoseconds.
func (m *Model) Decide(frame []byte, now int64) Class {
	m.epoch = epochOf(now)
	return m.frame(frame, false)
}

// frame decides on a frame, or one inside another.
func (m *Model) frame(b []byte, inner bool) Class {
	for range 2 {
		if len(b) < least {
			return Passed
		}
		if !isTag(binary.BigEndian.Uint16(b[etherAt:])) {
			break
		}
		b = b[4:] // what is passed over is the addresses, which decide nothing
	}
	if len(b) < least {
		return Passed
	}
	switch binary.BigEndian.Uint16(b[etherAt:]) {
	case 0x0800:
		return m.ipv4(b, inner)
	case 0x86dd:
		return m.ipv6(b, inner)
	}
	return Passed
}

func isTag(t uint16) bool { return t == 0x8100 || t == 0x88a8 || t == 0x9100 }

// packet is an IP packet that carries TCP or UDP.
type packet struct {
	frame     []byte
	transport int    // place of its header
	room      int    // bytes of header and payload by the IP length
	hash      uint64 // of the addresses
	inner     bool
}

func (m *Model) ipv4(b []byte, inner bool) Class {
	total := int(binary.BigEndian.Uint16(b[ipAt+2:]))
	fragment := binary.BigEndian.Uint16(b[ipAt+6:])&0x3fff != 0
	if b[ipAt] != 0x45 || total == 0 || fragment {
		return Passed
	}
	p := packet{b, tcp4At, total - 20, words(m.conf.Seed, b[ipAt+12:ipAt+20], 4), inner}
	switch b[ipAt+9] {
	case 6:
		return m.tcp(p)
	case 17:
		return m.udp(p)
	case 47:
		// GRE with sequence number around ERSPAN type II: a mirrored frame.
		const erspan, ahead = 0x100088be, 20 + 8 + 8
		if !inner && binary.BigEndian.Uint32(b[tcp4At:]) == erspan {
			return m.inside(b, ipAt+ahead)
		}
	}
	return Passed
}

func (m *Model) ipv6(b []byte, inner bool) Class {
	room := int(binary.BigEndian.Uint16(b[ipAt+4:]))
	if room == 0 || len(b) < tcp6At+tcpSize {
		return Passed
	}
	p := packet{b, tcp6At, room, words(m.conf.Seed, b[ipAt+8:ipAt+40], 8), inner}
	switch b[ipAt+6] {
	case 6:
		return m.tcp(p)
	case 17:
		return m.udp(p)
	}
	return Passed
}

// inside decides on the frame at a place of b.
func (m *Model) inside(b []byte, at int) Class {
	if at > len(b) {
		return Passed
	}
	return m.frame(b[at:], true)
}

// flow finds the memory of the direction p belongs to; a new one has epochs that are
// over and a window that is closed.
func (m *Model) flow(p packet, protocol uint64, seq uint32) *way {
	ports := binary.NativeEndian.Uint32(p.frame[p.transport:])
	hash := finish(mix(p.hash, uint64(ports)|protocol<<32))
	w, known := m.table.find(hash)
	if !known {
		w.start, w.ack, w.data = seq-2*m.conf.Window, m.epoch-1, m.epoch-1
	}
	return w
}

// owned says whether packets between these ports always pass.
func (m *Model) owned(h []byte) bool {
	r := m.conf.Rules
	return r.ports.has(binary.BigEndian.Uint16(h)) || r.ports.has(binary.BigEndian.Uint16(h[2:]))
}
