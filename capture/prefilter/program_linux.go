package prefilter

import (
	"encoding/binary"
	"fmt"

	"github.com/cilium/ebpf/asm"
)

// program returns the instructions that decide as Model does.
func program(m *maps, conf Config, xdp bool) asm.Instructions {
	a := &assembler{maps: m, conf: conf, xdp: xdp, load: asm.FnSkbLoadBytes}
	a.add(asm.Mov.Reg(regContext, asm.R1))
	if xdp {
		a.load = asm.FnXdpLoadBytes
		a.add(asm.FnXdpGetBuffLen.Call(), asm.Mov.Reg(regLength, asm.R0))
	} else {
		a.add(asm.LoadMem(regLength, asm.R1, 0, asm.Word)) // __sk_buff.len
	}
	a.add(asm.Mov.Imm(regShift, 0))
	for at := int16(stackHead - 2); at < stackPayload; at += 8 {
		a.add(asm.StoreMem(asm.RFP, at, regShift, asm.DWord)) // 0
	}
	a.frame(0)
	a.frame(1)
	a.end()
	return a.ins
}

// frame decides on a frame, or one inside another.
func (a *assembler) frame(level int) {
	network := fmt.Sprintf("network%d", level)
	a.at(fmt.Sprintf("frame%d", level))
	for tags := range 3 {
		a.copy()
		a.field(asm.R2, etherAt, asm.Half)
		if tags == 2 {
			break
		}
		tag := a.fresh("tag")
		for _, t := range []int32{0x8100, 0x88a8, 0x9100} {
			a.add(asm.JEq.Imm(asm.R2, t, tag))
		}
		a.jump(network)
		a.at(tag)
		a.add(asm.Add.Imm(regShift, 4))
	}
	a.at(network)
	six := a.fresh("six")
	a.add(asm.JEq.Imm(asm.R2, 0x86dd, six), asm.JNE.Imm(asm.R2, 0x0800, "pass"))
	a.ipv4(level)
	a.at(six)
	a.ipv6(level)
}

// copy brings what is looked at to the stack; what is too short passes.
func (a *assembler) copy() {
	part := a.fresh("part")
	a.add(
		asm.JGT.Reg(regShift, regLength, "pass"),
		asm.Mov.Reg(asm.R1, regLength), asm.Sub.Reg(asm.R1, regShift),
		asm.JLT.Imm(asm.R1, least, "pass"),
		asm.Mov.Imm(asm.R4, head), asm.JGT.Imm(asm.R1, head, part), asm.Mov.Reg(asm.R4, asm.R1),
	)
	a.at(part)
	a.add(
		asm.Mov.Reg(asm.R1, regContext), asm.Mov.Reg(asm.R2, regShift),
		asm.Mov.Reg(asm.R3, asm.RFP), asm.Add.Imm(asm.R3, stackHead),
		a.load.Call(), asm.JNE.Imm(asm.R0, 0, "pass"),
	)
}

func (a *assembler) ipv4(level int) {
	a.field(asm.R1, ipAt, asm.Byte)
	a.add(asm.JNE.Imm(asm.R1, 0x45, "pass"))
	a.field(asm.R1, ipAt+2, asm.Half)
	a.add(asm.JEq.Imm(asm.R1, 0, "pass"))
	a.field(asm.R1, ipAt+6, asm.Half)
	a.add(asm.And.Imm(asm.R1, 0x3fff), asm.JNE.Imm(asm.R1, 0, "pass"))
	a.addresses(ipAt+12, 2, asm.Word)
	gre := a.fresh("gre")
	a.transports(level, tcp4At, ipAt+9, gre)
	a.at(gre)
	if level > 0 {
		a.jump("pass")
		return
	}
	const erspan, ahead = 0x100088be, 20 + 8 + 8
	a.add(asm.JNE.Imm(asm.R1, 47, "pass"))
	a.field(asm.R2, tcp4At, asm.Word)
	a.add(asm.JNE.Imm(asm.R2, erspan, "pass"), asm.Add.Imm(regShift, ipAt+ahead))
	a.jump("frame1")
}

func (a *assembler) ipv6(level int) {
	a.add(asm.Mov.Reg(asm.R1, regLength), asm.Sub.Reg(asm.R1, regShift), asm.JLT.Imm(asm.R1, tcp6At+tcpSize, "pass"))
	a.field(asm.R1, ipAt+4, asm.Half)
	a.add(asm.JEq.Imm(asm.R1, 0, "pass"))
	a.addresses(ipAt+8, 4, asm.DWord)
	a.transports(level, tcp6At, ipAt+6, "pass")
}

// addresses begins the hash with n numbers.
func (a *assembler) addresses(at, n int, size asm.Size) {
	a.add(asm.LoadImm(regFlow, int64FromBits(a.conf.Seed), asm.DWord))
	for i := range n {
		a.raw(asm.R2, at+i*size.Sizeof(), size)
		a.hashed()
	}
}

// transports decides by the protocol, which R1 holds where none of them is.
func (a *assembler) transports(level, transport, protocol int, none string) {
	a.field(asm.R1, protocol, asm.Byte)
	tcp, held := a.fresh("tcp"), a.fresh("held")
	a.add(asm.JEq.Imm(asm.R1, 6, tcp), asm.JNE.Imm(asm.R1, 17, none))
	a.udp(level, transport, held)
	a.at(tcp)
	a.tcp(transport, held)
	a.at(held)
	a.vendors(transport)
}

// flow finds the memory of the direction a packet belongs to and sets regFlow to its
// address.
func (a *assembler) flow(transport int, protocol int64, seq func(asm.Register)) {
	known, fresh := a.fresh("known"), a.fresh("new")
	a.raw(asm.R2, transport, asm.Word)
	a.add(asm.LoadImm(asm.R4, protocol<<32, asm.DWord), asm.Or.Reg(asm.R2, asm.R4))
	a.hashed()
	a.add(asm.LoadImm(asm.R3, int64FromBits(mixSecond), asm.DWord), asm.Mul.Reg(regFlow, asm.R3))
	a.folded()
	a.add(asm.Mov.Reg(asm.R2, regFlow), asm.And.Imm(asm.R2, int32(a.conf.Flows/ways-1)), asm.StoreMem(asm.RFP, stackKey, asm.R2, asm.Word))
	a.lookup(a.maps.flows.FD(), stackKey)
	a.add(
		asm.JEq.Imm(asm.R0, 0, "pass"),
		asm.Mov.Reg(asm.R1, regFlow), asm.RSh.Imm(asm.R1, 32), asm.Or.Imm(asm.R1, 1),
		asm.Mov.Reg(regFlow, asm.R0),
		asm.LoadMem(asm.R2, regFlow, wayTag, asm.Word), asm.JEq.Reg(asm.R2, asm.R1, known),
		asm.LoadMem(asm.R2, regFlow, waySize+wayTag, asm.Word), asm.JNE.Reg(asm.R2, asm.R1, fresh),
		asm.Add.Imm(regFlow, waySize),
	)
	a.jump(known)
	a.at(fresh)
	a.add(
		asm.LoadMem(asm.R2, regFlow, 0, asm.DWord), asm.StoreMem(regFlow, waySize, asm.R2, asm.DWord),
		asm.LoadMem(asm.R2, regFlow, 8, asm.DWord), asm.StoreMem(regFlow, waySize+8, asm.R2, asm.DWord),
		asm.StoreMem(regFlow, wayTag, asm.R1, asm.Word),
	)
	seq(asm.R2)
	a.add(asm.Sub.Imm(asm.R2, int32(2*a.conf.Window)), asm.StoreMem(regFlow, wayStart, asm.R2, asm.Word))
	a.epoch(asm.R2)
	a.add(asm.Sub.Imm(asm.R2, 1))
	a.touch(asm.R2, wayAck, wayData)
	a.at(known)
}

// touch stores an epoch in fields of the way.
func (a *assembler) touch(epoch asm.Register, fields ...int16) {
	for _, f := range fields {
		a.add(asm.StoreMem(regFlow, f, epoch, asm.Word))
	}
}

// lookup finds the value of a key on the stack.
func (a *assembler) lookup(fd int, key int32) {
	a.add(asm.LoadMapPtr(asm.R1, fd), asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, key), asm.FnMapLookupElem.Call())
}

// tally adds the packet to the Count that R0 points to.
func (a *assembler) tally() {
	a.add(
		asm.LoadMem(asm.R1, asm.R0, 0, asm.DWord), asm.Add.Imm(asm.R1, 1), asm.StoreMem(asm.R0, 0, asm.R1, asm.DWord),
		asm.LoadMem(asm.R1, asm.R0, 8, asm.DWord), asm.Add.Reg(asm.R1, regLength), asm.StoreMem(asm.R0, 8, asm.R1, asm.DWord),
	)
}

// vendors counts a packet that is held back for the addresses that are watched.
func (a *assembler) vendors(transport int) {
	a.add(asm.LoadMapValue(asm.R1, a.maps.control.FD(), 4), asm.LoadMem(asm.R1, asm.R1, 0, asm.Word), asm.JEq.Imm(asm.R1, 0, "drop"))
	places := []int{ipAt + 16, ipAt + 12}
	if transport == tcp6At {
		places = []int{ipAt + 24, ipAt + 8}
	}
	for _, at := range places {
		next := a.fresh("next")
		if transport == tcp6At {
			for i := range 2 {
				a.raw(asm.R1, at+8*i, asm.DWord)
				a.add(asm.StoreMem(asm.RFP, int16(stackVendor+8*i), asm.R1, asm.DWord))
			}
		} else {
			mapped := binary.NativeEndian.Uint32([]byte{0, 0, 0xff, 0xff})
			a.add(asm.Mov.Imm(asm.R1, 0), asm.StoreMem(asm.RFP, stackVendor, asm.R1, asm.DWord), asm.StoreImm(asm.RFP, stackVendor+8, int64(int32(mapped)), asm.Word))
			a.raw(asm.R1, at, asm.Word)
			a.add(asm.StoreMem(asm.RFP, stackVendor+12, asm.R1, asm.Word))
		}
		a.lookup(a.maps.vendors.FD(), stackVendor)
		a.add(asm.JEq.Imm(asm.R0, 0, next))
		a.tally()
		a.at(next)
	}
	a.jump("drop")
}

// end counts the packet in its class and returns.
func (a *assembler) end() {
	hold, pass := int32(socketHold), int32(socketPass)
	if a.xdp {
		hold, pass = xdpDrop, xdpPass
	}
	for _, e := range []struct {
		label   string
		verdict int32
	}{{"drop", hold}, {"pass", pass}} {
		done := a.fresh("done")
		a.at(e.label)
		if e.label == "pass" {
			a.add(asm.StoreImm(asm.RFP, stackClass, int64(Passed), asm.Word))
		}
		a.lookup(a.maps.counts.FD(), stackClass)
		a.add(asm.JEq.Imm(asm.R0, 0, done))
		a.tally()
		a.at(done)
		a.add(asm.Mov.Imm(asm.R0, e.verdict), asm.Return())
	}
}
