package proto

import (
	"encoding/binary"

	"telltale/capture"
)

// tlsV2Header is the length of the fixed part of a ClientHello in the SSL 2.0 format,
// with the two bytes of its record header (RFC 5246 §E.2). It cannot carry a name.
const tlsV2Header = 11

// tlsMatchV2 judges whether b begins with a ClientHello in the SSL 2.0 format. The
// lengths in it must add up, since one byte would prove little.
func tlsMatchV2(b []byte) Verdict {
	switch {
	case b[0]&0x80 == 0,
		len(b) > 2 && b[2] != tlsClientHello,
		len(b) > 4 && !tlsV2Version(b[3], b[4]):
		return No
	case len(b) < tlsV2Header:
		return More
	}
	ciphers := int(binary.BigEndian.Uint16(b[5:]))
	session := int(binary.BigEndian.Uint16(b[7:]))
	challenge := int(binary.BigEndian.Uint16(b[9:]))
	length := int(binary.BigEndian.Uint16(b) & 0x7fff)
	if ciphers == 0 || ciphers%3 != 0 || session > 32 || challenge < 16 || challenge > 32 ||
		length != tlsV2Header-2+ciphers+session+challenge {
		return No
	}
	return Yes
}

func tlsV2Version(major, minor byte) bool {
	return major == 3 && minor <= 4 || major == 0 && minor == 2
}

// tlsParseV2 reports a hello in the SSL 2.0 format as soon as its fixed part is there.
func tlsParseV2(b []byte, log *capture.Log) (int, Status) {
	switch tlsMatchV2(b) {
	case No:
		return 0, Reject
	case More:
		return 0, Incomplete
	}
	length := int(binary.BigEndian.Uint16(b) & 0x7fff)
	o := log.Add(capture.ProtoTLS, capture.Request)
	o.Transport = 6
	o.TLS.LegacyVersion = binary.BigEndian.Uint16(b[3:])
	o.TLS.Version = o.TLS.LegacyVersion
	o.TLS.Length = uint32(length)
	return min(2+length, len(b)), Done
}
