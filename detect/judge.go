package detect

import (
	"telltale/capture"
	"telltale/feeds"
)

// repeatedAsk is the number of separate questions from which on a name of a product is
// taken for the product's although no connection was seen.
const repeatedAsk = 3

// judge returns the class of f by its hits, for a host with these roles, and which
// roles lowered it.
func (f *Finding) judge(roles Role) (feeds.Class, Role) {
	best, lowered := feeds.None, Role(0)
	parts, own := false, false // of a maker of parts; says so itself
	if f.Foreign != nil {
		best = feeds.Located
	}
	for _, t := range f.hits {
		c := t.class()
		if t.match.Kind.IsHardware() {
			parts = parts || t.match.Kind == feeds.KindOUI
			own = own || t.match.Kind == feeds.KindIdentity && c >= feeds.Likely
			best = max(best, c)
			continue // what a host does for others says nothing else of itself
		}
		if after, by := lower(c, t, roles); by != 0 {
			c = after
			lowered |= by
		}
		best = max(best, c)
	}
	if parts && own {
		best = max(best, feeds.Device)
	}
	if best < feeds.Installed && f.portsProve() {
		proof, by := lower(feeds.Installed, &hit{channel: ByAddress}, roles)
		best, lowered = max(best, proof), lowered|by
	}
	return best, lowered
}

// class is what t says for itself.
func (t *hit) class() feeds.Class {
	ind := t.match.Indicator
	c := ind.Implies
	if ind.Misleading {
		c = min(c, feeds.Visited)
	}
	if ind.Doubtful() {
		c = min(c, feeds.Likely)
	}
	switch {
	case t.match.Kind == feeds.KindResolverWalk:
		return c
	case t.match.Kind == feeds.KindCIDR || t.match.Kind == feeds.KindASN, t.partsOnly():
		return min(c, feeds.Located)
	case t.match.Kind.IsHardware():
		return c
	case t.match.Kind == feeds.KindPort:
		return t.classOfPort(c)
	case t.channel == ByDNS:
		return t.classByDNS(c)
	case t.channel == ByAddress || t.channel == ByCertificate:
		return min(c, feeds.Likely)
	}
	if c == feeds.Visited && !ind.Misleading && t.product() {
		return feeds.Likely
	}
	return c
}

// partsOnly says that t is a hardware address whose maker's parts are in the devices of
// others: only where the address comes from.
func (t *hit) partsOnly() bool { return t.match.Kind == feeds.KindOUI && t.match.Indicator.Shared }

// classByDNS is what a name says that was asked for and, as far as was seen, not
// contacted.
func (t *hit) classByDNS(c feeds.Class) feeds.Class {
	switch {
	case c >= feeds.Device && t.asked >= repeatedAsk:
		return c
	case c >= feeds.Device:
		return feeds.Likely
	case c == feeds.Likely && t.asked >= repeatedAsk:
		return feeds.Likely
	}
	return min(c, feeds.Resolved)
}

// product says that a visit looks like a program's: regular, or by another TLS stack
// than the host's browsers, and to a place where people do not go.
func (t *hit) product() bool {
	switch t.match.Indicator.Function {
	case feeds.FuncWeb, feeds.FuncMail, feeds.FuncAds, feeds.FuncInjected, feeds.FuncDownload, feeds.FuncAccount, feeds.FuncCDN:
		return false
	}
	_, regular := t.beat.period()
	return regular || t.unlike
}

// lower applies what the host does for others.
func lower(c feeds.Class, t *hit, roles Role) (feeds.Class, Role) {
	if roles == 0 {
		return c, 0
	}
	try := func(r Role, limit feeds.Class) (feeds.Class, Role) {
		if roles&r != 0 && c > limit {
			return limit, r
		}
		return c, 0
	}
	limits := []struct {
		role  Role
		limit feeds.Class
		ask   bool // applies to questions only
	}{
		{Resolver, feeds.Resolved, true},
		{Mail, feeds.Resolved, true},
		{Enrichment, feeds.Visited, false},
		{Mail, feeds.Visited, false},
		{Proxy, feeds.Likely, false},
		{NAT, feeds.Likely, false},
	}
	for _, l := range limits {
		if l.ask && t.channel != ByDNS {
			continue
		}
		if after, by := try(l.role, l.limit); by != 0 {
			return after, by
		}
	}
	return c, 0
}

// judged brings f's class up to date after o and tells what changed.
func (e *Engine) judged(h *host, f *Finding, o *capture.Observation) {
	class, _ := f.judge(h.roles())
	f.Class = class
	if f.Allowed = e.allowed(f, o.Time); f.Allowed != nil {
		return
	}
	switch {
	case !f.opened:
		f.opened = true
		e.tell(f, Opened, o)
	case f.Cleared:
		f.Cleared = false
		e.tell(f, Reopened, o)
	case class > f.told:
		e.tell(f, Raised, o)
	}
}

// allowed returns the entry that excuses all of f at time t, nil if there is none.
func (e *Engine) allowed(f *Finding, t int64) *Allow {
	for i := range e.conf.Allow {
		a := &e.conf.Allow[i]
		if t >= a.Expires.UnixNano() {
			continue
		}
		all := len(f.hits) > 0 || a.Name == ""
		for _, k := range f.hits {
			all = all && a.covers(f.Host.Addr, f.Vendor, k.value)
		}
		if all && a.covers(f.Host.Addr, f.Vendor, a.Name) {
			return a
		}
	}
	return nil
}

// tell reports a change of f.
func (e *Engine) tell(f *Finding, kind ChangeKind, o *capture.Observation) {
	f.told = max(f.told, f.Class)
	if kind == Reopened {
		f.told = f.Class
	}
	e.explain(f)
	f.touched = false
	e.told(Change{Kind: kind, Time: o.Time, Packet: o.Packet, Finding: f})
}
