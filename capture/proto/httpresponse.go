package proto

import "telltale/capture"

const (
	httpMaxBody = 2048 // bytes kept of a response body
	// httpMinBody is enough of a body to know a file by its magic.
	httpMinBody = 16

	// httpProxyAuth is the status by which a proxy asks for a password (RFC 9110 §15.5.8).
	httpProxyAuth = 407
)

var _ = registerStream(Stream{
	Proto:  capture.ProtoHTTP,
	From:   Server,
	Order:  31,
	Repeat: true,
	Match:  httpMatchResponse,
	Parse:  httpParseResponse,
})

// httpMatchResponse asks for "HTTP/1.x NNN".
func httpMatchResponse(b []byte) Verdict {
	const shape = "HTTP/1.0 200"
	for i := range min(len(b), len(shape)) {
		if c := b[i]; shape[i] == c || '0' <= c && c <= '9' && i >= len("HTTP/1.") && shape[i] != ' ' {
			continue
		}
		return No
	}
	if len(b) < len(shape) {
		return More
	}
	return Yes
}

// httpParseResponse reads a response up to the first bytes of its body; interim
// responses are consumed and not reported. Denied is a proxy that asks for a password.
func httpParseResponse(b []byte, last bool, log *capture.Log) (int, Status) {
	line, off, ok := httpLine(b, 0)
	if !ok {
		return httpNoLine(b, last)
	}
	status, ok := httpReadStatus(line)
	if !ok {
		return 0, Reject
	}
	h := httpReadHead(b, off)
	if !h.whole && !last && len(b) < httpMaxHead {
		return 0, Incomplete
	}
	if status < 200 {
		return h.end, Done
	}
	var buf [httpMaxBody]byte
	body := httpReadBody(b[h.end:], &h, status, buf[:0])
	if status == httpProxyAuth {
		// The page is the proxy's; not to wait for it tells in time that it refused.
		body.first, body.enough = nil, true
	}
	if !body.enough && !last {
		return 0, Incomplete
	}
	o := log.Add(capture.ProtoHTTP, capture.Response)
	o.Transport = httpTCP
	o.HTTP.Minor = line[len("HTTP/1.")] - '0'
	o.HTTP.Status = uint16(status)
	o.HTTP.ContentType = httpUnfold(log.Copy(h.contentType))
	o.HTTP.Server = httpUnfold(log.Copy(h.server))
	o.HTTP.Body = log.Copy(body.first)
	o.HTTP.Partial = !h.whole
	if status == httpProxyAuth {
		return h.end + body.size, Denied
	}
	return h.end + body.size, Done
}

// httpReadStatus reads the code in a status line (RFC 9112 §4).
func httpReadStatus(line []byte) (code int, ok bool) {
	const begin, end = len("HTTP/1.x "), len("HTTP/1.x NNN")
	if httpMatchResponse(line) != Yes || !httpText(line) || len(line) > end && line[end] != ' ' {
		return 0, false
	}
	code = httpNumber(line[begin:end], 10)
	return code, code >= 100
}

// httpBody is the beginning of a response body.
type httpBody struct {
	first  []byte // its first bytes, without chunk headers
	size   int    // bytes of the connection that belong to it, perhaps beyond those given
	enough bool   // there is no use in waiting for more
}

// httpReadBody reads the body at the start of b (RFC 9112 §6.3). The request is not
// known here, so the answer to HEAD is told by the response that follows in place of
// the body announced. buf is memory for httpMaxBody bytes.
func httpReadBody(b []byte, h *httpHead, status int, buf []byte) httpBody {
	switch {
	case status == 204, status == 304, !h.whole, httpMatchesNow(b):
		return httpBody{enough: true}
	case h.chunked:
		return httpReadChunks(b, buf)
	case h.length >= 0:
		first := b[:min(len(b), h.length, httpMaxBody)]
		return httpBody{first, min(h.length, httpMaxPass), len(first) == min(h.length, httpMaxBody)}
	}
	first := b[:min(len(b), httpMaxBody)]
	if len(h.contentType) == 0 { // as the answer to CONNECT, which has no body but a tunnel
		return httpBody{first, 0, true}
	}
	return httpBody{first, len(b), len(b) >= httpMinBody}
}

func httpMatchesNow(b []byte) bool { return len(b) > 0 && httpMatchResponse(b) == Yes }

// httpReadChunks reads a body in chunks (RFC 9112 §7.1). It is enough when the first
// chunk, or as much of it as is kept, is there and holds a magic.
func httpReadChunks(b, buf []byte) httpBody {
	body := httpBody{first: buf, size: len(b)}
	for off := 0; ; {
		line, next, ok := httpLine(b, off)
		if !ok {
			body.enough = body.enough || !httpText(line)
			return body
		}
		size := httpChunkSize(line)
		if size < 0 {
			body.size, body.enough = off, true
			return body
		}
		if size == 0 {
			trailer := httpReadHead(b, next)
			body.size, body.enough = trailer.end, true
			return body
		}
		data := b[next:min(next+size, len(b))]
		body.first = append(body.first, data[:min(len(data), httpMaxBody-len(body.first))]...)
		whole := len(data) == size
		if len(body.first) == httpMaxBody || whole && len(body.first) >= httpMinBody {
			body.enough = true
		}
		if !whole {
			return body
		}
		if off = httpSkipLineEnd(b, next+size); off >= len(b) {
			return body
		}
	}
}

// httpChunkSize reads the size before the chunk's extensions, negative if there is none.
func httpChunkSize(line []byte) int {
	for i, c := range line {
		if c == ';' {
			line = line[:i]
			break
		}
	}
	return httpNumber(httpTrim(line), 16)
}

// httpSkipLineEnd returns the offset behind CR LF or LF at off.
func httpSkipLineEnd(b []byte, off int) int {
	if off < len(b) && b[off] == '\r' {
		off++
	}
	if off < len(b) && b[off] == '\n' {
		off++
	}
	return off
}
