package feeds

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
)

// indicatorRules are applied to every indicator in this order.
var indicatorRules = [...]indicatorRule{
	{"malformed", SeverityError, malformed},
	{"bare-word", SeverityError, bareWord},
	{"public-suffix", SeverityError, publicSuffix},
	{"shared-apex", SeverityError, sharedApex},
	{"duplicate", SeverityError, duplicate},
	{"contradiction", SeverityError, contradiction},
	{"contradiction", SeverityError, overlap},
	{"hides", SeverityError, hides},
	{"confusable", SeverityError, confusableLabels},
	{"source", SeverityError, sources},
	{"unchecked", SeverityError, unchecked},
	{"date", SeverityError, seenDate},
	{"implies", SeverityError, implies},
	{"standing", SeverityError, standing},
	{"port", SeverityError, portRules},
	{"identity", SeverityError, identityRules},
	{"certificate", SeverityError, certificateRules},
}

// malformed tries what Compile does to the value.
func malformed(_ *linter, p *Pack, i *Indicator) (text, hint string) {
	c := &compiler{
		set: &Set{asns: make(map[uint32][]Match), ouis: make(ouiTable), identities: make(map[identityKey][]rule), byID: make(map[string]Match)},
	}
	err := c.indicator(&p.Vendor, i)
	if i.Kind == KindResolverWalk {
		err = checkName(i.Value)
	}
	if err != nil {
		return err.Error(), "write the value as packs/README.md shows"
	}
	return "", ""
}

// domain returns the domain an indicator's matches lie at or below, "" if it has none.
func domain(i *Indicator) string {
	switch i.Kind {
	case KindSuffix, KindExact, KindLookalike, KindResolverWalk:
		return i.Value
	case KindRegex:
		d, _, err := nameAnchor(i.Value)
		if err != nil {
			return ""
		}
		return d
	case KindSinkhole:
		if _, err := parsePrefix(i.Value); err == nil {
			return ""
		}
		return i.Value
	}
	return ""
}

func bareWord(_ *linter, _ *Pack, i *Indicator) (text, hint string) {
	if d := domain(i); d == "" || strings.Contains(strings.Trim(d, "."), ".") {
		return "", ""
	}
	return "a single label is nobody's", "give a domain with at least two labels"
}

func publicSuffix(_ *linter, _ *Pack, i *Indicator) (text, hint string) {
	d := strings.ToLower(strings.TrimSuffix(domain(i), "."))
	if !strings.Contains(d, ".") {
		return "", ""
	}
	if suffix, _ := publicsuffix.PublicSuffix(d); suffix != d {
		return "", ""
	}
	return d + " is a public suffix: its names belong to many owners", "name the vendor's own domains below it"
}

func sharedApex(l *linter, _ *Pack, i *Indicator) (text, hint string) {
	d := strings.ToLower(strings.TrimSuffix(domain(i), "."))
	if host, ok := l.hosting[d]; ok {
		return fmt.Sprintf("%s is given out to customers of %s", d, host), "name the vendor's own names below it"
	}
	return "", ""
}

func duplicate(l *linter, _ *Pack, i *Indicator) (text, hint string) {
	key := i.Kind.String() + ":" + i.Value
	first, ok := l.owner[key]
	if !ok {
		l.owner[key] = i
		return "", ""
	}
	if first.Vendor == i.Vendor {
		return fmt.Sprintf("already given at line %d", first.Line), "remove one of the two"
	}
	return fmt.Sprintf("already given by %s (%s:%d)", first.Vendor, first.File, first.Line), "decide whose it is"
}

func sources(_ *linter, p *Pack, i *Indicator) (text, hint string) {
	if len(i.Sources) == 0 {
		return "no source", "say where the fact comes from; use recalled if it was never checked"
	}
	for _, s := range i.Sources {
		if _, ok := p.Sources[s]; !ok {
			return fmt.Sprintf("unknown source %q", s), "add it to the sources of the pack"
		}
	}
	return "", ""
}

// unchecked holds facts from memory to the little they can carry.
func unchecked(_ *linter, _ *Pack, i *Indicator) (text, hint string) {
	switch {
	case i.Unchecked() && i.Confidence != Low:
		return "a fact from memory alone with confidence " + string(i.Confidence), "lower the confidence to low, or find a source"
	case i.Confidence == Low && i.Implies > Likely:
		return "confidence low implies " + i.Implies.String(), "imply likely at most, or find a source"
	}
	return "", ""
}

func seenDate(_ *linter, _ *Pack, i *Indicator) (text, hint string) {
	if _, err := time.Parse(time.DateOnly, i.Seen); err != nil {
		return fmt.Sprintf("seen is %q", i.Seen), "give the date of the newest source as YYYY-MM-DD"
	}
	return "", ""
}

// implies finds entries whose class does not fit their kind.
func implies(_ *linter, _ *Pack, i *Indicator) (text, hint string) {
	address := i.Kind == KindCIDR || i.Kind == KindASN
	switch c := i.Implies; {
	case i.Kind == KindLookalike || i.Kind == KindSinkhole:
		if c != None {
			return "implies " + c.String(), "leave implies out: it is no contact with the vendor's product"
		}
	case c == None || c == Resolved:
		return "implies " + c.String(), "give located, visited, likely, device or installed"
	case address != (c == Located):
		return i.Kind.String() + " implies " + c.String(), "an address implies located and nothing else does"
	}
	return "", ""
}

// standing finds entries that say two things about how much they prove.
func standing(_ *linter, _ *Pack, i *Indicator) (text, hint string) {
	c := i.Implies
	page := i.Function == FuncWeb || i.Function == FuncMail || i.Function == FuncInjected
	switch {
	case i.Function == "" || i.Confidence == "":
		return "no function or no confidence", "give both"
	case i.Misleading && c > Visited:
		return "misleading, but implies " + c.String(), "imply visited or located, or drop misleading"
	case i.Shared && c > Likely:
		return "shared with others, but implies " + c.String(), "imply likely at most, or drop shared"
	case page && c > Visited:
		return "function " + string(i.Function) + " implies " + c.String(), "imply visited, or name the function that proves more"
	}
	return "", ""
}

// commonPorts are ports that programs of all makers listen on.
var commonPorts = [...]uint16{
	22, 53, 80, 123, 443, 554, 3128, 5000, 5353, 8000, 8008, 8080, 8081, 8443, 8554, 8888, 9000,
}

func portRules(_ *linter, _ *Pack, i *Indicator) (text, hint string) {
	if i.Kind != KindPort {
		return "", ""
	}
	r, err := parsePort(i.Value)
	if err != nil {
		return "", ""
	}
	if i.Listener == "" {
		return "no listener", "say who listens: cloud, server, agent or peer"
	}
	for _, p := range commonPorts {
		if r.first <= p && p <= r.last && (i.Implies > Visited || !i.Shared) {
			return fmt.Sprintf("everybody uses port %d", p), "mark it shared and imply visited, or leave it out"
		}
	}
	return "", ""
}
