package proto

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"golang.org/x/crypto/cryptobyte"

	"telltale/capture"
)

// JA4 is the TLS client fingerprint published by FoxIO under BSD 3-Clause
// (https://github.com/FoxIO-LLC/ja4, technical_details/JA4.md). Of that family only
// this one is computed here.

const (
	ja4HashLen = 12
	// ja4Stack is the number of ciphers, extensions or signature algorithms sorted
	// and hashed on the stack; a longer list uses the log's memory.
	ja4Stack = 96
)

// ja4Write stores the JA4 of a whole hello; transport is 't' for TCP, 'q' for QUIC,
// 'd' for DTLS.
func ja4Write(dst *[36]byte, transport byte, h *tlsHello, log *capture.Log) {
	var ciphers, extensions [ja4Stack]uint16
	c := ja4AppendWords(ja4Room(ciphers[:0], len(h.ciphers)/2, log), h.ciphers)
	e := ja4AppendExtensions(ja4Room(extensions[:0], len(h.extensions)/4, log), h.extensions)

	version, _ := h.version()
	dst[0] = transport
	copy(dst[1:3], ja4Version(version))
	dst[3] = 'i'
	if slices.Contains(e, tlsServerName) {
		dst[3] = 'd'
	}
	ja4Count(dst[4:6], len(c))
	ja4Count(dst[6:8], len(e))
	dst[8], dst[9] = ja4ALPN(h.alpn)
	dst[10], dst[10+1+ja4HashLen] = '_', '_'
	ja4Ciphers(dst[11:][:ja4HashLen], c, log)
	ja4Extensions(dst[11+ja4HashLen+1:], e, h.signatures, log)
}

// ja4Room returns buf if n words fit into it, else room in the log's memory.
func ja4Room(buf []uint16, n int, log *capture.Log) []uint16 {
	if n <= cap(buf) {
		return buf
	}
	return log.Words(n)[:0]
}

// ja4AppendWords appends the values of a list of big-endian uint16, GREASE left out.
func ja4AppendWords(dst []uint16, raw []byte) []uint16 {
	for ; len(raw) >= 2; raw = raw[2:] {
		if v := uint16(raw[0])<<8 | uint16(raw[1]); !tlsGrease(v) {
			dst = append(dst, v)
		}
	}
	return dst
}

// ja4AppendExtensions appends the types of an extension block, GREASE left out.
func ja4AppendExtensions(dst []uint16, block []byte) []uint16 {
	for len(block) > 0 {
		var kind uint16
		var body []byte
		if kind, body, block = tlsNextExtension(block); body == nil {
			break
		}
		if !tlsGrease(kind) {
			dst = append(dst, kind)
		}
	}
	return dst
}

func ja4Version(v uint16) string {
	switch v {
	case 0x0304:
		return "13"
	case 0x0303:
		return "12"
	case 0x0302:
		return "11"
	case 0x0301:
		return "10"
	case 0x0300:
		return "s3"
	case 0x0002:
		return "s2"
	case 0xfeff:
		return "d1"
	case 0xfefd:
		return "d2"
	case 0xfefc:
		return "d3"
	}
	return "00"
}

func ja4Count(dst []byte, n int) {
	n = min(n, 99)
	dst[0], dst[1] = byte('0'+n/10), byte('0'+n%10)
}

// ja4ALPN returns the first and last character of the first protocol name, of its
// hexadecimal form if either is not an ASCII letter or digit, and 00 without one.
func ja4ALPN(list []byte) (first, last byte) {
	s := cryptobyte.String(list)
	var name cryptobyte.String
	if !s.ReadUint8LengthPrefixed(&name) || len(name) == 0 {
		return '0', '0'
	}
	first, last = name[0], name[len(name)-1]
	if ja4Alphanumeric(first) && ja4Alphanumeric(last) {
		return first, last
	}
	const digits = "0123456789abcdef"
	return digits[first>>4], digits[last&15]
}

func ja4Alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// ja4Ciphers hashes the sorted ciphers.
func ja4Ciphers(dst []byte, ciphers []uint16, log *capture.Log) {
	ja4Sort(ciphers)
	var buf [ja4Stack * ja4Item]byte
	text := ja4Text(buf[:0], len(ciphers), log)
	ja4Hash(dst, ja4AppendList(text, ciphers))
}

// ja4Extensions hashes the sorted extensions without server_name and ALPN, and the
// signature algorithms in the order sent.
func ja4Extensions(dst []byte, extensions []uint16, signatures []byte, log *capture.Log) {
	if len(extensions) == 0 {
		ja4Hash(dst, nil)
		return
	}
	ja4Sort(extensions)
	var buf [2 * ja4Stack * ja4Item]byte
	text := ja4Text(buf[:0], len(extensions)+len(signatures)/2+1, log)
	kept := slices.DeleteFunc(extensions, func(e uint16) bool { return e == tlsServerName || e == tlsALPN })
	text = ja4AppendList(text, kept)
	var words [ja4Stack]uint16
	if s := ja4AppendWords(ja4Room(words[:0], len(signatures)/2, log), signatures); len(s) > 0 {
		text = ja4AppendList(append(text, '_'), s)
	}
	ja4Hash(dst, text)
}

// ja4Sort sorts v. Lists are short, and many clients send them nearly in order:
// insertion takes half the time of the general sort (BenchmarkJA4).
func ja4Sort(v []uint16) {
	if len(v) > ja4Stack {
		slices.Sort(v)
		return
	}
	for i := 1; i < len(v); i++ {
		x, j := v[i], i
		for ; j > 0 && v[j-1] > x; j-- {
			v[j] = v[j-1]
		}
		v[j] = x
	}
}

// ja4Item is the length of one list item: four hex digits and a comma.
const ja4Item = 5

// ja4Text returns buf if n list items fit into it, else room in the log's memory.
func ja4Text(buf []byte, n int, log *capture.Log) []byte {
	if n*ja4Item <= cap(buf) {
		return buf
	}
	return log.Bytes(n * ja4Item)[:0]
}

// ja4AppendList appends the values as four hex digits each, separated by commas.
func ja4AppendList(dst []byte, values []uint16) []byte {
	const digits = "0123456789abcdef"
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, digits[v>>12], digits[v>>8&15], digits[v>>4&15], digits[v&15])
	}
	return dst
}

// ja4Hash stores the first 12 hex digits of the SHA-256 of text, zeros for no text.
func ja4Hash(dst, text []byte) {
	if len(text) == 0 {
		copy(dst, "000000000000")
		return
	}
	sum := sha256.Sum256(text)
	hex.Encode(dst[:ja4HashLen], sum[:ja4HashLen/2])
}
