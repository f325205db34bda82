package generate

import (
	"golang.org/x/crypto/cryptobyte"
)

// Numbers of the TLS extensions (IANA "TLS ExtensionType Values").
const (
	extServerName          = 0
	extStatusRequest       = 5
	extSupportedGroups     = 10
	extPointFormats        = 11
	extSignatureAlgorithms = 13
	extALPN                = 16
	extCertificateTimes    = 18
	extEncryptThenMAC      = 22
	extMasterSecret        = 23
	extCompressCertificate = 27
	extSessionTicket       = 35
	extSupportedVersions   = 43
	extKeyExchangeModes    = 45
	extKeyShare            = 51
	extApplicationSettings = 17613
	extTrustAnchors        = 51764
	extClientHello         = 0xfe0d
	extRenegotiation       = 0xff01
)

// Numbers of key exchange groups (IANA "TLS Supported Groups").
const (
	groupX25519       = 0x001d
	groupX25519MLKEM  = 0x11ec
	versionTLS12      = 0x0303
	versionTLS13      = 0x0304
	recordHandshake   = 22
	recordCipherSpec  = 20
	recordApplication = 23
	messageClient     = 1
	messageServer     = 2
)

// extension is one TLS extension.
type extension struct {
	kind uint16
	body []byte
}

// hello is what ClientHello and ServerHello are written from (RFC 8446 §4.1).
type hello struct {
	message    uint8
	random     []byte
	session    []byte
	ciphers    []uint16 // one of them for a ServerHello
	extensions []extension
}

// record writes the hello as one TLS record.
func (t *trace) record(h hello) []byte {
	var b cryptobyte.Builder
	b.AddUint8(recordHandshake)
	b.AddUint16(map[uint8]uint16{messageClient: 0x0301, messageServer: versionTLS12}[h.message])
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		b.AddUint8(h.message)
		b.AddUint24LengthPrefixed(h.write)
	})
	raw, err := b.Bytes()
	t.keep(err)
	return raw
}

// write writes the body of the message.
func (h hello) write(b *cryptobyte.Builder) {
	b.AddUint16(versionTLS12)
	b.AddBytes(h.random)
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(h.session) })
	if h.message == messageClient {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { addAll(b, h.ciphers) })
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddUint8(0) })
	} else {
		addAll(b, h.ciphers)
		b.AddUint8(0)
	}
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, e := range h.extensions {
			b.AddUint16(e.kind)
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(e.body) })
		}
	})
}

// body returns what write writes.
func (t *trace) body(write func(b *cryptobyte.Builder)) []byte {
	var b cryptobyte.Builder
	write(&b)
	raw, err := b.Bytes()
	t.keep(err)
	return raw
}

// list16 is a list of two-byte numbers with its length in two bytes.
func (t *trace) list16(numbers ...uint16) []byte {
	return t.body(func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { addAll(b, numbers) })
	})
}

// serverName is the body of server_name (RFC 6066 §3).
func (t *trace) serverName(name string) []byte {
	return t.body(func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			b.AddUint8(0)
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(name)) })
		})
	})
}

// share is one key of key_share (RFC 8446 §4.2.8).
type share struct {
	group uint16
	key   []byte
}

// keyShares is the body of key_share in a ClientHello.
func (t *trace) keyShares(shares ...share) []byte {
	return t.body(func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, s := range shares {
				b.AddUint16(s.group)
				b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(s.key) })
			}
		})
	})
}

func addAll(b *cryptobyte.Builder, numbers []uint16) {
	for _, n := range numbers {
		b.AddUint16(n)
	}
}
