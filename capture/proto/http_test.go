package proto

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"telltale/capture"
)

const (
	httpUpdate = "GET /updaters/updater.xml.dif HTTP/1.1\r\nHost: Downloads.Example.COM.:8080\r\n" +
		"User-Agent: KL/1.0 (test)\r\nAccept: */*\r\n\r\n"
	httpFile = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 20\r\nServer: nginx\r\n\r\n" +
		"KLZF0123456789abcdef"
	httpChunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n5;x=y\r\nKLD2\n\r\nC\r\n0123456789ab\r\n0\r\nX: y\r\n\r\n"
)

// httpObservation prints one Observation, the fields that are set.
func httpObservation(o *capture.Observation) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s 1.%d", o.Kind, o.HTTP.Minor)
	for _, f := range []struct {
		name  string
		value []byte
	}{
		{"name", o.Name},
		{"method", o.HTTP.Method},
		{"target", o.HTTP.Target},
		{"agent", o.HTTP.UserAgent},
		{"type", o.HTTP.ContentType},
		{"server", o.HTTP.Server},
		{"body", o.HTTP.Body},
	} {
		if f.value != nil {
			fmt.Fprintf(&s, " %s=%q", f.name, f.value)
		}
	}
	if o.HTTP.Port != 0 {
		fmt.Fprintf(&s, " port=%d", o.HTTP.Port)
	}
	if o.HTTP.Status != 0 {
		fmt.Fprintf(&s, " status=%d", o.HTTP.Status)
	}
	if o.HTTP.HostIsIP {
		s.WriteString(" ip")
	}
	if o.HTTP.Partial {
		s.WriteString(" partial")
	}
	return s.String()
}

type httpParse func(b []byte, last bool, log *capture.Log) (int, Status)

// httpCase is a message, what is read of it and what is left behind it.
type httpCase struct {
	name   string
	in     string
	last   bool
	status Status
	rest   string
	want   string
}

func httpRun(t *testing.T, parse httpParse, tests []httpCase) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			log := new(capture.Log)
			n, s := parse([]byte(tt.in), tt.last, log)
			got := ""
			for i := range log.Len() {
				got += httpObservation(log.At(i))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || s != tt.status {
				t.Errorf("status %d, want %d\n%s", s, tt.status, diff)
			}
			if rest := tt.in[min(n, len(tt.in)):]; s == Done && rest != tt.rest {
				t.Errorf("left %q, want %q", rest, tt.rest)
			}
		})
	}
}

func TestHTTPRequest(t *testing.T) {
	httpRun(t, httpParseRequest, []httpCase{
		{
			name: "get", in: httpUpdate + "GET /", status: Done, rest: "GET /",
			want: `request 1.1 name="downloads.example.com" method="GET" target="/updaters/updater.xml.dif" agent="KL/1.0 (test)" port=8080`,
		},
		{
			name: "bare line feeds, no space after the colon", in: "HEAD / HTTP/1.0\nhost:a.example\n\n", status: Done,
			want: `request 1.0 name="a.example" method="HEAD" target="/"`,
		},
		{
			name: "no Host", in: "GET /x HTTP/1.0\r\n\r\n", status: Done,
			want: `request 1.0 method="GET" target="/x"`,
		},
		{
			name: "address", in: "GET / HTTP/1.1\r\nHost: 94.75.236.123\r\n\r\n", status: Done,
			want: `request 1.1 name="94.75.236.123" method="GET" target="/" ip`,
		},
		{
			name: "IPv6 address", in: "GET / HTTP/1.1\r\nHost: [2001:DB8::1]:81\r\n\r\n", status: Done,
			want: `request 1.1 name="2001:db8::1" method="GET" target="/" port=81 ip`,
		},
		{
			name: "absolute form to a proxy", in: "GET http://u:p@Real.example:81/p?q=http://x HTTP/1.1\r\nHost: proxy.example\r\n\r\n", status: Done,
			want: `request 1.1 name="real.example" method="GET" target="http://u:p@Real.example:81/p?q=http://x" port=81`,
		},
		{
			name: "a URL in the query is no authority", in: "GET /?u=http://x.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n", status: Done,
			want: `request 1.1 name="a.example" method="GET" target="/?u=http://x.example/"`,
		},
		{
			name: "connect", in: "CONNECT ksn.example:443 HTTP/1.1\r\nHost: other.example\r\n\r\n\x16\x03\x01", status: Done, rest: "\x16\x03\x01",
			want: `request 1.1 name="ksn.example" method="CONNECT" target="ksn.example:443" port=443`,
		},
		{
			name: "connect with a path", in: "CONNECT /_goRPC_ HTTP/1.0\r\nHost: rpc.example\r\n\r\n", status: Done,
			want: `request 1.0 name="rpc.example" method="CONNECT" target="/_goRPC_"`,
		},
		{
			name: "no scheme", in: "OPTIONS x?u=http://b.example HTTP/1.1\r\nHost: a.example\r\n\r\n", status: Done,
			want: `request 1.1 name="a.example" method="OPTIONS" target="x?u=http://b.example"`,
		},
		{
			name: "body in the segment", in: "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\n\r\nabcGET", status: Done, rest: "GET",
			want: `request 1.1 name="a.example" method="POST" target="/"`,
		},
		{
			name: "body begun", in: "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 300\r\n\r\nabc", status: Done,
			want: `request 1.1 name="a.example" method="POST" target="/"`,
		},
		{
			name: "empty lines before", in: "\r\n\r\nGET / HTTP/1.1\r\nHost: a.example\r\n\r\n", status: Done,
			want: `request 1.1 name="a.example" method="GET" target="/"`,
		},
		{
			name: "folded fields", in: "GET / HTTP/1.1\r\nHost:\r\n a.example\r\nUser-Agent: one\r\n\ttwo\r\n\r\n", status: Done,
			want: `request 1.1 name="a.example" method="GET" target="/" agent="one  \ttwo"`,
		},
		{
			name: "first Host of two", in: "GET / HTTP/1.1\r\nHost : a.example\r\nHOST: b.example\r\n\r\n", status: Done,
			want: `request 1.1 name="a.example" method="GET" target="/"`,
		},
		{
			name: "target with a space", in: "GET /a b HTTP/1.1\r\n\r\n", status: Done,
			want: `request 1.1 method="GET" target="/a b"`,
		},
		{
			name: "host with odd bytes", in: "GET / HTTP/1.1\r\nHost: a\x01\\b\r\n\r\n", status: Done,
			want: `request 1.1 name="a\\001\\092b" method="GET" target="/"`,
		},
	})
}

func TestHTTPRequestBroken(t *testing.T) {
	long := strings.Repeat("x", httpMaxHead)
	httpRun(t, httpParseRequest, []httpCase{
		{
			name: "host that is no name", in: "GET / HTTP/1.1\r\nHost: " + long[:httpMaxHost+1] + "\r\n\r\n", status: Done,
			want: `request 1.1 method="GET" target="/"`,
		},
		{name: "half a request line", in: httpUpdate[:20], status: Incomplete},
		{name: "half a request line, the last", in: httpUpdate[:20], last: true, status: Reject},
		{name: "half a header section", in: httpUpdate[:90], status: Incomplete},
		{
			name: "half a header section, the last", in: httpUpdate[:90], last: true, status: Done,
			want: `request 1.1 name="downloads.example.com" method="GET" target="/updaters/updater.xml.dif" port=8080 partial`,
		},
		{
			name: "endless header section", in: "GET / HTTP/1.1\r\nHost: a.example\r\nX: " + long, status: Done,
			want: `request 1.1 name="a.example" method="GET" target="/" partial`,
		},
		{name: "endless request line", in: "GET /" + long, status: Reject},
		{name: "binary behind a method", in: "GET /\x00\x01", status: Reject},
		{name: "control character in the target", in: "GET /\x01 HTTP/1.1\r\n\r\n", status: Reject},
		{name: "HTTP/0.9", in: "GET /\r\n", status: Reject},
		{name: "no target", in: "GET HTTP/1.1\r\n\r\n", status: Reject},
		{name: "RTSP", in: "OPTIONS rtsp://a.example/ RTSP/1.0\r\n\r\n", status: Reject},
		{name: "SIP", in: "NOTIFY sip:x@a.example SIP/2.0\r\n\r\n", status: Reject},
		{name: "HTTP/2 preface", in: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status: Reject},
		{name: "only empty lines", in: "\r\n\r\n\r\n\r\n", status: Reject},
	})
}

func TestHTTPResponse(t *testing.T) {
	big := strings.Repeat("0123456789abcdef", 256)
	head := "HTTP/1.1 200 OK\r\nContent-Length: 4096\r\n\r\n"
	file := `response 1.1 type="application/octet-stream" server="nginx" body="KLZF0123456789abcdef" status=200`
	httpRun(t, httpParseResponse, []httpCase{
		{name: "file", in: httpFile + "HTTP/", status: Done, rest: "HTTP/", want: file},
		{name: "header section without the body", in: httpFile[:len(httpFile)-20], status: Incomplete},
		{name: "body without its end", in: httpFile[:len(httpFile)-1], status: Incomplete},
		{
			name: "body without its end, the last", in: httpFile[:len(httpFile)-10], last: true, status: Done,
			want: `response 1.1 type="application/octet-stream" server="nginx" body="KLZF012345" status=200`,
		},
		{name: "less of a long body than is kept", in: head + big[:httpMaxBody-1], status: Incomplete},
		{
			name: "as much of a long body as is kept", in: head + big[:httpMaxBody], status: Done,
			want: fmt.Sprintf("response 1.1 body=%q status=200", big[:httpMaxBody]),
		},
		{
			name: "chunks", in: httpChunks + "HTTP/", status: Done, rest: "HTTP/",
			want: `response 1.1 body="KLD2\n0123456789ab" status=200`,
		},
		{name: "first chunk too short for a magic", in: httpChunks[:strings.Index(httpChunks, "C\r\n01")], status: Incomplete},
		{
			name: "broken chunk", in: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nxyz\r\n", status: Done, rest: "xyz\r\n",
			want: `response 1.1 body="ab" status=200`,
		},
		{
			name: "greatest chunk size", in: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc", last: true, status: Done,
			want: `response 1.1 body="abc" status=200`,
		},
		{name: "interim", in: "HTTP/1.1 100 Continue\r\n\r\n" + httpFile, status: Done, rest: httpFile},
		{
			name: "no body by its status", in: "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\nHTTP/", status: Done, rest: "HTTP/",
			want: `response 1.1 status=304`,
		},
		{
			name: "answer to HEAD", in: head + httpFile, status: Done, rest: httpFile,
			want: `response 1.1 status=200`,
		},
		{
			name: "answer to CONNECT", in: "HTTP/1.0 200 Connection established\r\n\r\n", status: Done,
			want: `response 1.0 status=200`,
		},
		{
			name: "body up to the close", in: "HTTP/1.0 200\r\nContent-Type: a/b\r\n\r\n0123456789abcdef", status: Done,
			want: `response 1.0 type="a/b" body="0123456789abcdef" status=200`,
		},
		{name: "little of a body up to the close", in: "HTTP/1.0 200\r\nContent-Type: a/b\r\n\r\n0123", status: Incomplete},
		{name: "half a status line", in: "HTTP/1.1 200 O", status: Incomplete},
		{name: "half a header section", in: httpFile[:60], status: Incomplete},
		{
			name: "half a header section, the last", in: httpFile[:60], last: true, status: Done,
			want: `response 1.1 type="application/octet-stream" status=200 partial`,
		},
		{name: "status that is no number", in: "HTTP/1.1 2x0 OK\r\n\r\n", status: Reject},
		{name: "status of four digits", in: "HTTP/1.1 2000 OK\r\n\r\n", status: Reject},
		{name: "status below 100", in: "HTTP/1.1 099 OK\r\n\r\n", status: Reject},
		{name: "control character in the reason", in: "HTTP/1.1 200 \x15\r\n\r\n", status: Reject},
		{name: "HTTP/2", in: "HTTP/2 200\r\n\r\n", status: Reject},
	})
}

func TestHTTPMatch(t *testing.T) {
	tests := []struct {
		in       string
		request  Verdict
		response Verdict
	}{
		{"G", More, No},
		{"GET", More, No},
		{"GET ", More, No},
		{"GET /", Yes, No},
		{"get /", No, No},
		{"GETX /", No, No},
		{"GET  /", No, No},
		{"M-SEARCH *", Yes, No},
		{"M", More, No},
		{"MO", More, No},
		{"MOX", No, No},
		{"PROPPATCH /x", Yes, No},
		{"\r\nPUT /", Yes, No},
		{"\r\n", More, No},
		{"\r\n\r\n", More, No},
		{"\r\n\r\n\r", No, No},
		{"H", More, More},
		{"HTTP/1.1", No, More},
		{"HTTP/1.1 404", No, Yes},
		{"HTTP/1.1 4o4", No, No},
		{"HTTP/2 200 OK", No, No},
		{"\x16\x03\x01", No, No},
		{"SSH-2.0-x", No, No},
	}
	for _, tt := range tests {
		if got := httpMatchRequest([]byte(tt.in)); got != tt.request {
			t.Errorf("request %q: %d, want %d", tt.in, got, tt.request)
		}
		if got := httpMatchResponse([]byte(tt.in)); got != tt.response {
			t.Errorf("response %q: %d, want %d", tt.in, got, tt.response)
		}
	}
}

func TestHTTPAuthority(t *testing.T) {
	tests := []struct {
		in   string
		name string
		port uint16
		ip   bool
	}{
		{"a.example", "a.example", 0, false},
		{"a.example:", "a.example", 0, false},
		{"a.example:65536", "a.example", 0, false},
		{"a.example:8x", "a.example", 0, false},
		{":80", "", 80, false},
		{"10.0.0.1:80", "10.0.0.1", 80, true},
		{"10.0.0.1.", "10.0.0.1.", 0, true},
		{"10.0.0.256", "10.0.0.256", 0, false},
		{"10.0.0", "10.0.0", 0, false},
		{"1.2.3.4.5", "1.2.3.4.5", 0, false},
		{"0010.0.0.1", "0010.0.0.1", 0, false},
		{"::1", "::1", 0, true},
		{"a:b:z", "a:b:z", 0, false},
		{"[::1", "[::1", 0, false},
		{"[fe80::1]:443", "fe80::1", 443, true},
	}
	for _, tt := range tests {
		h := httpSplitAuthority([]byte(tt.in))
		if string(h.name) != tt.name || h.port != tt.port || h.ip != tt.ip {
			t.Errorf("%q: name %q, port %d, address %v; want %q, %d, %v", tt.in, h.name, h.port, h.ip, tt.name, tt.port, tt.ip)
		}
	}
}

func TestHTTPAllocatesNothing(t *testing.T) {
	log := new(capture.Log)
	for _, tt := range []struct {
		name  string
		parse httpParse
		in    string
	}{
		{"request", httpParseRequest, httpUpdate},
		{"request to an address", httpParseRequest, "GET http://[::1]/ HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n"},
		{"host with escapes", httpParseRequest, "GET / HTTP/1.1\r\nHost: \xe4\xf6\xfc.example\r\n\r\n"},
		{"response", httpParseResponse, httpFile},
		{"chunks", httpParseResponse, httpChunks},
	} {
		b := []byte(tt.in)
		allocs := testing.AllocsPerRun(100, func() {
			log.Reset()
			if _, s := tt.parse(b, false, log); s != Done || log.Len() != 1 {
				t.Fatalf("%s: status %d", tt.name, s)
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations a message", tt.name, allocs)
		}
	}
}

func benchmarkHTTP(b *testing.B, parse httpParse, in string) {
	log := new(capture.Log)
	msg := []byte(in)
	b.ReportAllocs()
	b.SetBytes(int64(len(msg)))
	for b.Loop() {
		log.Reset()
		if _, s := parse(msg, false, log); s != Done {
			b.Fatalf("status %d", s)
		}
	}
}

func BenchmarkHTTPRequest(b *testing.B)  { benchmarkHTTP(b, httpParseRequest, httpUpdate) }
func BenchmarkHTTPResponse(b *testing.B) { benchmarkHTTP(b, httpParseResponse, httpFile) }

func BenchmarkHTTPMatchNone(b *testing.B) {
	hello := []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
	b.ReportAllocs()
	for b.Loop() {
		if httpMatchRequest(hello) != No || httpMatchResponse(hello) != No {
			b.Fatal("matched")
		}
	}
}
