package proto

import "telltale/capture"

var _ = registerDatagram(Datagram{
	Proto: capture.ProtoSADP, Order: 26, Ports: []uint16{37020},
	Match: func(_, _ uint16, b []byte) bool { return xmlPlausible(b) },
	Parse: sadpParse,
})

// sadpParse reads a message of Hikvision's Search Active Devices Protocol: an XML
// document of plain elements. The vendor documents none of it; the names are those
// that open clients of it (hikvision-tooling, UniversalScanner) and recorded answers
// agree on. The root is the message: probe asks, probematch and hello are devices.
func sadpParse(b []byte, _ bool, log *capture.Log) error {
	x := xmlScanner{b}
	root, _, ok := x.next()
	if !ok {
		return errIdentity
	}
	var buf [64]byte
	id := identity{log: log}
	id.add(capture.FieldMessage, AppendHost(buf[:0], root[:min(len(root), 16)]))
	for {
		name, text, ok := x.next()
		if !ok {
			break
		}
		sadpElement(&id, name, text)
	}
	if id.n < 2 {
		return errIdentity
	}
	id.report(capture.ProtoSADP)
	return nil
}

func sadpElement(id *identity, name, text []byte) {
	switch string(name) {
	case "Types", "DeviceType":
		id.add(capture.FieldType, text)
	case "DeviceDescription":
		id.add(capture.FieldModel, text)
	case "DeviceSN":
		id.add(capture.FieldSerial, text)
	case "SoftwareVersion":
		id.add(capture.FieldSoftware, text)
	case "DSPVersion":
		id.add(capture.FieldFirmware, text)
	case "OEMInfo", "OEMinfo":
		id.add(capture.FieldManufacturer, text)
	case "MAC":
		id.takeMAC(identityMAC(text))
	case "IPv4Address":
		id.setAddr(identityAddr(text))
	}
}
