package flow

import (
	"slices"

	"telltale/capture"
	"telltale/capture/proto"
)

// maxStreams is how many stream protocols a registry can hold: the bits of a mask.
const maxStreams = 64

// registry is the protocol tables prepared for quick refusal: most segments of bulk
// traffic are told by their first byte. Bit i of a mask stands for streams[i].
type registry struct {
	streams   []proto.Stream
	datagrams []proto.Datagram // all
	anywhere  []proto.Datagram // those of any port
	messages  [capture.ProtoCount]proto.Message
	any       [256]uint64   // protocols on any port whose messages can begin with a byte
	opening   [256]uint64   // the same, of those that only open a stream
	owned     uint64        // protocols with a port of their own
	ports     [1 << 16]bool // those ports
	udpPorts  [1 << 16]bool // the same for datagrams
}

func newRegistry(streams []proto.Stream, datagrams []proto.Datagram, messages []proto.Message) *registry {
	if len(streams) > maxStreams {
		panic("flow: more stream protocols than bits in a mask")
	}
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
	for i, p := range streams {
		if p.Port != 0 {
			r.ports[p.Port] = true
			r.owned |= 1 << i
			continue
		}
		table := &r.any
		if p.Opening {
			table = &r.opening
		}
		for b := range 256 {
			if p.Match([]byte{byte(b)}) != proto.No {
				table[b] |= 1 << i
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

// candidates returns the protocols that bytes which begin with first, sent between
// these ports, may be a message of.
func (r *registry) candidates(src, dst uint16, first byte, opening bool) uint64 {
	set := r.any[first]
	if opening {
		set |= r.opening[first]
	}
	if r.ports[src] || r.ports[dst] {
		set |= r.owned
	}
	return set
}

// match asks the protocol numbered i whether b, sent between these ports, is its message.
func (r *registry) match(i int, src, dst uint16, b []byte) proto.Verdict {
	p := &r.streams[i]
	if p.Port != 0 && p.Port != src && p.Port != dst {
		return proto.No
	}
	return p.Match(b)
}
