package proto

import (
	"encoding/binary"

	"telltale/capture"
)

var _ = registerDatagram(Datagram{
	Proto: capture.ProtoNBNS, Order: 22, Ports: []uint16{nbnsPort},
	Match: func(_, _ uint16, b []byte) bool { return nbnsPlausible(b) },
	Parse: nbnsParse,
})

const (
	nbnsPort = 137

	nbnsNameLength = 16 // characters with the suffix, RFC 1001 §14.1
	nbnsEncoded    = 34 // bytes on the wire without scope: length, 32 letters, root
	nbnsGroup      = 0x80

	// Record types (RFC 1002 §4.2.1.3).
	nbnsTypeName   = 0x20
	nbnsTypeStatus = 0x21

	// Operations (RFC 1002 §4.2.1.1).
	nbnsQuery        = 0
	nbnsRegistration = 5
	nbnsRefresh      = 8
	nbnsRefreshAlso  = 9 // what some stacks send for the same
	nbnsMultihomed   = 15
)

// nbnsName is a NetBIOS name: 15 characters and the suffix.
type nbnsName [nbnsNameLength]byte

func (n *nbnsName) text() []byte { return identityTrim(n[:nbnsNameLength-1]) }

func nbnsPlausible(b []byte) bool {
	return len(b) >= dnsHeader && binary.BigEndian.Uint16(b[4:]) <= 1 && binary.BigEndian.Uint16(b[6:]) <= 2
}

// nbnsParse reads a message of the NetBIOS name service (RFC 1002 §4.2). A query is a
// question for a name; by a registration, an answer and a status a host tells its own.
func nbnsParse(b []byte, _ bool, log *capture.Log) error {
	if !nbnsPlausible(b) {
		return errIdentity
	}
	response, op := b[2]&0x80 != 0, b[2]>>3&0xf
	name, off, ok := nbnsRead(b, dnsHeader)
	if !ok {
		return errIdentity
	}
	questions, answers, more := binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:]), binary.BigEndian.Uint16(b[10:])
	switch {
	case response:
		if answers > 0 && b[3]&0xf == 0 {
			return nbnsRecord(b, &name, off, log)
		}
	case questions != 1:
	case op == nbnsQuery:
		return nbnsQuestion(b, &name, off, log)
	case more > 0 && nbnsClaims(op):
		owner, end, ok := nbnsOwner(b, off+4, &name)
		if !ok {
			return errIdentity
		}
		return nbnsRecord(b, &owner, end, log)
	}
	return nil // refusals, releases, waiting
}

// nbnsClaims says whether a host claims its name by operation op.
func nbnsClaims(op byte) bool {
	switch op {
	case nbnsRegistration, nbnsRefresh, nbnsRefreshAlso, nbnsMultihomed:
		return true
	}
	return false
}

// nbnsQuestion reports the name asked for; a query for "*" asks for the status.
func nbnsQuestion(b []byte, name *nbnsName, off int, log *capture.Log) error {
	if off+4 > len(b) {
		return errIdentity
	}
	if binary.BigEndian.Uint16(b[off:]) != nbnsTypeName {
		return nil
	}
	var buf [4 * nbnsNameLength]byte
	log.Add(capture.ProtoNBNS, capture.Request).Name = log.Copy(AppendHost(buf[:0], name.text()))
	return nil
}

// nbnsRecord reads a record whose owner is name and whose type is at off.
func nbnsRecord(b []byte, name *nbnsName, off int, log *capture.Log) error {
	h, data, next, ok := dnsFixed(b, off)
	if !ok {
		return errIdentity
	}
	id := identity{log: log}
	v := b[data:next]
	switch kind := binary.BigEndian.Uint16(h); {
	case kind == nbnsTypeName && len(v) >= 6:
		id.text(capture.FieldMessage, "name")
		id.netbios(name, v[0]&nbnsGroup != 0)
		id.setAddr4(v[2:6])
	case kind == nbnsTypeStatus && len(v) > 0:
		id.text(capture.FieldMessage, "status")
		id.nbnsStatus(v)
	default:
		return nil
	}
	id.report(capture.ProtoNBNS)
	return nil
}

// netbios keeps a name of a host, or of the group it belongs to.
func (i *identity) netbios(name *nbnsName, group bool) {
	if group {
		i.add(capture.FieldDomain, name.text())
		return
	}
	if i.get(capture.FieldHostname) == nil {
		i.hex(capture.FieldSuffix, name[nbnsNameLength-1:])
	}
	i.add(capture.FieldHostname, name.text())
}

// nbnsStatus reads the names of a node and its hardware address (RFC 1002 §4.2.18).
func (i *identity) nbnsStatus(v []byte) {
	const (
		size        = nbnsNameLength + 2
		workstation = 0x00 // suffix
	)
	n := int(v[0])
	v = v[1:]
	for ; n > 0 && len(v) >= size; n-- {
		name := nbnsName(v)
		if name[nbnsNameLength-1] == workstation {
			i.netbios(&name, v[nbnsNameLength]&nbnsGroup != 0)
		}
		v = v[size:]
	}
	if n == 0 && len(v) >= 6 {
		i.setMAC(v[:6])
	}
}

// nbnsOwner reads the owner of a record: mostly a pointer to the question's name.
func nbnsOwner(b []byte, off int, asked *nbnsName) (nbnsName, int, bool) {
	if off >= 0 && off+2 <= len(b) && b[off] >= 0xc0 {
		return *asked, off + 2, true
	}
	return nbnsRead(b, off)
}

// nbnsRead reads an encoded name: each half of a byte as a letter from A on
// (RFC 1001 §14.1); a scope behind it is passed.
func nbnsRead(b []byte, off int) (name nbnsName, end int, ok bool) {
	if off < 0 || off+nbnsEncoded > len(b) || b[off] != 2*nbnsNameLength {
		return name, off, false
	}
	for n := range name {
		high, low := b[off+1+2*n]-'A', b[off+2+2*n]-'A'
		if high > 15 || low > 15 {
			return name, off, false
		}
		name[n] = high<<4 | low
	}
	end, ok = dnsSkipName(b, off+1+2*nbnsNameLength)
	return name, end, ok
}
