package importer

import (
	"bytes"

	"telltale/feeds"
)

var _ = register(Format{
	Name: "plain", Help: "a name, address, range or URL on each line", Order: 120,
	Reach: feeds.ReachSuffix,
	looks: func(h *head) bool { return !h.json() && len(h.lines) > 0 },
	read:  readPlain,
})

// readPlain reads one entry a line. What follows a space is a remark, as in the lists
// of Spamhaus ("192.0.2.0/24 ; SBL1") and in many others. A dot or "*." before a name takes
// everything below it too, "=" the name alone.
func readPlain(in *input, out *sink) error {
	for {
		line, ok := in.data(out, "#;!/")
		if !ok {
			return nil
		}
		if i := bytes.IndexAny(line, " \t;#"); i > 0 && !bytes.Contains(line[:i], []byte("://")) {
			line = line[:i]
		}
		reach := out.reach
		if rest, found := bytes.CutPrefix(line, []byte("*.")); found {
			line, reach = rest, feeds.ReachSuffix
		} else if rest, found := bytes.CutPrefix(line, []byte(".")); found {
			line, reach = rest, feeds.ReachSuffix
		} else if rest, found := bytes.CutPrefix(line, []byte("=")); found {
			line, reach = rest, feeds.ReachExact
		}
		if isName(line) {
			out.name(in.line, line, reach)
		} else {
			out.value(in.line, string(line), reach)
		}
	}
}

// isName reports whether line can be nothing but a name: its last byte is a letter, and
// neither a slash nor a colon is in it.
func isName(line []byte) bool {
	if len(line) == 0 {
		return false
	}
	last := line[len(line)-1] | 0x20
	return 'g' <= last && last <= 'z' && bytes.IndexByte(line, '/') < 0 && bytes.IndexByte(line, ':') < 0
}
