package proto

import "bytes"

const (
	httpTCP = 6 // IANA protocol number

	httpMaxHead   = 64 << 10 // bytes of start line and header section waited for
	httpMaxTarget = 8192     // RFC 9112 §3 asks recipients for 8000
	httpMaxField  = 1024     // kept of any other field
	httpMaxHost   = 255      // a longer one is no host name

	// httpMaxPass is how much of an announced body is passed over at most: within half
	// the sequence numbers of TCP.
	httpMaxPass = 1 << 30

	// httpMaxEmptyLines is how many CR and LF may stand before a start line
	// (RFC 9112 §2.2).
	httpMaxEmptyLines = 4
)

// httpHead is what is used of a header section. The fields point into the message.
type httpHead struct {
	host        []byte
	userAgent   []byte
	contentType []byte
	server      []byte
	length      int  // Content-Length, negative if there is none
	chunked     bool // the body is in chunks, whatever length says (RFC 9112 §6.3)
	whole       bool // the empty line was seen
	end         int  // offset of what follows the section
}

// httpReadHead reads the header section at off up to its end, or up to the last
// whole field there is.
func httpReadHead(b []byte, off int) httpHead {
	h := httpHead{length: -1}
	for {
		line, next, ok := httpLine(b, off)
		if !ok {
			h.end = len(b)
			return h
		}
		if len(line) == 0 {
			h.whole, h.end = true, next
			return h
		}
		for ok && next < len(b) && (b[next] == ' ' || b[next] == '\t') {
			_, next, ok = httpLine(b, next) // obsolete line folding, RFC 9112 §5.2
		}
		h.field(b[off:next])
		off = next
	}
}

// httpLine returns the line at off without its CR LF or bare LF, and the offset of
// the next line. ok is false, and next the length of b, if the line has no end.
func httpLine(b []byte, off int) (line []byte, next int, ok bool) {
	n := bytes.IndexByte(b[off:], '\n')
	if n < 0 {
		return b[off:], len(b), false
	}
	next = off + n + 1
	if n > 0 && b[off+n-1] == '\r' {
		n--
	}
	return b[off : off+n], next, true
}

// field takes a header line with its end. The first of several fields of a name counts.
func (h *httpHead) field(line []byte) {
	name, value, ok := bytes.Cut(line, []byte{':'})
	if !ok {
		return
	}
	name, value = httpTrim(name), httpTrim(value)
	switch {
	case httpIs(name, "host"):
		httpSet(&h.host, value)
	case httpIs(name, "server"):
		httpSet(&h.server, value)
	case httpIs(name, "user-agent"):
		httpSet(&h.userAgent, value)
	case httpIs(name, "content-type"):
		httpSet(&h.contentType, value)
	case httpIs(name, "content-length") && h.length < 0:
		h.length = httpNumber(value, 10)
	case httpIs(name, "transfer-encoding"):
		const last = "chunked"
		h.chunked = len(value) >= len(last) && httpIs(value[len(value)-len(last):], last)
	}
}

func httpSet(field *[]byte, value []byte) {
	if *field == nil {
		*field = value[:min(len(value), httpMaxField)]
	}
}

// httpTrim strips spaces, tabs and the line ends that folding leaves.
func httpTrim(b []byte) []byte {
	for len(b) > 0 && httpIsBlank(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && httpIsBlank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func httpIsBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// httpIs compares a name of any case with one in lower case.
func httpIs(name []byte, lower string) bool {
	if len(name) != len(lower) {
		return false
	}
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// httpNumber reads an unsigned number of the given base, at most 16; -1 if it is
// none. Numbers too great to matter are cut to 1<<40.
func httpNumber(b []byte, base int) int {
	const ceiling = 1 << 40
	n := 0
	for _, c := range b {
		d := httpDigit(c)
		if d >= base {
			return -1
		}
		n = min(n*base+d, ceiling)
	}
	if len(b) == 0 {
		return -1
	}
	return n
}

func httpDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return 16
}

// httpText reports whether b could be part of a start line: no control characters.
func httpText(b []byte) bool {
	for _, c := range b {
		if c < 0x20 && c != '\t' && c != '\r' || c == 0x7f {
			return false
		}
	}
	return true
}

// httpNoLine is the answer to a start line that has no end yet.
func httpNoLine(b []byte, last bool) (int, Status) {
	if last || len(b) >= httpMaxHead || !httpText(b) {
		return 0, Reject
	}
	return 0, Incomplete
}
