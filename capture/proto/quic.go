package proto

import (
	"bytes"

	"telltale/capture"
)

// QUICStatus is what a QUICClient says of a datagram.
type QUICStatus uint8

// Statuses of a datagram.
const (
	QUICNot    QUICStatus = iota // no Initial in it, or none that could bring anything new
	QUICMore                     // an Initial was opened, the hello is not whole yet
	QUICHello                    // one Observation was appended
	QUICSealed                   // an Initial that no known key opens: the server's, cut, or of an unknown version
)

// QUICClient collects the Initial packets of one client until its ClientHello is
// whole. The zero value is ready for use; Reset makes it ready for another client and
// keeps its memory, which is bounded by two buffers of some 16 KiB.
type QUICClient struct {
	keys    quicKeys
	trial   quicKeys // keys not proven yet
	version uint32   // what the keys were derived from
	dcidLen uint8
	dcid    [quicMaxCID]byte
	random  uint32
	done    bool // the hello of these keys was reported, or there is none
	crypto  quicAssembly
	scratch []byte
}

// Reset forgets the client.
func (c *QUICClient) Reset() {
	c.keys, c.trial = quicKeys{}, quicKeys{}
	c.version, c.dcidLen, c.done, c.random = 0, 0, false, 0
	c.crypto.reset()
}

// Random returns a digest of the client's random in the hello reported, 0 if it was not
// seen. It is the same in the hello that follows a Retry (RFC 9000 §17.2.5.2) or a change
// of version.
func (c *QUICClient) Random() uint32 { return c.random }

// Datagram reads one whole UDP payload sent by the presumed client, with all packets
// coalesced in it (RFC 9000 §12.2). It appends at most one Observation to log.
func (c *QUICClient) Datagram(b []byte, log *capture.Log) QUICStatus {
	status := QUICNot
	var dcid []byte
	for len(b) > 0 {
		p, ok := quicParseLong(b)
		if !ok || dcid != nil && !bytes.Equal(dcid, p.dcid) {
			break
		}
		dcid = p.dcid
		if p.kind == quicInitial {
			s := c.initial(&p, b[:p.size], log)
			if s == QUICHello {
				return s
			}
			if s == QUICSealed && status == QUICMore {
				return status
			}
			if status = max(status, s); status == QUICSealed {
				// What follows shares the connection id, so it will not open either.
				return status
			}
		}
		b = b[p.size:]
	}
	return status
}

// initial reads one Initial packet; b is the packet.
func (c *QUICClient) initial(p *quicLong, b []byte, log *capture.Log) QUICStatus {
	if c.done && c.derivedFrom(p) {
		return QUICNot
	}
	if !p.openable(len(b)) {
		return QUICSealed
	}
	plain, ok := c.open(p, b)
	if !ok {
		return QUICSealed
	}
	if c.done {
		return QUICNot
	}
	c.crypto.readFrames(plain)
	return c.hello(log)
}

func (c *QUICClient) derivedFrom(p *quicLong) bool {
	return c.keys.ready() && c.version == p.version && bytes.Equal(c.dcid[:c.dcidLen], p.dcid)
}

// open removes the protection of an Initial with the keys in use, with those of
// another version of the same connection (RFC 9368 §2.1), or with new ones derived
// from this packet: then a new connection has begun, or the client follows a Retry,
// and it will send its hello from the start.
func (c *QUICClient) open(p *quicLong, b []byte) ([]byte, bool) {
	if c.keys.ready() {
		if plain, ok := c.keys.open(&c.scratch, p, b); ok {
			return plain, true
		}
		if p.version != c.version {
			if plain, ok := c.try(p, b, c.dcid[:c.dcidLen]); ok {
				c.version = p.version
				return plain, true
			}
		}
		if c.derivedFrom(p) {
			return nil, false
		}
	}
	plain, ok := c.try(p, b, p.dcid)
	if ok {
		c.crypto.reset()
		c.version, c.done = p.version, false
		c.dcidLen = uint8(copy(c.dcid[:], p.dcid))
	}
	return plain, ok
}

// try opens an Initial with the keys that its version derives from dcid, and keeps
// the ones that do.
func (c *QUICClient) try(p *quicLong, b, dcid []byte) ([]byte, bool) {
	for _, s := range quicSchemes(p.version) {
		if s == quicNone {
			break
		}
		if !c.trial.set(quicDerive(s, dcid)) {
			continue
		}
		if plain, ok := c.trial.open(&c.scratch, p, b); ok {
			c.keys = c.trial
			return plain, true
		}
	}
	return nil, false
}

// hello reports the ClientHello if it is whole. CRYPTO frames carry the handshake
// message without a record layer (RFC 9001 §4.1.3).
func (c *QUICClient) hello(log *capture.Log) QUICStatus {
	msg, need := c.crypto.message()
	if need == 0 {
		return QUICMore
	}
	if msg[0] != tlsClientHello {
		c.done = true
		return QUICNot
	}
	if len(msg) < need {
		return QUICMore
	}
	c.done = true
	var h tlsHello
	if !h.parse(msg[tlsHandshakeHeader:need], true) {
		return QUICNot
	}
	c.random = tlsRandomDigest(msg[tlsHandshakeHeader:need])
	c.report(&h, need, log)
	return QUICHello
}

func (c *QUICClient) report(h *tlsHello, length int, log *capture.Log) {
	h.report(capture.ProtoQUIC, length, log).TLS.QUICVersion = c.version
}

// Flush ends the flow: a hello that is not whole is reported if its server_name is,
// be it behind the bytes that are missing. It returns false if nothing was appended.
func (c *QUICClient) Flush(log *capture.Log) bool {
	if c.done || !c.keys.ready() {
		return false
	}
	c.done = true
	msg, need := c.crypto.message()
	var h tlsHello
	if len(msg) > tlsHandshakeHeader && msg[0] == tlsClientHello {
		h.parse(msg[tlsHandshakeHeader:], false)
		c.random = tlsRandomDigest(msg[tlsHandshakeHeader:])
	}
	for i := 0; i < c.crypto.n && !h.hasSNI; i++ {
		h.sni = quicFindServerName(c.crypto.fragment(i))
		h.hasSNI = h.sni != nil
	}
	if !h.hasSNI {
		return false
	}
	c.report(&h, need, log)
	return true
}
