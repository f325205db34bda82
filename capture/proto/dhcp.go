package proto

import (
	"encoding/binary"
	"net/netip"

	"telltale/capture"
)

var _ = registerDatagram(Datagram{
	Proto: capture.ProtoDHCP, Order: 20, Ports: []uint16{dhcpServer, dhcpClient, 4011}, Server: dhcpServer,
	Match: func(_, _ uint16, b []byte) bool { return dhcpPlausible(b) },
	Parse: dhcpParse,
})

const (
	dhcpServer, dhcpClient = 67, 68

	dhcpHeader  = 240        // bytes with the magic cookie, RFC 2131 §2
	dhcpCookie  = 0x63825363 // RFC 2132 §2
	dhcpOptions = 255        // at most, in one message
)

// Options (IANA BOOTP/DHCP parameters).
const (
	dhcpPad         = 0
	dhcpHostname    = 12
	dhcpRequestedIP = 50
	dhcpOverload    = 52
	dhcpMessage     = 53
	dhcpParameters  = 55
	dhcpVendorClass = 60
	dhcpClientID    = 61
	dhcpFQDN        = 81
	dhcpVIVendor    = 124
	dhcpEnd         = 255
)

// dhcpTypes are the message types (RFC 2132 §9.6).
var dhcpTypes = [...]string{"bootp", "discover", "offer", "request", "decline", "ack", "nak", "release", "inform"}

const (
	dhcpRequest = 3
	dhcpACK     = 5
	dhcpRelease = 7
)

func dhcpPlausible(b []byte) bool {
	return len(b) >= dhcpHeader && (b[0] == 1 || b[0] == 2) && binary.BigEndian.Uint32(b[dhcpHeader-4:]) == dhcpCookie
}

// dhcpParse reads a message of a client or server (RFC 2131): both speak of the client,
// whose hardware address they hold. The address is the one the client says it has or
// the server acknowledges, not one that is merely offered or asked for.
func dhcpParse(b []byte, _ bool, log *capture.Log) error {
	const (
		ethernet = 1
		ieee802  = 6
	)
	if !dhcpPlausible(b) {
		return errIdentity
	}
	m := dhcpMessageOf(identity{log: log})
	m.options(b[dhcpHeader:])
	if m.overload&1 != 0 {
		m.options(b[108:236]) // the file field
	}
	if m.overload&2 != 0 {
		m.options(b[44:108]) // the server name field
	}
	id := &m.identity
	if (b[1] == ethernet || b[1] == ieee802) && b[2] == 6 {
		id.setMAC(b[28:34])
	}
	ciaddr, yiaddr := b[12:16], b[16:20]
	switch m.kind {
	case dhcpACK:
		id.setAddr4(yiaddr)
		if !id.addr.IsValid() {
			id.setAddr4(ciaddr) // the answer to inform, RFC 2131 §4.3.5
		}
	default:
		if b[0] == 1 {
			id.setAddr4(ciaddr)
		}
	}
	id.report(capture.ProtoDHCP)
	return nil
}

// dhcpReader is one message while its options are read.
type dhcpReader struct {
	identity
	kind     byte
	overload byte
}

func dhcpMessageOf(i identity) dhcpReader {
	i.text(capture.FieldMessage, dhcpTypes[0])
	return dhcpReader{identity: i}
}

// options reads a field of options: number, length, value (RFC 2132 §2).
func (m *dhcpReader) options(b []byte) {
	for range dhcpOptions {
		if len(b) == 0 || b[0] == dhcpEnd {
			return
		}
		if b[0] == dhcpPad {
			b = b[1:]
			continue
		}
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			return
		}
		m.option(b[0], b[2:2+int(b[1])])
		b = b[2+int(b[1]):]
	}
}

func (m *dhcpReader) option(kind byte, v []byte) {
	if len(v) == 0 {
		return
	}
	switch kind {
	case dhcpMessage:
		if m.kind = v[0]; int(m.kind) < len(dhcpTypes) && m.n > 0 {
			m.fields[0].Value = m.log.Bytes(len(dhcpTypes[m.kind]))
			copy(m.fields[0].Value, dhcpTypes[m.kind])
		}
	case dhcpOverload:
		m.overload = v[0]
	case dhcpHostname:
		m.add(capture.FieldHostname, v)
	case dhcpRequestedIP:
		if len(v) == 4 {
			m.address(capture.FieldRequested, netip.AddrFrom4([4]byte(v)))
		}
	case dhcpParameters:
		m.numbers(capture.FieldOptions, v, 1)
	case dhcpVendorClass:
		m.add(capture.FieldVendorClass, v)
	case dhcpClientID:
		m.hex(capture.FieldClientID, v)
	case dhcpFQDN:
		m.fqdn(v)
	case dhcpVIVendor: // RFC 3925 §3
		if len(v) > 5 {
			m.number(capture.FieldEnterprise, binary.BigEndian.Uint32(v))
			m.add(capture.FieldVendorClass, v[5:min(len(v), 5+int(v[4]))])
		}
	}
}

// fqdn keeps the name of option 81: flags, two result codes, and the name as labels or
// as text (RFC 4702 §2).
func (m *dhcpReader) fqdn(v []byte) {
	const (
		fixed   = 3
		encoded = 0x04
	)
	if len(v) <= fixed {
		return
	}
	if v[0]&encoded == 0 {
		m.add(capture.FieldFQDN, v[fixed:])
		return
	}
	m.labels(capture.FieldFQDN, v[fixed:])
}

// labels keeps a name in the form of DNS, without compression; it may be partial,
// without the root label at its end (RFC 4702 §2.3.1).
func (i *identity) labels(key capture.FieldKey, b []byte) {
	var buf [identityMaxValue]byte
	name := buf[:0]
	for len(b) > 0 && b[0] != 0 {
		n := int(b[0])
		if n >= 0x40 || 1+n > len(b) || len(name)+n+1 > dnsMaxName {
			return
		}
		if len(name) > 0 {
			name = append(name, '.')
		}
		name = append(name, b[1:1+n]...)
		b = b[1+n:]
	}
	i.add(key, name)
}
