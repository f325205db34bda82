package generate

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// quicVersion is a version of QUIC with what the keys of its Initials come from.
type quicVersion struct {
	number  uint32
	salt    string
	labels  string // what the labels of HKDF begin with
	initial byte   // first byte of an Initial with a packet number of 4 bytes
}

const (
	saltQUIC1 = "\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a"
	saltQUIC2 = "\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9"
	salt29    = "\xaf\xbf\xec\x28\x99\x93\xd2\x4c\x9e\x97\x86\xf1\x9c\x61\x11\xe0\x43\x90\xa8\x99"
)

// quic1 is the version of RFC 9001 §5.2 under a number.
func quic1(number uint32) quicVersion { return quicVersion{number, saltQUIC1, "quic ", 0xc3} }

// quic2 is RFC 9369 §3.
func quic2() quicVersion { return quicVersion{0x6b3343cf, saltQUIC2, "quicv2 ", 0xd3} }

// quic29 is draft-ietf-quic-tls-29 §5.2.
func quic29() quicVersion { return quicVersion{0xff00001d, salt29, "quic ", 0xc3} }

// quicHello is the ClientHello of an HTTP/3 client as QUIC carries it, without a record.
func (t *trace) quicHello(name string) []byte {
	const transportParameters, recordHeader = 57, 5
	return t.record(hello{
		message: messageClient, random: t.bytes(32), ciphers: []uint16{0x1301, 0x1302, 0x1303},
		extensions: []extension{
			{extServerName, t.serverName(name)},
			{extSupportedGroups, t.list16(groupX25519, 0x0017, 0x0018)},
			{extALPN, []byte("\x00\x03\x02h3")},
			{extSignatureAlgorithms, t.list16(0x0403, 0x0804, 0x0401)},
			{extKeyShare, t.keyShares(share{groupX25519, t.bytes(32)})},
			{extKeyExchangeModes, []byte{1, 1}},
			{extSupportedVersions, []byte{2, 3, 4}},
			{transportParameters, append([]byte{1, 4, 0x80, 0, 0x75, 0x30, 0x0f, 8}, t.bytes(8)...)},
		},
	})[recordHeader:]
}

// longHeader begins a packet: type and version, and the connection ids of where it goes
// and where it comes from (RFC 9000 §17.2).
func longHeader(first byte, version uint32, to, from []byte) []byte {
	b := binary.BigEndian.AppendUint32([]byte{first}, version)
	b = append(append(b, byte(len(to))), to...)
	return append(append(b, byte(len(from))), from...)
}

// initial is a client's Initial that carries a hello, padded to size bytes and protected
// (RFC 9001 §5).
func (t *trace) initial(v quicVersion, to, from, hello []byte, size int) []byte {
	const number, check = 4, 16
	head := append(longHeader(v.initial, v.number, to, from), 0) // no token
	at := len(head) + 2
	frames := t.body(func(b *cryptobyte.Builder) {
		b.AddBytes([]byte{6, 0}) // CRYPTO at offset 0
		b.AddUint16(0x4000 | uint16(len(hello)))
		b.AddBytes(hello)
	})
	frames = append(frames, make([]byte, max(0, size-at-number-check-len(frames)))...)
	head = binary.BigEndian.AppendUint16(head, 0x4000|uint16(number+len(frames)+check))
	head = append(head, make([]byte, number)...) // packet 0
	return t.protect(v, to, head, frames, at)
}

// protect seals frames behind head, whose packet number 0 begins at an offset (RFC 9001
// §5.3, §5.4).
func (t *trace) protect(v quicVersion, id, head, frames []byte, at int) []byte {
	secret, err := hkdf.Extract(sha256.New, id, []byte(v.salt))
	t.keep(err)
	secret = t.expand(secret, "client in", sha256.Size)
	packets, err := aes.NewCipher(t.expand(secret, v.labels+"key", 16))
	t.keep(err)
	headers, err := aes.NewCipher(t.expand(secret, v.labels+"hp", 16))
	t.keep(err)
	aead, err := cipher.NewGCM(packets)
	t.keep(err)
	b := aead.Seal(slices.Clone(head), t.expand(secret, v.labels+"iv", 12), frames, head)
	var mask [aes.BlockSize]byte
	headers.Encrypt(mask[:], b[at+4:])
	b[0] ^= mask[0] & 0x0f
	for i := range 4 {
		b[at+i] ^= mask[1+i]
	}
	return b
}

// expand is HKDF-Expand-Label without context (RFC 8446 §7.1).
func (t *trace) expand(secret []byte, label string, length int) []byte {
	info := t.body(func(b *cryptobyte.Builder) {
		b.AddUint16(uint16(length))
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte("tls13 " + label)) })
		b.AddUint8(0)
	})
	out, err := hkdf.Expand(sha256.New, secret, string(info), length)
	t.keep(err)
	return out
}

// sealedLong is a packet with a long header and a length, with noise for its n bytes:
// 0-RTT, Handshake, or an Initial of the server, whose token is empty.
func (t *trace) sealedLong(first byte, version uint32, to, from []byte, token []byte, n int) []byte {
	b := append(longHeader(first, version, to, from), token...)
	b = binary.BigEndian.AppendUint16(b, 0x4000|uint16(n))
	return append(b, t.bytes(n)...)
}
