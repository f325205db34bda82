package filter

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/net/bpf"
)

// ReadProgram reads a program as 'tcpdump -ddd' prints it: the number of instructions,
// then one a line as four decimal numbers: code, jumps if true and if false, operand.
// Programs that the kernel would refuse are refused.
func ReadProgram(r io.Reader) (Program, error) {
	const longest = 64 // bytes of a line; four numbers need 25
	lines := bufio.NewScanner(io.LimitReader(r, (maxProgram+2)*longest))
	lines.Buffer(make([]byte, 0, longest), longest)
	n, at := -1, 0
	var p Program
	for lines.Scan() {
		at++
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) == 0:
		case n < 0:
			var err error
			if n, err = count(fields); err != nil {
				return nil, err
			}
		default:
			i, err := instruction(fields)
			if err != nil {
				return nil, fmt.Errorf("filter program, line %d: %w", at, err)
			}
			if p = append(p, i); len(p) > n {
				return nil, fmt.Errorf("filter program: more instructions than the %d of the first line: make it again with 'tcpdump -ddd'", n)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading the filter program, line %d: %w: it must be the output of 'tcpdump -ddd'", at+1, err)
	}
	if len(p) < n || n < 0 {
		return nil, fmt.Errorf("filter program: %d instructions, the first line says %d: it was cut; make it again with 'tcpdump -ddd'", len(p), max(n, 0))
	}
	return p, p.check()
}

// count reads the first line.
func count(fields []string) (int, error) {
	n, err := strconv.Atoi(fields[0])
	if err != nil || len(fields) != 1 {
		return 0, errors.New("filter program: the first line is not a number of instructions: make the file with 'tcpdump -ddd' (three d)")
	}
	if n < 1 || n > maxProgram {
		return 0, fmt.Errorf("filter program: %d instructions, it must have 1 to %d", n, maxProgram)
	}
	return n, nil
}

func instruction(fields []string) (i bpf.RawInstruction, err error) {
	if len(fields) != 4 {
		return i, fmt.Errorf("%d fields, an instruction has four: make the file with 'tcpdump -ddd' (three d)", len(fields))
	}
	var v [4]uint64
	for k, bits := range [4]int{16, 8, 8, 32} {
		if v[k], err = strconv.ParseUint(fields[k], 10, bits); err != nil {
			return i, fmt.Errorf("%q is not a number of %d bits: make the file with 'tcpdump -ddd'", fields[k], bits)
		}
	}
	return bpf.RawInstruction{Op: uint16(v[0]), Jt: uint8(v[1]), Jf: uint8(v[2]), K: uint32(v[3])}, nil
}

// check holds p against the rules of the kernel (bpf_check_classic in Linux
// net/core/filter.c): known operations, jumps forward and inside, scratch cells that
// exist, no division by a constant 0, a return at the end.
func (p Program) check() error {
	if len(p) == 0 || len(p) > maxProgram {
		return fmt.Errorf("filter program: %d instructions, it must have 1 to %d", len(p), maxProgram)
	}
	for n, i := range p {
		if problem := wrong(i, uint64(len(p)-n-1)); problem != "" {
			return fmt.Errorf("filter program, instruction %d (%d %d %d %d): %s: make it with 'tcpdump -ddd' for the same link type", n, i.Op, i.Jt, i.Jf, i.K, problem)
		}
	}
	if last := p[len(p)-1].Op; last != opReturnConst && last != opReturnA {
		return errors.New("filter program: the last instruction is not a return: it was cut; make it again with 'tcpdump -ddd'")
	}
	return nil
}

// wrong says what is wrong with an instruction that left others follow, nothing if
// nothing is.
func wrong(i bpf.RawInstruction, left uint64) string {
	switch {
	case !known(i.Op):
		return "unknown operation"
	case i.Op&7 == 5 && farthest(i) >= left:
		return "jump beyond the end"
	case usesCell(i.Op) && i.K >= cells:
		return "no such scratch cell"
	case (i.Op == 0x34 || i.Op == 0x94) && i.K == 0:
		return "division by 0"
	case (i.Op == 0x64 || i.Op == 0x74) && i.K > 31:
		return "shift by more than 31"
	case readsPacket(i.Op) && i.K >= 1<<31 && !isTag(i):
		return "asks for something that only a live capture knows, and is not a VLAN tag"
	}
	return ""
}

// farthest returns how many instructions a jump skips at most.
func farthest(i bpf.RawInstruction) uint64 {
	if i.Op == opJump {
		return uint64(i.K)
	}
	return uint64(max(i.Jt, i.Jf))
}

// known says whether op is an operation of classic BPF.
func known(op uint16) bool {
	switch op {
	case opLoadWord, opLoadHalf, opLoadByte, opLoadWordX, opLoadHalfX, opLoadByteX,
		opLoadLength, opLoadConst, opLoadCell, opLoadXConst, opLoadXCell, opLoadXLength, opLoadXHeader,
		opStore, opStoreX, opJump, opReturnConst, opReturnA, opAToX, opXToA,
		opIfEqual, opIfGreater, opIfAtLeast, opIfAny,
		opIfEqual | sourceX, opIfGreater | sourceX, opIfAtLeast | sourceX, opIfAny | sourceX:
		return true
	}
	const negate = 0x84
	return op&7 == 4 && op&^uint16(0xf8) == 4 && op>>4 <= 0xa && (op>>4 != 8 || op == negate)
}

func usesCell(op uint16) bool {
	return op == opStore || op == opStoreX || op == opLoadCell || op == opLoadXCell
}

// readsPacket says whether op reads the packet at a place that its operand gives.
func readsPacket(op uint16) bool {
	switch op {
	case opLoadWord, opLoadHalf, opLoadByte, opLoadXHeader:
		return true
	}
	return false
}

func isTag(i bpf.RawInstruction) bool {
	return i.Op != opLoadXHeader && (i.K == ancillaryVLAN || i.K == ancillaryHas || i.K == ancillaryVTPID)
}
