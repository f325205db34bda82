package feeds

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// ouiTable finds the vendor part of hardware addresses. Blocks of 24, 28 and 36 bits
// are given out (IEEE MA-L, MA-M, MA-S).
type ouiTable map[oui][]Match

// oui is a block of hardware addresses, the bits behind it zero.
type oui struct {
	mac  [6]byte
	bits uint8
}

func ouiOf(mac [6]byte, bits uint8) oui {
	mac[5] = 0
	if bits == 36 {
		mac[4] &= 0xf0
		return oui{mac, bits}
	}
	mac[4] = 0
	if mac[3] &= 0xf0; bits == 24 {
		mac[3] = 0
	}
	return oui{mac, bits}
}

// localBits are the bits of the first byte that a registered address of one host has
// not set: group and locally administered (IEEE 802 §8.2).
const localBits = 0x03

// MAC appends the Matches of a hardware address, those of the smallest listed block.
// An address that a host made up, or that stands for a group, has no vendor.
func (s *Set) MAC(mac [6]byte, dst []Match) []Match {
	if mac[0]&localBits != 0 {
		return dst
	}
	for _, bits := range [...]uint8{36, 28, 24} {
		if m := s.ouis[ouiOf(mac, bits)]; len(m) > 0 {
			return append(dst, m...)
		}
	}
	return dst
}

// parseOUI reads a block of hardware addresses: "28:57:be", or with a length of 28 or
// 36 bits "40:2c:76:10:00:00/28".
func parseOUI(s string) (oui, error) {
	bad := fmt.Errorf("hardware address block %q: write it like 28:57:be, or 40:2c:76:10:00:00/28", s)
	text, length, long := strings.Cut(s, "/")
	bits, size := 24, 3
	if long {
		size = 6
		var err error
		if bits, err = strconv.Atoi(length); err != nil || bits != 28 && bits != 36 {
			return oui{}, bad
		}
	}
	b, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
	if err != nil || len(b) != size || len(text) != 3*size-1 || s != strings.ToLower(s) {
		return oui{}, bad
	}
	var mac [6]byte
	copy(mac[:], b)
	o := ouiOf(mac, uint8(bits))
	switch {
	case o.mac != mac:
		return oui{}, fmt.Errorf("hardware address block %q has bits behind its length: write zeros", s)
	case mac[0]&localBits != 0:
		return oui{}, fmt.Errorf("hardware address block %q is locally administered or a group: nobody owns it", s)
	}
	return o, nil
}
