package flow

import (
	"context"
	"encoding/binary"
	"io"
	"testing"
	"time"

	"telltale/capture"
	"telltale/capture/decode"
)

// pieces is a Source of packets cut from fuzz input: two bytes that give length and time
// since the packet before, then the packet.
type pieces struct {
	data []byte
	n    uint64
	time int64
}

// gaps are times between packets: within the window for copies, at its end, beyond it,
// and long enough to end flows.
var gaps = [...]time.Duration{time.Second, time.Millisecond, decode.DefaultDedup, time.Minute}

func (p *pieces) Next(b *capture.Batch) error {
	b.Packets = b.Packets[:0]
	for len(p.data) > 2 && len(b.Packets) < 3 {
		head := binary.LittleEndian.Uint16(p.data)
		n := min(int(head%2048), len(p.data)-2)
		p.n++
		p.time += int64(gaps[head>>11%uint16(len(gaps))])
		b.Packets = append(b.Packets, capture.Packet{
			Data: p.data[2 : 2+n], Length: uint32(n), Time: p.time, Ordinal: p.n, Link: capture.LinkRaw,
		})
		p.data = p.data[2+n:]
	}
	if len(b.Packets) == 0 {
		return io.EOF
	}
	return nil
}

func (p *pieces) Stats() capture.Stats { return capture.Stats{} }
func (p *pieces) Close() error         { return nil }

func observations(t *testing.T, data []byte, workers int) string {
	t.Helper()
	var out []byte
	conf := Config{Workers: workers, Shards: 4, MaxFlows: 8, MaxMessage: 4096, MaxAssembly: 1 << 16, MaxQUIC: 4}
	_, err := Run(context.Background(), &pieces{data: data}, conf, decode.Config{Dedup: decode.DefaultDedup}, func(o *capture.Observation) error {
		out = append(o.AppendJSON(out), '\n')
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// FuzzRun feeds any packets to the whole path: no panic, and three workers say what
// one says.
func FuzzRun(f *testing.F) {
	h := hello(f, "fuzz.example")
	plain, _ := prefaced(f, 2, 20)
	for _, payloads := range [][]string{
		{"", h[:100], h[100:], "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"},
		{plain[:60], plain[60:]},
		{"CONNECT a.example:443 HTTP/1.1\r\n\r\n", h},
		{"\x05\x01\x00", "\x05\x01\x00\x03\x09a.example\x01\xbb"},
	} {
		f.Add(packed(payloads))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<15 {
			return
		}
		one := observations(t, data, 1)
		if three := observations(t, data, 3); three != one {
			t.Errorf("3 workers:\n%s\n1 worker:\n%s", three, one)
		}
	})
}

// packed is fuzz input of TCP segments, each of which comes twice within the window for
// copies.
func packed(payloads []string) (seed []byte) {
	seq := uint32(1000)
	for _, payload := range payloads {
		p := make([]byte, 40+len(payload))
		p[0], p[8], p[9] = 0x45, 64, 6
		binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
		copy(p[12:], []byte{10, 0, 0, 1, 192, 0, 2, 1, 0xc3, 0x50, 1, 0xbb})
		binary.BigEndian.PutUint32(p[24:], seq)
		p[32], p[33] = 0x50, 0x10
		copy(p[40:], payload)
		seq += uint32(len(payload))
		for gap := range uint16(2) {
			seed = binary.LittleEndian.AppendUint16(seed, uint16(len(p))|gap<<11)
			seed = append(seed, p...)
		}
	}
	return seed
}

func BenchmarkBulk(b *testing.B) {
	k := newTalk(Config{})
	k.handshake()
	k.send(0, hello(b, "bulk.example"))
	k.send(1, serverHello)
	s := k.segment(1, decode.ACK, 0, string(make([]byte, 1400)))
	b.ReportAllocs()
	b.SetBytes(1400)
	for b.Loop() {
		s.Seq += 1400
		s.Packet++
		k.t.segment(&s, s.Hash(0), decode.OK, &k.log)
	}
}

// BenchmarkFlow is a whole short flow: handshake and hello.
func BenchmarkFlow(b *testing.B) {
	k := newTalk(Config{MaxFlows: 1 << 16})
	h := hello(b, "short.example")
	b.ReportAllocs()
	for b.Loop() {
		k.seq[0] += 1 << 20
		k.seq[1] += 1 << 20
		k.feed(k.segment(0, decode.SYN, -1, ""))
		k.feed(k.segment(1, decode.SYN|decode.ACK, -1, ""))
		s := k.segment(0, decode.ACK, 0, "")
		s.Payload, s.PayloadLen = helloBytes(h), uint32(len(h))
		k.feed(s)
		k.log.Reset()
	}
}

// BenchmarkFind looks flows up in a table of 100,000, at random places.
func BenchmarkFind(b *testing.B) {
	tab := newTable(Config{Shards: 1}.withDefaults(), testRegistry)
	var log capture.Log
	const n = 100000
	for i := range n {
		s := datagram(i, 0)
		tab.segment(&s, s.Hash(7), decode.OK, &log)
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i = (i + 7919) % n
		s := datagram(i, 0)
		tab.find(&s, s.Hash(7))
	}
}
