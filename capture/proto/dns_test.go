package proto

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"telltale/capture"
)

// dnsPack builds a message from its records in presentation form: questions as
// "name TYPE", the rest as in a zone file.
func dnsPack(t testing.TB, m *dns.Msg, questions []string, answers ...string) []byte {
	t.Helper()
	for _, q := range questions {
		name, typ, _ := strings.Cut(q, " ")
		m.Question = append(m.Question, dns.Question{Name: name, Qtype: dns.StringToType[typ], Qclass: dns.ClassINET})
	}
	for _, s := range answers {
		rr, err := dns.NewRR(s)
		if err != nil {
			t.Fatalf("record %q: %v", s, err)
		}
		m.Answer = append(m.Answer, rr)
	}
	m.Compress = true
	b, err := m.Pack()
	if err != nil {
		t.Fatalf("pack: %v", err)
	}
	return b
}

func dnsReply() *dns.Msg { return &dns.Msg{MsgHdr: dns.MsgHdr{Id: 0x1234, Response: true}} }

// dnsChain is a response as a resolver gives it: an alias chain and two addresses.
func dnsChain(t testing.TB) []byte {
	m := dnsReply()
	m.SetEdns0(1232, false)
	return dnsPack(t, m, []string{"DC1.KSN.Kaspersky-Labs.com. A"},
		"dc1.ksn.kaspersky-labs.com. 300 IN CNAME ksn.geo.kaspersky.com.",
		"ksn.geo.kaspersky.com. 60 IN CNAME edge.example.net.",
		"edge.example.net. 20 IN A 192.0.2.1",
		"edge.example.net. 20 IN A 192.0.2.2")
}

func dnsQuery(t testing.TB) []byte {
	m := &dns.Msg{MsgHdr: dns.MsgHdr{Id: 7, RecursionDesired: true}}
	return dnsPack(t, m, []string{"Activation-V2.Kaspersky.com. AAAA"})
}

// dnsText prints what was read, one line an Observation.
func dnsText(log *capture.Log) string {
	var s strings.Builder
	for i := range log.Len() {
		o := log.At(i)
		fmt.Fprintf(&s, "%s %s %s type %d class %d rcode %d", o.Proto, o.Kind, o.Name, o.DNS.Type, o.DNS.Class, o.DNS.RCode)
		if o.DNS.Truncated {
			s.WriteString(" truncated")
		}
		if o.DNS.Malformed {
			s.WriteString(" malformed")
		}
		if len(o.DNS.EDE) > 0 {
			fmt.Fprintf(&s, " ede %v", o.DNS.EDE)
		}
		for _, a := range o.DNS.Answers {
			fmt.Fprintf(&s, "; %s %d ttl %d", a.Name, a.Type, a.TTL)
			if a.Addr.IsValid() {
				fmt.Fprintf(&s, " %s", a.Addr)
			}
			if a.Target != nil {
				fmt.Fprintf(&s, " -> %s", a.Target)
			}
			if a.ECH != nil {
				fmt.Fprintf(&s, " ech %x", a.ECH)
			}
		}
		s.WriteByte('\n')
	}
	return s.String()
}

// dnsCase is a message and what is read of it: "" for an error.
type dnsCase struct {
	name  string
	proto capture.Proto
	msg   []byte
	want  string
}

func TestDNSMessages(t *testing.T) {
	chain := dnsChain(t)
	dnsRun(t, []dnsCase{
		{
			"query", capture.ProtoDNS, dnsQuery(t),
			"dns request activation-v2.kaspersky.com type 28 class 1 rcode 0\n",
		},
		{
			"alias chain in order", capture.ProtoDNS, chain,
			"dns response dc1.ksn.kaspersky-labs.com type 1 class 1 rcode 0" +
				"; dc1.ksn.kaspersky-labs.com 5 ttl 300 -> ksn.geo.kaspersky.com" +
				"; ksn.geo.kaspersky.com 5 ttl 60 -> edge.example.net" +
				"; edge.example.net 1 ttl 20 192.0.2.1; edge.example.net 1 ttl 20 192.0.2.2\n",
		},
		{
			"names with odd bytes", capture.ProtoDNS,
			dnsPack(t, &dns.Msg{}, []string{`a\.B\\\000\255\032z.Example. TXT`}),
			`dns request a\.b\\\000\255\032z.example type 16 class 1 rcode 0` + "\n",
		},
		{
			"odd byte in a later label", capture.ProtoDNS,
			dnsPack(t, &dns.Msg{}, []string{`One.t\007o.Three. TXT`}),
			`dns request one.t\007o.three type 16 class 1 rcode 0` + "\n",
		},
		{
			"root", capture.ProtoDNS, dnsPack(t, &dns.Msg{}, []string{". NS"}),
			"dns request . type 2 class 1 rcode 0\n",
		},
		{
			"every kind of target", capture.ProtoDNS,
			dnsPack(t, dnsReply(), []string{"q. ANY"},
				"q. 1 IN NS ns.q.", "q. 2 IN MX 10 mx.q.", "q. 3 IN SRV 1 2 3 srv.q.", "q. 4 IN PTR ptr.q.",
				"q. 5 IN DNAME dname.q.", "q. 6 IN AAAA 2001:db8::1", "q. 7 IN TXT text",
				`q. 8 IN HTTPS 1 . alpn="h2" ech="AAT+DQAA"`, "q. 9 IN SVCB 0 svcb.q."),
			"dns response q type 255 class 1 rcode 0; q 2 ttl 1 -> ns.q; q 15 ttl 2 -> mx.q; q 33 ttl 3 -> srv.q" +
				"; q 12 ttl 4 -> ptr.q; q 39 ttl 5 -> dname.q; q 28 ttl 6 2001:db8::1; q 16 ttl 7" +
				"; q 65 ttl 8 -> . ech 0004fe0d0000; q 64 ttl 9 -> svcb.q\n",
		},
		{
			"two questions", capture.ProtoMDNS,
			dnsPack(t, &dns.Msg{}, []string{"one.local. A", "two.local. PTR"}),
			"mdns request one.local type 1 class 1 rcode 0\nmdns request two.local type 12 class 1 rcode 0\n",
		},
		{
			"announcement without a question", capture.ProtoMDNS,
			dnsPack(t, dnsReply(), nil, "tv.local. 120 CLASS32769 A 192.0.2.9",
				"_x._tcp.local. 4500 IN PTR TV._x._tcp.local.", "TV.local. 120 CLASS32769 AAAA fe80::1"),
			"mdns response tv.local type 1 class 1 rcode 0; tv.local 1 ttl 120 192.0.2.9; tv.local 28 ttl 120 fe80::1\n" +
				"mdns response _x._tcp.local type 12 class 1 rcode 0; _x._tcp.local 12 ttl 4500 -> tv._x._tcp.local\n",
		},
		{
			"multicast known answers only", capture.ProtoMDNS,
			dnsPack(t, &dns.Msg{}, nil, "x.local. 1 IN A 192.0.2.1"), "nothing",
		},
	})
}

func TestDNSBroken(t *testing.T) {
	chain, query := dnsChain(t), dnsQuery(t)
	dnsRun(t, []dnsCase{
		{
			"cut in the second answer", capture.ProtoDNS, chain[:100],
			"dns response dc1.ksn.kaspersky-labs.com type 1 class 1 rcode 0 malformed" +
				"; dc1.ksn.kaspersky-labs.com 5 ttl 300 -> ksn.geo.kaspersky.com\n",
		},
		{
			"cut after the question", capture.ProtoDNS, chain[:44],
			"dns response dc1.ksn.kaspersky-labs.com type 1 class 1 rcode 0 malformed\n",
		},
		{"cut in the question", capture.ProtoDNS, query[:20], ""},
		{"cut in the header", capture.ProtoDNS, query[:11], ""},
		{
			"second question cut", capture.ProtoMDNS,
			dnsCut(dnsPack(t, &dns.Msg{}, []string{"one.local. A", "two.local. PTR"}), 1),
			"mdns request one.local type 1 class 1 rcode 0 malformed\n",
		},
		{"no question", capture.ProtoDNS, make([]byte, dnsHeader), ""},
		{"refusal without a question", capture.ProtoDNS, []byte("0@\x80\x81\x00\x00\x00\x00\x00\x00\x00\x00"), "nothing"},
		{"answer of unknown class only", capture.ProtoDNS, dnsPack(t, dnsReply(), nil, "x. 1 CLASS9 A 192.0.2.1"), ""},
		{"junk before a query", capture.ProtoDNS, []byte("0@\x02\x01\x030\x0f\x02\x03\x00\x91\xc8\x02\x02\x05\xdc\x04\x01\x03"), ""},
		{"unassigned opcode", capture.ProtoDNS, dnsPatch(query, 2, 3<<3), ""},
		{"update by multicast", capture.ProtoMDNS, dnsPatch(query, 2, 5<<3), ""},
		{"unknown class", capture.ProtoDNS, dnsPatch(query, len(query)-1, 0), ""},
		{"unicast bit outside mDNS", capture.ProtoDNS, dnsPatch(query, len(query)-2, 0x80), ""},
		{"unicast bit", capture.ProtoMDNS, dnsPatch(query, len(query)-2, 0x80), "mdns request activation-v2.kaspersky.com type 28 class 1 rcode 0\n"},
		{"type zero", capture.ProtoDNS, dnsPatch(query, len(query)-3, 0), ""},
		{"pointer to itself", capture.ProtoDNS, dnsPatch(query, 12, 0xc0, 12), ""},
		{"label type 0x40", capture.ProtoDNS, dnsPatch(query, 12, 0x41), ""},
		{"label longer than the message", capture.ProtoDNS, dnsPatch(query, 12, 63), ""},
	})
}

func dnsRun(t *testing.T, tests []dnsCase) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			log := new(capture.Log)
			err := dnsParse(tt.proto, dnsOverUDP, tt.msg, log)
			got := dnsText(log)
			switch {
			case err != nil && got != "":
				t.Errorf("error %v, but reported %s", err, got)
			case err != nil && tt.want != "":
				t.Errorf("error %v, want %s", err, tt.want)
			case err == nil && tt.want == "":
				t.Errorf("no error, reported %q", got)
			case err == nil && tt.want != "nothing":
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Error(diff)
				}
			case tt.want == "nothing" && got != "":
				t.Errorf("reported %s, want nothing", got)
			}
		})
	}
}

func dnsCut(b []byte, n int) []byte { return b[:len(b)-n] }

// dnsPatch returns a copy of b with bytes overwritten.
func dnsPatch(b []byte, at int, with ...byte) []byte {
	b = append([]byte(nil), b...)
	copy(b[at:], with)
	return b
}

func TestDNSHeaderFields(t *testing.T) {
	m := dnsReply()
	m.Truncated = true
	m.Opcode = dns.OpcodeNotify
	log := new(capture.Log)
	if err := dnsParse(capture.ProtoDNS, dnsOverTCP, dnsPack(t, m, []string{"a.example. SOA"}), log); err != nil {
		t.Fatal(err)
	}
	o := log.At(0)
	want := capture.DNS{ID: 0x1234, Type: 6, Class: 1, Opcode: 4, Truncated: true}
	if diff := cmp.Diff(want, *o.DNS, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	if o.Transport != 6 {
		t.Errorf("transport %d, want 6", o.Transport)
	}
}

func TestDNSExtendedErrors(t *testing.T) {
	m := dnsReply()
	m.Rcode = dns.RcodeBadVers // 16: needs the upper bits
	m.Ns = append(m.Ns, &dns.SOA{Hdr: dns.RR_Header{Name: "example.", Rrtype: dns.TypeSOA, Class: 1}, Ns: "ns.example.", Mbox: "m.example."})
	opt := &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}}
	opt.Option = []dns.EDNS0{&dns.EDNS0_COOKIE{Cookie: "0011223344556677"}, &dns.EDNS0_EDE{InfoCode: 15, ExtraText: "blocked"}, &dns.EDNS0_EDE{InfoCode: 17}}
	m.Extra = append(m.Extra, opt)
	b := dnsPack(t, m, []string{"blocked.example. A"})
	log := new(capture.Log)
	if err := dnsParse(capture.ProtoDNS, dnsOverUDP, b, log); err != nil {
		t.Fatal(err)
	}
	want := "dns response blocked.example type 1 class 1 rcode 16 ede [15 17]\n"
	if diff := cmp.Diff(want, dnsText(log)); diff != "" {
		t.Error(diff)
	}
}

func TestDNSBounds(t *testing.T) {
	var questions, answers []string
	for i := range 40 {
		questions = append(questions, fmt.Sprintf("q%d. A", i))
	}
	for i := range 200 {
		answers = append(answers, fmt.Sprintf("a%d. 1 IN A 192.0.2.1", i))
	}
	m := dnsReply()
	m.SetEdns0(1232, false).Rcode = dns.RcodeBadVers // in the record behind all others
	log := new(capture.Log)
	if err := dnsParse(capture.ProtoDNS, dnsOverUDP, dnsPack(t, m, questions, answers...), log); err != nil {
		t.Fatal(err)
	}
	if d := log.At(0).DNS; log.Len() != dnsMaxQuestions || len(d.Answers) != dnsMaxAnswers || d.Malformed || d.RCode != 16 {
		t.Errorf("%d questions, %d answers, malformed %v, rcode %d", log.Len(), len(d.Answers), d.Malformed, d.RCode)
	}
	log.Reset()
	if err := dnsParse(capture.ProtoMDNS, dnsOverUDP, dnsPack(t, dnsReply(), nil, answers...), log); err != nil {
		t.Fatal(err)
	}
	if log.Len() != dnsMaxOwners || log.At(0).DNS.Malformed {
		t.Errorf("%d owners, malformed %v, want %d whole ones", log.Len(), log.At(0).DNS.Malformed, dnsMaxOwners)
	}
}

func TestDNSLongNames(t *testing.T) {
	long := strings.Repeat(strings.Repeat("x", 63)+".", 3) // 192 bytes on the wire
	fits := long + strings.Repeat("y", 61) + "."
	tooLong := dnsPatch(dnsPack(t, &dns.Msg{}, []string{fits + " A"}), 12+192, 62)
	tooLong = append(tooLong[:12+193], append([]byte{'y'}, tooLong[12+193:]...)...)
	for _, tt := range []struct {
		name string
		msg  []byte
		ok   bool
	}{
		{"255 bytes", dnsPack(t, &dns.Msg{}, []string{fits + " A"}), true},
		{"256 bytes", tooLong, false},
	} {
		log := new(capture.Log)
		if err := dnsParse(capture.ProtoDNS, dnsOverUDP, tt.msg, log); (err == nil) != tt.ok {
			t.Errorf("%s: error %v", tt.name, err)
		}
		if tt.ok && string(log.At(0).Name) != strings.TrimSuffix(fits, ".") {
			t.Errorf("%s: name %q", tt.name, log.At(0).Name)
		}
	}
}

func TestDNSStream(t *testing.T) {
	framed := func(msgs ...[]byte) (b []byte) {
		for _, m := range msgs {
			b = append(binary.BigEndian.AppendUint16(b, uint16(len(m))), m...)
		}
		return b
	}
	query, chain := dnsQuery(t), dnsChain(t)
	one := framed(query)
	tests := []struct {
		name    string
		b       []byte
		last    bool
		verdict Verdict
		n       int
		status  Status
		names   int
	}{
		{"one byte", one[:1], false, More, 0, Incomplete, 0},
		{"one byte, the last", one[:1], true, More, 0, Reject, 0},
		{"length only", one[:2], false, More, 0, Incomplete, 0},
		{"all but one byte", one[:len(one)-1], false, Yes, 0, Incomplete, 0},
		{"whole", one, false, Yes, len(one), Done, 1},
		{"two in one segment", framed(query, chain), false, Yes, len(one), Done, 1},
		{"response cut at the end of the flow", framed(chain)[:80], true, Yes, 80, Done, 1},
		{"question cut at the end of the flow", one[:20], true, Yes, 0, Reject, 0},
		{"length below a header", []byte{0, 11, 1, 2}, false, No, 0, Reject, 0},
		{"TLS record", []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x9a\x9a\x9a\x9a"), false, No, 0, Incomplete, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			log := new(capture.Log)
			if v := dnsMatchStream(capture.ProtoDNS, tt.b); v != tt.verdict {
				t.Errorf("match %d, want %d", v, tt.verdict)
			}
			n, s := dnsParseStream(capture.ProtoDNS, tt.b, tt.last, log)
			if n != tt.n || s != tt.status || log.Len() != tt.names {
				t.Errorf("consumed %d, status %d, %d names; want %d, %d, %d", n, s, log.Len(), tt.n, tt.status, tt.names)
			}
		})
	}
}

func TestDNSRegistered(t *testing.T) {
	query := dnsQuery(t)
	tests := []struct {
		src, dst uint16
		want     string
	}{
		{40000, 53, "dns"},
		{53, 40000, "dns"},
		{5353, 5353, "mdns"},
		{40000, 5355, "llmnr"},
		{137, 137, ""},
	}
	for _, tt := range tests {
		got := ""
		for _, d := range Datagrams() {
			if d.Ports == nil && d.Match(tt.src, tt.dst, query) {
				got += d.Proto.String()
			}
		}
		if got != tt.want {
			t.Errorf("ports %d, %d: matched by %q, want %q", tt.src, tt.dst, got, tt.want)
		}
	}
}

func TestDNSAllocatesNothing(t *testing.T) {
	log := new(capture.Log)
	announcement := dnsPack(t, dnsReply(), nil, "tv.local. 1 IN A 192.0.2.9", `_x\001.local. 1 IN PTR tv.local.`, "tv.local. 1 IN AAAA fe80::1")
	for name, msg := range map[string][]byte{"query": dnsQuery(t), "response": dnsChain(t), "announcement": announcement} {
		allocs := testing.AllocsPerRun(100, func() {
			log.Reset()
			if err := dnsParse(capture.ProtoDNS, dnsOverUDP, msg, log); err != nil {
				t.Fatal(err)
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations a message", name, allocs)
		}
	}
}

func benchmarkDNS(b *testing.B, msg []byte) {
	log := new(capture.Log)
	b.ReportAllocs()
	b.SetBytes(int64(len(msg)))
	for b.Loop() {
		log.Reset()
		if err := dnsParse(capture.ProtoDNS, dnsOverUDP, msg, log); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDNSQuery(b *testing.B)    { benchmarkDNS(b, dnsQuery(b)) }
func BenchmarkDNSResponse(b *testing.B) { benchmarkDNS(b, dnsChain(b)) }
