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

// opening says that side has sent little enough before s to be still preparing.
func (e *entry) opening(side int, s *decode.Segment) bool {
	return e.bytes[side]-uint64(s.PayloadLen) < openingBytes
}

// begins says that b is surely the start of a message.
func (t *table) begins(e *entry, side int, s *decode.Segment, b []byte) bool {
	set := t.reg.candidates(s.SrcPort, s.DstPort, b[0], e.opening(side, s))
	for ; set != 0; set &= set - 1 {
		if t.reg.match(bits.TrailingZeros64(set), s.SrcPort, s.DstPort, b) == proto.Yes {
			return true
		}
	}
	return false
}

// message tries to read one message at the start of b, sent by side.
func (t *table) message(e *entry, side int, b []byte, last bool, s *decode.Segment, log *capture.Log) (int, proto.Status) {
	failed := proto.Reject
	set := t.reg.candidates(s.SrcPort, s.DstPort, b[0], e.opening(side, s))
	for ; set != 0; set &= set - 1 {
		i := bits.TrailingZeros64(set)
		switch t.reg.match(i, s.SrcPort, s.DstPort, b) {
		case proto.No:
			continue
		case proto.More:
			failed = proto.Incomplete
			continue
		}
		p, mark := &t.reg.streams[i], log.Len()
		n, status := p.Parse(b, last, log)
		if status != proto.Reject {
			t.told(e, side, p, status, log, mark)
			t.stamp(e, s, log, mark)
			return n, status
		}
		log.Truncate(mark)
		if p.Port != 0 {
			t.stats.Rejected++
		}
	}
	return 0, failed
}
