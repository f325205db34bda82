package filter

import (
	"encoding/binary"

	"golang.org/x/net/bpf"
)

// Program is a classic BPF program that check has passed.
type Program []bpf.RawInstruction

// Match runs the program on a packet: data is what was captured, wire its length on
// the wire in bytes, tag the VLAN identifier that the kernel took out, 0 if none. A
// program that reads beyond data ends and the packet does not match, as in the kernel
// and in libpcap. Match does not allocate.
func (p Program) Match(data []byte, wire uint32, tag uint16) bool {
	m := machine{data: data, wire: wire, tag: uint32(tag)}
	for pc := 0; pc < len(p); pc++ {
		i := &p[pc]
		switch i.Op & 7 {
		case 0, 1:
			if !m.load(i) {
				return false
			}
		case 2:
			m.cells[i.K%cells] = m.a
		case 3:
			m.cells[i.K%cells] = m.x
		case 4:
			if !m.arithmetic(i) {
				return false
			}
		case 5:
			pc += m.jump(i)
		case 6:
			return i.K != 0 && i.Op == opReturnConst || m.a != 0 && i.Op == opReturnA
		default:
			if i.Op == opAToX {
				m.x = m.a
			} else {
				m.a = m.x
			}
		}
	}
	return false
}

// machine is the state of a running program.
type machine struct {
	data  []byte
	wire  uint32
	tag   uint32
	a, x  uint32
	cells [cells]uint32
}

// load reads A or X; false if the place is outside the packet.
func (m *machine) load(i *bpf.RawInstruction) bool {
	v, ok := uint32(0), true
	switch i.Op & 0xe0 {
	case 0x00:
		v = i.K
	case 0x20:
		if i.K < ancillary {
			v, ok = m.packet(i.Op, uint64(i.K))
		} else {
			v = m.beside(i.K)
		}
	case 0x40:
		v, ok = m.packet(i.Op, uint64(m.x)+uint64(i.K))
	case 0x60:
		v = m.cells[i.K%cells]
	case 0x80:
		v = m.wire
	case 0xa0: // 4 * (byte & 15)
		v, ok = m.packet(opLoadByte, uint64(i.K))
		v = v & 15 * 4
	}
	if i.Op&7 == 1 {
		m.x = v
	} else {
		m.a = v
	}
	return ok
}

// beside returns what the kernel knows of the tag it took out.
func (m *machine) beside(what uint32) uint32 {
	switch {
	case m.tag == 0:
		return 0
	case what == ancillaryVLAN:
		return m.tag
	case what == ancillaryHas:
		return 1
	}
	return etherVLAN
}

// packet reads 4, 2 or 1 bytes at a place, as the size in op says.
func (m *machine) packet(op uint16, at uint64) (uint32, bool) {
	n := uint64(len(m.data))
	switch op & 0x18 {
	case 0x00:
		if at+4 > n {
			return 0, false
		}
		return binary.BigEndian.Uint32(m.data[at:]), true
	case 0x08:
		if at+2 > n {
			return 0, false
		}
		return uint32(binary.BigEndian.Uint16(m.data[at:])), true
	}
	if at >= n {
		return 0, false
	}
	return uint32(m.data[at]), true
}

// arithmetic changes A; false if it divides by 0.
func (m *machine) arithmetic(i *bpf.RawInstruction) bool {
	v := i.K
	if i.Op&sourceX != 0 {
		v = m.x
	}
	switch i.Op & 0xf0 {
	case 0x00:
		m.a += v
	case 0x10:
		m.a -= v
	case 0x20:
		m.a *= v
	case 0x30, 0x90:
		if v == 0 {
			return false
		}
		if i.Op&0xf0 == 0x30 {
			m.a /= v
		} else {
			m.a %= v
		}
	case 0x40:
		m.a |= v
	case 0x50:
		m.a &= v
	case 0x60:
		m.a <<= v & 31
	case 0x70:
		m.a >>= v & 31
	case 0x80:
		m.a = -m.a
	case 0xa0:
		m.a ^= v
	}
	return true
}

// jump returns how many instructions are skipped.
func (m *machine) jump(i *bpf.RawInstruction) int {
	v, yes := i.K, false
	if i.Op&sourceX != 0 {
		v = m.x
	}
	switch i.Op & 0xf0 {
	case 0x00:
		return int(i.K)
	case 0x10:
		yes = m.a == v
	case 0x20:
		yes = m.a > v
	case 0x30:
		yes = m.a >= v
	case 0x40:
		yes = m.a&v != 0
	}
	if yes {
		return int(i.Jt)
	}
	return int(i.Jf)
}
