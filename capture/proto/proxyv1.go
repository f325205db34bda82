package proto

import (
	"bytes"
	"net/netip"

	"telltale/capture"
)

// The PROXY protocol (HAProxy, proxy-protocol.txt): a load balancer tells the server
// behind it, before anything else, who the client is.
const (
	proxyV1Begin = "PROXY "
	// proxyV1Max is the longest header line of version 1 with its line end (§2.1).
	proxyV1Max = 107
)

var _ = registerStream(Stream{
	Proto:   capture.ProtoPROXY,
	From:    Client,
	Order:   40,
	Opening: true,
	Match:   func(b []byte) Verdict { return matchPrefix(b, proxyV1Begin) },
	Parse:   proxyParseV1,
})

// proxyParseV1 reads "PROXY TCP4 source destination port port" and its line end. A
// header with "UNKNOWN" tells nobody and is passed over.
func proxyParseV1(b []byte, _ bool, log *capture.Log) (int, Status) {
	line, next, ok := httpLine(b[:min(len(b), proxyV1Max)], 0)
	if !ok {
		if len(b) >= proxyV1Max {
			return 0, Reject
		}
		return 0, Incomplete
	}
	if !bytes.HasPrefix(line, []byte(proxyV1Begin)) {
		return 0, Reject
	}
	family, rest, _ := bytes.Cut(line[len(proxyV1Begin):], []byte{' '})
	switch string(family) {
	case "UNKNOWN":
		return next, Done
	case "TCP4", "TCP6":
	default:
		return 0, Reject
	}
	source, rest, _ := bytes.Cut(rest, []byte{' '})
	target, rest, _ := bytes.Cut(rest, []byte{' '})
	sport, dport, ok := bytes.Cut(rest, []byte{' '})
	client, good := proxyAddr(source, sport)
	if _, also := proxyAddr(target, dport); !ok || !good || !also {
		return 0, Reject
	}
	proxyReport(client, nil, log)
	return next, Done
}

// proxyAddr reads an address and a port in decimal. It allocates nothing.
func proxyAddr(addr, port []byte) (netip.AddrPort, bool) {
	n := httpNumber(port, 10)
	a, ok := parseAddr(addr)
	return netip.AddrPortFrom(a, uint16(n)), ok && n >= 0 && n <= 0xffff
}

// proxyReport appends the Observation of a header.
func proxyReport(client netip.AddrPort, name []byte, log *capture.Log) {
	o := log.Add(capture.ProtoPROXY, capture.Request)
	o.Transport = 6
	o.Proxied = client
	o.Name = httpHostName(log, name)
}
