package generate

import (
	"bytes"
	"net/netip"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Certificates returns TLS 1.2 connections without a name in the hello: to a product's
// server, to one with names of several owners, and one of which the server's side alone
// is seen.
func Certificates() (*Capture, error) {
	t := newTrace(12)
	at := start()
	for i, names := range [][]string{
		{"ds.kaspersky.com"},
		{"cdn.example", "ds.kaspersky.com", "*.shop.example"},
		{"update.example", "*.update.example"},
	} {
		d := t.dial(at, endpoint{host(i), 0}, endpoint{netip.AddrFrom4([4]byte{192, 0, 2, byte(10 + i)}), 443})
		d.open()
		d.send(t.namelessHello(versionTLS12))
		d.reply(t.certificateFlight(names))
		d.send(t.application(200))
		d.reply(t.application(400))
		d.end()
		if i == 2 {
			t.frames = t.onlyFrom(d.server)
		}
		at = d.at.Add(time.Second)
	}
	return t.finish()
}

// onlyFrom leaves of the frames with the address of from those that it sent.
func (t *trace) onlyFrom(from endpoint) (kept []frame) {
	const target = 14 + 16 // of IPv4 in Ethernet
	for _, f := range t.frames {
		if !bytes.Equal(f.data[target:target+4], from.addr.AsSlice()) {
			kept = append(kept, f)
		}
	}
	return kept
}

// certificateFlight is what a TLS 1.2 server answers a hello with (RFC 5246 §7.3):
// ServerHello and a certificate, in one record.
func (t *trace) certificateFlight(names []string) []byte {
	h := hello{message: messageServer, random: t.bytes(32), session: t.bytes(32), ciphers: []uint16{0xc02f}}
	der := t.certificate(names)
	return t.body(func(b *cryptobyte.Builder) {
		b.AddUint8(recordHandshake)
		b.AddUint16(versionTLS12)
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			b.AddUint8(messageServer)
			b.AddUint24LengthPrefixed(h.write)
			b.AddUint8(11) // Certificate
			b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
				b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
					b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(der) })
				})
			})
		})
	})
}

// certificate is a certificate of names in DER (RFC 5280 §4.1). Key and signature are
// noise.
func (t *trace) certificate(names []string) []byte {
	algorithm := func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier([]int{1, 2, 840, 113549, 1, 1, 11}) })
	}
	return t.body(func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.Tag(0).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) { b.AddASN1Int64(2) })
				b.AddASN1Int64(4711)
				algorithm(b)
				commonName(b, "Test Authority")
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1UTCTime(start())
					b.AddASN1UTCTime(start().AddDate(1, 0, 0))
				})
				commonName(b, names[0])
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
					algorithm(b)
					b.AddASN1BitString(t.bytes(270))
				})
				b.AddASN1(asn1.Tag(3).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) {
					b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { alternative(b, names) })
				})
			})
			algorithm(b)
			b.AddASN1BitString(t.bytes(256))
		})
	})
}

func commonName(b *cryptobyte.Builder, name string) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier([]int{2, 5, 4, 3})
				b.AddASN1(asn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(name)) })
			})
		})
	})
}

// alternative is the extension subjectAltName.
func alternative(b *cryptobyte.Builder, names []string) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier([]int{2, 5, 29, 17})
		b.AddASN1(asn1.OCTET_STRING, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, n := range names {
					b.AddASN1(asn1.Tag(2).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes([]byte(n)) })
				}
			})
		})
	})
}
