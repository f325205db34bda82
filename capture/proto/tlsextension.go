package proto

import (
	"golang.org/x/crypto/cryptobyte"

	"telltale/capture"
)

// Extension types (IANA TLS ExtensionType Values).
const (
	tlsServerName          = 0
	tlsSignatureAlgorithms = 13
	tlsALPN                = 16
	tlsSupportedVersions   = 43
	tlsECH                 = 0xfe0d // RFC 9849
	tlsESNI                = 0xffce // draft-ietf-tls-esni-06 and before
)

// extension keeps what is wanted of one extension. Where a type comes twice, which
// RFC 8446 §4.2 forbids, the first counts.
func (h *tlsHello) extension(kind uint16, body cryptobyte.String) {
	var list cryptobyte.String
	switch kind {
	case tlsServerName:
		if !h.hasSNI {
			h.hasSNI = true
			h.sni = tlsHostName(body)
		}
	case tlsSignatureAlgorithms:
		if h.signatures == nil && body.ReadUint16LengthPrefixed(&list) {
			h.signatures = list
		}
	case tlsALPN:
		if h.alpn == nil && body.ReadUint16LengthPrefixed(&list) {
			h.alpn = list
		}
	case tlsSupportedVersions:
		if h.versions == nil && body.ReadUint8LengthPrefixed(&list) {
			h.versions = list
		}
	case tlsECH:
		if !h.ech.Present {
			h.ech = tlsParseECH(body)
		}
	case tlsESNI:
		h.esni = true
	}
}

// tlsHostName returns the first host_name of a server_name extension (RFC 6066 §3),
// nil if there is none.
func tlsHostName(body cryptobyte.String) []byte {
	var list cryptobyte.String
	if !body.ReadUint16LengthPrefixed(&list) {
		return nil
	}
	const hostName = 0
	var kind uint8
	var name cryptobyte.String
	for list.ReadUint8(&kind) && list.ReadUint16LengthPrefixed(&name) {
		if kind == hostName {
			return name
		}
	}
	return nil
}

// tlsParseECH reads encrypted_client_hello (RFC 9849 §5). Of a malformed one only
// its presence is kept.
func tlsParseECH(body cryptobyte.String) capture.ECH {
	const outer, inner = 0, 1
	e := capture.ECH{Present: true}
	var kind uint8
	if !body.ReadUint8(&kind) {
		return e
	}
	e.Inner = kind == inner
	if kind != outer {
		return e
	}
	full := e
	var key, payload cryptobyte.String
	if !body.ReadUint16(&full.KDF) || !body.ReadUint16(&full.AEAD) || !body.ReadUint8(&full.ConfigID) ||
		!body.ReadUint16LengthPrefixed(&key) || !body.ReadUint16LengthPrefixed(&payload) {
		return e
	}
	full.PayloadLen = uint16(len(payload))
	return full
}
