package decode

import "telltale/capture"

// Decoder turns packets into Segments. It remembers nothing but incomplete
// datagrams, the packets of the last moments and counters, and belongs to one goroutine.
type Decoder struct {
	fragments reassembler
	copies    copies
	ports     sparse[udpReader]
	reasons   [ReasonCount]uint64
	first     int64 // time of the earliest packet
	last      int64
}

// Stats counts what a Decoder did.
type Stats struct {
	// Reasons counts packets by outcome; the sum is the number of packets.
	Reasons   [ReasonCount]uint64
	Fragments FragmentStats
	// Forgotten counts packets whose copies could not be told within Config.Dedup, since
	// more packets than are remembered came in that time.
	Forgotten uint64
	// First and Last are the times of the earliest and the latest packet, 0 before any.
	First, Last int64
}

// New returns a Decoder with the limits of conf. A conf that Validate refuses is
// replaced by the defaults.
func New(conf Config) *Decoder {
	if conf.Validate() != nil {
		conf = Config{}
	}
	d := &Decoder{}
	d.fragments.setUp(conf.withDefaults())
	d.copies.setUp(conf)
	d.ports = conf.ports()
	return d
}

// Decode reads the headers of p. With OK, s is the segment or datagram it carries,
// or completes if it is a fragment. With Unreachable, the addresses, ports, protocol
// and (TCP) Seq of s are those of the packet quoted in the ICMP message, its MACs and
// VLAN those of the message, and it has no payload. With Message, s is a message of
// the protocol Segment.Message; its addresses are those of the IP packet around it,
// zero where there is none. With any other Reason s means nothing.
//
// s.Payload is valid as long as p.Data; if s.Reassembled, until Release.
func (d *Decoder) Decode(p *capture.Packet, s *Segment) Reason {
	*s = Segment{Time: p.Time, Packet: p.Ordinal, VLAN: p.VLAN}
	r := d.link(p, s)
	switch r {
	case Unreachable:
		r = d.copies.unreachable(s)
	case Message:
		r = d.copies.message(s)
	}
	d.reasons[r]++
	if d.first == 0 || p.Time < d.first {
		d.first = p.Time
	}
	d.last = max(d.last, p.Time)
	return r
}

func (d *Decoder) link(p *capture.Packet, s *Segment) Reason {
	return d.readLink(s, p.Link, view{p.Data, max(len(p.Data), int(p.Length))})
}

// readLink reads a packet of link type t.
func (d *Decoder) readLink(s *Segment, t capture.LinkType, v view) Reason {
	if len(v.b) == 0 {
		return Empty
	}
	if t >= maxLink || links[t] == nil {
		return UnknownLink
	}
	return links[t](d, s, v)
}

// Release takes back the memory of all reassembled payloads. It is to be called
// after each batch of packets; without it reassembly stops once MaxBytes are out.
func (d *Decoder) Release() { d.fragments.out.reset() }

// Stats returns the counts so far.
func (d *Decoder) Stats() Stats {
	return Stats{Reasons: d.reasons, Fragments: d.fragments.state(), Forgotten: d.copies.forgotten, First: d.first, Last: d.last}
}
