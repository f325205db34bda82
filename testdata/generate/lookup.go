package generate

import (
	"hash/fnv"
	"net/netip"
	"time"

	"github.com/miekg/dns"
)

// answered says how the resolver treats a name.
type answered uint8

const (
	resolved answered = iota // with addresses, through a CDN's alias for some names
	blocked                  // NXDOMAIN with the extended error Blocked (RFC 8914 §4.16)
)

// timeToLive of the answers, in seconds.
const timeToLive = 300

// lookup asks the resolver for records of the types, one question each, all at once as
// browsers do, and returns the time of the last answer.
func (t *trace) lookup(at time.Time, client netip.Addr, name string, how answered, types ...uint16) time.Time {
	t.contact(client, "dns", name)
	last := at
	for i, kind := range types {
		asker := endpoint{client, uint16(32768 + t.dice.IntN(28232))}
		question := new(dns.Msg).SetQuestion(dns.Fqdn(name), kind)
		question.Id = uint16(t.dice.Uint32())
		question.SetEdns0(1232, false)
		asked := at.Add(time.Duration(i) * 40 * time.Microsecond)
		t.message(asked, asker, resolver(), question)
		done := asked.Add(t.between(300*time.Microsecond, 20*time.Millisecond))
		t.message(done, resolver(), asker, answerTo(question, how))
		if done.After(last) {
			last = done
		}
	}
	return last
}

// message adds a DNS message over UDP.
func (t *trace) message(at time.Time, from, to endpoint, m *dns.Msg) {
	raw, err := m.Pack()
	t.keep(err)
	t.datagram(at, from, to, raw)
}

// answerTo answers a question: A and AAAA have an address, other types no record.
func answerTo(question *dns.Msg, how answered) *dns.Msg {
	a := new(dns.Msg).SetReply(question)
	a.RecursionAvailable = true
	opt := a.SetEdns0(1232, false).IsEdns0()
	if how == blocked {
		a.Rcode = dns.RcodeNameError
		opt.Option = append(opt.Option, &dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeBlocked})
		return a
	}
	ask := question.Question[0]
	owner := ask.Name
	if target, ok := alias(owner); ok {
		a.Answer = append(a.Answer, &dns.CNAME{Hdr: header(owner, dns.TypeCNAME), Target: target})
		owner = target
	}
	v4 := Address(ask.Name)
	switch ask.Qtype {
	case dns.TypeA:
		a.Answer = append(a.Answer, &dns.A{Hdr: header(owner, ask.Qtype), A: v4.AsSlice()})
	case dns.TypeAAAA:
		low := v4.As4()
		v6 := netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 12: low[0], 13: low[1], 14: low[2], 15: low[3]})
		a.Answer = append(a.Answer, &dns.AAAA{Hdr: header(owner, ask.Qtype), AAAA: v6.AsSlice()})
	}
	return a
}

// Address returns the address at which name is served in what this package makes: one
// of 198.18.0.0/15, the range for benchmarks (RFC 2544).
func Address(name string) netip.Addr {
	sum := hashOf(dns.CanonicalName(name))
	return netip.AddrFrom4([4]byte{198, 18 + byte(sum>>16)&1, byte(sum >> 8), byte(sum)})
}

// alias returns the CDN's name that owns the addresses, for one name in four.
func alias(owner string) (string, bool) {
	if hashOf(owner)>>17&3 != 0 {
		return "", false
	}
	return owner + "edgekey.net.", true
}

func hashOf(name string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // never fails
	return h.Sum32()
}

func header(owner string, kind uint16) dns.RR_Header {
	return dns.RR_Header{Name: owner, Rrtype: kind, Class: dns.ClassINET, Ttl: timeToLive}
}
