package importer

import (
	"bytes"
	"net/netip"
	"strings"

	"telltale/feeds"
)

var _ = register(Format{
	Name: "hosts", Help: "hosts(5): an address and the names it is given", Order: 70,
	Reach: feeds.ReachExact,
	looks: func(h *head) bool { return h.most(isHostsLine) },
	read:  readHosts,
})

func isHostsLine(line string) bool {
	f := strings.Fields(line)
	if len(f) < 2 || strings.HasPrefix(f[1], "#") {
		return false
	}
	_, err := netip.ParseAddr(f[0])
	return err == nil && strings.Trim(f[1], "0123456789.:") != ""
}

// readHosts takes the names behind the address; the address says only that they are
// blocked.
func readHosts(in *input, out *sink) error {
	for {
		line, ok := in.data(out, "#")
		if !ok {
			return nil
		}
		if i := bytes.IndexByte(line, '#'); i >= 0 {
			line = line[:i]
		}
		fields := bytes.Fields(line)
		if _, err := netip.ParseAddr(string(fields[0])); err != nil || len(fields) < 2 {
			out.bad(in.line, "%.80q is no hosts entry: write an address and a name", line)
			continue
		}
		for _, name := range fields[1:] {
			if isLocal(string(name)) {
				out.skip("names of the machine itself")
				continue
			}
			out.name(in.line, name, out.reach)
		}
	}
}

// isLocal reports whether a hosts file gives that name to the machine itself.
func isLocal(name string) bool {
	switch name {
	case "localhost", "localhost.localdomain", "local", "broadcasthost", "0.0.0.0", "255.255.255.255", "::1":
		return true
	}
	return strings.HasPrefix(name, "ip6-")
}
