package geo

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// space is the part of the numbers a set of segments covers without gaps.
type space struct {
	name string
	base key
	size key // number of addresses
}

// The two halves of a table. All IPv6 addresses in use are in 2000::/3 (RFC 4291 §2.4,
// IANA IPv6 address space registry); what is outside has no country.
var (
	space4 = space{"IPv4", key{0, 0}, key{0, 1 << 32}}
	space6 = space{"IPv6", key{0x2000 << 48, 0}, key{1 << 61, 0}}
)

// last returns the last address of the space.
func (s space) last() key {
	end, _ := s.base.plus(s.size)
	return end.minus(one)
}

func (s space) contains(k key) bool {
	return k.minus(s.base).less(s.size)
}

// segments cover a space: segment i begins at starts[i], ends before starts[i+1], and
// has the palette index values[i], 0 where nothing is known.
type segments struct {
	starts []key
	values []uint32
}

// maxSegments bounds one half of a table.
const maxSegments = 4 << 20

// maxVarint is the length of the longest number in a table.
const maxVarint = 19

var errTruncated = errors.New("the table is cut short")

// planes is how many bytes a palette index takes.
const planes = 3

// appendSegments writes s as columns behind their count: the number of low zero bits of
// each length, the rest of the lengths, the low, middle and high bytes of the values.
// The last segment ends with the space and has no length.
func appendSegments(b []byte, s segments) []byte {
	b = binary.AppendUvarint(b, uint64(len(s.starts)))
	for i := 1; i < len(s.starts); i++ {
		b = append(b, byte(s.starts[i].minus(s.starts[i-1]).trailingZeros()))
	}
	for i := 1; i < len(s.starts); i++ {
		n := s.starts[i].minus(s.starts[i-1])
		b = appendNumber(b, n.shiftRight(n.trailingZeros()))
	}
	for plane := range planes {
		for _, v := range s.values {
			b = append(b, byte(v>>(8*plane)))
		}
	}
	return b
}

// parseSegments reads what appendSegments wrote, and converts the starts on the way.
// Values are below palette.
func parseSegments[K any](b []byte, in space, palette int, convert func(key) K) (starts []K, values []uint32, err error) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n == 0 || n > maxSegments || n > uint64(len(b)) {
		return nil, nil, fmt.Errorf("%s ranges: bad count", in.name)
	}
	b = b[used:]
	if uint64(len(b)) < n-1 {
		return nil, nil, fmt.Errorf("%s ranges: %w", in.name, errTruncated)
	}
	starts, b, err = parseStarts(b[n-1:], b[:n-1], in, convert)
	if err != nil {
		return nil, nil, fmt.Errorf("%s ranges: %w", in.name, err)
	}
	values, err = parseValues(b, int(n), palette)
	if err != nil {
		return nil, nil, fmt.Errorf("%s ranges: %w", in.name, err)
	}
	return starts, values, nil
}

// parseStarts adds up the lengths. All starts lie in the space, in strict order.
func parseStarts[K any](b, shifts []byte, in space, convert func(key) K) (starts []K, rest []byte, err error) {
	starts = make([]K, 1, len(shifts)+1)
	starts[0] = convert(in.base)
	at, end := in.base, in.last()
	for _, shift := range shifts {
		n, used := readNumber(b)
		if used == 0 {
			return nil, nil, errTruncated
		}
		b = b[used:]
		length := n.shiftLeft(uint(shift))
		next, over := at.plus(length)
		if over || n.zero() || length.shiftRight(uint(shift)) != n || end.less(next) {
			return nil, nil, fmt.Errorf("segment %d is out of range", len(starts))
		}
		at = next
		starts = append(starts, convert(at))
	}
	return starts, b, nil
}

func parseValues(b []byte, n, palette int) ([]uint32, error) {
	if len(b) != planes*n {
		return nil, errTruncated
	}
	low, middle, high := b[:n], b[n:2*n], b[2*n:]
	values := make([]uint32, n)
	for i := range values {
		v := uint32(low[i]) | uint32(middle[i])<<8 | uint32(high[i])<<16
		if v >= uint32(palette) {
			return nil, fmt.Errorf("segment %d has an unknown value", i)
		}
		values[i] = v
	}
	return values, nil
}

// appendNumber writes k like binary.AppendUvarint does 64-bit numbers.
func appendNumber(b []byte, k key) []byte {
	for k.hi != 0 || k.lo >= 0x80 {
		b = append(b, byte(k.lo)|0x80)
		k = k.shiftRight(7)
	}
	return append(b, byte(k.lo))
}

// readNumber reads a number and returns how many bytes it took, 0 if it is cut short
// or has more than 128 bits.
func readNumber(b []byte) (k key, used int) {
	if len(b) > 0 && b[0] < 0x80 { // nearly all
		return key{0, uint64(b[0])}, 1
	}
	for i := 0; i < len(b) && i < maxVarint; i++ {
		part := key{0, uint64(b[i] & 0x7f)}
		if i == maxVarint-1 && part.lo > 3 {
			return key{}, 0
		}
		part = part.shiftLeft(uint(7 * i))
		k = key{k.hi | part.hi, k.lo | part.lo}
		if b[i] < 0x80 {
			return k, i + 1
		}
	}
	return key{}, 0
}
