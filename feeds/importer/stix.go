package importer

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"telltale/feeds"
)

var _ = register(Format{
	Name: "stix", Help: "STIX 2.1 bundle: indicators with patterns, and observed objects", Order: 20,
	Reach: feeds.ReachExact,
	looks: func(h *head) bool { return h.json() && strings.Contains(string(h.text), `"bundle"`) },
	read:  readSTIX,
})

// stixObject is what is read of an object (STIX 2.1 §4.7, §6).
type stixObject struct {
	Type           string   `json:"type"`
	Pattern        string   `json:"pattern"`
	PatternType    string   `json:"pattern_type"`
	IndicatorTypes []string `json:"indicator_types"`
	ValidUntil     string   `json:"valid_until"`
	Revoked        bool     `json:"revoked"`
	Value          string   `json:"value"`
	Number         int64    `json:"number"`
}

func readSTIX(in *input, out *sink) error {
	return walkJSON(in, out, func(key string) bool { return key == "objects" }, func(line int, raw json.RawMessage) {
		out.rep.Lines++
		var o stixObject
		if err := json.Unmarshal(raw, &o); err != nil || o.Type == "" {
			out.bad(line, "no STIX object: %.80q", raw)
			return
		}
		switch {
		case o.Revoked:
			out.skip("revoked objects")
		case o.Type == "indicator":
			stixIndicator(line, &o, out)
		case stixTypes[o.Type] != nil:
			out.skip("observed objects, which no indicator names")
		default:
			out.skip("objects of type " + o.Type)
		}
	})
}

// stixIndicator takes an indicator whose pattern names values that each suffice.
func stixIndicator(line int, o *stixObject, out *sink) {
	until, err := time.Parse(time.RFC3339Nano, o.ValidUntil)
	switch {
	case slices.Contains(o.IndicatorTypes, "benign"):
		out.skip("indicators of benign things")
	case o.ValidUntil != "" && err == nil && out.opts.Now > 0 && until.UnixNano() <= out.opts.Now:
		out.skip("indicators that are no longer valid")
	case o.PatternType != "" && o.PatternType != "stix":
		out.skip("patterns of type " + o.PatternType)
	default:
		list, err := stixPattern(o.Pattern)
		if err != nil {
			out.bad(line, "pattern %.120q: %v", o.Pattern, err)
			return
		}
		if list == nil {
			out.skip("patterns that ask for several things at once, or for others than names and addresses")
			return
		}
		for _, c := range list {
			stixTypes[c.object](line, c.value, out)
		}
	}
}

// stixTypes take the value of the objects that are of use, by type.
var stixTypes = map[string]func(line int, value string, out *sink){
	"domain-name": func(line int, value string, out *sink) { out.name(line, []byte(value), out.reach) },
	"ipv4-addr":   stixAddress,
	"ipv6-addr":   stixAddress,
	"url":         func(line int, value string, out *sink) { out.url(line, value) },
	"autonomous-system": func(line int, value string, out *sink) {
		out.asn(line, value)
	},
}

func stixAddress(line int, value string, out *sink) {
	if !out.address(line, value) {
		out.bad(line, "%.80q is no address or network", value)
	}
}
