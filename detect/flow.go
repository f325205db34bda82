package detect

import (
	"fmt"

	"telltale/capture"
	"telltale/feeds"
)

// flow takes the first exchange or the end of a flow.
func (e *Engine) flow(h *host, o *capture.Observation) {
	if o.Kind == capture.FlowOpen || o.End.Outcome != capture.Exchanged {
		e.addressed(h, o)
	}
	if o.End.Outcome == capture.Exchanged {
		e.exchanged(o.Flow)
	}
	if o.Kind != capture.FlowEnd {
		return
	}
	for _, k := range e.flows[o.Flow] {
		if k.lead {
			k.finding.BytesOut += o.End.BytesOut
			k.finding.BytesIn += o.End.BytesIn
			e.mark(k.finding)
		}
	}
	delete(e.flows, o.Flow)
}

// addressed holds the flow's server against what is known of addresses and ports.
func (e *Engine) addressed(h *host, o *capture.Observation) {
	server := o.Server.Addr()
	known := len(e.flows[o.Flow]) > 0
	e.matches = e.set.Addr(server, e.matches[:0])
	for _, m := range e.matches {
		e.contact(h, o, m, ByAddress, appendAddr(nil, o))
	}
	e.foreign(h, o)
	if known {
		return
	}
	if a := e.names.lookup(o.Client.Addr(), server, o.Time); a != nil && o.End.Unnamed != capture.Named {
		t := e.contact(h, o, a.match, ByAddress, []byte(a.name))
		if t != nil {
			t.unsure = t.unsure || a.unsure
		}
		return
	}
	e.ported(h, o)
}

// ported holds the flow's server port against management ports of products. A port
// that others use as well says something only beside other evidence of the vendor.
func (e *Engine) ported(h *host, o *capture.Observation) {
	if o.End.Outcome != capture.Exchanged {
		return
	}
	e.matches = e.set.Port(o.Transport, o.Server.Port(), e.matches[:0])
	for _, m := range e.matches {
		user := e.portUser(h, o, m.Indicator.Listener)
		if user == nil || m.Indicator.Shared && !user.knows(m.Vendor.ID) {
			continue
		}
		e.contact(user, o, m, ByAddress, fmt.Appendf(nil, "%s port %d", transportName(o.Transport), o.Server.Port()))
	}
}

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

func transportName(p uint8) string {
	switch p {
	case 6:
		return "tcp"
	case 17:
		return "udp"
	}
	return fmt.Sprintf("protocol %d", p)
}

func appendAddr(dst []byte, o *capture.Observation) []byte {
	return o.Server.Addr().AppendTo(dst)
}
