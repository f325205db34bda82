package proto

import "slices"

const (
	// quicMaxCrypto bounds the CRYPTO data kept of one client.
	quicMaxCrypto = 16 << 10
	// quicMaxRanges bounds the runs between gaps. Clients that shuffle their frames on
	// purpose make some twenty of them.
	quicMaxRanges = 64
)

// quicRange is a run of bytes present, from lo up to but not including hi.
type quicRange struct{ lo, hi uint16 }

// quicAssembly puts CRYPTO data together, which may come shuffled, twice, or with
// gaps. What ranges does not cover in data is undefined.
type quicAssembly struct {
	data   []byte
	n      int // ranges in use
	ranges [quicMaxRanges]quicRange
}

func (a *quicAssembly) reset() { a.data, a.n = a.data[:0], 0 }

// add keeps p, which begins at offset of the stream. What lies beyond the bounds is
// dropped.
func (a *quicAssembly) add(offset uint64, p []byte) {
	if offset >= quicMaxCrypto || len(p) == 0 {
		return
	}
	lo := int(offset)
	p = p[:min(len(p), quicMaxCrypto-lo)]
	hi := lo + len(p)
	if !a.cover(quicRange{uint16(lo), uint16(hi)}) {
		return
	}
	if hi > len(a.data) {
		a.data = slices.Grow(a.data, hi-len(a.data))[:hi]
	}
	copy(a.data[lo:], p)
}

// cover adds r to the ranges, which stay sorted and apart; false if there is no room.
func (a *quicAssembly) cover(r quicRange) bool {
	i := 0
	for i < a.n && a.ranges[i].hi < r.lo {
		i++
	}
	j := i
	for j < a.n && a.ranges[j].lo <= r.hi {
		r.lo, r.hi = min(r.lo, a.ranges[j].lo), max(r.hi, a.ranges[j].hi)
		j++
	}
	if i == j && a.n == quicMaxRanges {
		return false
	}
	copy(a.ranges[i+1:], a.ranges[j:a.n])
	a.ranges[i] = r
	a.n += 1 - (j - i)
	return true
}

// fragment returns the i-th run of bytes present.
func (a *quicAssembly) fragment(i int) []byte {
	return a.data[a.ranges[i].lo:a.ranges[i].hi]
}

// message returns the bytes present from the start of the stream, and how many the
// handshake message there takes with its header, 0 if the header is not whole.
func (a *quicAssembly) message() (prefix []byte, need int) {
	if a.n == 0 || a.ranges[0].lo != 0 {
		return nil, 0
	}
	prefix = a.fragment(0)
	if len(prefix) < tlsHandshakeHeader {
		return prefix, 0
	}
	return prefix, tlsHandshakeHeader + (int(prefix[1])<<16 | int(prefix[2])<<8 | int(prefix[3]))
}
