package proto

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/crypto/cryptobyte"

	"telltale/capture"
)

// Version 2 of the PROXY protocol is binary (proxy-protocol.txt §2.2).
const (
	proxyV2Signature = "\r\n\r\n\x00\r\nQUIT\n"
	proxyV2Header    = len(proxyV2Signature) + 4
	// proxyV2Max bounds addresses and extensions; a client certificate may be among them.
	proxyV2Max = 16 << 10

	proxyLocal     = 0x20 // version 2, command LOCAL: the proxy speaks for itself
	proxyProxy     = 0x21 // version 2, command PROXY
	proxyInet      = 1    // address families, the high half of a byte
	proxyInet6     = 2
	proxyAuthority = 0x02 // type of the extension with the name the client asked for
)

var _ = registerStream(Stream{
	Proto:   capture.ProtoPROXY,
	From:    Client,
	Order:   41,
	Opening: true,
	Match:   proxyMatchV2,
	Parse:   proxyParseV2,
})

func proxyMatchV2(b []byte) Verdict {
	v := matchPrefix(b, proxyV2Signature)
	if n := len(proxyV2Signature); v == Yes && len(b) > n && b[n] != proxyLocal && b[n] != proxyProxy {
		return No
	}
	return v
}

// proxyParseV2 reads the header with its addresses and extensions.
func proxyParseV2(b []byte, _ bool, log *capture.Log) (int, Status) {
	switch v := proxyMatchV2(b); {
	case v == No:
		return 0, Reject
	case v == More || len(b) < proxyV2Header:
		return 0, Incomplete
	}
	command, family := b[proxyV2Header-4], b[proxyV2Header-3]>>4
	size := int(binary.BigEndian.Uint16(b[proxyV2Header-2:]))
	if size > proxyV2Max {
		return 0, Reject
	}
	end := proxyV2Header + size
	if len(b) < end {
		return 0, Incomplete
	}
	body := cryptobyte.String(b[proxyV2Header:end])
	if command == proxyLocal {
		return end, Done
	}
	client, ok := proxyReadV2(&body, family)
	if name := proxyName(body); ok || len(name) > 0 {
		proxyReport(client, name, log)
	}
	return end, Done
}

// proxyReadV2 reads the address block and returns the client; ok is false for families
// without an IP address.
func proxyReadV2(s *cryptobyte.String, family byte) (client netip.AddrPort, ok bool) {
	size := proxyAddrSize(family)
	var source []byte
	var port uint16
	if size == 0 || !s.ReadBytes(&source, size) || !s.Skip(size) || !s.ReadUint16(&port) || !s.Skip(2) {
		return client, false
	}
	addr, ok := netip.AddrFromSlice(source)
	return netip.AddrPortFrom(addr.Unmap(), port), ok
}

// proxyAddrSize is the length of an address of a family in bytes, 0 if it is not IP.
func proxyAddrSize(family byte) int {
	switch family {
	case proxyInet:
		return 4
	case proxyInet6:
		return 16
	}
	return 0
}

// proxyName returns the host name among the extensions, nil if there is none.
func proxyName(s cryptobyte.String) []byte {
	var kind uint8
	var value cryptobyte.String
	for s.ReadUint8(&kind) && s.ReadUint16LengthPrefixed(&value) {
		if kind == proxyAuthority {
			return value
		}
	}
	return nil
}
