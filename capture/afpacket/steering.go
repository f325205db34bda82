package afpacket

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/net/bpf"
)

// Steering numbers flows: both directions of a TCP or UDP flow get the same number, by
// addresses and ports; fragments and other packets by their addresses. The kernel runs
// Program to choose the ring, the program calls Of on what it finds inside tunnels.
type Steering struct {
	// Seed keeps outsiders from choosing flows of one number.
	Seed uint32
	// Shards is the count of numbers, a power of two. Default 16.
	Shards uint32
}

// Odd constants without pattern (fractions of cube roots, FIPS 180-4 §4.2.2).
const (
	mulAddr  = 0x428a2f99
	mulPort  = 0xb5c0fbcf
	mulFinal = 0xe9b5dba5
)

func (s Steering) mask() uint32 {
	if s.Shards == 0 {
		return 15
	}
	return s.Shards - 1
}

// Of returns the number of the flow between two endpoints, less than Shards. IPv4
// addresses are in their mapped form ::ffff:a.b.c.d.
func (s Steering) Of(src, dst *[16]byte, sport, dport uint16) uint32 {
	h := s.addr(src) + s.addr(dst) + (uint32(sport)+uint32(dport))*mulPort
	h *= mulFinal
	return (h ^ h>>16) & s.mask()
}

func (s Steering) addr(a *[16]byte) uint32 {
	first := 0
	if binary.BigEndian.Uint64(a[:8]) == 0 && binary.BigEndian.Uint32(a[8:]) == 0xffff {
		first = 12
	}
	h := s.Seed
	for i := first; i < 16; i += 4 {
		h = (h ^ binary.BigEndian.Uint32(a[i:])) * mulAddr
		h ^= h >> 15
	}
	return h
}

// Program returns Of for the kernel (PACKET_FANOUT_CBPF). The kernel starts it at the IP
// header, or at a VLAN tag that is left in the packet, where a packet comes in, and at
// the link layer where it goes out.
func (s Steering) Program() ([]bpf.RawInstruction, error) {
	in, out := program{seed: s.Seed, mask: s.mask()}, program{seed: s.Seed, mask: s.mask()}
	in.dispatch(0)
	out.dispatch(networkHeader)
	var p program
	p.add(bpf.LoadExtension{Num: bpf.ExtType})
	p.when(packetOutgoing, out.code)
	p.add(in.code...)
	raw, err := bpf.Assemble(p.code)
	if err != nil {
		return nil, fmt.Errorf("assembling the program that deals packets out: %w", err)
	}
	return raw, nil
}

const (
	// networkHeader is the place of the network header to the kernel, whatever lies
	// before it (linux/filter.h: SKF_NET_OFF).
	networkHeader = 0xfff0_0000
	// packetOutgoing is the type of a packet that goes out (linux/if_packet.h).
	packetOutgoing = 4
)

// program is a list of instructions. Scratch memory: 0 and 2 are temporary, 1 is the sum.
type program struct {
	code       []bpf.Instruction
	seed, mask uint32
}

func (p *program) add(list ...bpf.Instruction) { p.code = append(p.code, list...) }

// dispatch tells IPv4, IPv6 and one VLAN tag apart in what begins at base; all else gets
// number 0.
func (p *program) dispatch(base uint32) {
	v4, v6 := p.branch(base, true), p.branch(base, false)
	tagged4, tagged6 := p.branch(base+4, true), p.branch(base+4, false)
	other := []bpf.Instruction{bpf.RetConstant{Val: 0}}
	// Jumps over one another: each case is the code that follows it.
	p.add(bpf.LoadAbsolute{Off: base, Size: 1}, bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xf0})
	p.when(0x60, v6)
	p.add(bpf.LoadAbsolute{Off: base, Size: 1})
	p.when(0x45, v4)
	p.add(bpf.LoadAbsolute{Off: base + 2, Size: 2})
	p.when(0x0800, tagged4)
	p.when(0x86dd, tagged6)
	p.add(bpf.LoadAbsolute{Off: base, Size: 1}, bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xf0})
	p.when(0x40, v4)
	p.add(other...)
}

// when runs code, which returns, if the accumulator is v.
func (p *program) when(v uint32, code []bpf.Instruction) {
	p.add(bpf.JumpIf{Cond: bpf.JumpEqual, Val: v, SkipTrue: 1}, bpf.Jump{Skip: uint32(len(code))})
	p.add(code...)
}

// branch returns the code for an IP header at base.
func (p *program) branch(base uint32, v4 bool) []bpf.Instruction {
	b := program{seed: p.seed, mask: p.mask}
	if v4 {
		b.sum(base+12, base+16, 4)
		// Fragments but the first have no ports, so none is asked for its.
		b.add(bpf.LoadAbsolute{Off: base + 6, Size: 2},
			bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 0x3fff, SkipTrue: 2 + portsLength},
			bpf.LoadAbsolute{Off: base + 9, Size: 1}, bpf.LoadMemShift{Off: base})
		b.ports(base)
	} else {
		b.sum(base+8, base+24, 16)
		b.add(bpf.LoadAbsolute{Off: base + 6, Size: 1}, bpf.LoadConstant{Dst: bpf.RegX, Val: 40})
		b.ports(base)
	}
	b.add(bpf.LoadScratch{Dst: bpf.RegA, N: 1}, bpf.ALUOpConstant{Op: bpf.ALUOpMul, Val: mulFinal})
	b.fold(16)
	b.add(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: b.mask}, bpf.RetA{})
	return b.code
}

// sum puts the sum of two addresses of n bytes into scratch 1.
func (p *program) sum(src, dst, n uint32) {
	p.hash(src, n)
	p.add(bpf.StoreScratch{Src: bpf.RegA, N: 1})
	p.hash(dst, n)
	p.add(bpf.TAX{}, bpf.LoadScratch{Dst: bpf.RegA, N: 1},
		bpf.ALUOpX{Op: bpf.ALUOpAdd}, bpf.StoreScratch{Src: bpf.RegA, N: 1})
}

// hash leaves the hash of an address in the accumulator.
func (p *program) hash(at, n uint32) {
	p.add(bpf.LoadConstant{Dst: bpf.RegX, Val: p.seed})
	for i := uint32(0); i < n; i += 4 {
		p.add(bpf.LoadAbsolute{Off: at + i, Size: 4}, bpf.ALUOpX{Op: bpf.ALUOpXor},
			bpf.ALUOpConstant{Op: bpf.ALUOpMul, Val: mulAddr})
		p.fold(15)
		p.add(bpf.TAX{})
	}
}

// fold is a ^= a >> bits.
func (p *program) fold(bits uint32) {
	p.add(bpf.StoreScratch{Src: bpf.RegA, N: 0}, bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: bits},
		bpf.TAX{}, bpf.LoadScratch{Dst: bpf.RegA, N: 0}, bpf.ALUOpX{Op: bpf.ALUOpXor})
}

// portsLength is the number of instructions that ports adds.
const portsLength = 13

// ports adds both ports to scratch 1 if the accumulator is TCP or UDP; the header
// behind IP begins X bytes from base.
func (p *program) ports(base uint32) {
	const tcp, udp = 6, 17
	p.add(bpf.JumpIf{Cond: bpf.JumpEqual, Val: tcp, SkipTrue: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: udp, SkipTrue: portsLength - 2},
		bpf.LoadIndirect{Off: base, Size: 2}, bpf.StoreScratch{Src: bpf.RegA, N: 2},
		bpf.LoadIndirect{Off: base + 2, Size: 2}, bpf.TAX{},
		bpf.LoadScratch{Dst: bpf.RegA, N: 2}, bpf.ALUOpX{Op: bpf.ALUOpAdd},
		bpf.ALUOpConstant{Op: bpf.ALUOpMul, Val: mulPort}, bpf.TAX{},
		bpf.LoadScratch{Dst: bpf.RegA, N: 1}, bpf.ALUOpX{Op: bpf.ALUOpAdd}, bpf.StoreScratch{Src: bpf.RegA, N: 1})
}
