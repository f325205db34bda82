package proto

import (
	"bytes"
	"encoding/binary"
	"errors"

	"telltale/capture"
)

// Google QUIC, versions Q024 to Q046, sent its client hello in clear: a CHLO message,
// which is a map of tags to values (QUIC Crypto, Langley and Chang, "Handshake
// message format").

var errQUICGoogle = errors.New("reading a gQUIC CHLO: its server name is not whole")

var _ = registerDatagram(Datagram{
	Proto: capture.ProtoQUIC,
	Order: 10,
	Match: func(_, _ uint16, b []byte) bool {
		_, message := quicGoogleMessage(b)
		return message != nil
	},
	Parse: quicParseGoogle,
})

const (
	quicGoogleCHLO = "CHLO"
	// quicGoogleDepth bounds how far behind the version the CHLO begins: connection
	// ids, packet number, hash and frame header.
	quicGoogleDepth = 64
	quicGoogleTags  = 128 // more tags than a message may have
)

// quicGoogleMessage returns version and CHLO of a client's packet, nil if there is none.
func quicGoogleMessage(b []byte) (version uint32, message []byte) {
	at := 1 // long header of Q044 to Q046
	if len(b) == 0 {
		return 0, nil
	}
	if b[0]&quicLongBit == 0 {
		// Public header: version and 8-byte connection id present, not a reset.
		const mask, want = 0x0b, 0x09
		if b[0]&mask != want {
			return 0, nil
		}
		at += 8
	}
	if len(b) < at+4 || b[at] != 'Q' || b[at+1] != '0' || b[at+2] < '2' || b[at+2] > '4' ||
		b[at+3] < '0' || b[at+3] > '9' {
		return 0, nil
	}
	version = binary.BigEndian.Uint32(b[at:])
	b = b[at+4:]
	i := bytes.Index(b[:min(len(b), quicGoogleDepth)], []byte(quicGoogleCHLO))
	if i < 0 {
		return 0, nil
	}
	return version, b[i:]
}

// quicParseGoogle reports the server name of a CHLO.
func quicParseGoogle(b []byte, _ bool, log *capture.Log) error {
	version, message := quicGoogleMessage(b)
	name, has, ok := quicGoogleServerName(message)
	if !ok {
		return errQUICGoogle
	}
	o := log.Add(capture.ProtoQUIC, capture.Request)
	o.Transport = 17
	o.Name = tlsName(name, log)
	o.TLS.QUICVersion = version
	o.TLS.HasSNI = has
	return nil
}

// quicGoogleServerName returns the value of the tag SNI. ok is false if the message
// is malformed or ends before that value.
func quicGoogleServerName(message []byte) (name []byte, has, ok bool) {
	const fixed, entry = 8, 8
	if len(message) < fixed {
		return nil, false, false
	}
	tags := int(binary.LittleEndian.Uint16(message[4:]))
	if tags > quicGoogleTags || len(message) < fixed+tags*entry {
		return nil, false, false
	}
	index, values := message[fixed:fixed+tags*entry], message[fixed+tags*entry:]
	begin := uint32(0)
	for ; len(index) > 0; index = index[entry:] {
		end := binary.LittleEndian.Uint32(index[4:])
		if end < begin {
			return nil, false, false
		}
		if string(index[:4]) == "SNI\x00" {
			if end > uint32(len(values)) {
				return nil, true, false
			}
			return values[begin:end], true, true
		}
		begin = end
	}
	return nil, false, true
}
