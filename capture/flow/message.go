package flow

import (
	"math/bits"

	"telltale/capture"
	"telltale/capture/decode"
	"telltale/capture/proto"
)

// openingBytes is how far from the start of a direction messages are looked for that
// only prepare the stream for another protocol: PROXY headers, SOCKS and STARTTLS
// dialogues. They are a few hundred bytes.
const openingBytes = 4096

// opening says that side may still be preparing the stream: it is the client, as far as
// is known, and has sent little before s. All openings are the client's.
func (e *entry) opening(side int, s *decode.Segment) bool {
	return (side == int(e.client) || !e.has(flagSYN)) && e.bytes[side]-uint64(s.PayloadLen) < openingBytes
}

// begins says that b is surely the start of a message.
func (t *table) begins(e *entry, side int, s *decode.Segment, b []byte) bool {
	return t.verdict(s, b, e.opening(side, s)) == proto.Yes
}

// verdict says whether b is the start of any message.
func (t *table) verdict(s *decode.Segment, b []byte, opening bool) proto.Verdict {
	best := proto.No
	set := t.reg.candidates(s.SrcPort, s.DstPort, b[0], opening)
	for ; set != 0 && best != proto.Yes; set &= set - 1 {
		best = max(best, t.reg.match(bits.TrailingZeros64(set), s.SrcPort, s.DstPort, b))
	}
	return best
}

// message tries to read one message at the start of b, sent by side, at seq in the stream.
func (t *table) message(e *entry, side int, seq uint32, b []byte, last bool, s *decode.Segment, log *capture.Log) (int, proto.Status) {
	if r := t.reading(e, side); r != nil {
		return t.next(e, r, seq, b, last, s, log)
	}
	failed := proto.Reject
	set := t.reg.candidates(s.SrcPort, s.DstPort, b[0], e.opening(side, s))
	for ; set != 0; set &= set - 1 {
		i := bits.TrailingZeros64(set)
		switch t.reg.match(i, s.SrcPort, s.DstPort, b) {
		case proto.No:
			continue
		case proto.More:
			if !t.reg.streams[i].Opening || !zeros(b) {
				failed = proto.Incomplete
			}
			continue
		}
		p, mark := &t.reg.streams[i], log.Len()
		parse := p.Parse
		if p.Brief != nil && e.has(flagNamed) && !t.conf.Details {
			parse = p.Brief
		}
		n, status := parse(b, last, log)
		if status != proto.Reject {
			t.told(e, side, p, status, log, mark)
			t.stamp(e, s, log, mark)
			if p.Reader != nil && status == proto.Done {
				t.follow(e, side, p, seq+uint32(n))
			}
			return n, status
		}
		log.Truncate(mark)
		if p.Port != 0 {
			t.stats.Rejected++
		}
	}
	return 0, failed
}

// zeros says that b holds nothing else, as the padding of short frames that some stacks
// count as payload: what it stands in the place of comes later.
func zeros(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
