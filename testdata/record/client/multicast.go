package main

import (
	"fmt"
	"net"

	"github.com/miekg/dns"
)

// askMDNS asks for a host and a service, and announces itself (RFC 6762 §5.2, §8.3).
func askMDNS(args []string) error {
	group := &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: 5353}
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{Port: group.Port})
	if err != nil {
		return fmt.Errorf("multicast DNS: %w", err)
	}
	defer func() { _ = socket.Close() }()
	const own = "HUAWEI-MateBook.local."
	announcement := &dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Authoritative: true}, Answer: []dns.RR{&dns.A{
		Hdr: dns.RR_Header{Name: own, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 120},
		A:   net.IPv4(10, 20, 30, 41),
	}}}
	for _, m := range []*dns.Msg{
		multicastQuestion("_googlecast._tcp.local.", dns.TypePTR),
		multicastQuestion("HUAWEI-PrinterX1.local.", dns.TypeA),
		announcement,
	} {
		if err := sendTo(socket, group, m); err != nil {
			return fmt.Errorf("multicast DNS on %s: %w", args[0], err)
		}
	}
	return nil
}

// multicastQuestion has neither an id nor flags (RFC 6762 §18.1).
func multicastQuestion(name string, t uint16) *dns.Msg {
	m := new(dns.Msg).SetQuestion(name, t)
	m.Id, m.RecursionDesired = 0, false
	return m
}

// askLLMNR asks for two single-label names (RFC 4795 §2).
func askLLMNR(args []string) error {
	for _, group := range []*net.UDPAddr{
		{IP: net.IPv4(224, 0, 0, 252), Port: 5355},
		{IP: net.ParseIP("ff02::1:3"), Port: 5355, Zone: args[0]},
	} {
		socket, err := net.ListenUDP("udp", nil)
		if err != nil {
			return fmt.Errorf("LLMNR: %w", err)
		}
		for _, name := range []string{"wpad.", "ksc-server."} {
			question := new(dns.Msg).SetQuestion(name, dns.TypeA)
			question.RecursionDesired = false
			if err = sendTo(socket, group, question); err != nil {
				break
			}
		}
		_ = socket.Close()
		if err != nil {
			return fmt.Errorf("LLMNR on %s: %w", args[0], err)
		}
	}
	return nil
}

func sendTo(socket *net.UDPConn, to *net.UDPAddr, m *dns.Msg) error {
	raw, err := m.Pack()
	if err != nil {
		return err
	}
	_, err = socket.WriteToUDP(raw, to)
	return err
}
