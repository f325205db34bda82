package flow

import (
	"slices"
	"strings"
	"testing"

	"telltale/capture"
)

// TestProxyReplies: what a proxy itself says is no exchange with the one it was asked
// for; its refusal makes the flow refused, also after it granted another request.
func TestProxyReplies(t *testing.T) {
	const (
		connect = "c:CONNECT asked.example:443 HTTP/1.1\r\nHost: asked.example:443\r\n\r\n"
		get     = "c:GET http://asked.example/ HTTP/1.1\r\nHost: asked.example\r\n\r\n"
		granted = "s:HTTP/1.1 200 Connection established\r\n\r\n"
		socks4  = "c:\x04\x01\x01\xbb\x00\x00\x00\x01me\x00asked.example\x00"
		socks5  = "c:\x05\x01\x00\x03\x0dasked.example\x01\xbb"
		address = "\x01\x00\x00\x00\x00\x00\x00"
		opaque  = "\x99\x98\x97\x96"
	)
	page := strings.Repeat("<p>denied</p>", 300)
	deny := func(status string) []string {
		return []string{"s:HTTP/1.1 " + status + "\r\nContent-Type: text/html\r\nContent-Length: 3900\r\n\r\n", "s:" + page[:1400], "s:" + page[1400:2800], "s:" + page[2800:]}
	}
	h := "c:" + hello(t, "inner.example")
	for _, tt := range []struct {
		name  string
		turns []string
		want  capture.Outcome
		opens int
	}{
		{"connect forbidden", append([]string{connect}, deny("403 Forbidden")...), capture.Refused, 0},
		{"connect unreachable", []string{connect, "s:HTTP/1.1 503 Service Unavailable\r\n\r\n"}, capture.Refused, 0},
		{"connect without a password", append([]string{connect}, deny("407 Proxy Authentication Required")...), capture.Refused, 0},
		{"connect with a password at last", slices.Concat([]string{connect}, deny("407 Proxy Authentication Required"), []string{connect, granted, h, "s:" + serverHello}), capture.Exchanged, 1},
		{"connect without an answer", []string{connect}, capture.Accepted, 0},
		{"status line in pieces", []string{connect, "s:HTTP/1.", "s:1 40", "s:3 Forbidden\r\n\r\n"}, capture.Refused, 0},
		{"connect granted, silence behind", []string{connect, granted, h}, capture.Accepted, 0},
		{"connect granted and answered", []string{connect, granted, h, "s:" + serverHello}, capture.Exchanged, 1},
		{"connect granted, TLS refused", []string{connect, granted, h, "s:\x15\x03\x03\x00\x02\x02\x28"}, capture.Refused, 0},
		{"connect granted, server speaks first", []string{connect, granted, "s:220 mx.example\r\n"}, capture.Exchanged, 1},
		{"hello before the refusal", append([]string{connect, h}, deny("403 Forbidden")...), capture.Refused, 0},
		{"answer to connect is not seen", []string{connect, h, "s:" + serverHello}, capture.Exchanged, 1},
		{"get without a password", append([]string{get}, deny("407 Proxy Authentication Required")...), capture.Refused, 0},
		{"get with a password at last", slices.Concat([]string{get}, deny("407 Proxy Authentication Required"), []string{get, "s:HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"}), capture.Exchanged, 1},
		{"forbidden by the server itself", append([]string{get}, deny("403 Forbidden")...), capture.Exchanged, 1},
		{"socks 4 refused", []string{socks4, "s:\x00\x5b\x00\x00\x00\x00\x00\x00"}, capture.Refused, 0},
		{"socks 4 granted", []string{socks4, "s:\x00\x5a\x00\x00\x00\x00\x00\x00", "c:" + opaque, "s:" + opaque}, capture.Exchanged, 1},
		{"socks 5 method", []string{"c:\x05\x01\x00", "s:\x05\x00"}, capture.Accepted, 0},
		{"socks 5 no method", []string{"c:\x05\x01\x00", "s:\x05\xff"}, capture.Refused, 0},
		{"socks 5 wrong password", []string{"c:\x05\x01\x02", "s:\x05\x02", "c:\x01\x02me\x02pw", "s:\x01\x01"}, capture.Refused, 0},
		{"socks 5 refused", []string{"c:\x05\x01\x00", "s:\x05\x00", socks5, "s:\x05\x02\x00" + address}, capture.Refused, 0},
		{"socks 5 granted, silence behind", []string{"c:\x05\x01\x00", "s:\x05\x00", socks5, "s:\x05\x00\x00" + address, h}, capture.Accepted, 0},
		{"socks 5 granted and answered", []string{"c:\x05\x01\x00", "s:\x05\x00", socks5, "s:\x05\x00\x00" + address, h, "s:" + serverHello}, capture.Exchanged, 1},
		{"socks 5 answer not seen", []string{socks5, "c:" + opaque, "s:" + opaque}, capture.Exchanged, 1},
	} {
		d := dialogue{turns: tt.turns}
		k := newTalk(Config{})
		d.play(k)
		all := k.end()
		opens := 0
		for _, s := range all {
			if s.Proto == capture.ProtoFlow && s.Kind == capture.FlowOpen {
				opens++
			}
		}
		if f := last(t, all); f.Outcome != tt.want || opens != tt.opens {
			t.Errorf("%s: %s, %d first exchanges, want %s, %d", tt.name, f.Outcome, opens, tt.want, tt.opens)
		}
	}
}

// TestConnectIsTold: the answer to a CONNECT is marked, no other one is.
func TestConnectIsTold(t *testing.T) {
	k := newTalk(Config{})
	d := dialogue{turns: []string{
		"c:GET http://a.example/ HTTP/1.1\r\n\r\n", "s:HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"c:CONNECT asked.example:443 HTTP/1.1\r\n\r\n", "s:HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
		"c:GET http://a.example/ HTTP/1.1\r\n\r\n", "s:HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
	}}
	d.play(k)
	k.end()
	var got []bool
	for i := range k.log.Len() {
		if o := k.log.At(i); o.Proto == capture.ProtoHTTP && o.Kind == capture.Response {
			got = append(got, o.HTTP.Connect)
		}
	}
	if want := []bool{false, true, false}; !slices.Equal(got, want) {
		t.Errorf("answers to CONNECT %v, want %v", got, want)
	}
}
