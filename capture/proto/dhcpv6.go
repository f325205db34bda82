package proto

import (
	"encoding/binary"
	"net/netip"

	"telltale/capture"
)

var _ = registerDatagram(Datagram{
	Proto: capture.ProtoDHCPv6, Order: 21, Ports: []uint16{546, dhcpv6Server}, Server: dhcpv6Server,
	Match: func(_, _ uint16, b []byte) bool { return len(b) > 4 && b[0] > 0 && int(b[0]) < len(dhcpv6Types) },
	Parse: dhcpv6Parse,
})

const (
	dhcpv6Server    = 547
	dhcpv6Reply     = 7
	dhcpv6Forward   = 12
	dhcpv6Back      = 13
	dhcpv6MaxRelays = 8 // RFC 8415 §7.6
)

// dhcpv6Types are the message types (RFC 8415 §7.3).
var dhcpv6Types = [...]string{
	"", "solicit", "advertise", "request", "confirm", "renew", "rebind", "reply", "release", "decline",
	"reconfigure", "information_request", "relay_forward", "relay_reply",
}

// Options (IANA DHCPv6 parameters).
const (
	dhcpv6ClientID    = 1
	dhcpv6Assoc       = 3
	dhcpv6Address     = 5
	dhcpv6Request     = 6
	dhcpv6Relayed     = 9
	dhcpv6VendorClass = 16
	dhcpv6FQDN        = 39
	dhcpv6LinkAddress = 79
)

// dhcpv6Parse reads a message of a client or server, also from within those of relays
// (RFC 8415 §8, §9). Both speak of the client.
func dhcpv6Parse(b []byte, _ bool, log *capture.Log) error {
	const (
		header      = 4
		relayHeader = 34
	)
	id := identity{log: log}
	for range dhcpv6MaxRelays + 1 {
		if len(b) < header || b[0] == 0 || int(b[0]) >= len(dhcpv6Types) {
			return errIdentity
		}
		if b[0] != dhcpv6Forward && b[0] != dhcpv6Back {
			m := dhcpv6Reader{&id, b[0]}
			id.text(capture.FieldMessage, dhcpv6Types[b[0]])
			dhcpv6Options(b[header:], m.option)
			if id.n == 1 && id.mac == [6]byte{} {
				return errIdentity // nothing but a type
			}
			id.report(capture.ProtoDHCPv6)
			return nil
		}
		if len(b) < relayHeader {
			return errIdentity
		}
		var inner []byte
		dhcpv6Options(b[relayHeader:], func(kind uint16, v []byte) {
			switch {
			case kind == dhcpv6Relayed && inner == nil:
				inner = v
			case kind == dhcpv6LinkAddress && len(v) == 8: // RFC 6939 §4
				id.setMAC(v[2:])
			}
		})
		b = inner
	}
	return errIdentity
}

// dhcpv6Options calls each with the options of b: number, length, value (§21.1).
func dhcpv6Options(b []byte, each func(kind uint16, v []byte)) {
	const fixed = 4
	for len(b) >= fixed {
		n := fixed + int(binary.BigEndian.Uint16(b[2:]))
		if n > len(b) {
			return
		}
		each(binary.BigEndian.Uint16(b), b[fixed:n])
		b = b[n:]
	}
}

// dhcpv6Reader is one message while its options are read.
type dhcpv6Reader struct {
	*identity
	kind byte
}

func (m dhcpv6Reader) option(kind uint16, v []byte) {
	switch kind {
	case dhcpv6ClientID:
		m.hex(capture.FieldDUID, v)
		m.duid(v)
	case dhcpv6Assoc:
		if m.kind == dhcpv6Reply && len(v) > 12 {
			dhcpv6Options(v[12:], m.assigned)
		}
	case dhcpv6Request:
		m.numbers(capture.FieldOptions, v, 2)
	case dhcpv6VendorClass: // §21.16
		if len(v) > 6 {
			m.number(capture.FieldEnterprise, binary.BigEndian.Uint32(v))
			m.add(capture.FieldVendorClass, v[6:min(len(v), 6+int(binary.BigEndian.Uint16(v[4:])))])
		}
	case dhcpv6FQDN: // RFC 4704 §4
		if len(v) > 1 {
			m.labels(capture.FieldFQDN, v[1:])
		}
	}
}

// assigned takes the first address of an association (§21.6).
func (m dhcpv6Reader) assigned(kind uint16, v []byte) {
	if kind == dhcpv6Address && len(v) >= 16 && !m.addr.IsValid() {
		m.setAddr(netip.AddrFrom16([16]byte(v)))
	}
}

// duid takes the hardware address in a unique identifier made of one (§11.2, §11.4).
func (m dhcpv6Reader) duid(v []byte) {
	const (
		ethernet  = 1
		withTime  = 1
		plain     = 3
		typeWords = 4
	)
	if len(v) < typeWords || m.mac != [6]byte{} || binary.BigEndian.Uint16(v[2:]) != ethernet {
		return
	}
	switch kind := binary.BigEndian.Uint16(v); {
	case kind == withTime && len(v) == typeWords+4+6:
		m.setMAC(v[typeWords+4:])
	case kind == plain && len(v) == typeWords+6:
		m.setMAC(v[typeWords:])
	}
}
