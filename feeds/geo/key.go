package geo

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// key is an address as a 128-bit number; that of an IPv4 address is below 2^32.
type key struct{ hi, lo uint64 }

// keyOf returns the number of a valid address.
func keyOf(a netip.Addr) key {
	if a.Is4() {
		b := a.As4()
		return key{0, uint64(binary.BigEndian.Uint32(b[:]))}
	}
	b := a.As16()
	return key{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// addr4 returns the IPv4 address with number k.
func (k key) addr4() netip.Addr {
	return addr4(uint32(k.lo))
}

// addr6 returns the IPv6 address with number k.
func (k key) addr6() netip.Addr {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], k.hi)
	binary.BigEndian.PutUint64(b[8:], k.lo)
	return netip.AddrFrom16(b)
}

func addr4(n uint32) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], n)
	return netip.AddrFrom4(b)
}

func (k key) less(o key) bool {
	return k.hi < o.hi || k.hi == o.hi && k.lo < o.lo
}

func (k key) zero() bool {
	return k.hi|k.lo == 0
}

// plus returns k+o and whether it overflowed.
func (k key) plus(o key) (sum key, over bool) {
	lo, carry := bits.Add64(k.lo, o.lo, 0)
	hi, carry := bits.Add64(k.hi, o.hi, carry)
	return key{hi, lo}, carry != 0
}

// minus returns k-o modulo 2^128.
func (k key) minus(o key) key {
	lo, borrow := bits.Sub64(k.lo, o.lo, 0)
	hi, _ := bits.Sub64(k.hi, o.hi, borrow)
	return key{hi, lo}
}

func (k key) shiftLeft(n uint) key {
	if n >= 64 {
		return key{k.lo << (n - 64), 0}
	}
	return key{k.hi<<n | k.lo>>(64-n), k.lo << n}
}

func (k key) shiftRight(n uint) key {
	if n >= 64 {
		return key{0, k.hi >> (n - 64)}
	}
	return key{k.hi >> n, k.lo>>n | k.hi<<(64-n)}
}

// trailingZeros returns the number of low zero bits, 128 if k is zero.
func (k key) trailingZeros() uint {
	if k.lo != 0 {
		return uint(bits.TrailingZeros64(k.lo))
	}
	return 64 + uint(bits.TrailingZeros64(k.hi))
}

// sharedBits returns the length of the prefix common to k and o.
func (k key) sharedBits(o key) int {
	if d := k.hi ^ o.hi; d != 0 {
		return bits.LeadingZeros64(d)
	}
	return 64 + bits.LeadingZeros64(k.lo^o.lo)
}

// one is the distance to the next address.
var one = key{0, 1}
