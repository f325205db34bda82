package importer

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

var _ = register(Format{
	Name: "rir", Help: "delegated statistics of a regional registry: the ranges of chosen countries", Order: 15,
	looks: func(h *head) bool { return h.any(isRIRLine) },
	read:  readRIR,
})

// registries are the names in the first column (RIR statistics exchange format §3.3).
var registries = [...]string{"afrinic", "apnic", "arin", "iana", "lacnic", "ripencc"}

func isRIRLine(line string) bool {
	f := strings.Split(line, "|")
	return len(f) >= 6 && (slices.Contains(registries[:], f[0]) || strings.HasPrefix(f[0], "2") && slices.Contains(registries[:], f[1]))
}

// readRIR takes the ranges that are allocated or assigned in the countries asked for.
func readRIR(in *input, out *sink) error {
	if len(out.opts.Countries) == 0 {
		return errors.New("the list holds every country: say which with countries")
	}
	for {
		line, ok := in.data(out, "#")
		if !ok {
			return nil
		}
		f := strings.Split(string(line), "|")
		switch {
		case len(f) >= 6 && (strings.HasPrefix(f[0], "2") || f[5] == "summary"): // version line, summary
		case len(f) < 7 || !slices.Contains(registries[:], f[0]):
			out.bad(in.line, "%.80q: a record has at least 7 columns and begins with the registry", line)
		case !slices.Contains(out.opts.Countries, f[1]):
			out.skip("ranges of other countries")
		case f[6] != "allocated" && f[6] != "assigned":
			out.skip("ranges neither allocated nor assigned")
		default:
			rirRange(in.line, f, out)
		}
	}
}

// rirRange takes one record: of IPv4 the value is a number of addresses, of IPv6 the
// length of the prefix.
func rirRange(line int, f []string, out *sink) {
	a, err := netip.ParseAddr(f[3])
	n, err2 := strconv.ParseUint(f[4], 10, 32)
	switch {
	case f[2] == "asn":
		out.skip("AS numbers")
	case err != nil || err2 != nil || n == 0:
		out.bad(line, "%.40q, %.40q: no address and size", f[3], f[4])
	case f[2] == "ipv4" && a.Is4():
		last, ok := after4(a, n-1)
		if !ok {
			out.bad(line, "%s and %d addresses reach beyond the end", a, n)
			return
		}
		out.span(line, a, last)
	case f[2] == "ipv6" && a.Is6() && n <= 128:
		out.prefix(line, netip.PrefixFrom(a, int(n)))
	default:
		out.bad(line, "type %.20q does not fit %.40q", f[2], f[3])
	}
}

// after4 returns the IPv4 address n after a.
func after4(a netip.Addr, n uint64) (netip.Addr, bool) {
	b := a.As4()
	v := uint64(b[0])<<24 | uint64(b[1])<<16 | uint64(b[2])<<8 | uint64(b[3])
	v += n
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}), v < 1<<32
}
