package flow

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"telltale/capture"
	"telltale/capture/decode"
)

func TestHelloInOrder(t *testing.T) {
	k := newTalk(Config{})
	k.handshake()
	k.send(0, hello(t, "www.example.com"))
	k.send(1, serverHello)
	all := k.end()
	if got := names(all, capture.ProtoTLS); !slices.Equal(got, []string{"www.example.com"}) {
		t.Fatalf("names %q", got)
	}
	if f := last(t, all); f.Outcome != capture.Exchanged || f.Unnamed != capture.Named || f.Client != "10.0.0.1:50000" {
		t.Errorf("flow %+v", f)
	}
}

// TestHelloAnyOrder cuts one hello into pieces and sends them in any order, some twice:
// the same name must come out, once.
func TestHelloAnyOrder(t *testing.T) {
	h := hello(t, "post-quantum.example.net")
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		type piece struct{ from, to int }
		var all []piece
		for at := 0; at < len(h); {
			to := min(len(h), at+1+r.IntN(len(h)))
			if len(all) == maxSpans-2 {
				to = len(h)
			}
			all = append(all, piece{at, to})
			at = to
		}
		for range r.IntN(3) {
			all = append(all, all[r.IntN(len(all))])
		}
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		k := newTalk(Config{})
		k.handshake()
		for _, p := range all {
			k.feed(k.segment(0, decode.ACK, p.from, h[p.from:p.to]))
		}
		k.send(1, serverHello)
		if got := names(k.end(), capture.ProtoTLS); !slices.Equal(got, []string{"post-quantum.example.net"}) {
			t.Fatalf("seed %d, pieces %v: names %q", seed, all, got)
		}
	}
}

func TestOutcomes(t *testing.T) {
	h := hello(t, "a.example")
	tests := map[string]struct {
		play    func(k *talk)
		outcome capture.Outcome
		unnamed capture.Unnamed
	}{
		"SYN only": {func(k *talk) { k.feed(k.segment(0, decode.SYN, -1, "")) }, capture.Attempted, capture.NoPayload},
		"SYN and RST": {func(k *talk) {
			k.feed(k.segment(0, decode.SYN, -1, ""))
			k.feed(k.segment(1, decode.RST|decode.ACK, 0, ""))
		}, capture.Refused, capture.NoPayload},
		"handshake only": {func(k *talk) { k.handshake() }, capture.Accepted, capture.NoPayload},
		"hello and RST": {func(k *talk) {
			k.handshake()
			k.send(0, h)
			k.feed(k.segment(1, decode.RST, 0, ""))
		}, capture.Accepted, capture.Named},
		"hello and alert": {func(k *talk) {
			k.handshake()
			k.send(0, h)
			k.send(1, fatalAlert)
		}, capture.Refused, capture.Named},
		"hello and ServerHello": {func(k *talk) {
			k.handshake()
			k.send(0, h)
			k.send(1, serverHello)
		}, capture.Exchanged, capture.Named},
		"ServerHello then alert": {func(k *talk) {
			k.handshake()
			k.send(0, h)
			k.send(1, serverHello)
			k.send(1, fatalAlert)
		}, capture.Exchanged, capture.Named},
		"alert in two segments": {func(k *talk) {
			k.handshake()
			k.send(0, h)
			k.send(1, fatalAlert[:3])
			k.send(1, fatalAlert[3:])
		}, capture.Refused, capture.Named},
		"another protocol": {func(k *talk) {
			k.handshake()
			k.send(0, "SSH-2.0-x\r\n")
			k.send(1, "SSH-2.0-y\r\n")
		}, capture.Exchanged, capture.Opaque},
		"hello never finished": {func(k *talk) {
			k.handshake()
			k.send(0, h[:40])
		}, capture.Accepted, capture.Incomplete},
		"hello with a hole": {func(k *talk) {
			k.handshake()
			k.send(0, h[:20])
			k.feed(k.segment(0, decode.ACK, 30, h[50:80]))
		}, capture.Accepted, capture.Gap},
		"from the middle": {func(k *talk) {
			k.send(0, "\x17\x03\x03\x00\x10aaaaaaaaaaaaaaaa")
			k.send(1, "\x17\x03\x03\x00\x10aaaaaaaaaaaaaaaa")
		}, capture.Exchanged, capture.Midstream},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			k := newTalk(Config{})
			c.play(k)
			if f := last(t, k.end()); f.Outcome != c.outcome || f.Unnamed != c.unnamed {
				t.Errorf("outcome %s, naming %s; want %s, %s", f.Outcome, f.Unnamed, c.outcome, c.unnamed)
			}
		})
	}
}

// TestStrayBytes: some stacks send an ACK whose padding is counted as payload, in the
// place of the hello that follows.
func TestStrayBytes(t *testing.T) {
	k := newTalk(Config{})
	k.handshake()
	k.feed(k.segment(0, decode.ACK, 0, "\x00\x00"))
	k.send(0, hello(t, "b.example"))
	if got := names(k.end(), capture.ProtoTLS); !slices.Equal(got, []string{"b.example"}) {
		t.Errorf("names %q", got)
	}
}

func TestReusedPorts(t *testing.T) {
	k := newTalk(Config{})
	for _, name := range []string{"first.example", "second.example"} {
		k.handshake()
		k.send(0, hello(t, name))
		k.send(1, serverHello)
		k.feed(k.segment(0, decode.FIN|decode.ACK, 0, ""))
		k.feed(k.segment(1, decode.FIN|decode.ACK, 0, ""))
		k.seq[0] += 100000
		k.seq[1] += 100000
	}
	all := k.end()
	if got := names(all, capture.ProtoTLS); !slices.Equal(got, []string{"first.example", "second.example"}) {
		t.Errorf("names %q", got)
	}
	ends := 0
	for _, s := range all {
		if s.Kind == capture.FlowEnd {
			ends++
		}
	}
	if ends != 2 {
		t.Errorf("%d flows ended, want 2", ends)
	}
}

func TestRepeatedSYNIsOneFlow(t *testing.T) {
	k := newTalk(Config{})
	for range 3 {
		k.feed(k.segment(0, decode.SYN, -1, ""))
	}
	k.end()
	if k.t.stats.Flows != 1 {
		t.Errorf("%d flows, want 1", k.t.stats.Flows)
	}
}

func TestKeepAliveRequests(t *testing.T) {
	k := newTalk(Config{})
	k.port = 80
	k.handshake()
	k.send(0, "GET /a HTTP/1.1\r\nHost: one.example\r\n\r\n")
	k.send(1, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	k.feed(k.segment(0, decode.ACK, -1, "\n")) // a keep-alive probe
	k.send(0, "GET /b HTTP/1.1\r\nHost: two.exa")
	k.send(0, "mple\r\n\r\nGET /c HTTP/1.1\r\nHost: three.example\r\n\r\n")
	if got := names(k.end(), capture.ProtoHTTP); !slices.Equal(got, []string{"one.example", "two.example", "three.example"}) {
		t.Errorf("names %q", got)
	}
}

func TestTLSInsideCONNECT(t *testing.T) {
	k := newTalk(Config{})
	k.port = 3128
	k.handshake()
	k.send(0, "CONNECT inner.example:443 HTTP/1.1\r\nHost: inner.example:443\r\n\r\n")
	k.send(1, "HTTP/1.1 200 Connection established\r\n\r\n")
	k.send(0, hello(t, "inner.example"))
	k.send(1, serverHello)
	all := k.end()
	if h, s := names(all, capture.ProtoHTTP), names(all, capture.ProtoTLS); !slices.Equal(h, s) || len(s) != 1 {
		t.Errorf("http %q, tls %q", h, s)
	}
}

// TestOnlyClientSeen: a mirror of one direction still names.
func TestOnlyClientSeen(t *testing.T) {
	k := newTalk(Config{})
	k.send(0, hello(t, "oneway.example"))
	all := k.end()
	if got := names(all, capture.ProtoTLS); len(got) != 1 {
		t.Fatalf("names %q", got)
	}
	if f := last(t, all); f.Client != "10.0.0.1:50000" || f.Outcome != capture.Attempted {
		t.Errorf("flow %+v", f)
	}
}

func TestSnapLengthCutsHello(t *testing.T) {
	h := hello(t, "cut.example")
	k := newTalk(Config{})
	k.handshake()
	s := k.segment(0, decode.ACK, 0, h)
	s.Payload = s.Payload[:len(h)-20]
	k.feed(s)
	if got := names(k.end(), capture.ProtoTLS); len(got) > 1 {
		t.Errorf("names %q", got)
	}
}

// TestAnswerOutOfOrder: the first segment of a response comes after the second.
func TestAnswerOutOfOrder(t *testing.T) {
	k := newTalk(Config{})
	k.port = 80
	k.handshake()
	k.send(0, "GET /a HTTP/1.1\r\nHost: one.example\r\n\r\n")
	head := "HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\nKLD2" + string(make([]byte, 1000))
	k.feed(k.segment(1, decode.ACK, len(head), string(make([]byte, 1400))))
	k.send(1, head)
	all := k.end()
	found := false
	for i := range k.log.Len() {
		if o := k.log.At(i); o.Kind == capture.Response {
			found = string(o.HTTP.Body[:4]) == "KLD2"
		}
	}
	if !found {
		t.Errorf("the response is not seen: %+v", all)
	}
}

// TestPipelinedBehindBody: the body of a request ends in the middle of a segment, and
// another request follows in it.
func TestPipelinedBehindBody(t *testing.T) {
	post := "POST /a HTTP/1.1\r\nHost: one.example\r\nContent-Length: 3000\r\n\r\n"
	stream := post + strings.Repeat("x", 3000) + "GET /b HTTP/1.1\r\nHost: two.example\r\n\r\nGET /c HTTP/1.1\r\nHost: three.example\r\n\r\n"
	for size := 1; size < 1500; size += 13 {
		k := newTalk(Config{})
		k.port = 80
		k.handshake()
		for at := 0; at < len(stream); at += size {
			k.send(0, stream[at:min(at+size, len(stream))])
		}
		if got := names(k.end(), capture.ProtoHTTP); !slices.Equal(got, []string{"one.example", "two.example", "three.example"}) {
			t.Fatalf("segments of %d bytes: names %q", size, got)
		}
	}
}
