package afpacket

import (
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// The program that deals packets out by the innermost addresses: Steering.Of for the
// kernel (PACKET_FANOUT_EBPF), which sees into VXLAN, GENEVE, GRE, ERSPAN and IP in IP,
// two deep. What it cannot read it numbers by what it could.

// encapsulations is how many are looked into.
const encapsulations = 2

// Registers and stack of the program. R0 to R5 are lost at every call.
const (
	regPacket   = asm.R6
	regProtocol = asm.R7 // of what follows the IP header
	regPlace    = asm.R8 // of what is looked at, from the network header on
	regEther    = asm.R9 // EtherType of what begins there

	stackNumber = -4 // what is returned
	stackSum    = -8
	stackRead   = -48
)

// dealing collects instructions and labels.
type dealing struct {
	Steering
	ins   asm.Instructions
	label string
	count int
}

// newDealing loads the program.
func newDealing(s Steering) (*ebpf.Program, error) {
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "tt_dealing", Type: ebpf.SocketFilter, License: "Apache-2.0", Instructions: s.dealing(),
	})
	if err != nil {
		return nil, fmt.Errorf("loading the program that deals packets out: %w", err)
	}
	return p, nil
}

func (s Steering) dealing() asm.Instructions {
	const protocol = 16 // in struct __sk_buff (linux/bpf.h)
	d := &dealing{Steering: s}
	d.add(
		asm.Mov.Reg(regPacket, asm.R1), asm.LoadMem(regEther, asm.R1, protocol, asm.Word), asm.HostTo(asm.BE, regEther, asm.Half),
		asm.Mov.Imm(regPlace, 0), asm.StoreImm(asm.RFP, stackNumber, 0, asm.Word),
	)
	for level := range encapsulations + 1 {
		d.network(level)
	}
	d.at("done")
	d.add(asm.LoadMem(asm.R0, asm.RFP, stackNumber, asm.Word), asm.Return())
	return d.ins
}

func (d *dealing) add(list ...asm.Instruction) {
	for _, i := range list {
		if d.label != "" {
			i = i.WithSymbol(d.label)
			d.label = ""
		}
		d.ins = append(d.ins, i)
	}
}

// at puts a label before the next instruction.
func (d *dealing) at(label string) {
	if d.label != "" {
		d.jump(label)
	}
	d.label = label
}

func (d *dealing) jump(label string) { d.add(asm.Ja.Label(label)) }

// fresh returns a label that no other has.
func (d *dealing) fresh(name string) string {
	d.count++
	return fmt.Sprintf("%s.%d", name, d.count)
}

// read copies n bytes, which begin at bytes behind regPlace, to the stack, or jumps to
// short.
func (d *dealing) read(at, n int32, short string) {
	const fromNetwork = 1 // BPF_HDR_START_NET
	d.add(
		asm.Mov.Reg(asm.R1, regPacket), asm.Mov.Reg(asm.R2, regPlace), asm.Add.Imm(asm.R2, at),
		asm.Mov.Reg(asm.R3, asm.RFP), asm.Add.Imm(asm.R3, stackRead), asm.Mov.Imm(asm.R4, n), asm.Mov.Imm(asm.R5, fromNetwork),
		asm.FnSkbLoadBytesRelative.Call(), asm.JNE.Imm(asm.R0, 0, short),
	)
}

// field loads a number in network byte order of what was read.
func (d *dealing) field(dst asm.Register, at int, size asm.Size) {
	d.add(asm.LoadMem(dst, asm.RFP, int16(stackRead+at), size))
	if size != asm.Byte {
		d.add(asm.HostTo(asm.BE, dst, size))
	}
}

// pass moves on by n bytes.
func (d *dealing) pass(n int32) { d.add(asm.Add.Imm(regPlace, n)) }

// network numbers the packet by what begins at regPlace.
func (d *dealing) network(level int) {
	d.at(fmt.Sprintf("network%d", level))
	ip, six, transport := d.fresh("ip"), d.fresh("six"), d.fresh("transport")
	for range 2 {
		tag := d.fresh("tag")
		for _, t := range []int32{0x8100, 0x88a8, 0x9100} {
			d.add(asm.JEq.Imm(regEther, t, tag))
		}
		d.jump(ip)
		d.at(tag)
		d.read(2, 2, "done")
		d.field(regEther, 0, asm.Half)
		d.pass(4)
	}
	d.at(ip)
	d.add(asm.JEq.Imm(regEther, 0x86dd, six), asm.JNE.Imm(regEther, 0x0800, "done"))
	d.ipv4(transport)
	d.at(six)
	d.read(0, 40, "done")
	d.addresses(8, 24, 16)
	d.field(regProtocol, 6, asm.Byte)
	d.pass(40)
	d.at(transport)
	d.transport(level)
}

// ipv4 reads an IPv4 header and goes on at transport, a fragment at done.
func (d *dealing) ipv4(transport string) {
	whole := d.fresh("whole")
	d.read(0, 20, "done")
	d.addresses(12, 16, 4)
	d.field(regProtocol, 9, asm.Byte)
	d.field(asm.R1, 0, asm.Byte)
	d.add(asm.And.Imm(asm.R1, 15), asm.LSh.Imm(asm.R1, 2), asm.Add.Reg(regPlace, asm.R1))
	d.field(asm.R1, 6, asm.Half)
	d.add(asm.And.Imm(asm.R1, 0x3fff), asm.JEq.Imm(asm.R1, 0, whole))
	d.number()
	d.jump("done")
	d.at(whole)
	d.jump(transport)
}

// addresses begins the sum with two addresses of n bytes of what was read.
func (d *dealing) addresses(src, dst, n int) {
	d.add(asm.Mov.Imm(asm.R3, 0))
	for _, at := range []int{src, dst} {
		d.add(asm.Mov.Imm32(asm.R1, int32(d.Seed)))
		for i := 0; i < n; i += 4 {
			d.field(asm.R2, at+i, asm.Word)
			d.add(asm.Xor.Reg32(asm.R1, asm.R2), asm.Mul.Imm32(asm.R1, mulAddr))
			d.fold(15)
		}
		d.add(asm.Add.Reg32(asm.R3, asm.R1))
	}
	d.add(asm.StoreMem(asm.RFP, stackSum, asm.R3, asm.Word))
}

// fold is R1 ^= R1 >> bits.
func (d *dealing) fold(bits int32) {
	d.add(asm.Mov.Reg32(asm.R2, asm.R1), asm.RSh.Imm32(asm.R2, bits), asm.Xor.Reg32(asm.R1, asm.R2))
}

// number makes the sum the number of the packet.
func (d *dealing) number() {
	mul := uint32(mulFinal)
	d.add(asm.LoadMem(asm.R1, asm.RFP, stackSum, asm.Word), asm.Mul.Imm32(asm.R1, int32(mul)))
	d.fold(16)
	d.add(asm.And.Imm32(asm.R1, int32(d.mask())), asm.StoreMem(asm.RFP, stackNumber, asm.R1, asm.Word))
}

// transport adds the ports and goes on with what is inside.
func (d *dealing) transport(level int) {
	ports, portless, none := d.fresh("ports"), d.fresh("portless"), d.fresh("numbered")
	d.add(asm.JEq.Imm(regProtocol, 6, ports), asm.JNE.Imm(regProtocol, 17, portless))
	d.at(ports)
	d.read(0, 4, portless)
	d.field(asm.R1, 0, asm.Half)
	d.field(asm.R2, 2, asm.Half)
	mul := uint32(mulPort)
	d.add(
		asm.Mov.Reg(regEther, asm.R2), // the port of a tunnel
		asm.Add.Reg32(asm.R1, asm.R2), asm.Mul.Imm32(asm.R1, int32(mul)),
		asm.LoadMem(asm.R2, asm.RFP, stackSum, asm.Word), asm.Add.Reg32(asm.R1, asm.R2), asm.StoreMem(asm.RFP, stackSum, asm.R1, asm.Word),
	)
	d.number()
	d.jump(none)
	d.at(portless)
	d.add(asm.Mov.Imm(regEther, 0))
	d.number()
	d.at(none)
	if level == encapsulations {
		return // done follows
	}
	d.tunnels(level)
}
