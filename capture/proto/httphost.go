package proto

import (
	"bytes"

	"telltale/capture"
)

// httpHost is an authority taken apart (RFC 3986 §3.2).
type httpHost struct {
	name []byte // without brackets
	port uint16 // 0 if there is none
	ip   bool   // an address literal
}

// httpSplitAuthority takes apart "user@host:port", "host" or "[address]:port".
func httpSplitAuthority(b []byte) (h httpHost) {
	b = b[bytes.LastIndexByte(b, '@')+1:]
	if len(b) > 0 && b[0] == '[' {
		if end := bytes.IndexByte(b, ']'); end > 0 {
			h.name, h.ip = b[1:end], true
			if rest := b[end+1:]; len(rest) > 0 && rest[0] == ':' {
				h.port = httpPort(rest[1:])
			}
			return h
		}
	}
	colon := bytes.IndexByte(b, ':')
	switch {
	case colon < 0:
		h.name = b
	case bytes.IndexByte(b[colon+1:], ':') >= 0: // an IPv6 address that lacks its brackets
		h.name, h.ip = b, httpIsIPv6(b)
		return h
	default:
		h.name, h.port = b[:colon], httpPort(b[colon+1:])
	}
	h.ip = httpIsIPv4(bytes.TrimSuffix(h.name, []byte{'.'}))
	return h
}

func httpPort(b []byte) uint16 {
	if n := httpNumber(b, 10); n > 0 && n <= 0xffff {
		return uint16(n)
	}
	return 0
}

// httpIsIPv4 reports whether b is four decimal numbers with dots between.
func httpIsIPv4(b []byte) bool {
	for parts := 1; ; parts++ {
		part, rest, more := bytes.Cut(b, []byte{'.'})
		if n := httpNumber(part, 10); n < 0 || n > 255 || len(part) > 3 {
			return false
		}
		if !more {
			return parts == 4
		}
		b = rest
	}
}

// httpIsIPv6 reports whether b holds nothing but what an IPv6 address is written with.
func httpIsIPv6(b []byte) bool {
	for _, c := range b {
		if c != ':' && c != '.' && httpDigit(c) == 16 {
			return false
		}
	}
	return true
}

// httpHostName returns the canonical form of name in the log's memory, nil if it is
// too long for a host name.
func httpHostName(log *capture.Log, name []byte) []byte {
	if len(name) == 0 || len(name) > httpMaxHost {
		return nil
	}
	size := len(name)
	for _, c := range name {
		if c < 0x21 || c > 0x7e || c == '\\' {
			size += 3
		}
	}
	return AppendHost(log.Bytes(size)[:0], name)
}
