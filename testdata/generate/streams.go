package generate

import (
	"net/netip"
	"time"

	"github.com/google/gopacket/layers"
)

// Streams returns hellos in TCP connections that are whole for their ends and odd for a
// listener: begun before the capture, seen from one side, wrapped sequence numbers, a
// window of zero with probes, a segment sent again with more behind it, data with the SYN,
// and ended by a reset; and requests of HTTP one behind the other in one segment.
func Streams() (*Capture, error) {
	t := newTrace(29)
	at := start()
	server := endpoint{netip.AddrFrom4([4]byte{192, 0, 2, 1}), 443}
	for i, s := range []struct {
		name string
		play func(t *trace, d *dialogue, hello []byte)
	}{
		{"midstream.example", (*trace).midstream},
		{"onesided.example", (*trace).onesided},
		{"wrapped.example", (*trace).wrapped},
		{"zerowindow.example", (*trace).zeroWindow},
		{"again.example", (*trace).again},
		{"fastopen.example", (*trace).fastOpen},
		{"reset.example", (*trace).resetBehind},
	} {
		d := t.dial(at, endpoint{host(i), 0}, server)
		s.play(t, d, t.browserHello(s.name))
		t.contact(host(i), "tls", s.name)
		at = d.at.Add(time.Second)
	}
	t.pipelined(at, host(7))
	return t.finish()
}

// answered lets the server answer the hello, and both close.
func (t *trace) answered(d *dialogue) {
	d.reply(t.serverFlight(1200))
	d.end()
}

func (t *trace) midstream(d *dialogue, hello []byte) {
	d.send(hello)
	t.answered(d)
}

// onesided leaves out what the server sends.
func (t *trace) onesided(d *dialogue, hello []byte) {
	first := len(t.frames)
	d.open()
	d.send(hello)
	t.answered(d)
	const source = 12 // in the IP header
	client := d.client.addr.As4()
	kept := t.frames[:first]
	for _, f := range t.frames[first:] {
		if [4]byte(f.data[14+source:]) == client {
			kept = append(kept, f)
		}
	}
	t.frames = kept
}

// wrapped begins so that the sequence number passes zero within the hello.
func (t *trace) wrapped(d *dialogue, hello []byte) {
	d.sent = 1<<32 - 500
	d.open()
	d.send(hello)
	t.answered(d)
}

// zeroWindow lets the server close its window within the hello; the client probes it with
// the next byte (RFC 9293 §3.8.6.1), which is not taken the first time.
func (t *trace) zeroWindow(d *dialogue, hello []byte) {
	const half = 700
	d.open()
	d.send(hello[:half])
	full := *d
	t.segment(d.at, d.server, d.client, &layers.TCP{ACK: true, Seq: d.received, Ack: d.sent}, nil)
	for range 2 {
		d.wait(300 * time.Millisecond)
		d.sent = full.sent
		d.fromClient(&layers.TCP{ACK: true}, hello[half:half+1])
		t.segment(d.at, d.server, d.client, &layers.TCP{ACK: true, Seq: d.received, Ack: d.sent}, nil)
	}
	d.wait(300 * time.Millisecond)
	d.send(hello[half:])
	t.answered(d)
}

// again sends the first part once more together with what follows it.
func (t *trace) again(d *dialogue, hello []byte) {
	d.open()
	d.sendAt(0, hello[:500])
	d.wait(250 * time.Millisecond)
	d.send(hello)
	t.answered(d)
}

// fastOpen sends the first part with the SYN (RFC 7413).
func (t *trace) fastOpen(d *dialogue, hello []byte) {
	const first = 1000
	d.fromClient(&layers.TCP{SYN: true, Options: segmentSize()}, hello[:first])
	d.sent += 1 + first
	d.wait(d.trip)
	d.fromServer(&layers.TCP{SYN: true, ACK: true, Options: segmentSize()}, nil)
	d.received++
	d.send(hello[first:])
	t.answered(d)
}

// resetBehind lets the server reset the connection when it has read the name, as filters do.
func (t *trace) resetBehind(d *dialogue, hello []byte) {
	d.open()
	d.send(hello)
	d.fromServer(&layers.TCP{RST: true}, nil)
}

// pipelined sends three requests in one segment, and half of a fourth.
func (t *trace) pipelined(at time.Time, client netip.Addr) {
	var requests []byte
	for _, name := range []string{"one.example", "two.example", "three.example", "four.example"} {
		requests = append(requests, "GET / HTTP/1.1\r\nHost: "+name+"\r\n\r\n"...)
		t.contact(client, "http", name)
	}
	d := t.dial(at, endpoint{client, 0}, endpoint{netip.AddrFrom4([4]byte{192, 0, 2, 1}), 80})
	d.open()
	half := len(requests) - 20
	d.send(requests[:half])
	d.send(requests[half:])
	for range 4 {
		d.reply([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
	}
	d.end()
}
