package importer

import (
	"bytes"
	"strings"

	"telltale/feeds"
)

var _ = register(Format{
	Name: "dnsmasq", Help: "dnsmasq configuration: address=/name/, server=/name/, local=/name/", Order: 50,
	Reach: feeds.ReachSuffix,
	looks: func(h *head) bool { return h.any(isDnsmasqLine) },
	read:  readDnsmasq,
})

// dnsmasqKeys are the options that name domains between slashes.
var dnsmasqKeys = [...]string{"address", "server", "local", "ipset", "nftset", "rev-server"}

func isDnsmasqLine(line string) bool {
	for _, k := range dnsmasqKeys {
		if rest, ok := strings.CutPrefix(line, k); ok && strings.HasPrefix(strings.TrimLeft(rest, " "), "=") {
			return strings.HasPrefix(strings.TrimLeft(strings.TrimLeft(rest, " ")[1:], " "), "/")
		}
	}
	return false
}

func readDnsmasq(in *input, out *sink) error {
	for {
		line, ok := in.data(out, "#")
		if !ok {
			return nil
		}
		if isDnsmasqLine(string(line)) {
			readDomains(in.line, line, out)
		} else if key, _, ok := bytes.Cut(line, []byte("=")); ok || !bytes.ContainsAny(key, "/ .") {
			out.skip("other options")
		} else {
			out.bad(in.line, "%.80q is no option of dnsmasq", line)
		}
	}
}

// readDomains takes the domains of "key=/a/b/value". A value of # sends them to the
// usual servers: they are exceptions.
func readDomains(n int, line []byte, out *sink) {
	_, rest, _ := bytes.Cut(line, []byte("/"))
	parts := bytes.Split(rest, []byte("/"))
	if len(parts) < 2 {
		out.bad(n, "%.80q has no second slash: write address=/name/", line)
		return
	}
	if string(bytes.TrimSpace(parts[len(parts)-1])) == "#" {
		out.skip("exceptions")
		return
	}
	for _, d := range parts[:len(parts)-1] {
		out.name(n, bytes.TrimPrefix(bytes.TrimPrefix(d, []byte("*")), []byte(".")), out.reach)
	}
}
