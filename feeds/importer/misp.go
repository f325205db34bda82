package importer

import (
	"encoding/json"
	"errors"
	"strings"

	"telltale/feeds"
)

var _ = register(Format{
	Name: "misp", Help: "MISP event or feed: JSON with the attributes of events and objects", Order: 30,
	Reach: feeds.ReachSuffix,
	looks: func(h *head) bool {
		t := string(h.text)
		return h.json() && (strings.Contains(t, `"Event"`) || strings.Contains(t, `"Attribute"`) || isManifest(t))
	},
	read: readMISP,
})

// isManifest reports whether text begins a feed's manifest, which holds no attribute.
func isManifest(text string) bool {
	return strings.Contains(text, `"Orgc"`) && !strings.Contains(text, `"Event"`)
}

// mispAttribute is what is read of an attribute (MISP core format, draft-dulaunoy-misp-core-format).
type mispAttribute struct {
	Type    string `json:"type"`
	Value   string `json:"value"`
	ToIDS   bool   `json:"to_ids"`
	Deleted bool   `json:"deleted"`
}

// readMISP takes the attributes that are marked for detection.
func readMISP(in *input, out *sink) error {
	some := false
	err := walkJSON(in, out, func(key string) bool { return key == "Attribute" }, func(line int, raw json.RawMessage) {
		some = true
		out.rep.Lines++
		var a mispAttribute
		if err := json.Unmarshal(raw, &a); err != nil || a.Type == "" {
			out.bad(line, "no attribute: %.80q", raw)
			return
		}
		switch {
		case a.Deleted:
			out.skip("deleted attributes")
		case !a.ToIDS:
			out.skip("attributes not marked to_ids")
		default:
			mispValue(line, &a, out)
		}
	})
	if err == nil && !some {
		return errors.New("no attributes: a manifest only lists events; give the files of the events")
	}
	return err
}

// mispValue takes an attribute by its type.
func mispValue(line int, a *mispAttribute, out *sink) {
	first, second, _ := strings.Cut(a.Value, "|")
	switch a.Type {
	case "domain":
		out.name(line, []byte(a.Value), out.reach)
	case "hostname", "hostname|port":
		out.name(line, []byte(first), feeds.ReachExact)
	case "domain|ip":
		out.name(line, []byte(first), out.reach)
		mispAddress(line, second, out)
	case "ip-dst", "ip-src", "ip-dst|port", "ip-src|port":
		mispAddress(line, first, out)
	case "url":
		out.url(line, a.Value)
	case "AS":
		out.asn(line, a.Value)
	default:
		out.skip("type " + a.Type)
	}
}

func mispAddress(line int, value string, out *sink) {
	if !out.address(line, value) {
		out.bad(line, "%.80q is no address or network", value)
	}
}
