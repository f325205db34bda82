package flow

import (
	"slices"

	"telltale/capture"
	"telltale/capture/proto"
)

// registry is the protocol tables prepared for quick refusal: most segments of bulk
// traffic are told by their first byte.
type registry struct {
	streams   []proto.Stream
	datagrams []proto.Datagram // all
	anywhere  []proto.Datagram // those of any port
	messages  [capture.ProtoCount]proto.Message
	first     [256]bool     // bytes a message of a stream protocol on any port can begin with
	ports     [1 << 16]bool // ports with a stream protocol of their own
	udpPorts  [1 << 16]bool // the same for datagrams
}

func newRegistry(streams []proto.Stream, datagrams []proto.Datagram, messages []proto.Message) *registry {
	r := &registry{streams: streams, datagrams: datagrams}
	for _, d := range datagrams {
		if d.Ports == nil {
			r.anywhere = append(r.anywhere, d)
		}
		for _, p := range d.Ports {
			r.udpPorts[p] = true
		}
	}
	for _, m := range messages {
		r.messages[m.Proto] = m
	}
	for _, p := range streams {
		if p.Port != 0 {
			r.ports[p.Port] = true
			continue
		}
		for b := range 256 {
			if p.Match([]byte{byte(b)}) != proto.No {
				r.first[b] = true
			}
		}
	}
	return r
}

// datagramsOf returns the datagram protocols to try between two ports, in order.
func (r *registry) datagramsOf(src, dst uint16) []proto.Datagram {
	if r.udpPorts[src] || r.udpPorts[dst] {
		return r.datagrams
	}
	return r.anywhere
}

// between says whether p may run between two ports.
func between(p *proto.Datagram, src, dst uint16) bool {
	return p.Ports == nil || slices.Contains(p.Ports, src) || slices.Contains(p.Ports, dst)
}

// stream returns the first protocol from the i-th on that b, sent between these
// ports, may be a message of.
func (r *registry) stream(i int, src, dst uint16, b []byte) (int, proto.Verdict) {
	owned := r.ports[src] || r.ports[dst]
	if !owned && !r.first[b[0]] {
		return 0, proto.No
	}
	more := -1
	for ; i < len(r.streams); i++ {
		p := &r.streams[i]
		if p.Port != 0 && p.Port != src && p.Port != dst {
			continue
		}
		switch p.Match(b) {
		case proto.Yes:
			return i, proto.Yes
		case proto.More:
			more = i
		}
	}
	if more >= 0 {
		return more, proto.More
	}
	return 0, proto.No
}
