package proto

import "telltale/capture"

// Content types of a TLS record (RFC 8446 §5.1).
const (
	tlsAlert     = 21
	tlsHandshake = 22
)

// Handshake types (RFC 8446 §4).
const (
	tlsClientHello = 1
	tlsServerHello = 2
)

const (
	tlsRecordHeader    = 5
	tlsHandshakeHeader = 4
	// tlsRecordMax is the longest record any version allows (RFC 5246 §6.2.3).
	tlsRecordMax = 1<<14 + 2048
	// tlsHelloMax is the longest body a ClientHello can have: every vector of RFC 8446
	// §4.1.2 at its limit.
	tlsHelloMax = 2 + 32 + 1 + 32 + 2 + 0xfffe + 1 + 0xff + 2 + 0xffff
)

var _ = registerStream(Stream{
	Proto: capture.ProtoTLS,
	From:  Client,
	Order: 10,
	Match: tlsMatchClient,
	Parse: tlsParseClient,
})

// tlsMatchClient judges whether b begins with a TLS record that opens a ClientHello,
// or with a ClientHello in the SSL 2.0 format.
func tlsMatchClient(b []byte) Verdict {
	if b[0]&0x80 != 0 {
		return tlsMatchV2(b)
	}
	return tlsMatchRecord(b, tlsHandshake, tlsClientHello)
}

// tlsMatchRecord judges whether b begins with a record of content type kind whose
// first byte is first.
func tlsMatchRecord(b []byte, kind, first byte) Verdict {
	switch {
	case b[0] != kind,
		len(b) > 1 && b[1] != 3,
		len(b) > 2 && b[2] > 4:
		return No
	case len(b) < tlsRecordHeader+1:
		return More
	}
	if n := int(b[3])<<8 | int(b[4]); n == 0 || n > tlsRecordMax || b[tlsRecordHeader] != first {
		return No
	}
	return Yes
}

// tlsParseClient reads the ClientHello that begins b, in one or many records. A hello
// that is not whole when nothing more comes, or that another record interrupts, is
// reported if its server_name is whole.
func tlsParseClient(b []byte, last bool, log *capture.Log) (int, Status) {
	if len(b) > 0 && b[0]&0x80 != 0 {
		return tlsParseV2(b, log)
	}
	m := tlsMeasure(b)
	if m.have > 0 && m.header[0] != tlsClientHello || m.need > tlsHandshakeHeader+tlsHelloMax {
		return 0, Reject
	}
	whole := m.whole()
	if !whole && !last && !m.broken {
		return 0, Incomplete
	}
	var h tlsHello
	if msg := m.message(b, log); len(msg) > tlsHandshakeHeader && h.parse(msg[tlsHandshakeHeader:], whole) && (whole || h.hasSNI) {
		h.report(capture.ProtoTLS, m.need, log)
		return m.end, Done
	}
	if whole || m.broken {
		return 0, Reject
	}
	return 0, Incomplete
}
