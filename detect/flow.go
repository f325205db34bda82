package detect

import (
	"fmt"

	"telltale/capture"
)

// flow takes the first exchange or the end of a flow.
func (e *Engine) flow(h *host, o *capture.Observation) {
	if o.Kind == capture.FlowOpen && o.End.App == capture.ProtoNone {
		if kind, ok := e.encryptedFlow(o); ok {
			e.secret(h, o, kind)
		}
	}
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
