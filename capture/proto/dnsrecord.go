package proto

import (
	"encoding/binary"
	"net/netip"

	"telltale/capture"
)

// Resource record types that point somewhere (IANA DNS parameters).
const (
	dnsTypeA     = 1
	dnsTypeNS    = 2
	dnsTypeCNAME = 5
	dnsTypePTR   = 12
	dnsTypeMX    = 15
	dnsTypeAAAA  = 28
	dnsTypeSRV   = 33
	dnsTypeDNAME = 39
	dnsTypeOPT   = 41
	dnsTypeSVCB  = 64
	dnsTypeHTTPS = 65
)

// dnsKeyECH is the SvcParamKey of an ECHConfigList (RFC 9848 §3).
const dnsKeyECH = 5

// record reads the resource record at off into a (RFC 1035 §4.1.3). If it is not
// whole, or its data does not fit its type, ok is false.
func (m *dnsMessage) record(off int, a *capture.Answer) (class uint16, next int, ok bool) {
	name, end, ok := m.name(off)
	if !ok {
		return 0, off, false
	}
	h, data, next, ok := dnsFixed(m.b, end)
	if !ok {
		return 0, off, false
	}
	a.Name = name
	a.Type = binary.BigEndian.Uint16(h)
	a.TTL = binary.BigEndian.Uint32(h[4:])
	if data < next && !m.data(data, next, a) {
		return 0, off, false
	}
	return binary.BigEndian.Uint16(h[2:]), next, true
}

// dnsFixed returns what follows the owner name: type, class, TTL and length, and the
// bounds of the record's data.
func dnsFixed(b []byte, off int) (head []byte, data, next int, ok bool) {
	if off+10 > len(b) {
		return nil, 0, 0, false
	}
	data = off + 10
	next = data + int(binary.BigEndian.Uint16(b[off+8:]))
	return b[off:data], data, next, next <= len(b)
}

// data reads the record data m.b[off:end], which is not empty, by the type of a.
func (m *dnsMessage) data(off, end int, a *capture.Answer) (ok bool) {
	switch a.Type {
	case dnsTypeA:
		if ok = end-off == 4; ok {
			a.Addr = netip.AddrFrom4([4]byte(m.b[off:end]))
		}
	case dnsTypeAAAA:
		if ok = end-off == 16; ok {
			a.Addr = netip.AddrFrom16([16]byte(m.b[off:end]))
		}
	case dnsTypeCNAME, dnsTypeDNAME, dnsTypeNS, dnsTypePTR:
		_, ok = m.target(off, end, a)
	case dnsTypeMX:
		_, ok = m.target(off+2, end, a) // after the preference
	case dnsTypeSRV:
		_, ok = m.target(off+6, end, a) // after priority, weight, port
	case dnsTypeSVCB, dnsTypeHTTPS:
		if off, ok = m.target(off+2, end, a); ok { // after the priority
			a.ECH, ok = m.ech(off, end)
		}
	default:
		ok = true
	}
	if !ok {
		a.Target, a.ECH = nil, nil
	}
	return ok
}

// target reads a name in record data that ends at limit.
func (m *dnsMessage) target(off, limit int, a *capture.Answer) (end int, ok bool) {
	a.Target, end, ok = m.name(off)
	return end, ok && end <= limit
}

// ech looks for an ECHConfigList among service parameters (RFC 9460 §2.2).
func (m *dnsMessage) ech(off, end int) (list []byte, ok bool) {
	for off < end {
		key, value, next, ok := dnsOption(m.b, off, end)
		if !ok {
			return nil, false
		}
		if key == dnsKeyECH && list == nil {
			list = m.log.Copy(value)
		}
		off = next
	}
	return list, true
}

// dnsOption reads a key, a length and a value, the form of service parameters and of
// EDNS options.
func dnsOption(b []byte, off, end int) (key uint16, value []byte, next int, ok bool) {
	if off+4 > end {
		return 0, nil, off, false
	}
	next = off + 4 + int(binary.BigEndian.Uint16(b[off+2:]))
	if next > end {
		return 0, nil, off, false
	}
	return binary.BigEndian.Uint16(b[off:]), b[off+4 : next], next, true
}

// skipRecords walks over n records.
func (m *dnsMessage) skipRecords(off, n int) (end int, ok bool) {
	for range n {
		end, ok := dnsSkipName(m.b, off)
		if !ok {
			return off, false
		}
		_, _, next, ok := dnsFixed(m.b, end)
		if !ok {
			return off, false
		}
		off = next
	}
	return off, true
}
