package flow

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"telltale/capture"
	"telltale/capture/decode"
)

// prefaced is what a client sends in HTTP/2 without TLS: requests for n names, each with
// a body of size bytes, the fields from the table where they were sent before.
func prefaced(tb testing.TB, n, size int) (stream string, names []string) {
	tb.Helper()
	var out, block bytes.Buffer
	out.WriteString(http2.ClientPreface)
	framer, table := http2.NewFramer(&out, nil), hpack.NewEncoder(&block)
	check := func(err error) {
		if err != nil {
			tb.Fatal(err)
		}
	}
	check(framer.WriteSettings())
	for i := range n {
		names = append(names, fmt.Sprintf("n%d.example", i))
		block.Reset()
		for _, f := range []hpack.HeaderField{{Name: ":method", Value: "POST"}, {Name: ":path", Value: "/path"}, {Name: ":authority", Value: names[i]}, {Name: "user-agent", Value: "test/1.0"}} {
			check(table.WriteField(f))
		}
		id := uint32(2*i + 1)
		check(framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block.Bytes(), EndHeaders: true}))
		check(framer.WriteData(id, true, bytes.Repeat([]byte{byte(i)}, size)))
	}
	return out.String(), names
}

// agents returns the paths and programs of requests, which show whether the table is right.
func agents(k *talk) (list []string) {
	for i := range k.log.Len() {
		if o := k.log.At(i); o.Proto == capture.ProtoHTTP && o.Kind == capture.Request && o.HTTP.Major == 2 {
			list = append(list, string(o.HTTP.Target)+" "+string(o.HTTP.UserAgent))
		}
	}
	return list
}

// TestHTTP2Segments: every request of a connection is read, however it is cut, also if
// segments change places or come twice.
func TestHTTP2Segments(t *testing.T) {
	stream, want := prefaced(t, 5, 3000)
	for _, size := range []int{1, 7, 100, 999, 1460, 40000} {
		for _, upset := range []bool{false, true} {
			k := newTalk(Config{})
			k.handshake()
			r := rand.New(rand.NewPCG(1, uint64(size)))
			for at := 0; at < len(stream); at += 2 * size {
				pieces := []int{at, min(at+size, len(stream))}
				if upset && r.IntN(3) == 0 {
					slices.Reverse(pieces)
				}
				for _, from := range append(pieces, pieces[:r.IntN(2)]...) {
					if piece := stream[from:min(from+size, len(stream))]; piece != "" {
						k.feed(k.segment(0, decode.ACK, from, piece))
					}
				}
			}
			k.send(1, "\x00\x00\x00\x04\x00\x00\x00\x00\x00")
			all := k.end()
			if got := names(all, capture.ProtoHTTP); !slices.Equal(got, want) {
				t.Errorf("segments of %d bytes, upset %v: names %q", size, upset, got)
			}
			for _, a := range agents(k) {
				if a != "/path test/1.0" {
					t.Errorf("segments of %d bytes, upset %v: %q", size, upset, a)
				}
			}
			if f := last(t, all); f.Outcome != capture.Exchanged || f.Unnamed != capture.Named {
				t.Errorf("segments of %d bytes, upset %v: flow %+v", size, upset, f)
			}
			if n := len(k.t.readers.all); n != 0 {
				t.Errorf("%d readers are left", n)
			}
		}
	}
}

// TestHTTP2Upgrade: behind a request that asks for HTTP/2 come the preface and more.
func TestHTTP2Upgrade(t *testing.T) {
	stream, want := prefaced(t, 2, 10)
	d := dialogue{turns: []string{
		"c:GET /first HTTP/1.1\r\nHost: first.example\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n",
		"s:HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
		"c:" + stream,
	}}
	k := newTalk(Config{})
	d.play(k)
	if got := names(k.end(), capture.ProtoHTTP); !slices.Equal(got, append([]string{"first.example"}, want...)) {
		t.Errorf("names %q", got)
	}
}

// TestHTTP2Loss: bytes of a body may be lost, those of a header block end the reading:
// nothing is named that cannot be known.
func TestHTTP2Loss(t *testing.T) {
	stream, want := prefaced(t, 4, 3000)
	second := strings.Index(stream, strings.Repeat("\x01", 100)) // the body of the second request
	for name, tt := range map[string]struct {
		from, to int
		want     []string
	}{
		"in a body":                     {second + 100, second + 1100, want},
		"a header block":                {second - 50, second - 1, want[:1]},
		"a body and what follows":       {second + 2000, second + 3005, want[:2]},
		"first bytes of what is behind": {second + 2990, second + 3010, want[:2]},
	} {
		k := newTalk(Config{})
		k.handshake()
		for at := 0; at < len(stream); {
			end := min(at+500, len(stream))
			if at < tt.from {
				end = min(end, tt.from)
			} else if at < tt.to {
				at = tt.to
				continue
			}
			k.feed(k.segment(0, decode.ACK, at, stream[at:end]))
			at = end
		}
		k.feed(k.segment(0, decode.RST, len(stream), ""))
		if got := names(k.end(), capture.ProtoHTTP); !slices.Equal(got, tt.want) {
			t.Errorf("%s: names %q, want %q", name, got, tt.want)
		}
		if n := len(k.t.readers.all); n != 0 {
			t.Errorf("%s: %d readers are left", name, n)
		}
	}
}

// TestReadersBound: beyond the limit connections are not read, and counted.
func TestReadersBound(t *testing.T) {
	stream, _ := prefaced(t, 1, 10)
	k := newTalk(Config{})
	k.t.readers.limit = 3
	for i := range 5 {
		s := k.segment(0, decode.ACK, 0, stream)
		s.SrcPort += uint16(i)
		k.feed(s)
	}
	if n, full := len(k.t.readers.all), k.t.stats.ReadersFull; n != 3 || full != 2 {
		t.Errorf("%d readers, %d refused; want 3 and 2", n, full)
	}
	if got := names(k.end(), capture.ProtoHTTP); len(got) != 3 {
		t.Errorf("names %q", got)
	}
	if n := len(k.t.readers.all); n != 0 {
		t.Errorf("%d readers are left", n)
	}
}
