package prefilter

import "github.com/cilium/ebpf/asm"

func (a *assembler) tcp(transport int, held string) {
	plain, data := a.fresh("plain"), a.fresh("data")
	a.owned(transport)
	a.flow(transport, 6, func(dst asm.Register) { a.field(dst, transport+4, asm.Word) })
	a.field(asm.R1, transport+13, asm.Byte)
	a.add(asm.Mov.Reg(asm.R2, asm.R1), asm.And.Imm(asm.R2, 7), asm.JEq.Imm(asm.R2, 0, plain))
	a.add(asm.And.Imm(asm.R1, 2), asm.JEq.Imm(asm.R1, 0, "pass"))
	a.field(asm.R2, transport+4, asm.Word)
	a.add(asm.Add.Imm(asm.R2, 1), asm.StoreMem(regFlow, wayStart, asm.R2, asm.Word))
	a.epoch(asm.R1)
	a.touch(asm.R1, wayAck, wayData)
	a.jump("pass")

	a.at(plain) // R3: length of the header, R4: of the payload
	a.field(asm.R3, transport+12, asm.Byte)
	a.add(asm.RSh.Imm(asm.R3, 4), asm.LSh.Imm(asm.R3, 2), asm.JLT.Imm(asm.R3, tcpSize, "pass"))
	if transport == tcp4At {
		a.field(asm.R4, ipAt+2, asm.Half)
		a.add(asm.Sub.Imm(asm.R4, 20))
	} else {
		a.field(asm.R4, ipAt+4, asm.Half)
	}
	a.add(asm.Sub.Reg(asm.R4, asm.R3), asm.JSLT.Imm(asm.R4, 0, "pass"), asm.JNE.Imm(asm.R4, 0, data))
	fresh := a.fresh("ack")
	a.add(asm.LoadMem(asm.R2, regFlow, wayAck, asm.Word))
	a.epoch(asm.R1)
	a.add(asm.JNE.Reg(asm.R2, asm.R1, fresh))
	a.hold(TCPAck, held)
	a.at(fresh)
	a.touch(asm.R1, wayAck)
	a.jump("pass")

	a.at(data)
	open, window := a.fresh("open"), a.fresh("window")
	a.payload(transport, open)
	a.shaped(open, window)
	a.at(window)
	a.window(transport, held)
	a.at(open)
	a.open(transport)
}

// payload brings the first bytes of the payload to their place on the stack, or jumps
// to short if there are too few to tell. R3 and R4 are the lengths of header and payload.
func (a *assembler) payload(transport int, short string) {
	const bytes = 6
	have := a.fresh("have")
	a.add(
		asm.JLT.Imm(asm.R4, tcpLeast, short),
		asm.Mov.Reg(asm.R1, regLength), asm.Sub.Reg(asm.R1, regShift),
		asm.Mov.Reg(asm.R2, asm.R3), asm.Add.Imm(asm.R2, int32(transport+bytes)), asm.JGT.Reg(asm.R2, asm.R1, short),
	)
	for _, header := range []int{32, tcpSize} { // with timestamps, without options
		other := a.fresh("header")
		a.add(asm.JNE.Imm(asm.R3, int32(header), other))
		a.raw(asm.R1, transport+header, asm.Word)
		a.raw(asm.R2, transport+header+4, asm.Half)
		a.add(asm.StoreMem(asm.RFP, stackPayload, asm.R1, asm.Word), asm.StoreMem(asm.RFP, stackPayload+4, asm.R2, asm.Half))
		a.jump(have)
		a.at(other)
	}
	a.add(
		asm.Mov.Reg(asm.R1, regContext),
		asm.Mov.Reg(asm.R2, regShift), asm.Add.Reg(asm.R2, asm.R3), asm.Add.Imm(asm.R2, int32(transport)),
		asm.Mov.Reg(asm.R3, asm.RFP), asm.Add.Imm(asm.R3, stackPayload), asm.Mov.Imm(asm.R4, bytes),
		a.load.Call(), asm.JNE.Imm(asm.R0, 0, short),
	)
	a.at(have)
}

// shaped jumps to yes if the payload may begin a message, else to no.
func (a *assembler) shaped(yes, no string) {
	at := func(dst asm.Register, i int16) { a.add(asm.LoadMem(dst, asm.RFP, stackPayload+i, asm.Byte)) }
	a.add(asm.LoadMem(asm.R1, asm.RFP, stackPayload, asm.Half), asm.HostTo(asm.BE, asm.R1, asm.Half))
	a.member(uint32(len(bitmap{})), yes)
	old := a.fresh("sslv2")
	at(asm.R1, 0)
	a.add(asm.JLT.Imm(asm.R1, 0x80, no))
	at(asm.R1, 2)
	a.add(asm.JNE.Imm(asm.R1, 1, no))
	at(asm.R1, 3)
	at(asm.R2, 4)
	a.add(asm.JEq.Imm(asm.R1, 0, old), asm.JNE.Imm(asm.R1, 3, no), asm.JGT.Imm(asm.R2, 4, no))
	a.jump(yes)
	a.at(old)
	a.add(asm.JNE.Imm(asm.R2, 2, no))
	a.jump(yes)
}

// window lets a segment pass that lies in the window, or is the first of its epoch.
func (a *assembler) window(transport int, held string) {
	n := int32(a.conf.Window)
	fresh := a.fresh("data")
	a.field(asm.R4, transport+4, asm.Word)
	a.add(
		asm.LoadMem(asm.R5, regFlow, wayStart, asm.Word),
		asm.Mov.Reg32(asm.R1, asm.R4), asm.Sub.Reg32(asm.R1, asm.R5), asm.Mov.Reg32(asm.R3, asm.R1),
		asm.Add.Imm32(asm.R1, n), asm.JLT.Imm(asm.R1, 2*n, "pass"),
		asm.LoadMem(asm.R2, regFlow, wayData, asm.Word),
	)
	a.epoch(asm.R1)
	a.add(asm.JNE.Reg(asm.R2, asm.R1, fresh))
	a.hold(TCPData, held)
	a.at(fresh)
	a.touch(asm.R1, wayData)
	a.add(
		asm.JLT.Imm(asm.R3, 2*n, "pass"), asm.JGT.Imm(asm.R3, 1<<31-1, "pass"),
		asm.Sub.Imm32(asm.R4, 2*n), asm.StoreMem(regFlow, wayStart, asm.R4, asm.Word),
	)
	a.jump("pass")
}

// open moves the window to the segment, unless it repeats an earlier one.
func (a *assembler) open(transport int) {
	keep, move := a.fresh("keep"), a.fresh("move")
	a.field(asm.R4, transport+4, asm.Word)
	a.add(
		asm.LoadMem(asm.R1, regFlow, wayStart, asm.Word), asm.Sub.Reg32(asm.R1, asm.R4),
		asm.JEq.Imm(asm.R1, 0, move), asm.JLE.Imm(asm.R1, behind, keep),
	)
	a.at(move)
	a.add(asm.StoreMem(regFlow, wayStart, asm.R4, asm.Word))
	a.at(keep)
	a.epoch(asm.R1)
	a.touch(asm.R1, wayData)
	a.jump("pass")
}

func (a *assembler) udp(level, transport int, held string) {
	if level == 0 {
		a.tunnel(transport)
	}
	a.owned(transport)
	flow := a.fresh("flow")
	a.telling(transport+udpSize, flow)
	a.at(flow)
	a.flow(transport, 17, func(dst asm.Register) { a.add(asm.Mov.Imm(dst, 0)) })
	fresh, quic := a.fresh("datagram"), a.fresh("quic")
	a.add(asm.LoadMem(asm.R2, regFlow, wayData, asm.Word))
	a.epoch(asm.R1)
	a.add(asm.JNE.Reg(asm.R2, asm.R1, fresh))
	for _, at := range []int{0, 2} {
		a.field(asm.R1, transport+at, asm.Half)
		a.add(asm.JEq.Imm(asm.R1, 443, quic))
	}
	a.hold(UDPData, held)
	a.at(quic)
	a.hold(QUIC, held)
	a.at(fresh)
	a.touch(asm.R1, wayData)
	a.jump("pass")
}

// tunnel goes on with the frame in VXLAN and GENEVE.
func (a *assembler) tunnel(transport int) {
	vxlan, geneve, none := a.fresh("vxlan"), a.fresh("geneve"), a.fresh("untunnelled")
	inside := transport + udpSize
	a.field(asm.R1, transport+2, asm.Half)
	a.field(asm.R2, inside, asm.Byte)
	a.add(asm.JEq.Imm(asm.R1, 4789, vxlan), asm.JEq.Imm(asm.R1, 8472, vxlan), asm.JEq.Imm(asm.R1, 6081, geneve))
	a.jump(none)
	a.at(vxlan)
	a.add(asm.JNE.Imm(asm.R2, 0x08, none), asm.Add.Imm(regShift, int32(inside+8)))
	a.jump("frame1")
	a.at(geneve)
	a.add(asm.Mov.Reg(asm.R1, asm.R2), asm.And.Imm(asm.R1, 0xc0), asm.JNE.Imm(asm.R1, 0, none))
	a.field(asm.R1, inside+2, asm.Half)
	a.add(
		asm.JNE.Imm(asm.R1, 0x6558, none),
		asm.And.Imm(asm.R2, 0x3f), asm.LSh.Imm(asm.R2, 2), asm.Add.Reg(regShift, asm.R2), asm.Add.Imm(regShift, int32(inside+8)),
	)
	a.jump("frame1")
	a.at(none)
}

// telling lets a datagram pass that can matter by its first bytes, else jumps to no.
func (a *assembler) telling(at int, no string) {
	for i, r := range []asm.Register{asm.R1, asm.R2, asm.R3} {
		a.field(r, at+4*i, asm.Word)
	}
	a.shifted(asm.R4, asm.R1, 16)
	a.add(asm.JEq.Imm(asm.R4, 0x16fe, "pass"))
	lower := a.fresh("lower")
	a.shifted(asm.R4, asm.R1, 24)
	a.add(asm.Sub.Imm(asm.R4, 'A'), asm.JGT.Imm(asm.R4, 'Z'-'A', lower))
	a.shifted(asm.R4, asm.R1, 16)
	a.add(asm.And.Imm(asm.R4, 0xff), asm.JEq.Imm(asm.R4, '-', "pass"), asm.Sub.Imm(asm.R4, 'A'), asm.JLE.Imm(asm.R4, 'Z'-'A', "pass"))
	a.at(lower)
	a.quic()
	a.add(asm.Mov.Reg(asm.R5, asm.R1), asm.And.Imm(asm.R5, 0x7840), asm.JNE.Imm(asm.R5, 0, no))
	a.shifted(asm.R5, asm.R2, 16)
	a.add(asm.JNE.Imm(asm.R5, 1, no))
	a.add(asm.Mov.Reg(asm.R5, asm.R2), asm.And.Imm(asm.R5, 0xffff), asm.JGT.Imm(asm.R5, 64, no))
	a.shifted(asm.R5, asm.R3, 16)
	a.add(asm.JGT.Imm(asm.R5, 64, no))
	a.add(asm.Mov.Reg(asm.R5, asm.R3), asm.And.Imm(asm.R5, 0xffff), asm.JGT.Imm(asm.R5, 64, no))
	a.jump("pass")
}

// quic lets QUIC packets with a long header and gQUIC pass. R1 to R3 are the first
// three words of the datagram and stay.
func (a *assembler) quic() {
	long, fixed, none := a.fresh("long"), a.fresh("fixed"), a.fresh("noquic")
	a.add(asm.Mov.Reg32(asm.R4, asm.R1), asm.LSh.Imm32(asm.R4, 8)) // R4: version
	a.shifted(asm.R5, asm.R2, 24)
	a.add(asm.Or.Reg(asm.R4, asm.R5))
	a.shifted(asm.R5, asm.R4, 16)
	a.add(asm.JEq.Imm(asm.R5, 0x5130, "pass"))
	a.shifted(asm.R5, asm.R3, 8)
	a.add(asm.And.Imm(asm.R5, 0xffff), asm.JEq.Imm(asm.R5, 0x5130, "pass"))
	a.shifted(asm.R5, asm.R1, 24)
	a.add(asm.JGE.Imm(asm.R5, 0x80, long))
	a.jump(none)
	a.at(long)
	a.add(
		asm.JEq.Imm(asm.R4, 0, none), asm.JSet.Imm(asm.R5, 0x40, fixed),
		asm.JEq.Imm(asm.R4, 1, "pass"), asm.JEq.Imm(asm.R4, 0x6b3343cf, "pass"),
	)
	a.shifted(asm.R5, asm.R4, 8)
	a.add(asm.JEq.Imm(asm.R5, 0xff0000, "pass"), asm.RSh.Imm(asm.R5, 8), asm.JEq.Imm(asm.R5, 0xface, "pass"))
	a.jump(none)
	a.at(fixed)
	a.shifted(asm.R5, asm.R2, 16)
	a.add(asm.And.Imm(asm.R5, 0xff), asm.JLE.Imm(asm.R5, 20, "pass"))
	a.at(none)
}
