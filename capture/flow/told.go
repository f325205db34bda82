package flow

import (
	"telltale/capture"
	"telltale/capture/decode"
	"telltale/capture/proto"
)

// told takes from a message of side what it says about the flow.
func (t *table) told(e *entry, side int, p *proto.Stream, status proto.Status, log *capture.Log, mark int) {
	if status == proto.Incomplete {
		return
	}
	switch p.From {
	case proto.Client:
		e.orient(side)
	case proto.Server:
		e.orient(1 - side)
	}
	e.app = p.Proto
	e.half[side].told = true
	if e.half[side].enough = status == proto.Answered; e.half[side].enough {
		return
	}
	if status == proto.Denied && e.outcome < capture.Exchanged {
		e.outcome = capture.Refused
	}
	if !p.Repeat && !p.Opening {
		e.half[side].shut = true
	}
	if p.Proto == capture.ProtoSOCKS {
		e.set(flagAsked)
	}
	for i := mark; i < log.Len(); i++ {
		t.learn(e, log.At(i))
	}
}

// learn notes whether a request gave the flow its name, or a PROXY header its client.
func (t *table) learn(e *entry, o *capture.Observation) {
	switch {
	case o.Proto == capture.ProtoPROXY:
		if e.origin == 0 {
			e.origin = t.origins.add(o.Proxied)
		}
		if len(o.Name) == 0 {
			return
		}
	case o.HTTP != nil:
		e.asks(o)
	case o.Proto == capture.ProtoX509:
		o.Cert.Asked = e.has(flagNamed)
	}
	if o.Kind != capture.Request {
		return
	}
	if len(o.Name) > 0 {
		e.set(flagNamed)
	} else {
		e.set(flagNoSNI)
	}
}

// stamp gives the Observations from mark on their time, place and endpoints.
func (t *table) stamp(e *entry, s *decode.Segment, log *capture.Log, mark int) {
	for i := mark; i < log.Len(); i++ {
		o := log.At(i)
		stamp(o, s)
		if e == nil {
			tunnelled(o, s, log)
			continue
		}
		o.Flow = e.id
		o.Proxied = t.origins.at(e.origin)
		t.tunnels.tell(o, e.tunnel, log)
	}
}

// stamp gives o the time and the endpoints of s: a request comes from the client.
func stamp(o *capture.Observation, s *decode.Segment) {
	o.Time, o.Packet, o.Order = s.Time, s.Packet, s.Packet
	o.Transport, o.VLAN = s.Protocol, s.VLAN
	o.Client, o.ClientMAC = addrPort(&s.Src, s.SrcPort), s.SrcMAC
	o.Server, o.ServerMAC = addrPort(&s.Dst, s.DstPort), s.DstMAC
	if o.Kind == capture.Response && o.Proto != capture.ProtoMDNS {
		reverse(o)
	}
}

// reverse exchanges the two ends of o.
func reverse(o *capture.Observation) {
	o.Client, o.Server = o.Server, o.Client
	o.ClientMAC, o.ServerMAC = o.ServerMAC, o.ClientMAC
}
