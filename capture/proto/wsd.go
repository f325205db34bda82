package proto

import (
	"bytes"

	"telltale/capture"
)

var _ = registerDatagram(Datagram{
	Proto: capture.ProtoWSD, Order: 25, Ports: []uint16{3702},
	Match: func(_, _ uint16, b []byte) bool { return xmlPlausible(b) },
	Parse: wsdParse,
})

// xmlPlausible says whether b begins as an XML document does.
func xmlPlausible(b []byte) bool {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")) // byte order mark
	b = identityTrim(b[:min(len(b), 64)])
	return len(b) > 1 && b[0] == '<'
}

// wsdParse reads a message of WS-Discovery (OASIS 1.1 §4, §5; ONVIF Core §7): a SOAP
// envelope whose action names the message.
func wsdParse(b []byte, _ bool, log *capture.Log) error {
	id := identity{log: log}
	for x := (xmlScanner{b}); ; {
		name, text, ok := x.next()
		if !ok {
			break
		}
		wsdElement(&id, name, text)
	}
	if id.get(capture.FieldMessage) == nil {
		return errIdentity
	}
	id.report(capture.ProtoWSD)
	return nil
}

func wsdElement(id *identity, name, text []byte) {
	switch string(name) {
	case "Action":
		var buf [64]byte
		last := text[bytes.LastIndexByte(text, '/')+1:]
		id.add(capture.FieldMessage, AppendHost(buf[:0], last[:min(len(last), 16)]))
	case "Address":
		if !bytes.HasSuffix(text, []byte("/anonymous")) && !bytes.HasSuffix(text, []byte("discovery")) {
			id.add(capture.FieldUSN, text)
		}
	case "Types":
		id.words(capture.FieldType, text)
	case "Scopes":
		id.words(capture.FieldScope, text)
	case "XAddrs":
		id.words(capture.FieldLocation, text)
	}
}
