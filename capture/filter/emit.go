package filter

import "golang.org/x/net/bpf"

// label is a place in a program that is not made yet.
type label int

// line is an instruction whose jumps go to labels.
type line struct {
	op      uint16
	k       uint32
	yes, no label // of a conditional jump
	jump    bool
	always  bool // an unconditional jump to yes
}

// emitter collects the lines of a program.
type emitter struct {
	lines []line
	place []int // of each label, in lines
}

func (e *emitter) newLabel() label {
	e.place = append(e.place, -1)
	return label(len(e.place) - 1)
}

// here puts l before the next line.
func (e *emitter) here(l label) { e.place[l] = len(e.lines) }

func (e *emitter) do(op uint16, k uint32) { e.lines = append(e.lines, line{op: op, k: k}) }

// test jumps to yes if the accumulator compares with k as op says, else to no.
func (e *emitter) test(op uint16, k uint32, yes, no label) {
	e.lines = append(e.lines, line{op: op, k: k, yes: yes, no: no, jump: true})
}

func (e *emitter) jump(to label) {
	e.lines = append(e.lines, line{op: opJump, yes: to, always: true})
}

// reach says which jumps of a line go by way of an unconditional one, which reaches
// farther than the 255 instructions of a conditional one.
type reach struct{ yes, no bool }

// assemble resolves the labels.
func (e *emitter) assemble() []bpf.RawInstruction {
	far := make([]reach, len(e.lines))
	for {
		if out, ok := e.layout(far); ok {
			return out
		}
	}
}

// layout makes the instructions. It marks in far the jumps that turn out to be too
// long, and is not ok then.
func (e *emitter) layout(far []reach) (out []bpf.RawInstruction, ok bool) {
	at := make([]int, len(e.lines)+1)
	for i := range e.lines {
		at[i+1] = at[i] + 1 + one(far[i].yes) + one(far[i].no)
	}
	to := func(l label, from int) int { return at[e.place[l]] - from - 1 }
	ok = true
	for i, l := range e.lines {
		switch {
		case l.always:
			out = append(out, bpf.RawInstruction{Op: l.op, K: uint32(to(l.yes, at[i]))})
			continue
		case !l.jump:
			out = append(out, bpf.RawInstruction{Op: l.op, K: l.k})
			continue
		}
		yes, no := to(l.yes, at[i]), to(l.no, at[i])
		if far[i].yes {
			yes = 0
		}
		if far[i].no {
			no = one(far[i].yes)
		}
		if yes > 255 || no > 255 {
			far[i] = reach{far[i].yes || yes > 255, far[i].no || no > 255}
			ok = false
		}
		out = append(out, bpf.RawInstruction{Op: l.op, Jt: uint8(yes), Jf: uint8(no), K: l.k})
		for _, j := range []struct {
			far bool
			to  label
		}{{far[i].yes, l.yes}, {far[i].no, l.no}} {
			if j.far {
				out = append(out, bpf.RawInstruction{Op: opJump, K: uint32(to(j.to, len(out)))})
			}
		}
	}
	return out, ok
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
