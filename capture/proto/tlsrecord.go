package proto

import "telltale/capture"

// tlsMessage says where the first handshake message of a byte stream lies. The
// message may be spread over any number of records (RFC 8446 §5.1).
type tlsMessage struct {
	header [tlsHandshakeHeader]byte // as far as have reaches
	first  []byte                   // bytes of the message in the record that begins it
	have   int                      // bytes of the message present, at most need
	need   int                      // bytes of the message with its header; the header's alone until that is known
	end    int                      // bytes of the stream up to the end of the last record used
	broken bool                     // something else than a handshake record stands before its end
}

func (m *tlsMessage) whole() bool { return m.have >= tlsHandshakeHeader && m.have == m.need }

// tlsMeasure walks the records at the start of b to the end of the first handshake message.
func tlsMeasure(b []byte) tlsMessage {
	m := tlsMessage{need: tlsHandshakeHeader}
	for m.have < m.need {
		fragment, next, s := tlsFragment(b, m.end)
		if s != Done {
			m.broken = s == Reject
			return m
		}
		m.end = next
		if m.have == 0 {
			m.first = fragment
		}
		m.take(fragment)
	}
	return m
}

// take counts the bytes of one record.
func (m *tlsMessage) take(fragment []byte) {
	if m.have < tlsHandshakeHeader {
		n := copy(m.header[m.have:], fragment)
		m.have += n
		fragment = fragment[n:]
		if m.have < tlsHandshakeHeader {
			return
		}
		m.need += int(m.header[1])<<16 | int(m.header[2])<<8 | int(m.header[3])
	}
	m.have += min(len(fragment), m.need-m.have)
}

// tlsFragment returns the content of the handshake record at b[at:], as far as it is
// present, and where the next record begins. Done means that there is a record,
// Incomplete that its header is not whole, Reject that it is of another kind.
func tlsFragment(b []byte, at int) (fragment []byte, next int, s Status) {
	r := b[at:]
	if len(r) < tlsRecordHeader {
		return nil, at, Incomplete
	}
	n := int(r[3])<<8 | int(r[4])
	if r[0] != tlsHandshake || r[1] != 3 || r[2] > 4 || n > tlsRecordMax {
		return nil, at, Reject
	}
	r = r[tlsRecordHeader:]
	r = r[:min(n, len(r))]
	return r, at + tlsRecordHeader + len(r), Done
}

// message returns the part of the message that is present, copied into log only if
// it is spread over records.
func (m *tlsMessage) message(b []byte, log *capture.Log) []byte {
	if len(m.first) >= m.have {
		return m.first[:m.have]
	}
	msg := log.Bytes(m.have)
	for at, n := 0, 0; n < m.have; {
		fragment, next, _ := tlsFragment(b, at)
		n += copy(msg[n:], fragment)
		at = next
	}
	return msg
}
