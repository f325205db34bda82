package pcapfile

import (
	"math"
	"math/bits"
)

const second = 1_000_000_000

// resolution turns the 64-bit times of a pcapng interface into nanoseconds since
// 1970 (draft-ietf-opsawg-pcapng §4.2, if_tsresol and if_tsoffset).
type resolution struct {
	mul, div uint64 // steps of a power of ten: time*mul/div, one of them 1; div 0 makes it 0
	shift    uint   // steps of 2^-shift seconds
	binary   bool
	offset   int64 // nanoseconds to add
}

// newResolution reads the two options; offset is in seconds.
func newResolution(resol byte, offset int64) resolution {
	r := resolution{mul: 1, div: 1, offset: seconds(offset)}
	exp := uint(resol & 0x7f)
	switch {
	case resol&0x80 != 0:
		r.binary, r.shift = true, exp
	case exp <= 9:
		r.mul = power10(9 - exp)
	default:
		r.div = power10(exp - 9)
	}
	return r
}

// power10 returns 10^n, 0 if that exceeds 64 bits.
func power10(n uint) uint64 {
	if n > 19 {
		return 0
	}
	v := uint64(1)
	for range n {
		v *= 10
	}
	return v
}

// seconds returns s in nanoseconds, the nearest possible value if it is out of range.
func seconds(s int64) int64 {
	return max(min(s, math.MaxInt64/second), math.MinInt64/second) * second
}

// nanoseconds converts a time. What lies before 1970 or beyond 2262 becomes the
// nearest time that can be expressed.
func (r *resolution) nanoseconds(t uint64) int64 {
	var ns uint64
	switch {
	case r.binary:
		ns = r.fraction(t)
	case r.div == 0:
		ns = 0
	default:
		ns = product(t/r.div, r.mul)
	}
	return shifted(int64(min(ns, math.MaxInt64)), r.offset)
}

// fraction converts a time in steps of 2^-shift seconds.
func (r *resolution) fraction(t uint64) uint64 {
	whole := t >> r.shift
	hi, lo := bits.Mul64(t-whole<<r.shift, second)
	if r.shift >= 64 {
		return hi >> (r.shift - 64)
	}
	part := hi<<(64-r.shift) | lo>>r.shift
	ns := product(whole, second)
	if ns > math.MaxInt64 {
		return ns
	}
	return ns + part
}

// product multiplies, giving the largest value if the product exceeds 64 bits.
func product(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	if hi != 0 {
		return math.MaxUint64
	}
	return lo
}

// shifted returns t+offset for t >= 0, limited to what is after 1970 and fits.
func shifted(t, offset int64) int64 {
	if offset > math.MaxInt64-t {
		return math.MaxInt64
	}
	return max(t+offset, 0)
}
