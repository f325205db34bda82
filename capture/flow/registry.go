package flow

import (
	"telltale/capture/proto"
)

// registry is the protocol tables prepared for quick refusal: most segments of bulk
// traffic are told by their first byte.
type registry struct {
	streams   []proto.Stream
	datagrams []proto.Datagram
	first     [256]bool     // bytes a message of a stream protocol on any port can begin with
	ports     [1 << 16]bool // ports with a stream protocol of their own
}

func newRegistry(streams []proto.Stream, datagrams []proto.Datagram) *registry {
	r := &registry{streams: streams, datagrams: datagrams}
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
