package detect

import (
	"net/netip"
	"strings"

	"telltale/capture"
	"telltale/feeds"
)

// hit is what a Finding holds about one indicator and the value that met it.
type hit struct {
	match     feeds.Match
	value     string // the name, path, program or bytes that met it
	channel   Channel
	asked     uint32 // contacts that were a question only
	dialled   uint32 // contacts with a connection
	exchanged uint32 // of those, with data both ways
	packet    uint64 // the first packet
	proof     uint64 // the first packet of the strongest channel
	first     int64
	last      int64
	pending   bool // the latest contact is a question that no connection followed yet
	families  uint64
	blocked   string // how a DNS answer refused it
	cname     string // where the name's answer led
	unlike    bool   // the hello was not from the host's browsers
	unsure    bool   // the earlier DNS answer that names it is ambiguous
	beat      beat
	server    netip.AddrPort // of the last connection
}

// maxHits bounds the values remembered of one Finding; further ones are only counted.
const maxHits = 24

// contact notes that h met m. value is what met it.
func (e *Engine) contact(h *host, o *capture.Observation, m feeds.Match, ch Channel, value []byte) *hit {
	f := e.findingFor(h, o, m)
	t := f.hit(m, value, o)
	if t == nil {
		f.more++
	}
	f.LastSeen = max(f.LastSeen, o.Time)
	f.touched = true
	e.mark(f)
	f.Contact.of(o)
	e.credit(f, t, o, ch)
	if t != nil {
		t.note(h, o, ch)
	}
	f.learn(m, value)
	e.judged(h, f, o)
	return t
}

// findingFor returns the Finding that m belongs to, opened if it is new.
func (e *Engine) findingFor(h *host, o *capture.Observation, m feeds.Match) *Finding {
	topic, product := AboutVendor, m.Indicator.Product
	switch {
	case m.Lookalike:
		topic, product = AboutLookalike, ""
	case m.Sinkhole:
		topic, product = AboutSinkhole, ""
	}
	for _, f := range h.findings {
		if f.Topic == topic && f.Vendor == m.Vendor.ID && f.Product == product {
			return f
		}
	}
	return e.open(h, o, &Finding{Topic: topic, Vendor: m.Vendor.ID, Product: product})
}

func (e *Engine) open(h *host, o *capture.Observation, f *Finding) *Finding {
	f.Host = h.Host
	f.FirstSeen, f.LastSeen = o.Time, o.Time
	f.ID = findingID(f)
	f.order = len(e.findings)
	e.findings = append(e.findings, f)
	h.findings = append(h.findings, f)
	return f
}

// hit returns the record of m and value, nil if the list is full.
func (f *Finding) hit(m feeds.Match, value []byte, o *capture.Observation) *hit {
	for _, t := range f.hits {
		if t.match.Indicator.ID == m.Indicator.ID && t.value == string(value) {
			t.match = m // the same by newer knowledge, after a reload
			t.families |= m.Families
			return t
		}
	}
	if len(f.hits) >= maxHits {
		return nil
	}
	t := &hit{match: m, value: string(value), packet: o.Packet, proof: o.Packet, first: o.Time, families: m.Families}
	f.hits = append(f.hits, t)
	return t
}

// note keeps what o adds to the proof.
func (t *hit) note(h *host, o *capture.Observation, ch Channel) {
	if ch > t.channel {
		t.channel, t.proof = ch, o.Packet
	}
	t.last = o.Time
	if ch != ByDNS {
		t.server = o.Server
	}
	if ch == ByName && o.Kind == capture.Request && h.unlikeBrowsers(o) {
		t.unlike = true
	}
}

// credit counts o as a contact unless it belongs to one already counted: the question
// and the connection that follows it, or several messages of one flow, are one.
func (e *Engine) credit(f *Finding, t *hit, o *capture.Observation, ch Channel) {
	if t != nil && t.match.Kind == feeds.KindResolverWalk {
		return // a reading of questions that are counted already
	}
	recent := t != nil && t.last != 0 && o.Time-t.last <= int64(e.conf.Window)
	if ch == ByDNS {
		if t != nil && !recent {
			t.asked++
			t.pending = true
			t.beat.tick(o.Time)
			f.Attempts++
		}
		return
	}
	newFlow, newHit := e.track(o.Flow, f, t)
	follows := t != nil && t.pending && recent
	if newHit && t != nil {
		t.dialled++
		t.pending = false
		if follows {
			t.asked--
		} else {
			t.beat.tick(o.Time)
		}
	}
	if newFlow && !follows {
		f.Attempts++
	}
}

// track credits flow to f and t from now on. It says which of the two were not yet.
func (e *Engine) track(flow uint64, f *Finding, t *hit) (newFlow, newHit bool) {
	if flow == 0 {
		return true, true
	}
	list := e.flows[flow]
	newFlow = true
	for i := range list {
		if list[i].finding == f {
			newFlow = false
			if list[i].hit == t {
				return false, false
			}
		}
	}
	if len(list) == 0 && len(e.flows) >= e.conf.MaxFlows {
		e.cover.FlowsLost++
		return true, true
	}
	e.flows[flow] = append(list, tracked{finding: f, hit: t, lead: newFlow})
	return newFlow, true
}

// exchanged turns the attempts credited to flow into exchanges.
func (e *Engine) exchanged(flow uint64) {
	list := e.flows[flow]
	for i := range list {
		k := &list[i]
		if k.exchanged {
			continue
		}
		k.exchanged = true
		if k.hit != nil {
			k.hit.exchanged++
		}
		e.mark(k.finding)
		if k.lead {
			k.finding.Attempts--
			k.finding.Exchanges++
			k.finding.touched = true
		}
	}
}

// learn adds the function and the name to f's lists.
func (f *Finding) learn(m feeds.Match, value []byte) {
	found := false
	for _, g := range f.Functions {
		found = found || g == m.Indicator.Function
	}
	if !found && m.Indicator.Function != "" {
		f.Functions = append(f.Functions, m.Indicator.Function)
	}
	if !m.Kind.IsName() && !m.Lookalike {
		return
	}
	for _, n := range f.Names {
		if n == string(value) {
			return
		}
	}
	if len(f.Names) < maxHits {
		f.Names = append(f.Names, strings.Clone(string(value)))
	}
}
