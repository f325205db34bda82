package proto

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"telltale/capture"
)

// tlsOracle is what the expected values of a capture say of its hellos.
type tlsOracle struct {
	TLS  []tlsOracleHello
	QUIC []tlsOracleHello
	DTLS []tlsOracleHello
}

type tlsOracleHello struct {
	Frame     int
	Src, Dst  netip.Addr
	Sport     uint16
	Dport     uint16
	SNI       *string
	JA4       string
	ALPN      []string
	ECH, ESNI bool
	GQUIC     bool `json:"gquic"`
	InICMP    bool `json:"in_icmp"`
	Malformed bool
	Length    *int `json:"hs_len"`
}

func (h *tlsOracleHello) sni() string {
	if h.SNI == nil {
		return ""
	}
	return *h.SNI
}

// tlsCaptures returns the folder of the shared captures, or skips.
func tlsCaptures(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	for err == nil && dir != filepath.Dir(dir) {
		path := filepath.Join(dir, "shared", "captures")
		if _, e := os.Stat(path); e == nil {
			return path
		}
		dir = filepath.Dir(dir)
	}
	tb.Skip("no shared captures here")
	return ""
}

func tlsReadOracle(tb testing.TB, path string) (o tlsOracle) {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(b, &o); err != nil {
		tb.Fatalf("%s: %v", path, err)
	}
	return o
}

// tlsSegment is the payload of one TCP segment or UDP datagram of a capture.
type tlsSegment struct {
	tlsFlow
	frame   int
	seq     uint32
	payload []byte
}

// tlsFlow names one direction of a connection.
type tlsFlow struct {
	src, dst  netip.AddrPort
	transport gopacket.LayerType
}

// tlsOpenCapture returns the file of a capture by its name without extension.
func tlsOpenCapture(tb testing.TB, name string) io.Reader {
	tb.Helper()
	for _, ext := range []string{".pcap", ".pcapng", ".pcap.gz", ".pcapng.gz"} {
		f, err := os.Open(filepath.Join(tlsCaptures(tb), name+ext))
		if err != nil {
			continue
		}
		tb.Cleanup(func() { _ = f.Close() })
		if !strings.HasSuffix(ext, ".gz") {
			return f
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			tb.Fatal(err)
		}
		return z
	}
	tb.Skipf("no capture %s", name)
	return nil
}

// tlsReadCapture returns the segments of a capture with the innermost addresses.
func tlsReadCapture(tb testing.TB, name string) (segments []tlsSegment) {
	tb.Helper()
	r := bufio.NewReader(tlsOpenCapture(tb, name))
	var next func() ([]byte, gopacket.CaptureInfo, error)
	var link func() layers.LinkType
	if magic, err := r.Peek(4); err == nil && string(magic) == "\x0a\x0d\x0d\x0a" {
		ng, err := pcapgo.NewNgReader(r, pcapgo.DefaultNgReaderOptions)
		if err != nil {
			return nil
		}
		next, link = ng.ReadPacketData, ng.LinkType
	} else {
		old, err := pcapgo.NewReader(r)
		if err != nil {
			return nil
		}
		next, link = old.ReadPacketData, old.LinkType
	}
	for frame := 1; ; frame++ {
		data, _, err := next()
		if err != nil {
			return segments
		}
		if s, ok := tlsDecodeFrame(data, link()); ok {
			s.frame = frame
			segments = append(segments, s)
		}
	}
}

// tlsDecodeFrame finds the innermost TCP or UDP payload with gopacket, which panics on
// some of the malformed captures.
func tlsDecodeFrame(data []byte, link layers.LinkType) (s tlsSegment, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	var ip gopacket.Flow
	p := gopacket.NewPacket(data, link, gopacket.NoCopy)
	for _, l := range p.Layers() {
		switch l := l.(type) {
		case *layers.ICMPv4, *layers.ICMPv6:
			return s, false
		case *layers.IPv4:
			ip = l.NetworkFlow()
		case *layers.IPv6:
			ip = l.NetworkFlow()
		case *layers.TCP:
			s = tlsSegment{seq: l.Seq, payload: l.Payload}
			s.tlsFlow = tlsFlow{tlsAddr(ip.Src(), uint16(l.SrcPort)), tlsAddr(ip.Dst(), uint16(l.DstPort)), l.LayerType()}
			ok = true
		case *layers.UDP:
			s = tlsSegment{payload: l.Payload}
			s.tlsFlow = tlsFlow{tlsAddr(ip.Src(), uint16(l.SrcPort)), tlsAddr(ip.Dst(), uint16(l.DstPort)), l.LayerType()}
			ok = true
		}
	}
	return s, ok && len(s.payload) > 0
}

func tlsAddr(e gopacket.Endpoint, port uint16) netip.AddrPort {
	a, _ := netip.AddrFromSlice(e.Raw())
	return netip.AddrPortFrom(a, port)
}

// tlsFound is one hello that was read from a capture.
type tlsFound struct {
	flow  tlsFlow
	name  string
	hello capture.ClientHello
}

func (f *tlsFound) is(h *tlsOracleHello) bool {
	return f.flow.src == netip.AddrPortFrom(h.Src, h.Sport) && f.flow.dst == netip.AddrPortFrom(h.Dst, h.Dport) && f.name == strings.TrimSuffix(strings.ToLower(h.sni()), ".")
}

// tlsFindHellos parses every TCP segment that may begin a hello, continued by the
// segments of its flow that follow in sequence.
func tlsFindHellos(segments []tlsSegment) (found []tlsFound) {
	flows := map[tlsFlow][]tlsSegment{}
	for _, s := range segments {
		if s.transport == layers.LayerTypeTCP {
			flows[s.tlsFlow] = append(flows[s.tlsFlow], s)
		}
	}
	var log capture.Log
	for _, s := range segments {
		if s.transport != layers.LayerTypeTCP || tlsMatchClient(s.payload) != Yes {
			continue
		}
		log.Reset()
		if _, status := tlsParseClient(tlsContinue(s, flows[s.tlsFlow]), true, &log); status == Done {
			o := log.At(0)
			found = append(found, tlsFound{s.tlsFlow, string(o.Name), tlsClone(o.TLS)})
		}
	}
	return found
}

// tlsClone copies what outlives the log.
func tlsClone(t *capture.ClientHello) capture.ClientHello {
	c := *t
	c.Versions = slices.Clone(c.Versions)
	c.ALPN = nil
	for _, p := range t.ALPN {
		c.ALPN = append(c.ALPN, slices.Clone(p))
	}
	return c
}

// tlsContinue returns the contiguous bytes from s on.
func tlsContinue(s tlsSegment, flow []tlsSegment) []byte {
	flow = slices.Clone(flow)
	slices.SortStableFunc(flow, func(a, b tlsSegment) int { return cmp.Compare(int32(a.seq-s.seq), int32(b.seq-s.seq)) })
	b := slices.Clone(s.payload)
	for _, f := range flow {
		at := int(int32(f.seq - s.seq))
		if at < 0 || at > len(b) || at+len(f.payload) <= len(b) {
			continue
		}
		b = append(b, f.payload[len(b)-at:]...)
	}
	return b[:min(len(b), 64<<10)]
}

// tlsNames returns the names of all captures.
func tlsNames(tb testing.TB) (names []string) {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join(tlsCaptures(tb), "*.oracle.json"))
	if err != nil {
		tb.Fatal(err)
	}
	for _, p := range paths {
		names = append(names, strings.TrimSuffix(filepath.Base(p), ".oracle.json"))
	}
	return names
}

// TestTLSCaptures holds the hellos of all captures against their expected values.
func TestTLSCaptures(t *testing.T) {
	matched, missed := 0, 0
	for _, name := range tlsNames(t) {
		oracle := tlsReadOracle(t, filepath.Join(tlsCaptures(t), name+".oracle.json"))
		if len(oracle.TLS) == 0 {
			continue
		}
		found := tlsFindHellos(tlsReadCapture(t, name))
		for _, want := range oracle.TLS {
			i := slices.IndexFunc(found, func(f tlsFound) bool { return f.is(&want) })
			if i < 0 {
				missed++
				t.Logf("%s: frame %d: %v:%d %q not found", name, want.Frame, want.Src, want.Sport, want.sni())
				continue
			}
			matched++
			tlsCheckHello(t, name, &found[i].hello, &want)
		}
	}
	t.Logf("%d hellos found, %d not", matched, missed)
	// gopacket does not see into every tunnel.
	if missed*50 > matched {
		t.Errorf("%d of %d hellos were not found", missed, matched+missed)
	}
}

func tlsCheckHello(t *testing.T, name string, got *capture.ClientHello, want *tlsOracleHello) {
	t.Helper()
	if got.JA4 != [36]byte([]byte(want.JA4)) {
		t.Errorf("%s: frame %d %q: ja4 %s, want %s", name, want.Frame, want.sni(), got.JA4, want.JA4)
	}
	if got.HasSNI != (want.SNI != nil) {
		t.Errorf("%s: frame %d: HasSNI %v", name, want.Frame, got.HasSNI)
	}
	if got.ECH.Present != want.ECH || got.ESNI != want.ESNI {
		t.Errorf("%s: frame %d: ech %v esni %v, want %v %v", name, want.Frame, got.ECH.Present, got.ESNI, want.ECH, want.ESNI)
	}
	if want.Length != nil && int(got.Length) != tlsHandshakeHeader+*want.Length {
		t.Errorf("%s: frame %d: length %d, want %d and the header", name, want.Frame, got.Length, *want.Length)
	}
	if len(got.ALPN) != len(want.ALPN) {
		t.Errorf("%s: frame %d: alpn %q, want %q", name, want.Frame, got.ALPN, want.ALPN)
		return
	}
	for i, p := range got.ALPN {
		if string(p) != want.ALPN[i] {
			t.Errorf("%s: frame %d: alpn %q, want %q", name, want.Frame, got.ALPN, want.ALPN)
		}
	}
}
