package importer

import (
	"errors"
	"slices"
	"strings"

	"telltale/feeds"
)

var _ = register(Format{
	Name: "zeek-intel", Help: "Zeek intelligence file: tab-separated, with #fields", Order: 10,
	Reach: feeds.ReachExact,
	looks: func(h *head) bool {
		return strings.Contains(string(h.text), "#fields") && strings.Contains(string(h.text), "indicator_type")
	},
	read: readZeekIntel,
})

// readZeekIntel reads the columns indicator and indicator_type. Zeek compares whole
// names, so a name stands for itself only.
func readZeekIntel(in *input, out *sink) error {
	value, kind := -1, -1
	for !out.full() {
		raw, ok := in.next(out)
		if !ok {
			break
		}
		line := string(raw)
		if rest, ok := strings.CutPrefix(line, "#fields"); ok {
			names := strings.Fields(rest)
			value, kind = slices.Index(names, "indicator"), slices.Index(names, "indicator_type")
			continue
		}
		if line == "" || line[0] == '#' {
			continue
		}
		if value < 0 || kind < 0 {
			return errors.New("no header: a line '#fields indicator indicator_type ...', parted by tabs, must come first")
		}
		f := strings.Split(line, "\t")
		if len(f) <= max(value, kind) {
			out.bad(in.line, "%.80q has %d columns, parted by tabs, and needs %d", line, len(f), max(value, kind)+1)
			continue
		}
		zeekItem(in.line, strings.TrimSpace(f[value]), strings.TrimSpace(f[kind]), out)
	}
	return nil
}

// zeekItem takes one item of a type of Intel::Type.
func zeekItem(line int, value, kind string, out *sink) {
	switch kind {
	case "Intel::DOMAIN":
		out.name(line, []byte(value), out.reach)
	case "Intel::ADDR", "Intel::SUBNET":
		if !out.address(line, value) {
			out.bad(line, "%.80q is no address or network", value)
		}
	case "Intel::URL":
		out.url(line, value)
	default:
		if !strings.HasPrefix(kind, "Intel::") {
			out.bad(line, "%.40q is no type of indicator", kind)
			return
		}
		out.skip(kind)
	}
}
