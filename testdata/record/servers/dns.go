package main

import (
	"encoding/base64"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

// The resolvers inside the monitored network.
const (
	resolver  = "10.20.30.1"      // answers
	resolver6 = "2001:db8:20::1"  // answers
	filtering = "10.20.30.53"     // refuses the vendor's product names
	noAnswer  = "9.9.9.9"         // a public resolver that a firewall cuts off
	longName  = "big.example."    // has a TXT answer longer than a packet
	ttl       = 300               // seconds
	vendor    = "kaspersky.com."  // its product names are refused
	cloud     = "kaspersky-labs." // these too
)

// verdict answers a question, or refuses to.
type verdict func(question, answer *dns.Msg)

// serveDNS starts every resolver, each with its own way to answer.
func serveDNS(id *identity, failed chan<- error) error {
	honest := func(q, a *dns.Msg) { answerFrom(id, q, a) }
	policy := map[string]verdict{
		resolver: honest, resolver6: honest, filtering: filter(honest),
		"77.88.8.8": honest,
		"8.8.8.8":   nxdomain, "1.1.1.1": null, "223.6.6.6": refused, "185.228.168.168": blocked,
	}
	for addr, v := range policy {
		if err := listenDNS(netip.MustParseAddr(addr), v, failed); err != nil {
			return err
		}
	}
	return nil
}

// listenDNS answers over UDP and TCP on port 53 of addr.
func listenDNS(addr netip.Addr, v verdict, failed chan<- error) error {
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		a := new(dns.Msg).SetReply(q)
		a.RecursionAvailable = true
		size := dns.MinMsgSize
		if opt := q.IsEdns0(); opt != nil {
			a.SetEdns0(opt.UDPSize(), false)
			size = int(opt.UDPSize())
		}
		v(q, a)
		if _, udp := w.RemoteAddr().(*net.UDPAddr); udp {
			a.Truncate(size)
		}
		_ = w.WriteMsg(a) // a client that went away needs no answer
	})
	at := netip.AddrPortFrom(addr, 53).String()
	packets, err := net.ListenPacket("udp", at)
	if err != nil {
		return fmt.Errorf("resolver: %w", err)
	}
	streams, err := net.Listen("tcp", at)
	if err != nil {
		return fmt.Errorf("resolver: %w", err)
	}
	for _, s := range []*dns.Server{{PacketConn: packets, Handler: handler}, {Listener: streams, Handler: handler}} {
		go func() { report(failed, s.ActivateAndServe()) }()
	}
	return nil
}

// answerFrom answers from the zone: aliases first, then the records asked for.
func answerFrom(id *identity, q, a *dns.Msg) {
	ask := q.Question[0]
	if ask.Name == longName && ask.Qtype == dns.TypeTXT {
		a.Answer = append(a.Answer, longText())
		return
	}
	h, ok := find(ask.Name)
	if !ok {
		nxdomain(q, a)
		return
	}
	owner := ask.Name
	for _, target := range h.alias {
		a.Answer = append(a.Answer, &dns.CNAME{Hdr: header(owner, dns.TypeCNAME), Target: dns.Fqdn(target)})
		owner = dns.Fqdn(target)
	}
	records := recordsOf(id, h, owner, ask.Qtype)
	if len(records) == 0 {
		a.Ns = append(a.Ns, authority())
	}
	a.Answer = append(a.Answer, records...)
}

// recordsOf returns the records of type t that owner has.
func recordsOf(id *identity, h host, owner string, t uint16) (records []dns.RR) {
	for _, text := range h.addr {
		addr := netip.MustParseAddr(text)
		switch {
		case t == dns.TypeA && addr.Is4():
			records = append(records, &dns.A{Hdr: header(owner, t), A: addr.AsSlice()})
		case t == dns.TypeAAAA && addr.Is6():
			records = append(records, &dns.AAAA{Hdr: header(owner, t), AAAA: addr.AsSlice()})
		}
	}
	if t == dns.TypeHTTPS && len(h.alpn) > 0 {
		records = append(records, httpsRecord(id, h, owner))
	}
	return records
}

// httpsRecord writes the HTTPS record of h (RFC 9460), with ECH where it has any (RFC 9848).
func httpsRecord(id *identity, h host, owner string) dns.RR {
	rr := &dns.HTTPS{SVCB: dns.SVCB{
		Hdr: header(owner, dns.TypeHTTPS), Priority: 1, Target: ".",
		Value: []dns.SVCBKeyValue{&dns.SVCBAlpn{Alpn: h.alpn}},
	}}
	if raw, err := base64.StdEncoding.DecodeString(id.ech); h.ech && err == nil {
		rr.Value = append(rr.Value, &dns.SVCBECHConfig{ECH: raw})
	}
	return rr
}

// filter refuses the vendor's product names and leaves the others to honest: update
// names do not exist, names of the reputation cloud have the null address.
func filter(honest verdict) verdict {
	return func(q, a *dns.Msg) {
		name := strings.ToLower(q.Question[0].Name)
		switch {
		case strings.Contains(name, cloud):
			null(q, a)
		case strings.HasSuffix(name, vendor) && !strings.HasPrefix(name, "www."):
			blocked(q, a)
		default:
			honest(q, a)
		}
	}
}

// nxdomain says that the name does not exist.
func nxdomain(_, a *dns.Msg) {
	a.Rcode = dns.RcodeNameError
	a.Ns = append(a.Ns, authority())
}

// refused says that the resolver will not answer.
func refused(_, a *dns.Msg) { a.Rcode = dns.RcodeRefused }

// blocked says that the name does not exist, and why (RFC 8914 §4.16).
func blocked(q, a *dns.Msg) {
	nxdomain(q, a)
	if opt := a.IsEdns0(); opt != nil {
		opt.Option = append(opt.Option, &dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeBlocked, ExtraText: "blocked by policy"})
	}
}

// null gives the address that leads nowhere.
func null(q, a *dns.Msg) {
	ask := q.Question[0]
	switch ask.Qtype {
	case dns.TypeA:
		a.Answer = append(a.Answer, &dns.A{Hdr: header(ask.Name, ask.Qtype), A: net.IPv4zero})
	case dns.TypeAAAA:
		a.Answer = append(a.Answer, &dns.AAAA{Hdr: header(ask.Name, ask.Qtype), AAAA: net.IPv6zero})
	}
}

// longText is a record longer than a packet, so its answer is fragmented or truncated.
func longText() dns.RR {
	txt := &dns.TXT{Hdr: header(longName, dns.TypeTXT)}
	for i := range 12 {
		txt.Txt = append(txt.Txt, strings.Repeat(string(rune('a'+i)), 200))
	}
	return txt
}

// authority is the SOA record that goes with an answer without records (RFC 2308).
func authority() dns.RR {
	return &dns.SOA{
		Hdr: header(".", dns.TypeSOA), Ns: "ns.example.", Mbox: "hostmaster.example.",
		Serial: 1, Refresh: ttl, Retry: ttl, Expire: ttl, Minttl: ttl,
	}
}

func header(owner string, t uint16) dns.RR_Header {
	return dns.RR_Header{Name: owner, Rrtype: t, Class: dns.ClassINET, Ttl: ttl}
}
