package generate

import (
	"slices"
	"time"

	"github.com/google/gopacket/layers"
)

// maxSegment is the TCP payload of a full packet on Ethernet, in bytes.
const maxSegment = 1460

// dialogue is a TCP connection as it goes on.
type dialogue struct {
	out            *trace
	client, server endpoint
	at             time.Time     // of the last packet
	trip           time.Duration // half a round trip, as seen beside the client
	sent, received uint32        // next sequence numbers, of the client and of the server
}

// dial prepares a connection from a new port of the client.
func (t *trace) dial(at time.Time, client, server endpoint) *dialogue {
	client.port = uint16(32768 + t.dice.IntN(28232))
	return &dialogue{
		out: t, client: client, server: server, at: at,
		trip: t.between(2*time.Millisecond, 40*time.Millisecond),
		sent: t.dice.Uint32(), received: t.dice.Uint32(),
	}
}

// open is the three-way handshake.
func (d *dialogue) open() {
	d.syn()
	d.wait(d.trip)
	d.fromServer(&layers.TCP{SYN: true, ACK: true, Options: segmentSize()}, nil)
	d.received++
	d.wait(50 * time.Microsecond)
	d.fromClient(&layers.TCP{ACK: true}, nil)
}

// refuse is a connection that the server resets.
func (d *dialogue) refuse() {
	d.syn()
	d.wait(d.trip)
	d.received = 0
	d.fromServer(&layers.TCP{RST: true, ACK: true}, nil)
}

func (d *dialogue) syn() {
	d.fromClient(&layers.TCP{SYN: true, Options: segmentSize()}, nil)
	d.sent++
}

// send carries data to the server, which acknowledges it.
func (d *dialogue) send(data []byte) {
	d.wait(200 * time.Microsecond)
	for piece := range slices.Chunk(data, maxSegment) {
		d.fromClient(&layers.TCP{ACK: true, PSH: true}, piece)
		d.sent += uint32(len(piece))
		d.wait(12 * time.Microsecond)
	}
	d.wait(d.trip)
	d.fromServer(&layers.TCP{ACK: true}, nil)
}

// reply carries data to the client, which acknowledges it.
func (d *dialogue) reply(data []byte) {
	d.wait(300 * time.Microsecond)
	for piece := range slices.Chunk(data, maxSegment) {
		d.fromServer(&layers.TCP{ACK: true, PSH: true}, piece)
		d.received += uint32(len(piece))
		d.wait(12 * time.Microsecond)
	}
	d.fromClient(&layers.TCP{ACK: true}, nil)
}

// end closes the connection, the client first.
func (d *dialogue) end() {
	d.wait(time.Millisecond)
	d.fromClient(&layers.TCP{FIN: true, ACK: true}, nil)
	d.sent++
	d.wait(d.trip)
	d.fromServer(&layers.TCP{FIN: true, ACK: true}, nil)
	d.received++
	d.wait(50 * time.Microsecond)
	d.fromClient(&layers.TCP{ACK: true}, nil)
}

func (d *dialogue) fromClient(tcp *layers.TCP, data []byte) {
	tcp.Seq, tcp.Window = d.sent, 64240
	if tcp.ACK {
		tcp.Ack = d.received
	}
	d.out.segment(d.at, d.client, d.server, tcp, data)
}

func (d *dialogue) fromServer(tcp *layers.TCP, data []byte) {
	tcp.Seq, tcp.Ack, tcp.Window = d.received, d.sent, 65160
	d.out.segment(d.at, d.server, d.client, tcp, data)
}

func (d *dialogue) wait(t time.Duration) { d.at = d.at.Add(t) }

// segmentSize is the option of SYN packets (RFC 9293 §3.7.1).
func segmentSize() []layers.TCPOption {
	return []layers.TCPOption{{
		OptionType: layers.TCPOptionKindMSS, OptionLength: 4,
		OptionData: []byte{maxSegment >> 8, maxSegment & 0xff},
	}}
}
