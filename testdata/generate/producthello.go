package generate

import "golang.org/x/crypto/cryptobyte"

// productHello is a ClientHello as programs built on OpenSSL 3 send it, as recorded in
// testdata/case/openssl-sclient: no ALPN, no GREASE, a fixed order.
func (t *trace) productHello(name string) []byte {
	return t.record(hello{
		message: messageClient, random: t.bytes(32), session: t.bytes(32),
		ciphers: []uint16{0x1302, 0x1303, 0x1301, 0x00ff},
		extensions: []extension{
			{extServerName, t.serverName(name)},
			{extPointFormats, []byte{3, 0, 1, 2}},
			{extSupportedGroups, t.list16(groupX25519, 0x0017, 0x001e, 0x0019, 0x0018, 0x0100, 0x0101, 0x0102, 0x0103, 0x0104)},
			{extSessionTicket, nil},
			{extEncryptThenMAC, nil},
			{extMasterSecret, nil},
			{extSignatureAlgorithms, t.list16(
				0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0809, 0x080a, 0x080b,
				0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601,
			)},
			{extSupportedVersions, []byte{2, 3, 4}},
			{extKeyExchangeModes, []byte{1, 1}},
			{extKeyShare, t.keyShares(share{groupX25519, t.bytes(32)})},
		},
	})
}

// serverFlight is what a TLS 1.3 server answers a hello with: ServerHello, a change of
// cipher for old middleboxes, and n encrypted bytes (RFC 8446 §2, App. D.4).
func (t *trace) serverFlight(n int) []byte {
	key := t.body(func(b *cryptobyte.Builder) {
		b.AddUint16(groupX25519)
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(t.bytes(32)) })
	})
	flight := t.record(hello{
		message: messageServer, random: t.bytes(32), session: t.bytes(32), ciphers: []uint16{0x1301},
		extensions: []extension{{extKeyShare, key}, {extSupportedVersions, []byte{3, 4}}},
	})
	flight = append(flight, recordCipherSpec, 3, 3, 0, 1, 1)
	return append(flight, t.application(n)...)
}

// application is one record of n encrypted bytes, n up to 16640 (RFC 8446 §5.2).
func (t *trace) application(n int) []byte {
	return t.body(func(b *cryptobyte.Builder) {
		b.AddUint8(recordApplication)
		b.AddUint16(versionTLS12)
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(t.bytes(n)) })
	})
}
