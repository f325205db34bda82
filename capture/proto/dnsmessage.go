package proto

import (
	"bytes"
	"encoding/binary"

	"telltale/capture"
)

// dnsMessage is one message while it is read. All offsets count from its header.
type dnsMessage struct {
	b         []byte // not shorter than the header
	log       *capture.Log
	first     int // index of the message's first Observation in log
	proto     capture.Proto
	transport uint8
	known     [8]dnsKnownName // ring of the names read last
	nextKnown int
}

func (m *dnsMessage) count(at int) int { return int(binary.BigEndian.Uint16(m.b[at:])) }

// add appends an Observation with what the header says.
func (m *dnsMessage) add(name []byte, typ, class uint16) *capture.Observation {
	kind := capture.Request
	if m.b[2]&0x80 != 0 {
		kind = capture.Response
	}
	o := m.log.Add(m.proto, kind)
	o.Transport = m.transport
	o.Name = name
	o.DNS.ID = binary.BigEndian.Uint16(m.b)
	o.DNS.RCode = uint16(m.b[3] & 0xf)
	o.DNS.Opcode = m.b[2] >> 3 & 0xf
	o.DNS.Truncated = m.b[2]&2 != 0
	o.DNS.Type, o.DNS.Class = typ, class
	return o
}

// readQuestions appends an Observation for each question and returns the offset of
// the answer section; whole is false if the message broke before it.
func (m *dnsMessage) readQuestions() (off int, whole bool) {
	off = dnsHeader
	for i := range m.count(4) {
		name, end, ok := m.name(off)
		if !ok || end+4 > len(m.b) {
			return off, false
		}
		typ := binary.BigEndian.Uint16(m.b[end:])
		class := m.class(binary.BigEndian.Uint16(m.b[end+2:]))
		if typ == 0 || !dnsClassKnown(class) {
			return off, false
		}
		off = end + 4
		if i < dnsMaxQuestions {
			m.add(name, typ, class)
		}
	}
	return off, true
}

// class strips the bit that mDNS uses for something else: unicast response wanted in
// a question, cache flush in a record (RFC 6762 §5.4, §10.2).
func (m *dnsMessage) class(c uint16) uint16 {
	if m.proto == capture.ProtoMDNS {
		return c &^ 0x8000
	}
	return c
}

// dnsClassKnown reports whether c is an assigned class (RFC 6895 §3.2). It is the
// test that other protocols on the port fail.
func dnsClassKnown(c uint16) bool {
	switch c {
	case 1, 3, 4, 254, 255:
		return true
	}
	return false
}

// readAnswers gives the answer section at off to the message's first Observation.
func (m *dnsMessage) readAnswers(off int) (end int, whole bool) {
	count := m.count(6)
	if count == 0 {
		return off, true
	}
	kept := m.log.Answers(m.roomForAnswers(off))
	n := 0
	for whole = true; n < len(kept) && whole; {
		if _, off, whole = m.record(off, &kept[n]); whole {
			n++
		}
	}
	if n > 0 {
		m.log.At(m.first).DNS.Answers = kept[:n:n]
	}
	if !whole {
		return off, false
	}
	return m.skipRecords(off, count-n)
}

// roomForAnswers is the number of answers to keep, by the count in the header and by
// the bytes there are.
func (m *dnsMessage) roomForAnswers(off int) int {
	const shortest = 1 + 10
	return min(m.count(6), dnsMaxAnswers, (len(m.b)-off)/shortest+1)
}

// readOwners appends an Observation for each owner name of the answer section, which
// begins right after the header.
func (m *dnsMessage) readOwners() (end int, whole bool) {
	var classes [dnsMaxAnswers]uint16
	off := dnsHeader
	all := m.log.Answers(m.roomForAnswers(off))
	n := 0
	for whole = true; n < len(all) && whole; {
		classes[n], off, whole = m.record(off, &all[n])
		if whole = whole && dnsClassKnown(m.class(classes[n])); whole {
			n++
		}
	}
	for i := range n {
		if m.log.Len()-m.first == dnsMaxOwners {
			break
		}
		if dnsCountOwner(all[:i], all[i].Name) == 0 {
			o := m.add(all[i].Name, all[i].Type, m.class(classes[i]))
			o.DNS.Answers = m.ofOwner(all[i:n], all[i].Name)
		}
	}
	if !whole {
		return off, false
	}
	return m.skipRecords(off, m.count(6)-n)
}

func dnsCountOwner(answers []capture.Answer, name []byte) (n int) {
	for i := range answers {
		if bytes.Equal(answers[i].Name, name) {
			n++
		}
	}
	return n
}

// ofOwner returns those of answers whose owner is name, as one list.
func (m *dnsMessage) ofOwner(answers []capture.Answer, name []byte) []capture.Answer {
	n := dnsCountOwner(answers, name)
	if n == len(answers) {
		return answers[:n:n]
	}
	list := m.log.Answers(n)[:0]
	for i := range answers {
		if bytes.Equal(answers[i].Name, name) {
			list = append(list, answers[i])
		}
	}
	return list
}

// finish reads what follows the answer section, if the message is whole so far, and
// gives all Observations of the message what is known at its end only.
func (m *dnsMessage) finish(off int, whole bool) {
	var e dnsEDNS
	if whole {
		e, whole = m.readEDNS(off)
	}
	for i := m.first; i < m.log.Len(); i++ {
		d := m.log.At(i).DNS
		d.Malformed = !whole
		d.RCode |= e.rcode
		d.EDE = e.errors
	}
}
