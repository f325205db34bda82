package afpacket

import (
	"fmt"

	"github.com/cilium/ebpf/asm"
)

// tunnels goes on with the packet inside, if there is one. regProtocol is what follows
// the IP header at regPlace, regEther the port that a UDP datagram is sent to.
func (d *dealing) tunnels(level int) {
	inner := fmt.Sprintf("network%d", level+1)
	frame, gre, udp := d.fresh("frame"), d.fresh("gre"), d.fresh("udp")
	four, six := d.fresh("four"), d.fresh("six")
	d.add(
		asm.JEq.Imm(regProtocol, 17, udp), asm.JEq.Imm(regProtocol, 47, gre),
		asm.JEq.Imm(regProtocol, 4, four), asm.JEq.Imm(regProtocol, 41, six),
	)
	d.jump("done")
	d.at(four)
	d.add(asm.Mov.Imm(regEther, 0x0800))
	d.jump(inner)
	d.at(six)
	d.add(asm.Mov.Imm(regEther, 0x86dd))
	d.jump(inner)
	d.at(udp)
	d.udp(frame, inner)
	d.at(gre)
	d.gre(frame, inner)
	d.at(frame)
	d.read(12, 2, "done")
	d.field(regEther, 0, asm.Half)
	d.pass(14)
	// the next level follows
}

// udp looks into VXLAN (RFC 7348) and GENEVE (RFC 8926).
func (d *dealing) udp(frame, inner string) {
	const header = 8
	vxlan, geneve := d.fresh("vxlan"), d.fresh("geneve")
	d.add(asm.JEq.Imm(regEther, 4789, vxlan), asm.JEq.Imm(regEther, 8472, vxlan), asm.JEq.Imm(regEther, 6081, geneve))
	d.jump("done")
	d.at(vxlan)
	d.read(header, 1, "done")
	d.field(asm.R1, 0, asm.Byte)
	d.add(asm.And.Imm(asm.R1, 0x08), asm.JEq.Imm(asm.R1, 0, "done"))
	d.pass(header + 8)
	d.jump(frame)
	d.at(geneve)
	d.read(header, 4, "done")
	d.field(asm.R1, 0, asm.Byte)
	d.field(regEther, 2, asm.Half)
	d.add(
		asm.JGT.Imm(asm.R1, 0x3f, "done"), // another version
		asm.LSh.Imm(asm.R1, 2), asm.Add.Reg(regPlace, asm.R1),
	)
	d.pass(header + 8)
	d.add(asm.JEq.Imm(regEther, 0x6558, frame))
	d.jump(inner)
}

// gre looks into GRE (RFC 2784, RFC 2890) and ERSPAN (draft-foschiano-erspan).
func (d *dealing) gre(frame, inner string) {
	const checksum, routing, key, sequence, version = 0x8000, 0x4000, 0x2000, 0x1000, 7
	second, third, plain := d.fresh("erspan2"), d.fresh("erspan3"), d.fresh("plain")
	d.read(0, 4, "done")
	d.field(regProtocol, 0, asm.Half)
	d.field(regEther, 2, asm.Half)
	d.add(asm.JSet.Imm(regProtocol, routing|version, "done"))
	d.pass(4)
	for _, flag := range []int32{checksum, key, sequence} {
		has, not := d.fresh("has"), d.fresh("not")
		d.add(asm.JSet.Imm(regProtocol, flag, has))
		d.jump(not)
		d.at(has)
		d.pass(4)
		d.at(not)
	}
	d.add(asm.JEq.Imm(regEther, 0x6558, frame), asm.JEq.Imm(regEther, 0x88be, second), asm.JEq.Imm(regEther, 0x22eb, third))
	d.jump(inner)
	d.at(second)
	d.add(asm.JSet.Imm(regProtocol, sequence, plain)) // without it is the first version, which has no header
	d.jump(frame)
	d.at(plain)
	d.pass(8)
	d.jump(frame)
	d.at(third)
	d.read(11, 1, "done")
	d.field(asm.R1, 0, asm.Byte)
	d.add(asm.And.Imm(asm.R1, 1), asm.LSh.Imm(asm.R1, 3), asm.Add.Reg(regPlace, asm.R1)) // the optional part
	d.pass(12)
	d.jump(frame)
}
