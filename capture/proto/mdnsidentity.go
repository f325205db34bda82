package proto

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"telltale/capture"
)

// mdnsMaxRecords bounds the records of one message read for identity.
const mdnsMaxRecords = 128

const dnsTypeTXT = 16

// mdnsParse reads a message as DNS, and a response also for what its sender says of
// itself: its host name and address, its services (RFC 6763 §4) and what their TXT
// records say of maker and model.
func mdnsParse(b []byte, cut bool, log *capture.Log, dns func([]byte, bool, *capture.Log) error) error {
	if err := dns(b, cut, log); err != nil {
		return err
	}
	if b[2]&0x80 != 0 {
		mdnsIdentity(b, log)
	}
	return nil
}

func mdnsIdentity(b []byte, log *capture.Log) {
	count := func(at int) int { return int(binary.BigEndian.Uint16(b[at:])) }
	id := identity{log: log}
	off := dnsHeader
	for range count(4) {
		end, ok := dnsSkipName(b, off)
		if !ok || end+4 > len(b) {
			return
		}
		off = end + 4
	}
	var owner mdnsName
	for range min(count(6)+count(8)+count(10), mdnsMaxRecords) {
		end, ok := owner.read(b, off)
		if !ok {
			break
		}
		h, data, next, ok := dnsFixed(b, end)
		if !ok {
			break
		}
		if binary.BigEndian.Uint32(h[4:]) != 0 { // 0: goodbye, RFC 6762 §10.1
			id.record(&owner, binary.BigEndian.Uint16(h), b, data, next)
		}
		off = next
	}
	if id.n > 0 {
		id.report(capture.ProtoMDNS)
	}
}

// mdnsName is a name as it was sent, with dots between the labels.
type mdnsName struct {
	buf [dnsMaxName]byte
	n   int
}

func (n *mdnsName) text() []byte { return n.buf[:n.n] }

// read reads the name at off.
func (n *mdnsName) read(b []byte, off int) (end int, ok bool) {
	_, end, ok = dnsScanName(b, off)
	if n.n = 0; !ok {
		return off, false
	}
	for {
		label, next := dnsLabel(b, off)
		if label == nil {
			return end, true
		}
		if n.n > 0 {
			n.buf[n.n] = '.'
			n.n++
		}
		n.n += copy(n.buf[n.n:], label)
		off = next
	}
}

// record takes one record with its data at b[off:end].
func (i *identity) record(owner *mdnsName, kind uint16, b []byte, off, end int) {
	var target mdnsName
	switch kind {
	case dnsTypeA:
		if end-off == 4 {
			i.mdnsAddress(owner.text(), netip.AddrFrom4([4]byte(b[off:])))
		}
	case dnsTypeAAAA:
		if end-off == 16 {
			i.mdnsAddress(owner.text(), netip.AddrFrom16([16]byte(b[off:])))
		}
	case dnsTypePTR:
		if _, ok := target.read(b, off); ok && mdnsService(owner.text()) {
			i.service(target.text())
		}
	case dnsTypeSRV:
		i.service(owner.text())
		if _, ok := target.read(b, off+6); ok {
			i.add(capture.FieldHostname, target.text())
		}
	case dnsTypeTXT:
		i.txt(b[off:end])
	}
}

// mdnsAddress takes the owner of an address record: the host, by an IPv4 address if it
// has one.
func (i *identity) mdnsAddress(name []byte, a netip.Addr) {
	i.add(capture.FieldHostname, name)
	if !i.addr.IsValid() || a.Is4() && !i.addr.Is4() {
		i.setAddr(a)
	}
}

// service adds an instance once.
func (i *identity) service(name []byte) {
	for n := range i.n {
		if f := &i.fields[n]; f.Key == capture.FieldService && bytes.Equal(f.Value, name) {
			return
		}
	}
	i.add(capture.FieldService, name)
}

// mdnsService says whether a name is that of a kind of service: _http._tcp.local. Lists
// of kinds (RFC 6763 §9) and of addresses are not.
func mdnsService(name []byte) bool {
	return len(name) > 0 && name[0] == '_' && !bytes.HasPrefix(name, []byte("_services._dns-sd."))
}

// mdnsKeys are keys of TXT records that say who made a device. Which of them a maker
// uses differs by service: AirPlay, Google Cast, printers, HomeKit.
var mdnsKeys = [...]struct {
	key   string
	field capture.FieldKey
}{
	{"model", capture.FieldModel},
	{"md", capture.FieldModel},
	{"am", capture.FieldModel},
	{"ty", capture.FieldModel},
	{"usb_mdl", capture.FieldModel},
	{"manufacturer", capture.FieldManufacturer},
	{"mf", capture.FieldManufacturer},
	{"usb_mfg", capture.FieldManufacturer},
	{"vendor", capture.FieldManufacturer},
	{"serialnumber", capture.FieldSerial},
}

// txt reads strings of key=value (RFC 6763 §6.3).
func (i *identity) txt(b []byte) {
	for len(b) > 0 {
		n := 1 + int(b[0])
		if n > len(b) {
			return
		}
		key, value, _ := bytes.Cut(b[1:n], []byte{'='})
		for _, k := range mdnsKeys {
			if httpIs(key, k.key) {
				i.add(k.field, value)
			}
		}
		b = b[n:]
	}
}
