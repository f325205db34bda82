package proto

import (
	"golang.org/x/crypto/cryptobyte"

	"telltale/capture"
)

// tlsHello is a ClientHello taken apart. Its slices point into the message.
type tlsHello struct {
	legacy     uint16
	hasSNI     bool
	esni       bool
	whole      bool   // the message is not cut
	datagram   bool   // it is one of DTLS
	sni        []byte // the first host_name
	ciphers    []byte // uint16 each
	extensions []byte // the block, as far as it is present
	versions   []byte // supported_versions, uint16 each
	alpn       []byte // ProtocolNameList without its length
	signatures []byte // signature_algorithms, uint16 each
	ech        capture.ECH
}

// parse reads the body of a ClientHello (RFC 8446 §4.1.2). whole says that body is
// not cut. It returns false if body does not reach the extensions or cannot be a
// ClientHello; a fault after that only ends the reading.
func (h *tlsHello) parse(body []byte, whole bool) bool {
	s := cryptobyte.String(body)
	var session, cookie, ciphers, compression cryptobyte.String
	if !s.ReadUint16(&h.legacy) || !s.Skip(32) ||
		!s.ReadUint8LengthPrefixed(&session) ||
		h.datagram && !s.ReadUint8LengthPrefixed(&cookie) ||
		!s.ReadUint16LengthPrefixed(&ciphers) ||
		!s.ReadUint8LengthPrefixed(&compression) {
		return false
	}
	if known := h.legacy>>8 == 3 && !h.datagram || h.datagram && dtlsVersion(h.legacy); !known || len(session) > 32 || len(ciphers)%2 != 0 {
		return false
	}
	h.ciphers, h.whole = ciphers, whole
	h.parseExtensions(s)
	return true
}

// parseExtensions reads the extension block; before TLS 1.2 it may be absent.
func (h *tlsHello) parseExtensions(s cryptobyte.String) {
	var n uint16
	if !s.ReadUint16(&n) {
		return
	}
	s = s[:min(int(n), len(s))]
	h.extensions = s
	for rest := h.extensions; len(rest) > 0; {
		var kind uint16
		var body []byte
		kind, body, rest = tlsNextExtension(rest)
		if body == nil {
			return
		}
		h.extension(kind, body)
	}
}

// tlsNextExtension splits the first extension from a block; body is nil if it is not
// whole. It is cryptobyte by hand, since most of the time for a hello goes here.
func tlsNextExtension(block []byte) (kind uint16, body, rest []byte) {
	const header = 4
	if len(block) < header {
		return 0, nil, nil
	}
	end := header + (int(block[2])<<8 | int(block[3]))
	if end > len(block) {
		return 0, nil, nil
	}
	return uint16(block[0])<<8 | uint16(block[1]), block[header:end:end], block[end:]
}

// tlsGrease tells the values reserved to exercise peers, 0x?a?a with both bytes
// alike (RFC 8701 §2).
func tlsGrease(v uint16) bool { return v&0x0f0f == 0x0a0a && v>>8 == v&0xff }

// version returns the highest version offered, GREASE left out, and how many
// supported_versions are not GREASE.
func (h *tlsHello) version() (highest uint16, n int) {
	s := cryptobyte.String(h.versions)
	for v := uint16(0); s.ReadUint16(&v); {
		if tlsGrease(v) {
			continue
		}
		if n++; n == 1 || h.datagram && v < highest || !h.datagram && v > highest {
			highest = v // DTLS counts its versions down
		}
	}
	if n == 0 {
		highest = h.legacy
	}
	return highest, n
}

// tlsRandomDigest returns a digest of the client's random in the body of a hello, FNV-1a,
// never 0; 0 if it is not there.
func tlsRandomDigest(body []byte) uint32 {
	const at, size = 2, 32
	if len(body) < at+size {
		return 0
	}
	h := uint32(2166136261)
	for _, c := range body[at : at+size] {
		h = (h ^ uint32(c)) * 16777619
	}
	return max(h, 1)
}

// tlsCipherDigest adds up the mixed numbers of a list of cipher suites, GREASE left out,
// so that order does not count; never 0.
func tlsCipherDigest(list []byte) uint64 {
	sum := uint64(1)
	for ; len(list) >= 2; list = list[2:] {
		v := uint16(list[0])<<8 | uint16(list[1])
		if tlsGrease(v) {
			continue
		}
		x := (uint64(v) + 1) * 0x9e3779b97f4a7c15 // SplitMix64
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		sum += x ^ x>>31
	}
	return max(sum, 1)
}

// report appends the Observation of h; p is ProtoTLS, ProtoQUIC or ProtoDTLS and length the
// bytes of the handshake message. JA4 is left zero if the hello is cut.
func (h *tlsHello) report(p capture.Proto, length int, log *capture.Log) *capture.Observation {
	o := log.Add(p, capture.Request)
	o.Name = tlsName(h.sni, log)
	t := o.TLS
	t.LegacyVersion = h.legacy
	t.Length = uint32(length)
	t.HasSNI, t.ESNI, t.ECH = h.hasSNI, h.esni, h.ech
	var n int
	t.Version, n = h.version()
	t.Versions = h.copyVersions(n, log)
	t.ALPN = h.copyALPN(log)
	transport := byte('t')
	o.Transport = 6
	switch p {
	case capture.ProtoQUIC:
		transport, o.Transport = 'q', 17
	case capture.ProtoDTLS:
		transport, o.Transport = 'd', 17
	}
	if h.whole {
		t.Ciphers = tlsCipherDigest(h.ciphers)
	}
	if h.whole && !log.Brief {
		ja4Write(&t.JA4, transport, h, log)
	}
	return o
}

// tlsName returns the canonical form of a host name in the log's memory.
func tlsName(raw []byte, log *capture.Log) []byte {
	const worst = len(`\DDD`)
	var buf [255 * worst]byte
	if len(raw)*worst > len(buf) {
		return AppendHost(log.Bytes(len(raw) * worst)[:0], raw)
	}
	return log.Copy(AppendHost(buf[:0], raw))
}

func (h *tlsHello) copyVersions(n int, log *capture.Log) []uint16 {
	if n == 0 {
		return nil
	}
	words := log.Words(n)[:0]
	s := cryptobyte.String(h.versions)
	for v := uint16(0); s.ReadUint16(&v); {
		if !tlsGrease(v) {
			words = append(words, v)
		}
	}
	return words
}

// tlsALPNMax bounds the protocol names kept of one hello; clients send about two.
const tlsALPNMax = 64

func (h *tlsHello) copyALPN(log *capture.Log) [][]byte {
	n := 0
	var name cryptobyte.String
	for s := cryptobyte.String(h.alpn); n < tlsALPNMax && s.ReadUint8LengthPrefixed(&name); {
		n++
	}
	if n == 0 {
		return nil
	}
	lists := log.Lists(n)
	s := cryptobyte.String(log.Copy(h.alpn))
	for i := range lists {
		s.ReadUint8LengthPrefixed(&name)
		lists[i] = name
	}
	return lists
}
