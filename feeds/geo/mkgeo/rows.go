package main

import (
	"net/netip"
	"slices"

	"telltale/feeds/geo"
)

// tidy sorts rows, IPv4 before IPv6, cuts each to what follows the one before, and joins
// neighbours of the same value. It returns how many it had to cut or drop.
func tidy(rows []geo.Row) (tidied []geo.Row, cut int) {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b geo.Row) int { return a.First.Compare(b.First) })
	for _, r := range rows {
		if len(tidied) == 0 || tidied[len(tidied)-1].Last.BitLen() != r.First.BitLen() {
			tidied = append(tidied, r)
			continue
		}
		before := &tidied[len(tidied)-1]
		if !before.Last.Less(r.First) {
			cut++
			if !before.Last.Less(r.Last) {
				continue
			}
			r.First = before.Last.Next()
		}
		if before.Value == r.Value && before.Last.Next() == r.First {
			before.Last = r.Last
			continue
		}
		tidied = append(tidied, r)
	}
	return tidied, cut
}

// last returns the last address of a prefix.
func last(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for bit := p.Bits(); bit < 8*len(b); bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
