package generate

import (
	"net/netip"
	"time"

	"github.com/google/gopacket/layers"
	"github.com/miekg/dns"
)

// Damaged returns hellos and questions as damaged streams carry them: a post-quantum
// hello in two segments out of order, the same behind a keep-alive probe, a hello in two
// records, one whose second version differs, and questions over TCP cut in the middle.
func Damaged() (*Capture, error) {
	t := newTrace(13)
	at := start()
	server := endpoint{netip.AddrFrom4([4]byte{192, 0, 2, 1}), 443}
	for i, play := range []func(d *dialogue){
		func(d *dialogue) { d.sendLateFirst(t.browserHello("order.example"), 900) },
		func(d *dialogue) {
			d.probe()
			d.sendLateFirst(t.browserHello("keepalive.example"), 1300)
		},
		func(d *dialogue) { d.send(twoRecords(t.browserHello("records.example"), 400)) },
		func(d *dialogue) {
			genuine, decoy := t.browserHello("first.example"), t.browserHello("other.example")
			d.sendAt(0, genuine[:900])
			d.sendAt(0, decoy[:900])
			d.sendAt(900, genuine[900:])
			d.sent += uint32(len(genuine))
		},
	} {
		d := t.dial(at, endpoint{host(i), 0}, server)
		d.open()
		play(d)
		d.reply(t.serverFlight(1200))
		d.end()
		t.contact(host(i), "tls", []string{"order.example", "keepalive.example", "records.example", "first.example"}[i])
		at = d.at.Add(time.Second)
	}
	t.questions(at, host(9))
	return t.finish()
}

// sendLateFirst sends data in two segments, the second one first.
func (d *dialogue) sendLateFirst(data []byte, at int) {
	d.sendAt(at, data[at:])
	d.sendAt(0, data[:at])
	d.sent += uint32(len(data))
}

// sendAt sends data at an offset from what was sent so far.
func (d *dialogue) sendAt(offset int, data []byte) {
	d.wait(200 * time.Microsecond)
	sent := d.sent
	d.sent += uint32(offset)
	d.fromClient(&layers.TCP{ACK: true, PSH: true}, data)
	d.sent = sent
}

// probe is a keep-alive of the client: the byte before the next one (RFC 9293 §3.8.4).
func (d *dialogue) probe() {
	d.wait(time.Second)
	d.sent--
	d.fromClient(&layers.TCP{ACK: true}, []byte{0})
	d.sent++
	d.fromServer(&layers.TCP{ACK: true}, nil)
}

// twoRecords cuts the content of a record in two records.
func twoRecords(record []byte, at int) []byte {
	body := record[5:]
	first := append([]byte{record[0], record[1], record[2], byte(at >> 8), byte(at)}, body[:at]...)
	rest := len(body) - at
	return append(append(first, record[0], record[1], record[2], byte(rest>>8), byte(rest)), body[at:]...)
}

// questions are three DNS questions over TCP: two in one segment with half of the third.
func (t *trace) questions(at time.Time, client netip.Addr) {
	var stream []byte
	for i, name := range []string{"one.example", "two.example", "three.example"} {
		t.contact(client, "dns", name)
		stream = append(stream, t.questionOverTCP(name, uint16(i+1))...)
	}
	d := t.dial(at, endpoint{client, 0}, resolver())
	d.open()
	half := len(stream) - 20
	d.send(stream[:half])
	d.send(stream[half:])
	d.end()
}

// questionOverTCP is a DNS question with its length before it (RFC 1035 §4.2.2).
func (t *trace) questionOverTCP(name string, id uint16) []byte {
	q := new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.TypeA)
	q.Id = id
	return t.overTCP(q)
}
