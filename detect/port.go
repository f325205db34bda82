package detect

import (
	"fmt"
	"net/netip"

	"telltale/capture"
	"telltale/feeds"
)

// ported holds the flow's server port against management and device ports of products.
// An unanswered connection counts as an attempt of the caller's software.
func (e *Engine) ported(h *host, o *capture.Observation) {
	answered := o.End.Outcome == capture.Exchanged
	e.matches = e.set.Port(o.Transport, o.Server.Port(), e.matches[:0])
	for _, m := range e.matches {
		user := e.portUser(h, o, m.Indicator.Listener)
		if user == nil || !answered && user != h {
			continue
		}
		if commonPort(m.Indicator) && !(answered && user.knows(m.Vendor.ID)) {
			continue
		}
		t := e.contact(user, o, m, ByAddress, fmt.Appendf(nil, "%s port %d", transportName(o.Transport), o.Server.Port()))
		if t != nil && !answered {
			t.knock(o.Server.Addr())
		}
	}
}

// commonPort says that others than the vendor use the port: it is marked so, or it is a
// port of any server in the Internet. It says something beside other evidence only.
func commonPort(i *feeds.Indicator) bool { return i.Shared || i.Listener == feeds.ListenCloud }

// portUser returns the host whose software a flow to a port shows: the caller, or the
// one called if the port is an agent's. Ports of the operator's own network say nothing
// outside it.
func (e *Engine) portUser(h *host, o *capture.Observation, l feeds.Listener) *host {
	if l == feeds.ListenCloud {
		return h
	}
	server := e.hostAt(o.Server.Addr())
	if server == nil || !server.home {
		return nil
	}
	if l == feeds.ListenAgent {
		return server
	}
	return h
}

// knows says whether h has a Finding of the vendor that rests on more than an address.
func (h *host) knows(vendor string) bool {
	for _, f := range h.findings {
		if f.Topic == AboutVendor && f.Vendor == vendor && f.Class > feeds.Located {
			return true
		}
	}
	return false
}

// maxKnocked is the number of servers of a product that a host may look for in vain;
// one that tries more is looking for open ports.
const maxKnocked = 3

// knock notes a server that did not answer.
func (t *hit) knock(server netip.Addr) {
	if len(t.knocked) > maxKnocked || has(t.knocked, server) {
		return
	}
	t.knocked = append(t.knocked, server)
}

func (t *hit) scans() bool { return t.exchanged == 0 && len(t.knocked) > maxKnocked }

// classOfPort is what a flow to a port of a product says: with an answer, that the
// product is likely there, as any program may use any port; without, no more than a
// question, unless it is asked again and again.
func (t *hit) classOfPort(c feeds.Class) feeds.Class {
	switch {
	case t.match.Indicator.Shared:
		return min(c, feeds.Visited)
	case t.exchanged > 0:
		return min(c, feeds.Likely)
	case t.scans():
		return min(c, feeds.Located)
	case t.beat.n+1 >= repeatedAsk:
		return min(c, feeds.Likely)
	}
	return min(c, feeds.Resolved)
}

// portFacts puts into words what speaks against a port.
func (t *hit) portFacts() []Fact {
	var text string
	switch ind := t.match.Indicator; {
	case t.match.Kind != feeds.KindPort:
		return nil
	case ind.Shared:
		text = fmt.Sprintf("others than %s use %s too: alone it says nothing", t.match.Vendor.Name, ind.Value)
	case t.scans():
		text = fmt.Sprintf("%d servers were tried on %s and none answered: this looks for open ports", len(t.knocked), ind.Value)
	case t.exchanged > 0:
		text = fmt.Sprintf("any program may use %s: a single port is no proof", ind.Value)
	default:
		return nil
	}
	return []Fact{{Text: text, Against: true, Indicator: t.match.Indicator.ID}}
}

// ownPort says that t is an answered flow to a port that others do not use; strong, that
// the port alone would show the product if ports could.
func (t *hit) ownPort() (own, strong bool) {
	ind := t.match.Indicator
	own = t.match.Kind == feeds.KindPort && t.exchanged > 0 && ind.Implies >= feeds.Likely &&
		!ind.Shared && !ind.Misleading && ind.Confidence != feeds.Low
	return own, own && ind.Implies == feeds.Installed
}

// portsProve says whether two different ports of a product, both answered, show it: one
// program that uses both by chance is not to be expected.
func (f *Finding) portsProve() bool {
	ports, proof := 0, false
	for _, t := range f.hits {
		own, strong := t.ownPort()
		if own {
			ports++
		}
		proof = proof || strong
	}
	return ports >= 2 && proof
}
