package generate

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// OddLookups returns DNS messages that are rare or wrong: names that circle, several
// questions in one message, what EDNS adds, and an answer of 65,535 bytes over TCP between
// others of the same connection.
func OddLookups() (*Capture, error) {
	t := newTrace(53)
	at := start()
	for i, play := range []func(at time.Time, asker endpoint){
		t.circlingQuestion, t.circlingAnswer, t.circlingTarget, t.threeQuestions, t.extendedError, t.badVersion,
	} {
		play(at, endpoint{host(i), uint16(41000 + i)})
		at = at.Add(time.Second)
	}
	t.longAnswer(at, host(6))
	return t.finish()
}

// question asks for one name, which must be found.
func (t *trace) question(asker endpoint, name string) *dns.Msg {
	t.contact(asker.addr, "dns", name)
	q := new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.TypeA)
	q.Id = asker.port
	return q
}

func (t *trace) packed(m *dns.Msg) []byte {
	raw, err := m.Pack()
	t.keep(err)
	return raw
}

// circlingQuestion asks for a name that is a pointer to itself (RFC 1035 §4.1.4).
func (t *trace) circlingQuestion(at time.Time, asker endpoint) {
	t.datagram(at, asker, resolver(), words16(asker.port, 0x0100, 1, 0, 0, 0, 0xc00c, 1, 1))
}

// circlingAnswer is an answer whose owner is a pointer to itself.
func (t *trace) circlingAnswer(at time.Time, asker endpoint) {
	q := t.packed(t.question(asker, "circling-owner.example"))
	t.datagram(at, asker, resolver(), q)
	owner := 0xc000 | uint16(len(q))
	record := words16(owner, 1, 1, 0, 300, 4, 0xc612, 1)
	t.datagram(at.Add(time.Millisecond), resolver(), asker, append(answering(q), record...))
}

// circlingTarget is an alias for a name that begins well and leads to itself.
func (t *trace) circlingTarget(at time.Time, asker endpoint) {
	q := t.packed(t.question(asker, "circling-target.example"))
	t.datagram(at, asker, resolver(), q)
	const cname, fixed = 5, 12 // of the record, up to the target
	record := words16(0xc00c, cname, 1, 0, 300, 4, 0x0161, 0xc000|uint16(len(q)+fixed))
	t.datagram(at.Add(time.Millisecond), resolver(), asker, append(answering(q), record...))
}

// answering is the question q as the begin of its answer with one record.
func answering(q []byte) []byte {
	const flags, answers = 2, 6
	a := append([]byte(nil), q...)
	binary.BigEndian.PutUint16(a[flags:], 0x8180)
	binary.BigEndian.PutUint16(a[answers:], 1)
	return a
}

// threeQuestions asks for three names at once; the server refuses it (RFC 9619 §4).
func (t *trace) threeQuestions(at time.Time, asker endpoint) {
	q := t.question(asker, "one.example")
	for _, name := range []string{"two.example", "three.example"} {
		q.Question = append(q.Question, t.question(asker, name).Question...)
	}
	t.message(at, asker, resolver(), q)
	t.message(at.Add(time.Millisecond), resolver(), asker, new(dns.Msg).SetRcode(q, dns.RcodeFormatError))
}

// extendedError asks with a subnet and a cookie, and is told that the name is censored
// (RFC 7871, RFC 7873, RFC 8914 §4.17).
func (t *trace) extendedError(at time.Time, asker endpoint) {
	q := t.question(asker, "censored.example")
	q.SetEdns0(1232, true)
	q.IsEdns0().Option = []dns.EDNS0{
		&dns.EDNS0_SUBNET{Code: dns.EDNS0SUBNET, Family: 1, SourceNetmask: 24, Address: []byte{192, 0, 2, 0}},
		&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0102030405060708"},
	}
	t.message(at, asker, resolver(), q)
	a := new(dns.Msg).SetRcode(q, dns.RcodeNameError)
	a.SetEdns0(1232, true)
	a.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeCensored, ExtraText: "by order"}}
	t.message(at.Add(time.Millisecond), resolver(), asker, a)
}

// badVersion asks with EDNS 1, of which the server says that it does not know it; the upper
// bits of the response code stand in EDNS (RFC 6891 §6.1.3).
func (t *trace) badVersion(at time.Time, asker endpoint) {
	q := t.question(asker, "edns-one.example")
	q.SetEdns0(1232, false)
	q.IsEdns0().SetVersion(1)
	t.message(at, asker, resolver(), q)
	a := new(dns.Msg).SetRcode(q, dns.RcodeBadVers)
	a.SetEdns0(1232, false)
	t.message(at.Add(time.Millisecond), resolver(), asker, a)
}

// longAnswer is a connection with three questions in one segment; the second answer is as
// long as one may be.
func (t *trace) longAnswer(at time.Time, client netip.Addr) {
	d := t.dial(at, endpoint{client, 0}, resolver())
	var asked, answers []byte
	for i, name := range []string{"before.example", "long.example", "behind.example"} {
		q := t.question(endpoint{client, uint16(i + 1)}, name)
		a := answerTo(q, resolved)
		if i == 1 {
			t.lengthen(a)
		}
		asked, answers = append(asked, t.overTCP(q)...), append(answers, t.overTCP(a)...)
	}
	d.open()
	d.send(asked)
	d.reply(answers)
	d.end()
}

// lengthen adds text records and padding (RFC 7830) until the message has 65,535 bytes.
func (t *trace) lengthen(m *dns.Msg) {
	const longest = 1<<16 - 1
	owner := m.Question[0].Name
	text := &dns.TXT{Hdr: header(owner, dns.TypeTXT)}
	for range 31 {
		text.Txt = append(text.Txt, strings.Repeat("text ", 50))
	}
	for range 8 {
		m.Answer = append(m.Answer, text)
	}
	m.Compress = true
	padding := &dns.EDNS0_PADDING{}
	opt := m.IsEdns0()
	opt.Option = append(opt.Option, padding)
	padding.Padding = make([]byte, longest-len(t.packed(m)))
}

// overTCP is a DNS message with its length before it (RFC 1035 §4.2.2).
func (t *trace) overTCP(m *dns.Msg) []byte {
	raw := t.packed(m)
	return append(words16(uint16(len(raw))), raw...)
}
