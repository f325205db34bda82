package flow

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"telltale/capture"
	"telltale/capture/decode"
)

// dialogue is what comes before a hello: turns begin with c: or s: for client or server.
type dialogue struct {
	name  string
	app   capture.Proto
	turns []string
	// at once says that the client goes on without waiting for an answer to its last turn.
	atOnce bool
}

var dialogues = []dialogue{
	{"smtp", capture.ProtoSMTP, []string{"s:220 mx.example ESMTP\r\n", "c:EHLO me.example\r\n", "s:250-mx.example\r\n250 STARTTLS\r\n", "c:STARTTLS\r\n", "s:220 2.0.0 Ready\r\n"}, false},
	{"imap", capture.ProtoIMAP, []string{"s:* OK ready\r\n", "c:a1 CAPABILITY\r\n", "s:* CAPABILITY STARTTLS\r\na1 OK done\r\n", "c:a2 starttls\r\n", "s:a2 OK begin\r\n"}, false},
	{"pop3", capture.ProtoPOP3, []string{"s:+OK ready\r\n", "c:CAPA\r\n", "s:+OK\r\nSTLS\r\n.\r\n", "c:STLS\r\n", "s:+OK begin\r\n"}, false},
	{"ftp", capture.ProtoFTP, []string{"s:220 ftp.example\r\n", "c:AUTH TLS\r\n", "s:234 go on\r\n"}, false},
	{"xmpp", capture.ProtoXMPP, []string{
		"c:<?xml version='1.0'?><stream:stream to='x.example' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>",
		"s:<?xml version='1.0'?><stream:stream id='1'><stream:features><starttls/></stream:features>",
		"c:<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "s:<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
	}, false},
	{"ldap", capture.ProtoLDAP, []string{
		"c:\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037",
		"s:\x30\x24\x02\x01\x01\x78\x1f\x0a\x01\x00\x04\x00\x04\x00\x8a\x161.3.6.1.4.1.1466.20037",
	}, false},
	{"postgresql", capture.ProtoPostgreSQL, []string{"c:\x00\x00\x00\x08\x04\xd2\x16\x30", "s:N", "c:\x00\x00\x00\x08\x04\xd2\x16\x2f", "s:S"}, false},
	{"mysql", capture.ProtoMySQL, []string{
		"s:\x4a\x00\x00\x00\x0a8.0.36\x00" + strings.Repeat("x", 66),
		"c:\x20\x00\x00\x01\x85\xae\xff\x19\x00\x00\x00\x01\xff" + strings.Repeat("\x00", 23),
	}, true},
	{"mariadb", capture.ProtoMySQL, []string{
		"s:\x4a\x00\x00\x00\x0a5.5.5-10\x00" + strings.Repeat("x", 64),
		"c:\x20\x00\x00\x01\x84\xae\xff\x19\x00\x00\x00\x01\x21" + strings.Repeat("\x00", 19) + "\x1c\x00\x00\x00",
	}, true},
	{"proxy v1", capture.ProtoPROXY, []string{"c:PROXY TCP4 198.51.100.7 203.0.113.9 51234 443\r\n"}, true},
	{"proxy v2", capture.ProtoPROXY, []string{"c:" + proxyV2("\xc6\x33\x64\x07\xcb\x00\x71\x09\xc8\x22\x01\xbb", "")}, true},
	{"socks 4a", capture.ProtoSOCKS, []string{"c:\x04\x01\x01\xbb\x00\x00\x00\x01me\x00asked.example\x00", "s:\x00\x5a\x00\x00\x00\x00\x00\x00"}, false},
	{"socks 5", capture.ProtoSOCKS, []string{"c:\x05\x02\x00\x02", "s:\x05\x02", "c:\x01\x02me\x02pw", "s:\x01\x00", "c:\x05\x01\x00\x03\x0dasked.example\x01\xbb", "s:\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"}, false},
	{"connect", capture.ProtoHTTP, []string{"c:CONNECT asked.example:443 HTTP/1.1\r\nHost: asked.example:443\r\n\r\n", "s:HTTP/1.1 200 Connection established\r\n\r\n"}, false},
}

// proxyV2 is a header of version 2 for TCP over IPv4 with addresses and extensions.
func proxyV2(addresses, extensions string) string {
	size := binary.BigEndian.AppendUint16(nil, uint16(len(addresses)+len(extensions)))
	return "\r\n\r\n\x00\r\nQUIT\n\x21\x11" + string(size) + addresses + extensions
}

// play sends the turns, then leaves the talk where the hello comes.
func (d *dialogue) play(k *talk) {
	k.handshake()
	for _, turn := range d.turns {
		side := 0
		if turn[0] == 's' {
			side = 1
		}
		k.send(side, turn[2:])
	}
}

// TestOpenings: behind every dialogue the hello is found, however it is cut; the flow
// shows the dialogue's protocol until then.
func TestOpenings(t *testing.T) {
	h := hello(t, "inner.example")
	ways := map[string]func(k *talk){
		"whole": func(k *talk) { k.send(0, h) },
		"in two": func(k *talk) {
			k.send(0, h[:900])
			k.send(0, h[900:])
		},
		"second part first": func(k *talk) {
			k.feed(k.segment(0, decode.ACK, 900, h[900:]))
			k.send(0, h[:900])
		},
		"overlapping, repeated": func(k *talk) {
			for _, p := range [][2]int{{500, 1000}, {0, 600}, {500, 1000}, {800, len(h)}, {0, len(h)}} {
				k.feed(k.segment(0, decode.ACK, p[0], h[p[0]:p[1]]))
			}
		},
	}
	for _, d := range dialogues {
		for way, send := range ways {
			t.Run(d.name+" "+way, func(t *testing.T) {
				k := newTalk(Config{})
				d.play(k)
				if app := k.t.flows.at(0).app; app != d.app {
					t.Errorf("before the hello the protocol is %q, want %q", app, d.app)
				}
				send(k)
				k.send(1, serverHello)
				checkInner(t, k)
			})
		}
	}
}

// TestCertificateBehindOpenings: the server's certificate is found behind its part of
// every dialogue.
func TestCertificateBehindOpenings(t *testing.T) {
	h, flight := hello(t, ""), tls12Flight(t, "cert.example")
	for _, d := range dialogues {
		k := newTalk(Config{Details: true})
		d.play(k)
		k.send(0, h)
		k.send(1, flight[:300])
		k.send(1, flight[300:])
		all := k.end()
		if !slices.ContainsFunc(all, func(s seen) bool { return s.Proto == capture.ProtoX509 && s.Name == "cert.example" }) {
			t.Errorf("%s: observations %+v", d.name, all)
		}
	}
}

func checkInner(t *testing.T, k *talk) {
	t.Helper()
	all := k.end()
	if got := names(all, capture.ProtoTLS); !slices.Equal(got, []string{"inner.example"}) {
		t.Errorf("names %q", got)
	}
	if f := last(t, all); f.Client != "10.0.0.1:50000" || f.Outcome != capture.Exchanged || f.Unnamed != capture.Named {
		t.Errorf("flow %+v", f)
	}
}

// TestOpeningsAnySegments sends the dialogue and the hello in segments of every size;
// where the client does not wait they are one run of bytes.
func TestOpeningsAnySegments(t *testing.T) {
	h := hello(t, "inner.example")
	for _, d := range dialogues {
		t.Run(d.name, func(t *testing.T) {
			least := 1
			if d.name == "socks 5" {
				least = 4 // the first three bytes of a request are also a greeting
			}
			for size := least; size < 1500; size += 1 + size/3 {
				k := newTalk(Config{})
				k.handshake()
				turns := slices.Clone(d.turns)
				if d.atOnce {
					turns[len(turns)-1] += h
				} else {
					turns = append(turns, "c:"+h)
				}
				for _, turn := range append(turns, "s:"+serverHello) {
					side := 0
					if turn[0] == 's' {
						side = 1
					}
					for b := turn[2:]; len(b) > 0; b = b[min(size, len(b)):] {
						k.send(side, b[:min(size, len(b))])
					}
				}
				checkInner(t, k)
				if t.Failed() {
					t.Fatalf("segments of %d bytes", size)
				}
			}
		})
	}
}

// TestRequestedNames: what a client asked a proxy for is told.
func TestRequestedNames(t *testing.T) {
	for _, d := range dialogues {
		k := newTalk(Config{})
		d.play(k)
		all := k.end()
		want := []string(nil)
		if d.app == capture.ProtoSOCKS {
			want = []string{"asked.example"}
		}
		if got := names(all, capture.ProtoSOCKS); !slices.Equal(got, want) {
			t.Errorf("%s: names %q, want %q", d.name, got, want)
		}
	}
}

// TestProxied: the client that a PROXY header tells stands on everything of the flow,
// and on nothing of the next one.
func TestProxied(t *testing.T) {
	for _, d := range dialogues {
		k := newTalk(Config{})
		d.play(k)
		k.send(0, hello(t, "inner.example"))
		k.send(1, serverHello)
		k.feed(k.segment(0, decode.RST, 0, ""))
		k.seq[0] += 1 << 20
		k.handshake()
		k.send(0, hello(t, "second.example"))
		k.end()
		want := "invalid AddrPort"
		if d.app == capture.ProtoPROXY {
			want = "198.51.100.7:51234"
		}
		for i := range k.log.Len() {
			o := k.log.At(i)
			if o.Flow != 1 {
				want = "invalid AddrPort"
			}
			if got := o.Proxied.String(); got != want {
				t.Errorf("%s: %s %s proxied for %s, want %s", d.name, o.Proto, o.Name, got, want)
			}
		}
	}
}

// TestOpeningsAreBounded: what opens a stream is not looked for in its middle, nor from
// the server.
func TestOpeningsAreBounded(t *testing.T) {
	request := "\x05\x01\x00\x03\x0dasked.example\x01\xbb"
	for name, play := range map[string]func(k *talk){
		"behind many bytes": func(k *talk) {
			k.send(0, strings.Repeat("x", openingBytes))
			k.send(0, request)
		},
		"from the server": func(k *talk) { k.send(1, request) },
	} {
		k := newTalk(Config{})
		k.handshake()
		play(k)
		if got := names(k.end(), capture.ProtoSOCKS); len(got) != 0 {
			t.Errorf("%s: names %q", name, got)
		}
	}
}
