package proto

import (
	"encoding/binary"
	"errors"

	"telltale/capture"
)

const (
	dnsPort   = 53
	dnsHeader = 12 // bytes, RFC 1035 §4.1.1

	// Ceilings of one message; what goes beyond is walked over, not kept.
	dnsMaxQuestions = 32
	dnsMaxAnswers   = 128
	dnsMaxOwners    = 32

	// dnsPlausibleQuestions is the QDCOUNT above which bytes are taken for something
	// else: resolvers send one question (RFC 9619 §4), mDNS sends a few dozen.
	dnsPlausibleQuestions = 64
)

// Transport protocol numbers of the IANA registry.
const (
	dnsOverTCP = 6
	dnsOverUDP = 17
)

var (
	errDNSHeader   = errors.New("read dns message: implausible header")
	errDNSQuestion = errors.New("read dns message: no whole question")
)

var (
	_ = registerDatagram(dnsDatagram(capture.ProtoDNS, dnsPort, 10))
	_ = registerStream(dnsStream(capture.ProtoDNS, dnsPort, 10))
)

// dnsDatagram describes DNS messages over UDP with the given port on either side.
func dnsDatagram(p capture.Proto, port uint16, order int) Datagram {
	return Datagram{
		Proto: p,
		Order: order,
		Match: func(src, dst uint16, b []byte) bool {
			return (src == port || dst == port) && dnsPlausible(p, b)
		},
		Parse: func(b []byte, _ bool, log *capture.Log) error {
			return dnsParse(p, dnsOverUDP, b, log)
		},
	}
}

// dnsStream describes DNS messages over TCP, each after its length in two bytes
// (RFC 1035 §4.2.2, RFC 7766 §8).
func dnsStream(p capture.Proto, port uint16, order int) Stream {
	return Stream{
		Proto:  p,
		From:   Either,
		Order:  order,
		Repeat: true,
		Port:   port,
		Match:  func(b []byte) Verdict { return dnsMatchStream(p, b) },
		Parse: func(b []byte, last bool, log *capture.Log) (int, Status) {
			return dnsParseStream(p, b, last, log)
		},
	}
}

// dnsMatchStream also holds the section counts against the length, so that a TLS
// record on this port is not waited for as a DNS message of 5635 bytes.
func dnsMatchStream(p capture.Proto, b []byte) Verdict {
	if len(b) < 2 {
		return More
	}
	size := int(binary.BigEndian.Uint16(b))
	if size < dnsHeader {
		return No
	}
	if len(b) < 2+dnsHeader {
		return More
	}
	h := b[2:]
	if !dnsPlausible(p, h) || dnsLeastSize(h) > size {
		return No
	}
	return Yes
}

// dnsLeastSize is the length of the shortest message with the counts of header h.
func dnsLeastSize(h []byte) int {
	count := func(at int) int { return int(binary.BigEndian.Uint16(h[at:])) }
	const question, record = 1 + 4, 1 + 10
	return dnsHeader + question*count(4) + record*(count(6)+count(8)+count(10))
}

func dnsParseStream(p capture.Proto, b []byte, last bool, log *capture.Log) (int, Status) {
	if len(b) < 2 {
		return 0, dnsShort(last)
	}
	size := int(binary.BigEndian.Uint16(b))
	if size < dnsHeader {
		return 0, Reject
	}
	msg := b[2:]
	if len(msg) < size && !last {
		return 0, Incomplete
	}
	msg = msg[:min(size, len(msg))]
	if dnsParse(p, dnsOverTCP, msg, log) != nil {
		return 0, Reject
	}
	return 2 + len(msg), Done
}

func dnsShort(last bool) Status {
	if last {
		return Reject
	}
	return Incomplete
}

// dnsPlausible tells DNS from other traffic on its port by the header alone. The Z
// bit decides nothing: resolvers answer messages that have it set.
func dnsPlausible(p capture.Proto, b []byte) bool {
	if len(b) < dnsHeader || binary.BigEndian.Uint16(b[4:]) > dnsPlausibleQuestions {
		return false
	}
	opcode := b[2] >> 3 & 0xf
	if p != capture.ProtoDNS {
		return opcode == 0 // RFC 6762 §18.3, RFC 4795 §2.1.1
	}
	return opcode <= 6 && opcode != 3 // IANA DNS OpCodes
}

// dnsParse appends the Observations of one message: one a question, or for a response
// without a question one for each owner name of the answer section.
func dnsParse(p capture.Proto, transport uint8, b []byte, log *capture.Log) error {
	if !dnsPlausible(p, b) {
		return errDNSHeader
	}
	m := dnsMessage{b: b, log: log, proto: p, transport: transport, first: log.Len()}
	if binary.BigEndian.Uint16(b[4:]) == 0 {
		return m.readWithoutQuestion()
	}
	off, whole := m.readQuestions()
	if log.Len() == m.first {
		return errDNSQuestion
	}
	if whole {
		off, whole = m.readAnswers(off)
	}
	m.finish(off, whole)
	return nil
}

// readWithoutQuestion reads a message that asks nothing. Refusals and the messages of
// stateful operations (RFC 8490) carry no name; known answers that a multicast query
// goes on with (RFC 6762 §7.2) repeat what others said.
func (m *dnsMessage) readWithoutQuestion() error {
	response := m.b[2]&0x80 != 0
	stateful := m.b[2]>>3&0xf == 6
	if !response {
		if stateful || m.proto == capture.ProtoMDNS {
			return nil
		}
		return errDNSQuestion
	}
	if m.count(6) == 0 {
		return nil
	}
	off, whole := m.readOwners()
	if m.log.Len() == m.first {
		return errDNSQuestion
	}
	m.finish(off, whole)
	return nil
}
