package proto

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"telltale/capture"
)

func FuzzHTTPRequest(f *testing.F) {
	for _, s := range []string{
		httpUpdate, "CONNECT a.example:443 HTTP/1.1\r\n\r\n", "\r\nPOST http://[::1]:8/ HTTP/1.0\nHost:\n x\nContent-Length: 2\n\nabGET / HTTP/1.1\r\n",
		"GET /\x00", "OPTIONS * HTTP/1.1\r\nHost: 1.2.3.4:99999\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		httpCheckContract(t, b, httpMatchRequest, httpParseRequest)
		log := new(capture.Log)
		if _, s := httpParseRequest(b, false, log); s != Done {
			return
		}
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b)))
		if err != nil {
			return
		}
		o := log.At(0)
		if r.Method != string(o.HTTP.Method) || r.ProtoMinor != int(o.HTTP.Minor) {
			t.Fatalf("%s 1.%d, net/http says %s 1.%d", o.HTTP.Method, o.HTTP.Minor, r.Method, r.ProtoMinor)
		}
		if !httpPlain(r.Host) || !httpPlain(r.RequestURI) {
			return // net/http decodes an authority and joins folded lines by one space
		}
		h := httpSplitAuthority([]byte(r.Host))
		if want := httpHostName(log, h.name); !bytes.Equal(want, o.Name) {
			t.Fatalf("name %q, net/http says %q", o.Name, r.Host)
		}
	})
}

// httpPlain reports whether s needs no decoding as a host or a target.
func httpPlain(s string) bool {
	return strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789./:-[]") == ""
}

func FuzzHTTPResponse(f *testing.F) {
	for _, s := range []string{
		httpFile, httpChunks, "HTTP/1.1 100 Continue\r\n\r\n" + httpFile,
		"HTTP/1.0 200\nContent-Type: a/b\n\n0123456789abcdef", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\nx",
		"HTTP/1.0 200\nTransfer-Encoding:chunked\n\n10\n0000000000", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 204 \r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		httpCheckContract(t, b, httpMatchResponse, httpParseResponse)
		log := new(capture.Log)
		if _, s := httpParseResponse(b, true, log); s != Done || log.Len() == 0 || log.At(0).HTTP.Partial {
			return
		}
		r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b)), nil)
		if err != nil {
			return
		}
		o := log.At(0)
		if r.StatusCode != int(o.HTTP.Status) {
			t.Fatalf("status %d, net/http says %d", o.HTTP.Status, r.StatusCode)
		}
		if r.ProtoMinor == 0 {
			return // net/http takes chunks in HTTP/1.0 as they stand, most clients do not
		}
		body, err := io.ReadAll(r.Body)
		n := min(len(body), len(o.HTTP.Body))
		if !bytes.Equal(body[:n], o.HTTP.Body[:n]) {
			t.Fatalf("body %q, net/http says %q, %v", o.HTTP.Body, body, err)
		}
	})
}

// httpCheckContract checks what Stream promises of Match and Parse, for b and for
// every beginning of it.
func httpCheckContract(t *testing.T, b []byte, match func([]byte) Verdict, parse httpParse) {
	t.Helper()
	log := new(capture.Log)
	n, whole := parse(b, false, log)
	httpCheckResult(t, b, n, whole, log)
	log.Reset()
	n, s := parse(b, true, log)
	httpCheckResult(t, b, n, s, log)
	if s == Incomplete {
		t.Fatal("incomplete, but nothing more will come")
	}
	for i := 1; i < min(len(b), 256) && whole == Done; i++ {
		log.Reset()
		n, s := parse(b[:i], false, log)
		httpCheckResult(t, b[:i], n, s, log)
		if s == Reject || match(b[:i]) == No {
			t.Fatalf("whole it is a message, but its first %d bytes are refused", i)
		}
	}
}

func httpCheckResult(t *testing.T, b []byte, n int, s Status, log *capture.Log) {
	t.Helper()
	if n < 0 || n > len(b)+httpMaxPass || s == Done && n == 0 {
		t.Fatalf("consumed %d of %d bytes, status %d", n, len(b), s)
	}
	if s != Done && log.Len() > 0 || log.Len() > 1 {
		t.Fatalf("status %d with %d observations", s, log.Len())
	}
}
