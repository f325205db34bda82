package proto

import (
	"encoding/binary"
	"net/netip"

	"telltale/capture"
)

var _ = registerMessage(Message{Proto: capture.ProtoLLDP, Parse: lldpParse})

// lldpWords are the capabilities in the order of their bits (IEEE 802.1AB §8.5.8).
var lldpWords = []string{"other", "repeater", "bridge", "wlan", "router", "telephone", "docsis", "station", "c_vlan", "s_vlan", "relay"}

// lldpMED are the inventory fields of LLDP-MED by subtype (ANSI/TIA-1057 §10.2.6).
var lldpMED = [...]capture.FieldKey{
	5: capture.FieldHardware, 6: capture.FieldFirmware, 7: capture.FieldSoftware,
	8: capture.FieldSerial, 9: capture.FieldManufacturer, 10: capture.FieldModel,
}

// lldpParse reads an LLDP data unit (IEEE 802.1AB §8): fields of type, length and
// value, the first of which is the chassis.
func lldpParse(b []byte, _ bool, log *capture.Log) error {
	const (
		header  = 2
		chassis = 1
	)
	id := identity{log: log}
	for first := true; len(b) >= header; first = false {
		kind, n := b[0]>>1, int(binary.BigEndian.Uint16(b)&0x1ff)
		if first && kind != chassis {
			return errIdentity
		}
		if kind == 0 || header+n > len(b) {
			break
		}
		lldpField(&id, kind, b[header:header+n])
		b = b[header+n:]
	}
	if id.n == 0 {
		return errIdentity
	}
	id.report(capture.ProtoLLDP)
	return nil
}

func lldpField(id *identity, kind byte, v []byte) {
	const routerBit = 1 << 4
	switch kind {
	case 1:
		if len(v) == 7 && v[0] == 4 { // a hardware address
			id.setMAC(v[1:])
		}
		lldpID(id, capture.FieldChassis, v, 4, 5)
	case 2:
		lldpID(id, capture.FieldPort, v, 3, 4)
	case 5:
		id.add(capture.FieldHostname, v)
	case 6:
		id.add(capture.FieldDescription, v)
	case 7:
		if len(v) >= 4 {
			enabled := uint32(binary.BigEndian.Uint16(v[2:]))
			id.router = enabled&routerBit != 0
			id.bits(capture.FieldCapabilities, enabled, lldpWords)
		}
	case 8:
		lldpManagement(id, v)
	case 127:
		if len(v) > 4 && [3]byte(v) == [3]byte{0x00, 0x12, 0xbb} && int(v[3]) < len(lldpMED) && lldpMED[v[3]] != 0 {
			id.add(lldpMED[v[3]], v[4:])
		}
	}
}

// lldpID keeps a chassis or port identifier; which subtypes are a hardware and a
// network address differs between the two (§8.5.2, §8.5.3).
func lldpID(id *identity, key capture.FieldKey, v []byte, hardware, network byte) {
	if len(v) < 2 {
		return
	}
	var buf [18]byte
	switch kind := v[0]; {
	case kind == hardware && len(v) == 7:
		id.add(key, capture.AppendMAC(buf[:0], [6]byte(v[1:])))
	case kind == network && len(v) == 6 && v[1] == 1:
		id.address(key, netip.AddrFrom4([4]byte(v[2:])))
	default:
		id.add(key, v[1:])
	}
}

// lldpManagement takes the first management address (§8.5.9; address families of IANA).
func lldpManagement(id *identity, v []byte) {
	if len(v) < 2 || id.addr.IsValid() {
		return
	}
	n := int(v[0])
	switch {
	case n == 5 && len(v) >= 6 && v[1] == 1:
		id.setAddr4(v[2:6])
	case n == 17 && len(v) >= 18 && v[1] == 2:
		id.setAddr(netip.AddrFrom16([16]byte(v[2:18])))
	}
}
