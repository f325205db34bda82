package proto

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"telltale/capture"
)

// http2Client writes what an HTTP/2 client sends.
type http2Client struct {
	t      testing.TB
	out    bytes.Buffer
	framer *http2.Framer
	block  bytes.Buffer
	table  *hpack.Encoder
	stream uint32
}

func newHTTP2Client(t testing.TB) *http2Client {
	c := &http2Client{t: t}
	c.framer = http2.NewFramer(&c.out, nil)
	c.table = hpack.NewEncoder(&c.block)
	c.check(c.framer.WriteSettings(http2.Setting{ID: http2.SettingEnablePush}))
	c.check(c.framer.WriteWindowUpdate(0, 1<<20))
	return c
}

func (c *http2Client) check(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// fields encodes "name: value" lines.
func (c *http2Client) fields(lines ...string) []byte {
	c.block.Reset()
	for _, l := range lines {
		name, value, _ := strings.Cut(l[1:], ": ")
		c.check(c.table.WriteField(hpack.HeaderField{Name: l[:1] + name, Value: value}))
	}
	return bytes.Clone(c.block.Bytes())
}

// request sends a request without a body; with makes it odd.
func (c *http2Client) request(with func(*http2.HeadersFrameParam), lines ...string) {
	c.stream += 2
	p := http2.HeadersFrameParam{StreamID: c.stream - 1, BlockFragment: c.fields(lines...), EndStream: true, EndHeaders: true}
	if with != nil {
		with(&p)
	}
	c.check(c.framer.WriteHeaders(p))
}

// get is the request most tests send.
func get(authority, path string) []string {
	return []string{":method: GET", ":scheme: http", ":authority: " + authority, ":path: " + path, "user-agent: test/1.0", "accept: */*"}
}

// http2Read gives the reader everything at once, or byte by byte as far as it waits, and
// returns what it reports and where it stops.
func http2Read(b []byte, slow bool) (got string, left int) {
	r, log := newHTTP2Reader(), new(capture.Log)
	for end := len(b); len(b) > 0; {
		if slow {
			end = min(end, len(b))
		}
		n, s := 0, Incomplete
		for k := 1; slow && k < len(b) && s == Incomplete; k++ {
			n, s = r.Read(b[:k:k], false, log)
		}
		if s == Incomplete {
			n, s = r.Read(b, false, log)
		}
		if s != Done {
			break
		}
		b = b[min(n, len(b)):]
	}
	var all strings.Builder
	for i := range log.Len() {
		o := log.At(i)
		if o.HTTP.Major != 2 {
			all.WriteString("not HTTP/2: ")
		}
		all.WriteString(httpObservation(o) + "\n")
	}
	return all.String(), len(b)
}

func TestHTTP2(t *testing.T) {
	cookie := "cookie: " + strings.Repeat("x", 20000)
	first := `request 1.0 name="a.example" method="GET" target="/first" agent="test/1.0"` + "\n"
	second := strings.Replace(first, "first", "second", 1)
	for _, tt := range []struct {
		name string
		send func(c *http2Client)
		want string
		left int
	}{
		{"two requests, the second from the table", func(c *http2Client) {
			c.request(nil, get("a.example", "/first")...)
			c.request(nil, get("a.example", "/second")...)
		}, first + second, 0},
		{"padding and priority", func(c *http2Client) {
			c.request(func(p *http2.HeadersFrameParam) {
				p.PadLength, p.Priority = 77, http2.PriorityParam{StreamDep: 0, Weight: 9, Exclusive: true}
			}, get("a.example", "/first")...)
		}, first, 0},
		{"continuation", func(c *http2Client) {
			lines := append(get("a.example", "/first"), cookie)
			block := c.fields(lines...)
			c.check(c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block[:3], PadLength: 5}))
			c.check(c.framer.WriteContinuation(1, false, block[3:9000]))
			c.check(c.framer.WriteContinuation(1, true, block[9000:]))
			c.stream = 2
			c.request(nil, get("a.example", "/second")...)
		}, first + second, 0},
		{"body and trailers", func(c *http2Client) {
			c.request(func(p *http2.HeadersFrameParam) { p.EndStream = false }, get("a.example", "/first")...)
			c.check(c.framer.WriteData(1, false, make([]byte, 16000)))
			c.check(c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.fields("grpc-status: 0"), EndStream: true, EndHeaders: true}))
			c.request(nil, get("a.example", "/second")...)
		}, first + second, 0},
		{"port and host field", func(c *http2Client) {
			c.request(nil, ":method: POST", ":path: /x", "host: B.example:8080")
		}, `request 1.0 name="b.example" method="POST" target="/x" port=8080` + "\n", 0},
		{"connect", func(c *http2Client) {
			c.request(nil, ":method: CONNECT", ":authority: [2001:db8::1]:443")
		}, `request 1.0 name="2001:db8::1" method="CONNECT" target="[2001:db8::1]:443" port=443 ip` + "\n", 0},
		{"smaller and larger table", func(c *http2Client) {
			c.request(nil, get("a.example", "/first")...)
			c.table.SetMaxDynamicTableSize(0)
			c.table.SetMaxDynamicTableSize(4096)
			c.request(nil, get("a.example", "/second")...)
		}, first + second, 0},
		{"table the reader does not keep", func(c *http2Client) {
			c.table.SetMaxDynamicTableSizeLimit(http2MaxTable * 2)
			c.table.SetMaxDynamicTableSize(http2MaxTable * 2)
			c.request(nil, get("a.example", "/first")...)
		}, "", 60},
		{"entry that is not in the table", func(c *http2Client) {
			c.check(c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte("\x82\x84\x41\x01a\xff\x20"), EndHeaders: true}))
			c.request(nil, get("a.example", "/second")...)
		}, `request 1.0 name="a" method="GET" target="/" partial` + "\n", 60},
		{"continuation of nothing", func(c *http2Client) {
			c.check(c.framer.WriteContinuation(1, true, []byte("\x82")))
		}, "", 10},
		{"another frame within a block", func(c *http2Client) {
			c.check(c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte("\x82")}))
			c.check(c.framer.WritePing(false, [8]byte{}))
		}, "", 27},
		{"endless block", func(c *http2Client) {
			c.check(c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte("\x82")}))
			for range http2MaxFrames {
				c.check(c.framer.WriteContinuation(1, false, nil))
			}
		}, "", 10 + 9*http2MaxFrames},
		{"padding longer than the frame", func(c *http2Client) {
			c.check(c.framer.WriteRawFrame(http2.FrameHeaders, http2.FlagHeadersPadded|http2.FlagHeadersEndHeaders, 1, []byte("\x05\x82")))
		}, "", 11},
		{"no stream", func(c *http2Client) {
			c.check(c.framer.WriteRawFrame(http2.FrameHeaders, http2.FlagHeadersEndHeaders, 0, []byte("\x82")))
		}, "", 10},
	} {
		c := newHTTP2Client(t)
		tt.send(c)
		got, left := http2Read(c.out.Bytes(), false)
		if diff := cmp.Diff(tt.want, got); diff != "" || (left == 0) != (tt.left == 0) {
			t.Errorf("%s: %d bytes left, want about %d\n%s", tt.name, left, tt.left, diff)
		}
		if c.out.Len() < 4000 {
			if slowly, rest := http2Read(c.out.Bytes(), true); slowly != got || rest != left {
				t.Errorf("%s: byte by byte %d left\n%s", tt.name, rest, slowly)
			}
		}
	}
}

// TestHTTP2Cut: of a block that ends early, what is there is reported once, as partial.
func TestHTTP2Cut(t *testing.T) {
	const head = http2FrameHeader + 1 + http2PriorityField
	c := newHTTP2Client(t)
	c.out.Reset()
	c.request(func(p *http2.HeadersFrameParam) {
		p.PadLength, p.Priority = 9, http2.PriorityParam{Weight: 9}
	}, get("a.example", "/first")...)
	whole := c.out.Bytes()
	for n := range len(whole) {
		log := new(capture.Log)
		r := newHTTP2Reader()
		if _, s := r.Read(whole[:n], false, log); s != Incomplete || log.Len() != 0 {
			t.Errorf("%d of %d bytes: status %d, %d observations", n, len(whole), s, log.Len())
		}
		want := 0
		if n > head {
			want = 1 // the method is the first byte of the block
		}
		_, s := r.Read(whole[:n], true, log)
		if (s == Done) != (want == 1) || log.Len() != want || want == 1 && !log.At(0).HTTP.Partial {
			t.Errorf("%d of %d bytes, the last: status %d, %d observations", n, len(whole), s, log.Len())
		}
		if _, s := r.Read(whole, false, log); want == 1 && s != Reject {
			t.Errorf("behind a cut block: status %d", s)
		}
	}
}

func TestHTTP2Preface(t *testing.T) {
	for _, tt := range []struct {
		in   string
		last bool
		n    int
		want Status
	}{
		{http2Preface + "\x00\x00", false, len(http2Preface), Done},
		{http2Preface[:20], false, 0, Incomplete},
		{http2Preface[:20], true, 0, Reject},
		{"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", false, 0, Reject},
	} {
		if n, s := http2ParsePreface([]byte(tt.in), tt.last, nil); n != tt.n || s != tt.want {
			t.Errorf("%q: %d, %d; want %d, %d", tt.in, n, s, tt.n, tt.want)
		}
	}
}

// FuzzHTTP2 reads any frames: no panic, no reading backwards, the same whether they come
// at once or in two parts.
func FuzzHTTP2(f *testing.F) {
	c := newHTTP2Client(f)
	c.request(nil, get("a.example", "/first")...)
	c.request(func(p *http2.HeadersFrameParam) { p.PadLength = 3 }, get("b.example", "/second")...)
	f.Add(c.out.Bytes(), 40)
	f.Add([]byte("\x00\x00\x07\x01\x04\x00\x00\x00\x01\x82\x84\x41\x01a\xff\x20"), 10)
	f.Add([]byte("\x00\x00\x01\x01\x00\x00\x00\x00\x01\x82\x00\x00\x01\x09\x04\x00\x00\x00\x01\x84"), 12)
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		if len(b) == 0 || len(b) > 1<<15 {
			return
		}
		cut = int(uint(cut) % uint(len(b)))
		once, twice := newHTTP2Reader(), newHTTP2Reader()
		one, two := new(capture.Log), new(capture.Log)
		for at := 0; at < len(b); {
			n, s := once.Read(b[at:], true, one)
			m, again := 0, Incomplete
			if at < cut {
				m, again = twice.Read(b[at:cut], false, two)
			}
			if again == Incomplete {
				m, again = twice.Read(b[at:], true, two)
			}
			if n != m || s != again || one.Len() != two.Len() {
				t.Fatalf("at %d: %d bytes, status %d, %d requests; in two parts %d, %d, %d", at, n, s, one.Len(), m, again, two.Len())
			}
			if s != Done {
				return
			}
			if n < http2FrameHeader {
				t.Fatalf("a frame of %d bytes", n)
			}
			at += n
		}
	})
}
