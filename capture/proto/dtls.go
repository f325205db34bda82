package proto

import (
	"encoding/binary"

	"telltale/capture"
)

const (
	dtlsRecordHeader    = 13 // RFC 6347 §4.1
	dtlsHandshakeHeader = 12 // RFC 6347 §4.2.2
	// dtlsOld is the version of DTLS before RFC 4347, which AnyConnect clients speak.
	dtlsOld = 0x0100
)

// DTLSClient collects the ClientHello of one client, which may come in fragments, in
// any order and more than once (RFC 6347 §4.2.3). The zero value is ready for use;
// Reset makes it ready for another client and keeps its memory, of some 16 KiB at most.
type DTLSClient struct {
	body     quicAssembly
	length   int    // of the message body, by its header
	sequence uint16 // of the message: 1 answers a HelloVerifyRequest
	begun    bool
	done     bool // the hello was reported
	random   uint32
}

// Reset forgets the client.
func (c *DTLSClient) Reset() {
	c.body.reset()
	c.length, c.sequence, c.begun, c.done, c.random = 0, 0, false, false, 0
}

// Random returns a digest of the client's random, 0 if it was not seen. It is the same
// in the hello that follows a HelloVerifyRequest or a HelloRetryRequest.
func (c *DTLSClient) Random() uint32 { return c.random }

// IsDTLSHello says cheaply whether b begins with a record, not encrypted, that holds a
// ClientHello or a part of it.
func IsDTLSHello(b []byte) bool {
	content, _, ok := dtlsRecord(dtlsBare(b), tlsHandshake)
	if !ok || len(content) < dtlsHandshakeHeader {
		return false
	}
	_, _, ok = dtlsFragment(content)
	return ok
}

// IsDTLSDenial says whether b begins with a fatal alert, not encrypted.
func IsDTLSDenial(b []byte) bool {
	content, _, ok := dtlsRecord(dtlsBare(b), tlsAlert)
	return ok && len(content) == tlsAlertLength && content[0] == tlsFatal
}

// dtlsBare passes the header that CAPWAP puts before DTLS (RFC 5415 §4.2).
func dtlsBare(b []byte) []byte {
	const header, encrypted = 4, 0x01000000
	if len(b) > header && binary.BigEndian.Uint32(b) == encrypted {
		return b[header:]
	}
	return b
}

// dtlsRecord returns the content of the record that begins b, as far as it is present,
// and what follows it. It must be of content type kind and of the epoch before
// encryption.
func dtlsRecord(b []byte, kind byte) (content, rest []byte, ok bool) {
	if len(b) < dtlsRecordHeader || b[0] != kind || b[3]|b[4] != 0 {
		return nil, nil, false
	}
	if !dtlsVersion(binary.BigEndian.Uint16(b[1:])) {
		return nil, nil, false
	}
	n := int(binary.BigEndian.Uint16(b[11:]))
	b = b[dtlsRecordHeader:]
	if n == 0 || n > tlsRecordMax {
		return nil, nil, false
	}
	n = min(n, len(b))
	return b[:n:n], b[n:], true
}

// dtlsVersion tells the versions of DTLS: 1.0, 1.2, 1.3 and the one before RFC 4347.
func dtlsVersion(v uint16) bool {
	return v == 0xfeff || v == 0xfefd || v == 0xfefc || v == dtlsOld
}

// dtlsPiece is a fragment of a ClientHello.
type dtlsPiece struct {
	length   int // of the message
	sequence uint16
	offset   int
	data     []byte // as far as present
}

// dtlsFragment reads the handshake header that begins b, which must be that of a
// ClientHello, and returns what follows the fragment.
func dtlsFragment(b []byte) (p dtlsPiece, rest []byte, ok bool) {
	if len(b) < dtlsHandshakeHeader || b[0] != tlsClientHello {
		return p, nil, false
	}
	word := func(at int) int { return int(b[at])<<16 | int(b[at+1])<<8 | int(b[at+2]) }
	p.length, p.offset = word(1), word(6)
	p.sequence = binary.BigEndian.Uint16(b[4:])
	n := word(9)
	if p.length > quicMaxCrypto || p.offset+n > p.length || n == 0 {
		return p, nil, false
	}
	b = b[dtlsHandshakeHeader:]
	n = min(n, len(b))
	p.data = b[:n]
	return p, b[n:], true
}

// Datagram reads one UDP payload of the presumed client. Done means that the hello is
// whole and one Observation was appended, Incomplete that a part of it was kept,
// Reject that there is nothing of a hello in it.
func (c *DTLSClient) Datagram(b []byte, log *capture.Log) Status {
	status := Reject
	for b = dtlsBare(b); len(b) > 0; {
		content, rest, ok := dtlsRecord(b, tlsHandshake)
		if !ok {
			return status
		}
		for len(content) > 0 {
			p, next, ok := dtlsFragment(content)
			if !ok {
				return status
			}
			c.take(&p)
			if status = Incomplete; c.whole() {
				return c.hello(true, log)
			}
			content = next
		}
		b = rest
	}
	return status
}

// take keeps a fragment. One of another message begins anew: the hello that follows a
// HelloVerifyRequest is sent from its start.
func (c *DTLSClient) take(p *dtlsPiece) {
	if !c.begun || p.sequence != c.sequence || p.length != c.length {
		c.body.reset()
		c.begun, c.sequence, c.length = true, p.sequence, p.length
	}
	c.body.add(uint64(p.offset), p.data)
}

// prefix returns the bytes present from the start of the message body.
func (c *DTLSClient) prefix() []byte {
	if c.body.n == 0 || c.body.ranges[0].lo != 0 {
		return nil
	}
	return c.body.fragment(0)
}

func (c *DTLSClient) whole() bool { return c.begun && len(c.prefix()) == c.length }

// hello reports the hello as far as it is present.
func (c *DTLSClient) hello(whole bool, log *capture.Log) Status {
	h := tlsHello{datagram: true}
	if !h.parse(c.prefix(), whole) || !whole && !h.hasSNI {
		return Reject
	}
	c.done, c.random = true, tlsRandomDigest(c.prefix())
	h.report(capture.ProtoDTLS, tlsHandshakeHeader+c.length, log)
	return Done
}

// Flush ends the flow: a hello that is not whole is reported if its server_name is. It
// returns false if nothing was appended.
func (c *DTLSClient) Flush(log *capture.Log) bool {
	return c.begun && !c.done && c.hello(false, log) == Done
}
