package prefilter

import (
	"fmt"

	"golang.org/x/net/bpf"
)

// Classic is the program for kernels and users that eBPF is closed to. It remembers
// nothing, so it may hold back only what matters by its presence alone, and of that one
// packet in sixteen passes, by chance: acknowledgements without data, and QUIC packets
// of connections that stand. It counts nothing.
func Classic() ([]bpf.RawInstruction, error) {
	var a classic
	a.ethernet()
	raw, err := bpf.Assemble(a.assemble())
	if err != nil {
		return nil, fmt.Errorf("assembling the classic prefilter: %w", err)
	}
	return raw, nil
}

// classic collects instructions whose jumps are resolved at the end.
type classic struct {
	code []bpf.Instruction
	to   map[int]string // of the jump at that place, if its test fails
	at   map[string]int
}

func (c *classic) add(list ...bpf.Instruction) { c.code = append(c.code, list...) }

func (c *classic) label(name string) {
	if c.at == nil {
		c.at = map[string]int{}
	}
	c.at[name] = len(c.code)
}

// unless jumps to a label if the test of A fails.
func (c *classic) unless(cond bpf.JumpTest, v uint32, label string) {
	if c.to == nil {
		c.to = map[int]string{}
	}
	c.to[len(c.code)] = label
	c.add(bpf.JumpIf{Cond: cond, Val: v})
}

func (c *classic) assemble() []bpf.Instruction {
	for i, label := range c.to {
		j, _ := c.code[i].(bpf.JumpIf)
		j.SkipFalse = uint8(c.at[label] - i - 1)
		c.code[i] = j
	}
	return c.code
}

func (c *classic) ethernet() {
	c.add(bpf.LoadAbsolute{Off: etherAt, Size: 2})
	c.unless(bpf.JumpEqual, 0x0800, "six")
	c.add(bpf.LoadAbsolute{Off: ipAt, Size: 1})
	c.unless(bpf.JumpEqual, 0x45, "pass")
	c.add(bpf.LoadAbsolute{Off: ipAt + 6, Size: 2})
	c.unless(bpf.JumpBitsNotSet, 0x3fff, "pass")
	// X is the length of header and payload of the transport.
	c.add(bpf.LoadAbsolute{Off: ipAt + 2, Size: 2}, bpf.ALUOpConstant{Op: bpf.ALUOpSub, Val: 20}, bpf.TAX{})
	c.transports("4", ipAt+9, tcp4At)
	c.label("six")
	c.unless(bpf.JumpEqual, 0x86dd, "pass")
	c.add(bpf.LoadAbsolute{Off: ipAt + 4, Size: 2}, bpf.TAX{})
	c.transports("6", ipAt+6, tcp6At)
	c.label("pass")
	c.add(bpf.RetConstant{Val: socketPass})
}

func (c *classic) transports(version string, protocol, transport uint32) {
	const flags = 7 // FIN, SYN, RST
	udp, pass := "udp"+version, "pass"
	c.add(bpf.LoadAbsolute{Off: protocol, Size: 1})
	c.unless(bpf.JumpEqual, 6, udp)
	c.add(bpf.LoadAbsolute{Off: transport + 13, Size: 1})
	c.unless(bpf.JumpBitsNotSet, flags, pass)
	c.add(bpf.LoadAbsolute{Off: transport + 12, Size: 1}, bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4}, bpf.ALUOpConstant{Op: bpf.ALUOpShiftLeft, Val: 2})
	c.add(bpf.JumpIfX{Cond: bpf.JumpEqual, SkipTrue: 1}, bpf.RetConstant{Val: socketPass})
	c.sample()
	c.label(udp)
	c.unless(bpf.JumpEqual, 17, pass)
	for _, at := range []uint32{0, 2} {
		next := udp + string(rune('a'+at))
		c.add(bpf.LoadAbsolute{Off: transport + at, Size: 2})
		c.unless(bpf.JumpEqual, 443, next)
		c.add(bpf.LoadAbsolute{Off: transport + udpSize, Size: 1}, bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xc0})
		c.unless(bpf.JumpEqual, 0x40, pass)
		c.sample()
		c.label(next)
	}
	c.add(bpf.RetConstant{Val: socketPass})
}

// sample passes one packet in sixteen.
func (c *classic) sample() {
	c.add(
		bpf.LoadExtension{Num: bpf.ExtRand}, bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 15},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 1},
		bpf.RetConstant{Val: socketHold}, bpf.RetConstant{Val: socketPass},
	)
}
