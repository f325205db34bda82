package generate

import "golang.org/x/crypto/cryptobyte"

// browserHello is a ClientHello as Chromium 156 sends it over TCP, as recorded in
// testdata/case/chromium-visit: GREASE (RFC 8701) at both ends of the extensions and in
// five lists, the other extensions in any order, a post-quantum key share that makes it
// longer than a segment, and ECH GREASE (RFC 9849 §6.2).
func (t *trace) browserHello(name string) []byte {
	grease := t.grease()
	middle := t.browserExtensions(name, grease)
	t.dice.Shuffle(len(middle), func(i, j int) { middle[i], middle[j] = middle[j], middle[i] })
	all := append([]extension{{grease[1], nil}}, middle...)
	all = append(all, extension{grease[2], []byte{0}})
	return t.record(hello{
		message: messageClient, random: t.bytes(32), session: t.bytes(32),
		ciphers: []uint16{
			grease[0], 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8,
			0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035,
		},
		extensions: all,
	})
}

// browserExtensions returns the extensions between those of GREASE.
func (t *trace) browserExtensions(name string, grease [6]uint16) []extension {
	return []extension{
		{extServerName, t.serverName(name)},
		{extMasterSecret, nil},
		{extRenegotiation, []byte{0}},
		{extSupportedGroups, t.list16(grease[3], groupX25519MLKEM, groupX25519, 0x0017, 0x0018)},
		{extPointFormats, []byte{1, 0}},
		{extSessionTicket, nil},
		{extALPN, []byte("\x00\x0c\x02h2\x08http/1.1")},
		{extStatusRequest, []byte{1, 0, 0, 0, 0}},
		{extSignatureAlgorithms, t.list16(grease[4], 0x0904, 0x0905, 0x0906, 0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601)},
		{extCertificateTimes, nil},
		{extKeyShare, t.keyShares(
			share{grease[3], []byte{0}},
			share{groupX25519MLKEM, t.bytes(1216)},
			share{groupX25519, t.bytes(32)},
		)},
		{extKeyExchangeModes, []byte{1, 1}},
		{extSupportedVersions, t.body(func(b *cryptobyte.Builder) {
			b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) {
				addAll(b, []uint16{grease[5], versionTLS13, versionTLS12})
			})
		})},
		{extCompressCertificate, []byte{2, 0, 2}},
		{extApplicationSettings, []byte("\x00\x03\x02h2")},
		{extTrustAnchors, t.trustAnchors()},
		{extClientHello, t.hiddenHello()},
	}
}

// grease returns six reserved numbers; the two of extensions differ (RFC 8701 §3.1).
func (t *trace) grease() (numbers [6]uint16) {
	for i := range numbers {
		numbers[i] = 0x0a0a + 0x1010*uint16(t.dice.IntN(16))
	}
	if numbers[1] == numbers[2] {
		numbers[2] ^= 0x1010
	}
	return numbers
}

// hiddenHello is the body of encrypted_client_hello as GREASE has it: of the form of an
// outer hello (RFC 9849 §5), but noise.
func (t *trace) hiddenHello() []byte {
	const outer, sha256, aes = 0, 0x0001, 0x0001
	return t.body(func(b *cryptobyte.Builder) {
		b.AddUint8(outer)
		b.AddUint16(sha256)
		b.AddUint16(aes)
		b.AddUint8(uint8(t.dice.Uint32()))
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(t.bytes(32)) })
		payload := 144 + 32*t.dice.IntN(4) // padded to a multiple of 32, with the AEAD's tag
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(t.bytes(payload)) })
	})
}

// trustAnchors names the roots the browser trusts: relative object identifiers.
func (t *trace) trustAnchors() []byte {
	return t.body(func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for i := range 30 {
				b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) {
					b.AddBytes([]byte{0x82, 0xdf, 0x13, 2, byte(i + 1)})
				})
			}
		})
	})
}
