package proto

import (
	"encoding/binary"
	"net/netip"

	"telltale/capture"
)

var _ = registerMessage(Message{Proto: capture.ProtoCDP, Parse: cdpParse})

// cdpWords are the capabilities in the order of their bits.
var cdpWords = []string{"router", "bridge", "source_route_bridge", "switch", "host", "igmp", "repeater", "telephone", "managed"}

// cdpParse reads a message of the Cisco Discovery Protocol: version, time to live,
// checksum, then fields of type, length and value. The layout is Cisco's, as the
// dissectors of tcpdump and Wireshark know it.
func cdpParse(b []byte, _ bool, log *capture.Log) error {
	const (
		header = 4
		fixed  = 4
	)
	if len(b) < header || b[0] < 1 || b[0] > 2 {
		return errIdentity
	}
	id := identity{log: log}
	for b = b[header:]; len(b) >= fixed; {
		kind, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		if n < fixed || n > len(b) {
			break
		}
		cdpField(&id, kind, b[fixed:n])
		b = b[n:]
	}
	if id.n == 0 {
		return errIdentity
	}
	id.report(capture.ProtoCDP)
	return nil
}

func cdpField(id *identity, kind uint16, v []byte) {
	const routerBit = 1
	switch kind {
	case 0x01:
		id.add(capture.FieldHostname, v)
	case 0x02, 0x16: // addresses, management addresses
		cdpAddress(id, v)
	case 0x03:
		id.add(capture.FieldPort, v)
	case 0x04:
		if len(v) == 4 {
			set := binary.BigEndian.Uint32(v)
			id.router = set&routerBit != 0
			id.bits(capture.FieldCapabilities, set, cdpWords)
		}
	case 0x05:
		id.add(capture.FieldSoftware, v)
	case 0x06:
		id.add(capture.FieldModel, v)
	case 0x09:
		id.add(capture.FieldDomain, v)
	}
}

// cdpAddress takes the first address of a list if none is known: a count, then each
// with the type, length and value of its protocol, length and value.
func cdpAddress(id *identity, v []byte) {
	if len(v) < 4 || id.addr.IsValid() {
		return
	}
	if v = v[4:]; len(v) < 2 {
		return
	}
	n := 2 + int(v[1])
	if len(v) < n+2 {
		return
	}
	size := int(binary.BigEndian.Uint16(v[n:]))
	if v = v[n+2:]; len(v) < size {
		return
	}
	switch size {
	case 4:
		id.setAddr4(v[:4])
	case 16:
		id.setAddr(netip.AddrFrom16([16]byte(v[:16])))
	}
}
