package proto

import "telltale/capture"

// Handshake messages of a server behind its hello (RFC 5246 §7.4).
const tlsCertificate = 11

// Extension and versions that tell TLS 1.3, where all that follows is encrypted.
const (
	tls13      = 0x0304
	tlsDraft13 = 0x7f // high byte of the drafts
)

// tlsLeafMax is the longest certificate waited for.
const tlsLeafMax = 16 << 10

// tlsFlight is a server's handshake messages as far as they are present: ServerHello,
// then, up to TLS 1.2 and without resumption, Certificate.
type tlsFlight struct {
	b      []byte // records
	have   int    // bytes of handshake messages in them
	end    int    // bytes up to the end of the last record
	broken bool   // something else than a handshake record follows
}

// tlsMeasureFlight walks the handshake records at the start of b.
func tlsMeasureFlight(b []byte) tlsFlight {
	f := tlsFlight{b: b}
	for {
		fragment, next, s := tlsFragment(b, f.end)
		if s != Done {
			f.broken = s == Reject
			return f
		}
		f.have += len(fragment)
		f.end = next
	}
}

// copyAt copies handshake bytes from offset at on to dst and returns how many.
func (f *tlsFlight) copyAt(dst []byte, at int) int {
	n := 0
	for next := 0; n < len(dst) && next < f.end; {
		var fragment []byte
		fragment, next, _ = tlsFragment(f.b, next)
		if at >= len(fragment) {
			at -= len(fragment)
			continue
		}
		n += copy(dst[n:], fragment[at:])
		at = 0
	}
	return n
}

// bytes returns n handshake bytes from offset at on, which must be present, copied into
// log only if they are spread over records.
func (f *tlsFlight) bytes(at, n int, log *capture.Log) []byte {
	for next, off := 0, at; next < f.end; {
		var fragment []byte
		fragment, next, _ = tlsFragment(f.b, next)
		if off < len(fragment) {
			if off+n <= len(fragment) {
				return fragment[off : off+n]
			}
			break
		}
		off -= len(fragment)
	}
	dst := log.Bytes(n)
	return dst[:f.copyAt(dst, at)]
}

// message returns type and body length of the handshake message at offset at; ok is
// false if its header is not whole.
func (f *tlsFlight) message(at int) (kind byte, length int, ok bool) {
	var h [tlsHandshakeHeader]byte
	if f.copyAt(h[:], at) < len(h) {
		return 0, 0, false
	}
	return h[0], int(h[1])<<16 | int(h[2])<<8 | int(h[3]), true
}

// certificate appends the Observation of the server's certificate. Done means that no
// more is to be had from this flight, Incomplete that the certificate is still to come.
func (f *tlsFlight) certificate(log *capture.Log) Status {
	more := Incomplete
	if f.broken {
		more = Done
	}
	_, hello, ok := f.message(0)
	at := tlsHandshakeHeader + hello
	switch {
	case !ok || f.have < at:
		return more
	case tlsIs13(f.bytes(0, at, log)):
		return Done
	}
	kind, _, ok := f.message(at)
	if !ok {
		return more
	}
	if kind != tlsCertificate {
		return Done
	}
	// The list's length, then that of its first certificate, three bytes each.
	var lengths [6]byte
	at += tlsHandshakeHeader
	if f.copyAt(lengths[:], at) < len(lengths) {
		return more
	}
	at += len(lengths)
	leaf := int(lengths[3])<<16 | int(lengths[4])<<8 | int(lengths[5])
	switch {
	case leaf == 0 || leaf > tlsLeafMax:
		return Done
	case f.have < at+leaf:
		return more
	}
	x509Read(f.bytes(at, leaf, log), log)
	return Done
}

// tlsIs13 says that a ServerHello chooses TLS 1.3 or a draft of it (RFC 8446 §4.2.1),
// or cannot be read.
func tlsIs13(msg []byte) bool {
	const fixed = tlsHandshakeHeader + 2 + 32 // up to the session id
	if len(msg) <= fixed {
		return true
	}
	if msg[tlsHandshakeHeader] != 3 || msg[tlsHandshakeHeader+1] >= 4 {
		return true // drafts up to 21 set the version itself
	}
	rest := msg[fixed:]
	skip := 1 + int(rest[0]) + 2 + 1 + 2 // session id, cipher, compression, length of the extensions
	if len(rest) < skip {
		return false // no extensions
	}
	rest = rest[skip:]
	for len(rest) > 0 {
		var kind uint16
		var body []byte
		if kind, body, rest = tlsNextExtension(rest); body == nil {
			return false
		}
		if kind == tlsSupportedVersions && len(body) == 2 {
			return int(body[0])<<8|int(body[1]) >= tls13 || body[0] == tlsDraft13
		}
	}
	return false
}
