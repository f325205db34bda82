package proto

import (
	"bytes"

	"telltale/capture"
)

var _ = registerStream(Stream{
	Proto:  capture.ProtoHTTP,
	From:   Client,
	Order:  30,
	Repeat: true,
	Match:  httpMatchRequest,
	Parse:  httpParseRequest,
})

// httpMethods are the methods that make a first line a request: RFC 9110, RFC 5789,
// WebDAV (RFC 4918, RFC 3253, RFC 5323) and those of UPnP. It is never written.
var httpMethods = [...]string{
	"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "PATCH", "TRACE",
	"PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "SEARCH", "REPORT",
	"M-SEARCH", "NOTIFY", "SUBSCRIBE",
}

// httpMatchRequest asks for a method, a space and the beginning of a target.
func httpMatchRequest(b []byte) Verdict {
	start := httpSkipEmpty(b)
	if start == len(b) {
		return More
	}
	return httpMatchMethod(b[start:])
}

// httpSkipEmpty returns the offset of the start line behind empty lines.
func httpSkipEmpty(b []byte) int {
	n := 0
	for n < len(b) && n < httpMaxEmptyLines && (b[n] == '\r' || b[n] == '\n') {
		n++
	}
	return n
}

func httpMatchMethod(b []byte) Verdict {
	for _, method := range httpMethods {
		n := min(len(method), len(b))
		if b[0] != method[0] || string(b[:n]) != method[:n] {
			continue
		}
		switch {
		case len(b) <= len(method)+1:
			if len(b) <= len(method) || b[len(method)] == ' ' {
				return More
			}
		case b[len(method)] == ' ' && b[len(method)+1] > ' ' && b[len(method)+1] < 0x7f:
			return Yes
		}
	}
	return No
}

// httpRequestLine is the first line of a request (RFC 9112 §3).
type httpRequestLine struct {
	method []byte
	target []byte
	minor  uint8
}

func httpReadRequestLine(line []byte) (r httpRequestLine, ok bool) {
	method, rest, _ := bytes.Cut(line, []byte{' '})
	space := bytes.LastIndexByte(rest, ' ')
	if space < 0 || !httpText(line) {
		return r, false
	}
	r.method, r.target = method, httpTrim(rest[:space])
	r.minor, ok = httpVersion(rest[space+1:])
	return r, ok && len(r.target) > 0
}

// httpVersion reads "HTTP/1.x".
func httpVersion(b []byte) (minor uint8, ok bool) {
	const name = "HTTP/1."
	if len(b) != len(name)+1 || string(b[:len(name)]) != name {
		return 0, false
	}
	minor = b[len(name)] - '0'
	return minor, minor <= 9
}

// authority returns the part of the target that names a server: all of it for
// CONNECT, what stands between "//" and the path in absolute form (RFC 9112 §3.2).
// Go's RPC sends CONNECT with a path.
func (r *httpRequestLine) authority() []byte {
	if r.target[0] == '/' {
		return nil
	}
	if string(r.method) == "CONNECT" {
		return r.target
	}
	scheme, rest, ok := bytes.Cut(r.target, []byte("://"))
	if !ok || !httpIsScheme(scheme) {
		return nil
	}
	if end := bytes.IndexAny(rest, "/?#"); end >= 0 {
		return rest[:end]
	}
	return rest
}

// httpIsScheme reports whether b is the scheme of a URL (RFC 3986 §3.1).
func httpIsScheme(b []byte) bool {
	for _, c := range b {
		if l := c | 0x20; (l < 'a' || l > 'z') && (c < '0' || c > '9') && c != '+' && c != '-' && c != '.' {
			return false
		}
	}
	return len(b) > 0
}

// httpParseRequest reads a request up to the end of its header section. Its body is
// passed over.
func httpParseRequest(b []byte, last bool, log *capture.Log) (int, Status) {
	start := httpSkipEmpty(b)
	line, off, ok := httpLine(b, start)
	if !ok {
		return httpNoLine(b[start:], last)
	}
	r, ok := httpReadRequestLine(line)
	if !ok || httpMatchMethod(line) != Yes {
		return 0, Reject
	}
	h := httpReadHead(b, off)
	if !h.whole && !last && len(b) < httpMaxHead {
		return 0, Incomplete
	}
	httpAddRequest(&r, &h, log)
	if h.chunked || h.length < 0 {
		return h.end, Done
	}
	return h.end + min(h.length, httpMaxPass), Done
}

func httpAddRequest(r *httpRequestLine, h *httpHead, log *capture.Log) {
	host := r.authority() // where a proxy goes, whatever Host says (RFC 9112 §3.2.2)
	if len(host) == 0 {
		host = h.host
	}
	a := httpSplitAuthority(host)
	o := log.Add(capture.ProtoHTTP, capture.Request)
	o.Transport = httpTCP
	o.Name = httpHostName(log, a.name)
	o.HTTP.Port, o.HTTP.HostIsIP = a.port, a.ip
	o.HTTP.Method = log.Copy(r.method)
	o.HTTP.Target = log.Copy(r.target[:min(len(r.target), httpMaxTarget)])
	o.HTTP.UserAgent = httpUnfold(log.Copy(h.userAgent))
	o.HTTP.Minor = r.minor
	o.HTTP.Partial = !h.whole
}

// httpUnfold replaces in place the line ends inside a folded value by spaces
// (RFC 9112 §5.2).
func httpUnfold(b []byte) []byte {
	for i, c := range b {
		if c == '\r' || c == '\n' {
			b[i] = ' '
		}
	}
	return b
}
