package importer

import (
	"bytes"
	"strings"

	"telltale/feeds"
)

var _ = register(Format{
	Name: "adblock", Help: "host rules of AdBlock and AdGuard lists: ||name^", Order: 60,
	Reach: feeds.ReachSuffix,
	looks: func(h *head) bool {
		return h.any(func(l string) bool { return strings.HasPrefix(l, "||") || strings.HasPrefix(l, "[Adblock") })
	},
	read: readAdblock,
})

// readAdblock takes the rules that mean a host and all of it. Others choose among the
// requests of a browser, which says nothing of the host.
func readAdblock(in *input, out *sink) error {
	for {
		line, ok := in.data(out, "!")
		if !ok {
			return nil
		}
		if rest, ok := bytes.CutPrefix(line, []byte("||")); ok {
			hostRule(in.line, rest, out)
			continue
		}
		switch {
		case line[0] == '[' && line[len(line)-1] == ']':
			out.skip("headers")
		case bytes.HasPrefix(line, []byte("@@")):
			out.skip("exceptions")
		case bytes.Contains(line, []byte("##")) || bytes.Contains(line, []byte("#@#")) || bytes.Contains(line, []byte("#?#")):
			out.skip("cosmetic rules")
		case line[0] == '#':
		case bytes.ContainsAny(line, "|/^*$=&?,"):
			out.skip("rules for parts of a site")
		case isHostsLine(string(line)):
			out.name(in.line, bytes.Fields(line)[1], feeds.ReachExact)
		default: // AdGuard's DNS rules take a bare name for that name only
			out.name(in.line, line, feeds.ReachExact)
		}
	}
}

// hostRule takes what follows "||".
func hostRule(n int, rule []byte, out *sink) {
	host, options, _ := strings.Cut(string(rule), "$")
	bare := strings.TrimSuffix(strings.TrimSuffix(host, "|"), "^")
	if options != "" && !wholeHost(options) {
		out.skip("rules with conditions")
		return
	}
	if strings.ContainsAny(bare, "/^*|=&?") {
		out.skip("rules for parts of a site")
		return
	}
	out.value(n, bare, out.reach)
}

// wholeHost reports whether options leave a rule to mean the host and all of it.
func wholeHost(options string) bool {
	for o := range strings.SplitSeq(options, ",") {
		switch key, _, _ := strings.Cut(o, "="); key {
		case "important", "all", "document", "doc", "third-party", "3p", "dnsrewrite", "empty":
		default:
			return false
		}
	}
	return true
}
