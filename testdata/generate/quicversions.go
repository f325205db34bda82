package generate

import (
	"net/netip"
	"time"
)

// QUICVersions returns QUIC connections, each of a host of its own: versions that are
// negotiated, a draft, versions nobody knows, early data behind the hello, and a client
// that goes on from another port.
func QUICVersions() (*Capture, error) {
	t := newTrace(47)
	reserved, strange := quic1(0x1a2a3a4a), quic1(0xabcd0002)
	strange.salt = "a salt of its own   "
	for i, c := range []struct {
		name   string
		hidden bool
		play   func(q *quicTalk)
	}{
		{"negotiated.example", false, func(q *quicTalk) { q.negotiate(quic2()); q.begin(quic1(1), 0); q.goOn() }},
		{"reserved.example", false, func(q *quicTalk) { q.negotiate(reserved); q.begin(quic1(1), 0); q.goOn() }},
		{"draft29.example", false, func(q *quicTalk) { q.begin(quic29(), 0); q.goOn() }},
		{"unknown.example", false, func(q *quicTalk) { q.begin(quic1(0xabcd0001), 0); q.goOn() }},
		{"strange.example", true, func(q *quicTalk) { q.begin(strange, 0); q.goOn() }},
		{"given-up.example", true, func(q *quicTalk) { q.negotiate(reserved) }},
		{"early.example", false, func(q *quicTalk) { q.begin(quic1(1), 400); q.goOn() }},
		{"moves.example", false, func(q *quicTalk) {
			q.begin(quic1(1), 0)
			q.goOn()
			q.client.port++
			q.toServer, q.toClient = t.bytes(8), t.bytes(8)
			q.goOn()
		}},
	} {
		if !c.hidden {
			t.contact(host(i), "quic", c.name)
		}
		c.play(&quicTalk{
			trace: t, name: c.name, at: start().Add(time.Duration(i) * time.Second), client: endpoint{host(i), uint16(51000 + i)},
			server: endpoint{netip.AddrFrom4([4]byte{192, 0, 2, 1}), 443},
		})
	}
	return t.finish()
}

// quicTalk is a QUIC connection as it goes on.
type quicTalk struct {
	*trace
	name               string
	at                 time.Time // of the last packet
	client, server     endpoint
	toServer, toClient []byte // connection ids
}

func (q *quicTalk) fromClient(data []byte) {
	q.at = q.at.Add(time.Millisecond)
	q.datagram(q.at, q.client, q.server, data)
}

func (q *quicTalk) fromServer(data []byte) {
	q.at = q.at.Add(20 * time.Millisecond)
	q.datagram(q.at, q.server, q.client, data)
}

// hello sends an Initial of a version, and behind it early bytes of 0-RTT.
func (q *quicTalk) hello(v quicVersion, early int) {
	const size = 1200 // RFC 9000 §14.1
	q.toServer, q.toClient = q.bytes(8), q.bytes(8)
	if early == 0 {
		q.fromClient(q.initial(v, q.toServer, q.toClient, q.quicHello(q.name), size))
		return
	}
	const zeroRTT = 0xd0
	behind := q.sealedLong(zeroRTT, v.number, q.toServer, q.toClient, nil, early)
	q.fromClient(append(q.initial(v, q.toServer, q.toClient, q.quicHello(q.name), size-len(behind)), behind...))
}

// negotiate offers a version, and the server says that it speaks version 1 and a reserved
// one (RFC 8999 §6, RFC 9000 §15).
func (q *quicTalk) negotiate(v quicVersion) {
	q.hello(v, 0)
	list := []byte{0, 0, 0, 1, 0x5a, 0x6a, 0x7a, 0x8a}
	q.fromServer(append(longHeader(0xc0, 0, q.toClient, q.toServer), list...))
}

// begin sends the hello, and the server answers with an Initial and its first Handshake
// packet in one datagram, and an id of its own.
func (q *quicTalk) begin(v quicVersion, early int) {
	const handshake = 0xe0
	q.hello(v, early)
	q.toServer = q.bytes(8)
	first := q.sealedLong(v.initial, v.number, q.toClient, q.toServer, []byte{0}, 150)
	q.fromServer(append(first, q.sealedLong(handshake, v.number, q.toClient, q.toServer, nil, 900)...))
	q.fromClient(q.sealedLong(handshake, v.number, q.toServer, q.toClient, nil, 80))
}

// goOn is an exchange in packets with a short header (RFC 9000 §17.3).
func (q *quicTalk) goOn() {
	short := func(to []byte, n int) []byte { return append(append([]byte{0x40}, to...), q.bytes(n)...) }
	q.fromClient(short(q.toServer, 120))
	q.fromServer(short(q.toClient, 700))
	q.fromClient(short(q.toServer, 40))
}
