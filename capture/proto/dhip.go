package proto

import (
	"bytes"
	"encoding/binary"

	"telltale/capture"
)

var _ = registerDatagram(Datagram{
	Proto: capture.ProtoDHIP, Order: 27, Ports: []uint16{37810, 5050},
	Match: func(_, _ uint16, b []byte) bool { return dhipText(b) != nil || dhipBinary(b) },
	Parse: dhipParse,
})

const (
	dhipHeader = 32  // bytes before the text
	dhipFixed  = 120 // bytes of an answer of the old form before its texts
	dhipMAC    = 17  // bytes of the hardware address in it
)

// dhipParse reads a message of the discovery of Dahua devices, of the form with JSON
// or of the old one. The vendor documents neither; the layout is what open clients of
// it (UniversalScanner, the Home Assistant integration) agree on.
func dhipParse(b []byte, _ bool, log *capture.Log) error {
	id := identity{log: log}
	switch text := dhipText(b); {
	case text != nil:
		for j := (jsonScanner{text}); ; {
			name, value, ok := j.next()
			if !ok {
				break
			}
			dhipMember(&id, name, value)
		}
	case dhipBinary(b):
		id.dhipOld(b)
	}
	if id.n == 0 {
		return errIdentity
	}
	id.report(capture.ProtoDHIP)
	return nil
}

// dhipText returns the JSON text behind a header of 32 bytes that says so, nil if
// there is none.
func dhipText(b []byte) []byte {
	if len(b) <= dhipHeader || binary.LittleEndian.Uint32(b) != dhipHeader || string(b[4:8]) != "DHIP" {
		return nil
	}
	return b[dhipHeader:]
}

func dhipMember(id *identity, name, value []byte) {
	switch string(name) {
	case "method":
		id.add(capture.FieldMessage, value)
	case "mac":
		id.takeMAC(identityMAC(value))
	case "DeviceType":
		id.add(capture.FieldModel, value)
	case "DeviceClass":
		id.add(capture.FieldType, value)
	case "SerialNo":
		id.add(capture.FieldSerial, value)
	case "Version":
		id.add(capture.FieldSoftware, value)
	case "Manufacturer", "Vendor":
		id.add(capture.FieldManufacturer, value)
	case "MachineName":
		id.add(capture.FieldHostname, value)
	case "IPAddress":
		if !id.addr.IsValid() {
			id.setAddr(identityAddr(value))
		}
	}
}

// dhipBinary says whether b is an answer of the old form: two lengths in it must add up
// to the texts behind its fixed part, the first of which is a hardware address.
func dhipBinary(b []byte) bool {
	if len(b) < dhipFixed+dhipMAC || b[0] != 0xb3 || b[1] != 0 {
		return false
	}
	names, lines := dhipLengths(b)
	return names >= dhipMAC && dhipFixed+names+lines <= len(b) && identityMAC(b[dhipFixed:dhipFixed+dhipMAC]) != [6]byte{}
}

// dhipLengths returns the lengths of the two texts behind the fixed part.
func dhipLengths(b []byte) (names, lines int) {
	return int(binary.LittleEndian.Uint16(b[2:])), int(binary.LittleEndian.Uint16(b[20:]))
}

// dhipOld reads an answer of the old form: device type at 40, address at 56, then the
// hardware address, a longer device type, and lines of names and values.
func (i *identity) dhipOld(b []byte) {
	names, lines := dhipLengths(b)
	i.text(capture.FieldMessage, "answer")
	i.setAddr4(b[56:60])
	text := b[dhipFixed : dhipFixed+names]
	i.takeMAC(identityMAC(text[:dhipMAC]))
	i.add(capture.FieldModel, text[dhipMAC:])
	i.add(capture.FieldModel, b[40:56])
	rest := b[dhipFixed+names:][:lines]
	for range ssdpMaxLines {
		line, next, _ := httpLine(rest, 0)
		if name, value, ok := bytes.Cut(line, []byte{':'}); ok {
			dhipMember(i, httpTrim(name), httpTrim(value))
		}
		if rest = rest[next:]; len(rest) == 0 {
			return
		}
	}
}
