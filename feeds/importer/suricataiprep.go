package importer

import (
	"net/netip"
	"strconv"
	"strings"
)

var _ = register(Format{
	Name: "suricata-iprep", Help: "Suricata IP reputation: address,category,score", Order: 80,
	looks: func(h *head) bool { return h.most(isIPRepLine) },
	read:  readIPRep,
})

func isIPRepLine(line string) bool {
	_, _, ok := iprep(line)
	return ok
}

// iprep reads "address,category,score".
func iprep(line string) (address string, score int, ok bool) {
	f := strings.Split(line, ",")
	if len(f) != 3 {
		return "", 0, false
	}
	address = strings.TrimSpace(f[0])
	category, err1 := strconv.ParseUint(strings.TrimSpace(f[1]), 10, 8)
	n, err2 := strconv.ParseUint(strings.TrimSpace(f[2]), 10, 8)
	host, _, _ := strings.Cut(address, "/")
	_, err3 := netip.ParseAddr(host)
	return address, int(n), err1 == nil && err2 == nil && err3 == nil && category > 0 && n <= 127
}

// readIPRep takes the addresses whose score is high enough. A score of 0 takes an entry
// back.
func readIPRep(in *input, out *sink) error {
	for {
		line, ok := in.data(out, "#")
		if !ok {
			return nil
		}
		address, score, ok := iprep(string(line))
		switch {
		case !ok:
			out.bad(in.line, "%.80q: write address,category,score with a score from 0 to 127", line)
		case score < out.opts.MinScore:
			out.skip("scores below min_score")
		case !out.address(in.line, address):
			out.bad(in.line, "%.80q is no address or network", address)
		}
	}
}
