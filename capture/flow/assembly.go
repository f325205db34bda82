package flow

import (
	"telltale/capture"
	"telltale/capture/decode"
	"telltale/capture/proto"
)

// put adds b to the buffer of side and notes if it differs from what came before.
func (t *table) put(e *entry, side int, seq uint32, b []byte) fault {
	n := e.half[side].buf
	f := t.buffers.add(n, seq, b)
	if t.buffers.at(n).differs && !e.has(flagConflict) {
		e.set(flagConflict)
		t.stats.Conflicts++
	}
	return f
}

// collect adds a segment to the message being collected and tries to read it.
func (t *table) collect(e *entry, side int, seq uint32, s *decode.Segment, log *capture.Log) {
	f := t.put(e, side, seq, s.Payload)
	for {
		base := t.buffers.at(e.half[side].buf).base
		t.drain(e, side, f, seq, s, log)
		if f != faultBig || e.half[side].buf == 0 || t.buffers.at(e.half[side].buf).base == base {
			return
		}
		f = t.put(e, side, seq, s.Payload) // there is room again
	}
}

// drain reads the messages that are whole in the buffer of side. f is what became of the
// segment put last.
func (t *table) drain(e *entry, side int, f fault, seq uint32, s *decode.Segment, log *capture.Log) {
	h := &e.half[side]
	buf := t.buffers.at(h.buf)
	base := buf.base
	last := uint32(len(s.Payload)) < s.PayloadLen
	for buf.have > 0 {
		n, status := t.message(e, side, buf.base, buf.data[:buf.have], last, s, log)
		if status.Waits() && !last {
			if last = f == faultBig && buf.base == base; last {
				continue
			}
			break
		}
		if status.Waits() || n == 0 {
			n = h.rest(buf.base, buf.have)
		} else if h.shut {
			t.leave(e, side)
			return
		}
		if n == 0 {
			t.refuse(e, side, seq, s, log)
			return
		}
		if !t.consume(e, side, n, f == faultBig) {
			return
		}
	}
	if f == faultBig && buf.base != base {
		return // there is room for the rest of the segment
	}
	t.pause(e, side, f, seq, s, log)
}

// pause waits for more, gives up because of f, or ends collecting if nothing is left.
func (t *table) pause(e *entry, side int, f fault, seq uint32, s *decode.Segment, log *capture.Log) {
	buf := t.buffers.at(e.half[side].buf)
	switch {
	case f != faultNone:
		t.abandon(e, side, seq, f, s, log)
	case buf.have == 0 && len(buf.spans) == 0:
		t.leave(e, side)
	}
}

// consume takes a message of n bytes out of the buffer of side. It says whether
// collecting goes on: with what lies behind a gap, or with more that is to be put.
func (t *table) consume(e *entry, side, n int, more bool) bool {
	h := &e.half[side]
	buf := t.buffers.at(h.buf)
	if n < buf.have || n == buf.have && (more || len(buf.spans) > 0) {
		buf.consume(n)
		return true
	}
	end := buf.base + uint32(n)
	t.leave(e, side)
	h.pass(end)
	return false
}

// refuse ends collecting what proved to be no message. The segment that showed it, the
// one at seq, may begin one: a PostgreSQL server answers with the letter S alone, then
// with TLS.
func (t *table) refuse(e *entry, side int, seq uint32, s *decode.Segment, log *capture.Log) {
	buf := t.buffers.at(e.half[side].buf)
	inside := int32(seq - buf.base)
	again := inside > 0 && int(inside) < buf.have && len(buf.spans) == 0
	t.salvage(e, side, s, log)
	t.leave(e, side)
	if again {
		t.read(e, side, seq, false, s, s.Payload, log)
	}
}

// abandon gives up the message being collected because of f, after the segment at seq.
func (t *table) abandon(e *entry, side int, seq uint32, f fault, s *decode.Segment, log *capture.Log) {
	t.salvage(e, side, s, log)
	t.drop(e, side, f)
	e.half[side].advance(seq + s.PayloadLen)
}

// salvage reads the messages that begin what was put aside behind a gap that was never
// filled.
func (t *table) salvage(e *entry, side int, s *decode.Segment, log *capture.Log) {
	h := &e.half[side]
	buf := t.buffers.at(h.buf)
	for _, sp := range buf.spans {
		for b := buf.data[sp.from:sp.to]; len(b) > 0 && !h.shut; {
			seq := buf.base + uint32(int(sp.to)-len(b))
			n, status := t.message(e, side, seq, b, true, s, log)
			if status.Waits() || n == 0 {
				break
			}
			b = b[min(n, len(b)):]
		}
	}
}

// leave ends collecting: the stream goes on after the last byte that was put.
func (t *table) leave(e *entry, side int) {
	h := &e.half[side]
	buf := t.buffers.at(h.buf)
	h.advance(buf.base + uint32(len(buf.data)))
	t.buffers.put(h.buf)
	h.buf = 0
}

// drop gives up the message being collected because of f.
func (t *table) drop(e *entry, side int, f fault) {
	h := &e.half[side]
	t.buffers.put(h.buf)
	h.buf, h.edge, h.shut = 0, false, h.shut || h.enough
	switch f {
	case faultFull:
		t.stats.AssemblyFull++
	case faultBig:
		t.stats.AssemblyTooBig++
	default:
		t.stats.Gaps++
	}
	if side != int(e.client) {
		return // what the server sends gives the flow no name
	}
	e.set(flagPartial)
	if f == faultHoles {
		e.set(flagGap)
	}
}

// settle reads what can be read of the message being collected, since no more comes.
func (t *table) settle(e *entry, side int, order uint64, log *capture.Log) {
	h := &e.half[side]
	if h.buf == 0 {
		return
	}
	buf := t.buffers.at(h.buf)
	mark := log.Len()
	s := e.segment(side)
	read := proto.Reject
	if buf.have > 0 && !h.shut {
		_, read = t.message(e, side, buf.base, buf.data[:buf.have], true, &s, log)
	}
	t.salvage(e, side, &s, log)
	for i := mark; i < log.Len(); i++ {
		log.At(i).Order = order
	}
	if read == proto.Reject || read.Waits() {
		t.unfinished(e, side, len(buf.spans) > 0)
		return
	}
	t.buffers.put(h.buf)
	h.buf = 0
}

// unfinished forgets a message that ended before it was whole.
func (t *table) unfinished(e *entry, side int, holes bool) {
	if holes {
		t.drop(e, side, faultHoles)
		return
	}
	buf, s := t.buffers.at(e.half[side].buf), e.segment(side)
	if side == int(e.client) && buf.have > 0 && t.verdict(&s, buf.data[:buf.have], false) != proto.No {
		e.set(flagPartial)
	}
	t.buffers.put(e.half[side].buf)
	e.half[side].buf = 0
}

// segment stands for the latest packet of side where only the flow is left of it.
func (e *entry) segment(side int) decode.Segment {
	return decode.Segment{
		Time: e.seen, Packet: e.last, Protocol: e.transport, VLAN: e.vlan,
		Src: e.addr[side], SrcPort: e.port[side], SrcMAC: e.mac[side],
		Dst: e.addr[1-side], DstPort: e.port[1-side], DstMAC: e.mac[1-side],
	}
}
