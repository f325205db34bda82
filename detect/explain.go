package detect

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"telltale/feeds"
)

// maxFacts bounds the facts listed with a Finding.
const maxFacts = 32

// explain makes the list of facts that raised and lowered f, its roles and policies.
func (e *Engine) explain(f *Finding) {
	h := f.host
	roles := h.roles()
	f.Host.MAC, f.Host.VLAN, f.Host.Name = e.hardware(h.Addr), h.VLAN, e.hostName(h.Addr)
	class, lowered := f.judge(roles)
	f.Class = class
	f.Roles, f.Policies = nil, nil
	f.Facts = make([]Fact, 0, 2*len(f.hits)+len(f.places)+1)
	for _, t := range f.strongest() {
		f.Facts = t.facts(f.Facts)
	}
	for i := range f.places {
		f.Facts = append(f.Facts, Fact{Text: f.places[i].text(), Packet: f.places[i].packet})
	}
	if f.portsProve() {
		f.Facts = append(f.Facts, Fact{Text: "two different ports of the product were answered"})
	}
	f.Facts = append(f.Facts, e.roleFacts(f, roles, lowered)...)
	f.Facts = append(f.Facts, h.moved()...)
	if f.more > 0 {
		f.Facts = append(f.Facts, Fact{Text: fmt.Sprintf("%d more observations of other names or values", f.more)})
	}
	if len(f.Facts) > maxFacts {
		n := len(f.Facts) - maxFacts + 1
		f.Facts = append(f.Facts[:maxFacts-1], Fact{Text: fmt.Sprintf("%d more facts of the kinds above", n)})
	}
	if f.Topic == AboutVendor {
		for _, p := range e.set.Policies(f.Vendor) {
			if p.Counted(class) {
				f.Policies = append(f.Policies, p)
			}
		}
		f.Least, f.Most = e.set.Bounds(f.Vendor, f.Policies)
	}
}

// strongest returns the hits by falling class, equal ones in the order they came.
func (f *Finding) strongest() []*hit {
	if len(f.hits) < 2 {
		return f.hits
	}
	list := slices.Clone(f.hits)
	slices.SortStableFunc(list, func(a, b *hit) int { return int(b.class()) - int(a.class()) })
	return list
}

func (e *Engine) roleFacts(f *Finding, roles, lowered Role) []Fact {
	if roles == 0 || f.Topic == AboutForeign {
		return nil
	}
	f.Roles = strings.Split(roles.String(), "+")
	how := "declared"
	if f.host.declared&roles != roles {
		how = "inferred from its traffic"
	}
	text := fmt.Sprintf("host is a %s (%s): it speaks for others", roles, how)
	if lowered != 0 {
		text += ", so the conclusion is lowered"
	}
	return []Fact{{Text: text, Against: true}}
}

// facts puts t into words, appended to out.
func (t *hit) facts(out []Fact) []Fact {
	ind := t.match.Indicator
	main := Fact{Text: t.sentence(), Indicator: ind.ID, Packet: t.proof}
	main.Against = t.class() <= feeds.Visited && ind.Implies > feeds.Visited && !t.partsOnly()
	out = append(out, main)
	against := func(format string, args ...any) {
		out = append(out, Fact{Text: fmt.Sprintf(format, args...), Against: true, Indicator: ind.ID})
	}
	if ind.Misleading {
		against("%s is known to mislead: %s", ind.Value, orElse(ind.Note, "contact proves nothing"))
	}
	if ind.Doubtful() && ind.Implies > feeds.Likely {
		against("the entry for %s has low confidence", ind.Value)
	}
	if t.channel == ByDNS && ind.Implies > feeds.Visited && t.match.Kind != feeds.KindResolverWalk {
		against("%s was asked for by DNS only (%s): no connection was seen", t.value, times(t.asked))
	}
	if t.channel == ByCertificate {
		against("no hello that names a server was seen: %s stands in the server's certificate only", t.value)
	}
	if t.blocked != "" {
		against("the answer for %s was %s: the contact was blocked, the asking goes on", t.value, t.blocked)
	}
	if t.unsure {
		against("another name was answered with the same address as %s", t.value)
	}
	if t.dialled > 0 && t.exchanged == 0 && t.match.Kind != feeds.KindResolverWalk {
		against("no answer from %s was seen: attempts only", t.at())
	}
	out = append(out, t.hardwareFacts()...)
	out = append(out, t.portFacts()...)
	return append(out, t.support()...)
}

// hardwareFacts puts into words what speaks against a hardware address.
func (t *hit) hardwareFacts() []Fact {
	if !t.partsOnly() {
		return nil
	}
	text := fmt.Sprintf("parts made by %s are in the devices of others: the hardware address alone says no more", t.match.Vendor.Name)
	return []Fact{{Text: text, Against: true, Indicator: t.match.Indicator.ID}}
}

// support is what speaks for a product beside the contact itself.
func (t *hit) support() []Fact {
	var out []Fact
	ind := t.match.Indicator
	if p, ok := t.beat.period(); ok {
		out = append(out, Fact{Text: fmt.Sprintf("contact with %s recurs about every %s", t.value, p), Indicator: ind.ID})
	}
	if t.unlike {
		out = append(out, Fact{Text: fmt.Sprintf("the TLS fingerprint used for %s is not that of the host's browsers", t.value), Indicator: ind.ID})
	}
	if t.families != 0 {
		m := t.match
		m.Families = t.families
		out = append(out, Fact{Text: "the body names product families: " + strings.Join(m.Products(), ", "), Indicator: ind.ID, Packet: t.packet})
	}
	return out
}

// sentence says what met the indicator, and how far the contact went.
func (t *hit) sentence() string {
	ind := t.match.Indicator
	b := append(make([]byte, 0, 192), t.subject()...)
	b = append(b, " ["...)
	b = append(b, ind.Function...)
	b = append(b, ", "...)
	b = append(b, ind.Confidence...)
	b = append(b, " confidence]"...)
	if t.match.Kind == feeds.KindResolverWalk {
		return string(b)
	}
	if t.server.IsValid() {
		b = t.server.AppendTo(append(b, ", server "...))
	}
	if t.dialled > 0 {
		b = strconv.AppendUint(append(b, ", "...), uint64(t.exchanged), 10)
		b = strconv.AppendUint(append(b, " of "...), uint64(t.dialled), 10)
		b = append(b, " connections answered"...)
	}
	if t.cname != "" {
		b = append(append(b, ", CNAME "...), t.cname...)
	}
	return string(b)
}

// subject says what was seen.
func (t *hit) subject() string {
	vendor := t.match.Vendor.Name
	switch {
	case t.match.Lookalike:
		return fmt.Sprintf("%s imitates a name of %s", t.value, vendor)
	case t.match.Sinkhole:
		return fmt.Sprintf("%s is a malware sinkhole run by %s: it shows an infection, not the product", t.value, vendor)
	}
	switch t.match.Kind {
	case feeds.KindResolverWalk:
		return fmt.Sprintf("asked public resolvers for %s, as the product does when its names do not resolve", t.value)
	case feeds.KindPath:
		return "HTTP request for path " + t.value
	case feeds.KindUserAgent:
		return "HTTP User-Agent " + t.value
	case feeds.KindBodyMagic:
		return "HTTP body begins " + t.value
	case feeds.KindBodyText:
		return "HTTP body holds text of the product"
	case feeds.KindPort:
		return "connection to " + t.value
	case feeds.KindOUI:
		return fmt.Sprintf("hardware address %s, of a block registered to %s", t.value, vendor)
	case feeds.KindCertificate:
		return "connection to a server whose certificate was issued to " + t.value
	case feeds.KindIdentity:
		return "the host says of itself: " + t.value
	case feeds.KindCIDR, feeds.KindASN:
		return "connection to " + t.value + ", an address of " + vendor + " (" + t.match.Kind.String() + " " + t.match.Indicator.Value + ")"
	}
	return [...]string{"DNS question for ", "connection to an address answered by DNS for ", "connection to a server whose certificate names ", "request to "}[t.channel] + t.value
}

// at is where t was met: the server, or the name if there was no connection.
func (t *hit) at() string {
	if t.server.IsValid() {
		return t.server.String()
	}
	return t.value
}

// text puts a foreign address into words.
func (s *spot) text() string {
	b := s.Addr.AppendTo(make([]byte, 0, 192))
	b = append(append(b, ": registry country "...), orElse(s.Country, "unknown")...)
	if s.ASN != 0 {
		b = strconv.AppendUint(append(b, ", AS"...), uint64(s.ASN), 10)
		b = append(append(b, ' '), s.ASName...)
	}
	b = s.Network.AppendTo(append(b, ", range "...))
	b = append(append(b, ", "...), s.Reason...)
	if s.Shared {
		b = append(b, ", shared by many (anycast, CDN or cloud): the country says little"...)
	}
	b = append(append(b, " ["...), s.Source...)
	if s.Built != 0 {
		b = time.Unix(0, s.Built).UTC().AppendFormat(append(b, ", built "...), time.DateOnly)
	}
	return string(bytes.TrimRight(b, " ")) + "]"
}

func times(n uint32) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
