package proto

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"telltale/capture"
)

func FuzzDNS(f *testing.F) {
	f.Add(dnsQuery(f))
	f.Add(dnsChain(f))
	f.Add(dnsPack(f, dnsReply(), []string{`a\.b\000\\. HTTPS`},
		`a\.b\000\\. 8 IN HTTPS 1 x.a\.b\000\\. alpn="h2" ech="AAT+DQAA"`, "m. 1 IN MX 1 .", "s. 1 IN SRV 1 2 3 t.s."))
	f.Add(dnsPack(f, dnsReply(), nil, "tv.local. 1 IN A 192.0.2.9", "x.local. 1 IN PTR tv.local.", "tv.local. 1 IN AAAA fe80::1"))
	opt := &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}, Option: []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: 15}}}
	f.Add(dnsPack(f, &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: 16}, Extra: []dns.RR{opt}}, []string{"q. A"}))
	for _, b := range dnsCapturedMessages(f, 64) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, p := range []capture.Proto{capture.ProtoDNS, capture.ProtoMDNS} {
			dnsCheckAgainstMiekg(t, p, b)
		}
		dnsCheckStream(t, b)
	})
}

// dnsCheckStream parses b as a stream and checks the contract of Stream.Parse.
func dnsCheckStream(t *testing.T, b []byte) {
	t.Helper()
	for _, last := range []bool{false, true} {
		log := new(capture.Log)
		n, s := dnsParseStream(capture.ProtoDNS, b, last, log)
		if n < 0 || n > len(b) || s == Done && n == 0 {
			t.Fatalf("consumed %d of %d bytes, status %d", n, len(b), s)
		}
		if s != Done && log.Len() > 0 || last && s == Incomplete {
			t.Fatalf("last %v: status %d with %d observations", last, s, log.Len())
		}
	}
}

// dnsCheckAgainstMiekg requires that what another implementation reads in b is read
// the same here, and that nothing it accepts is refused without a reason.
func dnsCheckAgainstMiekg(t *testing.T, p capture.Proto, b []byte) {
	t.Helper()
	log := new(capture.Log)
	err := dnsParse(p, dnsOverUDP, b, log)
	if err != nil && log.Len() > 0 {
		t.Fatalf("error %v with %d observations", err, log.Len())
	}
	var m dns.Msg
	if m.Unpack(b) != nil {
		return
	}
	if err != nil {
		if dnsPlausible(p, b) && len(m.Question) > 0 && dnsAsks(p, m.Question[0]) {
			t.Fatalf("error %v for %v", err, &m)
		}
		return
	}
	if log.Len() == 0 {
		return
	}
	want := dnsExpected(p, &m)
	got := make([]dnsSeen, 0, log.Len())
	for i := range log.Len() {
		got = append(got, dnsSeenOf(log.At(i)))
	}
	if log.At(0).DNS.Malformed {
		if dnsComplete(p, b, &m) {
			t.Fatalf("malformed, but whole: %v", &m)
		}
		return
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Fatalf("-miekg +this\n%s", diff)
	}
}

// dnsSeen is an Observation in comparable form.
type dnsSeen struct {
	Name        string
	Type, Class uint16
	RCode       int
	EDE         []uint16
	Answers     []capture.Answer
}

func dnsSeenOf(o *capture.Observation) dnsSeen {
	return dnsSeen{string(o.Name), o.DNS.Type, o.DNS.Class, int(o.DNS.RCode), o.DNS.EDE, o.DNS.Answers}
}

func dnsMask(p capture.Proto, class uint16) uint16 {
	if p == capture.ProtoMDNS {
		return class & 0x7fff
	}
	return class
}

func dnsAsks(p capture.Proto, q dns.Question) bool {
	return q.Qtype != 0 && slices.Contains([]uint16{1, 3, 4, 254, 255}, dnsMask(p, q.Qclass))
}

// dnsComplete reports whether m holds all that the header of b promises, in classes
// that are read. More than one OPT is an error (RFC 6891 §6.1.1) that each reader
// takes in its own way.
func dnsComplete(p capture.Proto, b []byte, m *dns.Msg) bool {
	for i, n := range []int{len(m.Question), len(m.Answer), len(m.Ns), len(m.Extra)} {
		if n != int(b[4+2*i])<<8|int(b[5+2*i]) {
			return false
		}
	}
	for _, q := range m.Question {
		if !dnsAsks(p, q) {
			return false
		}
	}
	for _, rr := range m.Answer {
		if len(m.Question) == 0 && !dnsAsks(p, dns.Question{Qtype: 1, Qclass: rr.Header().Class}) {
			return false
		}
	}
	return true
}

// dnsExpected says what m should be reported as.
func dnsExpected(p capture.Proto, m *dns.Msg) (want []dnsSeen) {
	rcode, ede := dnsExpectedEDNS(m)
	answers := make([]capture.Answer, 0, len(m.Answer))
	for _, rr := range m.Answer[:min(len(m.Answer), dnsMaxAnswers)] {
		answers = append(answers, dnsExpectedAnswer(rr))
	}
	for _, q := range m.Question[:min(len(m.Question), dnsMaxQuestions)] {
		want = append(want, dnsSeen{dnsCanonical(q.Name), q.Qtype, dnsMask(p, q.Qclass), rcode, ede, nil})
	}
	if len(want) > 0 {
		if len(answers) > 0 {
			want[0].Answers = answers
		}
		return want
	}
	place := map[string]int{}
	for i, a := range answers {
		at, known := place[string(a.Name)]
		if !known {
			if at = len(want); at == dnsMaxOwners {
				continue
			}
			place[string(a.Name)] = at
			want = append(want, dnsSeen{string(a.Name), a.Type, dnsMask(p, m.Answer[i].Header().Class), rcode, ede, nil})
		}
		want[at].Answers = append(want[at].Answers, a)
	}
	return want
}

func dnsExpectedEDNS(m *dns.Msg) (rcode int, ede []uint16) {
	rcode = m.Rcode & 0xf
	for _, rr := range m.Extra {
		opt, ok := rr.(*dns.OPT)
		if !ok {
			continue
		}
		rcode |= opt.ExtendedRcode()
		for _, o := range opt.Option {
			if e, ok := o.(*dns.EDNS0_EDE); ok && len(ede) < dnsMaxErrors {
				ede = append(ede, e.InfoCode)
			}
		}
		break
	}
	return rcode, ede
}

func dnsExpectedAnswer(rr dns.RR) capture.Answer {
	h := rr.Header()
	a := capture.Answer{Name: []byte(dnsCanonical(h.Name)), Type: h.Rrtype, TTL: h.Ttl}
	if h.Rdlength == 0 {
		return a
	}
	switch v := rr.(type) {
	case *dns.A:
		a.Addr, _ = netip.AddrFromSlice(v.A)
	case *dns.AAAA:
		a.Addr, _ = netip.AddrFromSlice(v.AAAA)
	case *dns.SVCB:
		a.ECH = dnsExpectedECH(v.Value)
	case *dns.HTTPS:
		a.ECH = dnsExpectedECH(v.Value)
	}
	if target, ok := dnsExpectedTarget(rr); ok {
		a.Target = []byte(dnsCanonical(target))
	}
	return a
}

func dnsExpectedTarget(rr dns.RR) (name string, ok bool) {
	switch v := rr.(type) {
	case *dns.CNAME:
		return v.Target, true
	case *dns.DNAME:
		return v.Target, true
	case *dns.NS:
		return v.Ns, true
	case *dns.PTR:
		return v.Ptr, true
	case *dns.MX:
		return v.Mx, true
	case *dns.SRV:
		return v.Target, true
	case *dns.SVCB:
		return v.Target, true
	case *dns.HTTPS:
		return v.Target, true
	}
	return "", false
}

func dnsExpectedECH(params []dns.SVCBKeyValue) []byte {
	for _, kv := range params {
		if e, ok := kv.(*dns.SVCBECHConfig); ok && len(e.ECH) > 0 {
			return e.ECH
		}
	}
	return nil
}

// dnsCanonical turns a name in miekg's presentation form into the one used here.
func dnsCanonical(s string) string {
	if s == "." {
		return s
	}
	var out bytes.Buffer
	for i := 0; i < len(s)-1; i++ { // without the dot at the end
		c := s[i]
		escaped := c == '\\'
		if escaped {
			i++
			if c = s[i]; '0' <= c && c <= '9' {
				c = (s[i]-'0')*100 + (s[i+1]-'0')*10 + s[i+2] - '0'
				i += 2
			}
		}
		switch {
		case c == '\\' || escaped && c == '.':
			out.WriteString(`\` + string(c))
		case c <= ' ' || c > '~':
			fmt.Fprintf(&out, `\%03d`, c)
		default:
			out.Write(bytes.ToLower([]byte{c}))
		}
	}
	return out.String()
}
