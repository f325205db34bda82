package detect

import (
	"strings"

	"telltale/feeds"
)

// Restore makes the Engine go on from what another one left. It must be called before
// the first Observation. The States are judged anew by the present knowledge: what rests
// on an indicator that the packs no longer have counts no more. It returns how many were
// left out because their vendor is not judged or the table of hosts is full.
func (e *Engine) Restore(list []State) (left int) {
	ids := map[string]bool{}
	for i := range list {
		for j := range list[i].Hits {
			ids[list[i].Hits[j].Indicator] = true
		}
	}
	known := e.set.Indicators(func(id string) bool { return ids[id] })
	last := int64(0)
	for i := range list {
		s := &list[i]
		if s.Vendor != "" && e.set.Vendor(s.Vendor) == nil || !e.restore(s, known) {
			left++
			continue
		}
		last = max(last, s.LastSeen, s.HostLast)
	}
	for _, f := range e.findings { // now that every host has its roles
		f.Class, _ = f.judge(e.hosts.get(f.Host.Addr).roles())
		f.told = min(f.told, f.Class)
		f.Allowed = e.allowed(f, f.LastSeen)
	}
	if last > 0 {
		every := int64(e.conf.SummaryEvery)
		e.sweepAt = (last/every + 1) * every
	}
	return left
}

func (e *Engine) restore(s *State, known map[string]feeds.Match) bool {
	h := e.hostAt(s.Host.Addr)
	if h == nil {
		return false
	}
	if h.VLAN == 0 {
		h.VLAN = s.Host.VLAN
	}
	e.stations.recall(&s.Host)
	h.last = max(h.last, s.HostLast)
	h.inferred |= s.Roles
	f := &Finding{
		ID: s.ID, Topic: s.Topic, Host: h.Host, Vendor: s.Vendor, Product: s.Product,
		Attempts: s.Attempts, Exchanges: s.Exchanges, BytesOut: s.BytesOut, BytesIn: s.BytesIn,
		FirstSeen: s.FirstSeen, LastSeen: s.LastSeen, Functions: s.Functions, Names: s.Names,
		Foreign: s.Foreign, Contact: s.Contact, Cleared: s.Cleared, told: s.Told, opened: s.Opened, touched: s.Touched, more: s.More,
		rangeKey: s.Range, order: len(e.findings), host: h, hardware: s.Hardware,
	}
	for _, p := range s.Places {
		f.places = append(f.places, spot{Foreign: p})
	}
	for i := range s.Hits {
		if m, ok := known[s.Hits[i].Indicator]; ok {
			f.hits = append(f.hits, s.Hits[i].hit(m))
		}
	}
	e.findings = append(e.findings, f)
	h.findings = append(h.findings, f)
	return true
}

func (s *HitState) hit(m feeds.Match) *hit {
	t := &hit{
		match: m, value: s.Value, channel: s.Channel, asked: s.Asked, dialled: s.Dialled, exchanged: s.Exchanged,
		first: s.First, last: s.Last, pending: s.Pending, blocked: s.Blocked, cname: s.CNAME,
		unlike: s.Unlike, unsure: s.Unsure, server: s.Server, knocked: s.Knocked,
		beat: beat{s.Beat.Last, s.Beat.N, s.Beat.Mean, s.Beat.M2},
	}
	for i, f := range m.Indicator.Families {
		for _, token := range s.Families {
			if strings.EqualFold(token, f.Token) {
				t.families |= 1 << i
			}
		}
	}
	return t
}
