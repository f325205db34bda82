package prefilter

import (
	"strconv"

	"github.com/cilium/ebpf/asm"
)

// Registers of the program. R0 to R5 are lost at every call.
const (
	regContext = asm.R6
	regLength  = asm.R7 // of the frame on the wire
	regShift   = asm.R8 // place in the frame of what is looked at: tags and tunnels are passed over
	regFlow    = asm.R9 // hash, then address of a way
)

// Stack of the program, as offsets from the frame pointer. What is looked at begins so
// that the network header is aligned to eight bytes, which the verifier asks for.
const (
	stackClass   = -4
	stackKey     = -8
	stackPayload = -16 // the first six bytes of TCP payload
	stackHead    = -118
	stackVendor  = -136 // an address
)

// Fields of a way, as places in its memory.
const (
	wayTag, wayStart, wayAck, wayData = 0, 4, 8, 12
	waySize                           = 16
)

// assembler collects instructions and labels.
type assembler struct {
	maps  *maps
	conf  Config
	xdp   bool
	load  asm.BuiltinFunc // copies from the packet
	ins   asm.Instructions
	label string
	count int
}

func (a *assembler) add(list ...asm.Instruction) {
	for _, i := range list {
		if a.label != "" {
			i = i.WithSymbol(a.label)
			a.label = ""
		}
		a.ins = append(a.ins, i)
	}
}

// at puts a label before the next instruction.
func (a *assembler) at(label string) {
	if a.label != "" {
		a.add(asm.Ja.Label(label))
	}
	a.label = label
}

// fresh returns a label that no other has.
func (a *assembler) fresh(name string) string {
	a.count++
	return name + "." + strconv.Itoa(a.count)
}

func (a *assembler) jump(label string) { a.add(asm.Ja.Label(label)) }

// field loads a number in network byte order of what is looked at.
func (a *assembler) field(dst asm.Register, at int, size asm.Size) {
	a.add(asm.LoadMem(dst, asm.RFP, int16(stackHead+at), size))
	if size != asm.Byte {
		a.add(asm.HostTo(asm.BE, dst, size))
	}
}

// raw loads it as it lies there.
func (a *assembler) raw(dst asm.Register, at int, size asm.Size) {
	a.add(asm.LoadMem(dst, asm.RFP, int16(stackHead+at), size))
}

// shifted sets dst to src moved right.
func (a *assembler) shifted(dst, src asm.Register, bits int32) {
	a.add(asm.Mov.Reg(dst, src), asm.RSh.Imm(dst, bits))
}

// epoch loads the number of the epoch.
func (a *assembler) epoch(dst asm.Register) {
	a.add(asm.LoadMapValue(dst, a.maps.control.FD(), 0), asm.LoadMem(dst, dst, 0, asm.Word))
}

// hashed mixes R2 into the hash.
func (a *assembler) hashed() {
	a.add(asm.Xor.Reg(regFlow, asm.R2), asm.LoadImm(asm.R3, int64FromBits(mixFirst), asm.DWord), asm.Mul.Reg(regFlow, asm.R3))
	a.folded()
}

// folded puts the upper half of the hash over the lower.
func (a *assembler) folded() {
	a.shifted(asm.R2, regFlow, 32)
	a.add(asm.Xor.Reg(regFlow, asm.R2))
}

func int64FromBits(v uint64) int64 { return int64(v) }

// member jumps to yes if the number of 16 bits in R1 is in the bitmap at a place of the rules.
func (a *assembler) member(place uint32, yes string) {
	a.shifted(asm.R2, asm.R1, 3)
	a.add(
		asm.And.Imm(asm.R2, 1<<13-1),
		asm.LoadMapValue(asm.R3, a.maps.rules.FD(), place), asm.Add.Reg(asm.R3, asm.R2),
		asm.LoadMem(asm.R3, asm.R3, 0, asm.Byte),
		asm.And.Imm(asm.R1, 7), asm.RSh.Reg(asm.R3, asm.R1),
		asm.And.Imm(asm.R3, 1), asm.JNE.Imm(asm.R3, 0, yes),
	)
}

// owned lets packets pass whose ports the rules name.
func (a *assembler) owned(transport int) {
	for _, at := range []int{0, 2} {
		a.field(asm.R1, transport+at, asm.Half)
		a.member(0, "pass")
	}
}

// hold gives the packet a class and counts it.
func (a *assembler) hold(c Class, held string) {
	a.add(asm.StoreImm(asm.RFP, stackClass, int64(c), asm.Word))
	a.jump(held)
}
