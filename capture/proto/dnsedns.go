package proto

import "encoding/binary"

const (
	dnsMaxErrors = 8  // extended errors kept of one message
	dnsOptionEDE = 15 // RFC 8914 §2
)

// dnsEDNS is what the OPT record adds to a message (RFC 6891 §6.1).
type dnsEDNS struct {
	rcode  uint16 // upper bits of the response code, in their place
	errors []uint16
}

// readEDNS walks the authority section, which begins at off, and looks for the OPT
// record in the additional section; the first counts.
func (m *dnsMessage) readEDNS(off int) (e dnsEDNS, whole bool) {
	additional := m.count(10)
	if off, whole = m.skipRecords(off, m.count(8)); !whole {
		return e, false
	}
	found := false
	for range additional {
		end, ok := dnsSkipName(m.b, off)
		if !ok {
			return e, false
		}
		h, data, next, ok := dnsFixed(m.b, end)
		if !ok {
			return e, false
		}
		if !found && binary.BigEndian.Uint16(h) == dnsTypeOPT {
			found = true
			e.rcode = uint16(h[4]) << 4
			if e.errors, ok = m.extendedErrors(data, next); !ok {
				return e, false
			}
		}
		off = next
	}
	return e, true
}

// extendedErrors returns the info codes among the options m.b[off:end].
func (m *dnsMessage) extendedErrors(off, end int) (codes []uint16, ok bool) {
	var found [dnsMaxErrors]uint16
	n := 0
	for off < end {
		key, value, next, ok := dnsOption(m.b, off, end)
		if !ok || key == dnsOptionEDE && len(value) < 2 {
			return nil, false
		}
		if key == dnsOptionEDE && n < len(found) {
			found[n] = binary.BigEndian.Uint16(value)
			n++
		}
		off = next
	}
	if n > 0 {
		codes = m.log.Words(n)
		copy(codes, found[:n])
	}
	return codes, true
}
