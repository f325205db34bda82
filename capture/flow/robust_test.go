package flow

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"telltale/capture"
	"telltale/capture/decode"
)

// lines returns all observations of messages as JSON, without what differs by the number
// and times of packets.
func (k *talk) lines() (list []string) {
	k.end()
	for i := range k.log.Len() {
		o := *k.log.At(i)
		if o.Proto == capture.ProtoFlow {
			continue
		}
		o.Time, o.Packet, o.Order = 0, 0, 0
		list = append(list, string(o.AppendJSON(nil)))
	}
	return list
}

// TestSameObservationHowever cuts, repeats, overlaps and permutes the segments of both
// sides, with sequence numbers that wrap: the same Observations must come out.
func TestSameObservationHowever(t *testing.T) {
	h := hello(t, "law.example")
	server := tls12Flight(t, "law.example", "*.law.example")
	plain := newTalk(Config{Details: true})
	plain.handshake()
	plain.send(0, h)
	plain.send(1, server)
	want := plain.lines()
	if len(want) != 2 {
		t.Fatalf("observations %q", want)
	}
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 2))
		k := newTalk(Config{Details: true})
		for side := range 2 {
			k.seq[side] = -uint32(r.IntN(2000))
		}
		k.handshake()
		for side, stream := range []string{h, server} {
			for _, p := range cuts(r, len(stream)) {
				k.feed(k.segment(side, decode.ACK, p[0], stream[p[0]:p[1]]))
				if r.IntN(4) == 0 { // a keep-alive probe, a window probe's answer
					k.feed(k.segment(side, decode.ACK, -1, "\x00"))
					k.feed(k.segment(1-side, decode.ACK, 0, ""))
				}
			}
		}
		if got := k.lines(); !slices.Equal(got, want) {
			t.Fatalf("seed %d:\ngot  %q\nwant %q", seed, got, want)
		}
		if k.t.stats.Conflicts != 0 {
			t.Fatalf("seed %d: conflicts where all copies are the same", seed)
		}
	}
}

// cuts cuts n bytes, lets the pieces overlap and repeat, and permutes them.
func cuts(r *rand.Rand, n int) (all [][2]int) {
	for at := 0; at < n; {
		to := min(n, at+1+r.IntN(n))
		if len(all) == maxSpans/2 {
			to = n
		}
		all = append(all, [2]int{max(0, at-r.IntN(100)), to})
		at = to
	}
	for range r.IntN(3) {
		all = append(all, all[r.IntN(len(all))])
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// TestFirstBytesWin: of two versions of the same bytes the first is read, and that they
// differ is told.
func TestFirstBytesWin(t *testing.T) {
	genuine, decoy := hello(t, "first.example"), hello(t, "decoy.example")
	k := newTalk(Config{})
	k.handshake()
	k.feed(k.segment(0, decode.ACK, 0, genuine[:700]))
	k.feed(k.segment(0, decode.ACK, 0, decoy[:700]))
	k.feed(k.segment(0, decode.ACK, 1000, genuine[1000:]))
	k.feed(k.segment(0, decode.ACK, 900, decoy[900:1200]))
	k.feed(k.segment(0, decode.ACK, 700, genuine[700:1000]))
	k.send(1, serverHello)
	all := k.end()
	if got := names(all, capture.ProtoTLS); !slices.Equal(got, []string{"first.example"}) {
		t.Errorf("names %q", got)
	}
	if k.t.stats.Conflicts != 1 {
		t.Errorf("%d conflicts, want the flow counted once", k.t.stats.Conflicts)
	}
	if end := k.log.At(k.log.Len() - 1).End; end == nil || !end.Conflict {
		t.Error("the flow does not say that its segments differ")
	}
}

// TestDamagedStreams covers what stacks and networks do to a hello.
func TestDamagedStreams(t *testing.T) {
	h := hello(t, "damaged.example")
	for name, play := range map[string]func(k *talk){
		"keep-alive first": func(k *talk) {
			k.handshake()
			k.feed(k.segment(0, decode.ACK, -1, "\x00"))
			k.feed(k.segment(0, decode.ACK, 700, h[700:]))
			k.feed(k.segment(0, decode.ACK, 0, h[:700]))
		},
		"zero window, one byte tried": func(k *talk) {
			k.handshake()
			k.feed(k.segment(0, decode.ACK, 0, h[:1]))
			k.feed(k.segment(0, decode.ACK, 0, h[:1]))
			k.feed(k.segment(0, decode.ACK, 0, h[:700]))
			k.feed(k.segment(0, decode.ACK, 700, h[700:]))
		},
		"no SYN": func(k *talk) {
			k.feed(k.segment(0, decode.ACK, 0, h[:700]))
			k.feed(k.segment(0, decode.ACK, 700, h[700:]))
		},
		"the server's SYN only, out of order": func(k *talk) {
			s := k.segment(1, decode.SYN|decode.ACK, -1, "")
			s.Ack = k.seq[0]
			k.feed(s)
			k.feed(k.segment(0, decode.ACK, 700, h[700:]))
			k.feed(k.segment(0, decode.ACK, 0, h[:700]))
		},
		"hello in the SYN": func(k *talk) {
			k.feed(k.segment(0, decode.SYN, -1, h[:700]))
			k.feed(k.segment(0, decode.ACK, 700, h[700:]))
		},
		"a reset that is not believed": func(k *talk) {
			k.handshake()
			k.feed(k.segment(1, decode.RST, 0, ""))
			k.send(0, h)
		},
		"reset in the middle of the hello": func(k *talk) {
			k.handshake()
			k.feed(k.segment(0, decode.ACK, 0, h[:700]))
			k.feed(k.segment(1, decode.RST, 0, ""))
			k.feed(k.segment(0, decode.ACK, 0, h))
		},
		"FIN with the hello": func(k *talk) {
			k.handshake()
			k.feed(k.segment(0, decode.FIN|decode.ACK, 0, h))
		},
		"FIN before the rest": func(k *talk) {
			k.handshake()
			k.feed(k.segment(0, decode.FIN|decode.ACK, 700, h[700:]))
			k.feed(k.segment(0, decode.ACK, 0, h[:700]))
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newTalk(Config{})
			play(k)
			if got := names(k.end(), capture.ProtoTLS); !slices.Contains(got, "damaged.example") || len(got) > 1 {
				t.Errorf("names %q", got)
			}
		})
	}
}

// TestServerOnly: a mirror of the server's side alone is named by the certificate.
func TestServerOnly(t *testing.T) {
	k := newTalk(Config{})
	k.feed(k.segment(1, decode.SYN|decode.ACK, -1, ""))
	flight := tls12Flight(t, "oneway.example")
	k.send(1, flight[:500])
	k.send(1, flight[500:])
	all := k.end()
	i := slices.IndexFunc(all, func(s seen) bool { return s.Proto == capture.ProtoX509 })
	if i < 0 || all[i].Name != "oneway.example" || all[i].Client != "10.0.0.1:50000" {
		t.Errorf("observations %+v", all)
	}
	if f := last(t, all); f.Unnamed != capture.ServerOnly || f.Client != "10.0.0.1:50000" {
		t.Errorf("flow %+v", f)
	}
}

// TestCertificateTellsHello: the certificate says whether the client named its server.
func TestCertificateTellsHello(t *testing.T) {
	flight := tls12Flight(t, "cert.example")
	for name, asked := range map[string]bool{"named.example": true, "": false} {
		k := newTalk(Config{})
		k.handshake()
		k.send(0, hello(t, name))
		k.send(1, flight)
		k.end()
		for i := range k.log.Len() {
			if o := k.log.At(i); o.Cert != nil && o.Cert.Asked != asked {
				t.Errorf("hello for %q: asked is %v", name, o.Cert.Asked)
			}
		}
	}
}

// TestLostRequest: of pipelined requests one is lost for good, one comes late.
func TestLostRequest(t *testing.T) {
	get := func(n string) string { return "GET / HTTP/1.1\r\nHost: " + n + ".example\r\n\r\n" }
	stream := get("a") + get("b") + get("c")
	n := len(get("a"))
	for name, c := range map[string]struct {
		pieces [][2]int
		want   string
	}{
		"lost":               {[][2]int{{0, n}, {2 * n, 3 * n}}, "a c"},
		"late":               {[][2]int{{0, n}, {2 * n, 3 * n}, {n, 2 * n}}, "a c b"},
		"half lost":          {[][2]int{{0, n + 5}, {2 * n, 3 * n}}, "a c"},
		"half late":          {[][2]int{{0, n + 5}, {2 * n, 3 * n}, {n + 5, 2 * n}}, "a b c"},
		"the second half":    {[][2]int{{0, n}, {n + 5, 2 * n}, {n, n + 5}, {2 * n, 3 * n}}, "a b c"},
		"all in one, backed": {[][2]int{{n, 3 * n}, {0, 3 * n}}, "b c a"},
	} {
		t.Run(name, func(t *testing.T) {
			k := newTalk(Config{})
			k.port = 80
			k.handshake()
			for _, p := range c.pieces {
				k.feed(k.segment(0, decode.ACK, p[0], stream[p[0]:p[1]]))
			}
			got := strings.ReplaceAll(strings.Join(names(k.end(), capture.ProtoHTTP), " "), ".example", "")
			if got != c.want {
				t.Errorf("names %q, want %q", got, c.want)
			}
		})
	}
}

// TestDNSOverTCP: messages up to 64 KiB, several at once, in any segments, port 53 on
// either side.
func TestDNSOverTCP(t *testing.T) {
	var stream string
	var want []string
	for i, size := range []int{0, 100, 65000, 0, 3000, 0} {
		name := strings.Repeat("x", i+1) + ".example"
		msg := "\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01" + string(rune(i+1)) + strings.Repeat("x", i+1) + "\x07example\x00\x00\x01\x00\x01" +
			"\x00\x00\x29\x10\x00\x00\x00\x00\x00" + string(binary.BigEndian.AppendUint16(nil, uint16(size))) + strings.Repeat("\x00", size)
		stream += string(binary.BigEndian.AppendUint16(nil, uint16(len(msg)))) + msg
		want = append(want, name)
	}
	for _, size := range []int{1, 2, 13, 536, 1460, 9000, 65535} {
		k := newTalk(Config{})
		k.port = 53
		k.handshake()
		for b := stream; len(b) > 0; b = b[min(size, len(b)):] {
			k.send(0, b[:min(size, len(b))])
		}
		if got := names(k.end(), capture.ProtoDNS); !slices.Equal(got, want) {
			t.Errorf("segments of %d bytes: names %.200q, want %q", size, got, want)
		}
	}
	k := newTalk(Config{})
	k.port = 53
	k.handshake()
	k.feed(k.segment(0, decode.ACK, 10, stream[10:10000]))
	k.feed(k.segment(0, decode.ACK, 0, stream[:10]))
	if got := names(k.end(), capture.ProtoDNS); !slices.Equal(got, want[:3]) {
		t.Errorf("segments swapped: names %q, want %q", got, want[:3])
	}
}
