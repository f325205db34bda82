package proto

import (
	"bytes"
	"crypto/tls"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"telltale/capture"
)

const quicTestID = "8 bytes!"

// quicMessage returns a ClientHello as QUIC carries it, without the record header.
func quicMessage(tb testing.TB, name string) []byte {
	tb.Helper()
	return tlsMakeHello(tb, &tls.Config{ServerName: name, NextProtos: []string{"h3"}, MinVersion: tls.VersionTLS13})[tlsRecordHeader:]
}

func quicV1Packet(tb testing.TB, number uint32, frames []byte) []byte {
	tb.Helper()
	return quicSeal(tb, quicPacket{version: quicVersion1, scheme: quicV1, dcid: quicTestID, number: number, frames: frames})
}

// quicWhole returns an Initial with all of a message.
func quicWhole(tb testing.TB, p quicPacket, message []byte) []byte {
	tb.Helper()
	p.frames = quicCryptoFrame(message, 0, len(message))
	return quicSeal(tb, p)
}

// TestQUICVersions opens an Initial of every kind of version.
func TestQUICVersions(t *testing.T) {
	message := quicMessage(t, "v.example")
	tests := []struct {
		version uint32
		scheme  quicScheme
		want    QUICStatus
	}{
		{0xff000016, quicDraft22, QUICHello},
		{0xff000017, quicDraft23, QUICHello},
		{0xff00001c, quicDraft23, QUICHello},
		{0xff00001d, quicDraft29, QUICHello},
		{0xff000020, quicDraft29, QUICHello},
		{0xff000021, quicV1, QUICHello},
		{0xff000022, quicV1, QUICHello},
		{quicVersion1, quicV1, QUICHello},
		{quicVersion2, quicV2, QUICHello},
		{0xfaceb001, quicDraft22, QUICHello},
		{0xfaceb002, quicDraft23, QUICHello},
		{0xfaceb013, quicDraft23, QUICHello},
		{0x12345678, quicV1, QUICHello},
		{0x12345678, quicDraft29, QUICHello},
		{0x12345678, quicDraft23, QUICHello},
		{0x12345678, quicDraft22, QUICHello},
		{0x12345678, quicV2, QUICHello},
		{0x1a2a3a4a, quicV1, QUICSealed}, // reserved
		{quicVersion1, quicDraft29, QUICSealed},
	}
	for _, tt := range tests {
		b := quicWhole(t, quicPacket{version: tt.version, scheme: tt.scheme, dcid: quicTestID}, message)
		var c QUICClient
		var log capture.Log
		if got := c.Datagram(b, &log); got != tt.want || (log.Len() == 1) != (tt.want == QUICHello) {
			t.Errorf("version %#x, scheme %d: status %d with %d observations, want %d", tt.version, tt.scheme, got, log.Len(), tt.want)
		}
	}
}

// TestQUICShuffled sends one hello in frames of many sizes, shuffled, doubled and
// spread over datagrams, and compares with the hello in one frame.
func TestQUICShuffled(t *testing.T) {
	message := quicMessage(t, "shuffle.example")
	var whole capture.Log
	if s := new(QUICClient).Datagram(quicWhole(t, quicPacket{version: quicVersion1, scheme: quicV1, dcid: quicTestID}, message), &whole); s != QUICHello {
		t.Fatalf("the hello in one frame: status %d", s)
	}
	r := rand.New(rand.NewPCG(1, 2))
	var c QUICClient
	for round := range 200 {
		c.Reset()
		var log capture.Log
		frames := quicShuffle(r, message, 60+r.IntN(len(message)))
		hellos := 0
		for number := uint32(0); len(frames) > 0; number++ {
			n := 1 + r.IntN(len(frames))
			switch s := c.Datagram(quicV1Packet(t, number, bytes.Join(frames[:n], nil)), &log); {
			case s == QUICHello:
				hellos++
			case s != QUICMore && hellos == 0, s != QUICNot && hellos > 0:
				t.Fatalf("round %d, datagram %d: status %d after %d hellos", round, number, s, hellos)
			}
			frames = frames[n:]
		}
		if hellos != 1 || log.Len() != 1 {
			t.Fatalf("round %d: %d hellos, %d observations", round, hellos, log.Len())
		}
		if diff := cmp.Diff(whole.At(0).TLS, log.At(0).TLS); diff != "" {
			t.Fatalf("round %d (-want +got):\n%s", round, diff)
		}
	}
}

// TestQUICCoalesced puts other packets and garbage around the Initial.
func TestQUICCoalesced(t *testing.T) {
	message := quicMessage(t, "coalesced.example")
	initial := quicWhole(t, quicPacket{version: quicVersion1, scheme: quicV1, dcid: quicTestID, token: "token"}, message)
	zeroRTT := append([]byte{0xd0, 0, 0, 0, 1, 8}, quicTestID...)
	zeroRTT = append(zeroRTT, 0, 3, 'x', 'y', 'z')
	broken := bytes.Clone(initial)
	broken[len(broken)-1] ^= 1
	other := bytes.Clone(initial)
	other[6]++
	tests := []struct {
		name string
		b    []byte
		want QUICStatus
	}{
		{"0-RTT before it", slices.Concat(zeroRTT, initial), QUICHello},
		{"0-RTT behind it", slices.Concat(initial, zeroRTT), QUICHello},
		{"padding outside the packet", slices.Concat(initial, make([]byte, 300)), QUICHello},
		{"garbage", slices.Concat(initial, []byte{0xff, 0xfe, 0xfd}), QUICHello},
		{"0-RTT alone", zeroRTT, QUICNot},
		{"0-RTT of another id before it", slices.Concat(append(bytes.Clone(zeroRTT[:6]), "8 other!\x00\x03xyz"...), initial), QUICNot},
		{"changed in one bit", broken, QUICSealed},
		{"behind it one that does not open", slices.Concat(quicV1Packet(t, 0, []byte{quicPing}), broken), QUICMore},
		{"behind one that does not open", slices.Concat(broken, initial), QUICSealed},
		{"another id", other, QUICSealed},
		{"cut", initial[:len(initial)-1], QUICSealed},
		{"Retry", append([]byte{0xf0, 0, 0, 0, 1, 8}, quicTestID+"\x00token"...), QUICNot},
		{"version negotiation", append([]byte{0xc0, 0, 0, 0, 0, 8}, quicTestID+"\x00\x00\x00\x00\x01"...), QUICNot},
		{"short header", []byte{0x40, 1, 2, 3}, QUICNot},
		{"nothing", nil, QUICNot},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var c QUICClient
			var log capture.Log
			if got := c.Datagram(tt.b, &log); got != tt.want {
				t.Errorf("status %d, want %d", got, tt.want)
			}
			if want := tt.want == QUICHello; (log.Len() == 1) != want {
				t.Errorf("%d observations", log.Len())
			}
		})
	}
	if version, dcid, ok := QUICInitialID(slices.Concat(zeroRTT, initial)); !ok || version != 1 || string(dcid) != quicTestID {
		t.Errorf("QUICInitialID behind 0-RTT gives %#x, %q, %v", version, dcid, ok)
	}
	if _, _, ok := QUICInitialID(zeroRTT); ok {
		t.Error("QUICInitialID finds an Initial in 0-RTT")
	}
}

// TestQUICConnections follows one client over what changes its keys.
func TestQUICConnections(t *testing.T) {
	first, second := quicMessage(t, "first.example"), quicMessage(t, "second.example")
	half := len(first) / 2
	v1 := quicPacket{version: quicVersion1, scheme: quicV1, dcid: quicTestID}
	with := func(p quicPacket, frames []byte) []byte { p.frames = frames; return quicSeal(t, p) }
	serverID := quicPacket{version: quicVersion1, scheme: quicV1, keyID: quicTestID, dcid: "server"}
	afterRetry := quicPacket{version: quicVersion1, scheme: quicV1, dcid: "retried!", token: "token"}
	negotiated := quicPacket{version: quicVersion2, scheme: quicV2, keyID: quicTestID, dcid: "server"}
	begin, end := quicCryptoFrame(first, 0, half), quicCryptoFrame(first, half, len(first))
	tests := []struct {
		name      string
		datagrams [][]byte
		want      []QUICStatus
		names     []string
	}{
		{
			"the server's id in the second Initial",
			[][]byte{with(v1, begin), with(serverID, end)},
			[]QUICStatus{QUICMore, QUICHello},
			[]string{"first.example"},
		},
		{
			"a retransmission and an acknowledgement behind the hello",
			[][]byte{quicWhole(t, v1, first), quicWhole(t, v1, first), with(serverID, []byte{quicACK, 0, 0, 0, 0})},
			[]QUICStatus{QUICHello, QUICNot, QUICNot},
			[]string{"first.example"},
		},
		{
			"the hello begins anew after a Retry",
			[][]byte{with(v1, begin), with(afterRetry, end), with(afterRetry, begin)},
			[]QUICStatus{QUICMore, QUICMore, QUICHello},
			[]string{"first.example"},
		},
		{
			"another connection from the same port",
			[][]byte{quicWhole(t, v1, first), quicWhole(t, quicPacket{version: quicVersion1, scheme: quicV1, dcid: "another"}, second)},
			[]QUICStatus{QUICHello, QUICHello},
			[]string{"first.example", "second.example"},
		},
		{
			"compatible version negotiation",
			[][]byte{with(v1, begin), with(negotiated, end)},
			[]QUICStatus{QUICMore, QUICHello},
			[]string{"first.example"},
		},
		{
			"a packet that does not open in between",
			[][]byte{with(v1, begin), with(quicPacket{version: quicVersion1, scheme: quicV2, dcid: "unknown"}, end), with(v1, end)},
			[]QUICStatus{QUICMore, QUICSealed, QUICHello},
			[]string{"first.example"},
		},
		{
			"a cleared fixed bit",
			[][]byte{quicWhole(t, quicPacket{version: quicVersion1, scheme: quicV1, dcid: quicTestID, clear: quicFixedBit}, first)},
			[]QUICStatus{QUICHello},
			[]string{"first.example"},
		},
		{
			"not a ClientHello",
			[][]byte{with(v1, []byte("\x06\x00\x04\x02\x00\x00\x00"))},
			[]QUICStatus{QUICNot},
			nil,
		},
		{
			"not a hello inside",
			[][]byte{with(v1, []byte("\x06\x00\x06\x01\x00\x00\x02xx"))},
			[]QUICStatus{QUICNot},
			nil,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var c QUICClient
			var log capture.Log
			for i, b := range tt.datagrams {
				if got := c.Datagram(b, &log); got != tt.want[i] {
					t.Errorf("datagram %d: status %d, want %d", i, got, tt.want[i])
				}
			}
			var names []string
			for i := range log.Len() {
				names = append(names, string(log.At(i).Name))
			}
			if !slices.Equal(names, tt.names) {
				t.Errorf("names %q, want %q", names, tt.names)
			}
			if c.Flush(&log) {
				t.Error("Flush found another hello")
			}
		})
	}
}

// TestQUICFlush ends flows whose hello is not whole.
func TestQUICFlush(t *testing.T) {
	const name = "flush.example"
	message := quicMessage(t, name)
	at := bytes.Index(message, []byte(name))
	end := at + len(name)
	tests := []struct {
		name   string
		frames []byte
		want   bool
	}{
		{"tail missing", quicCryptoFrame(message, 0, end), true},
		{"name cut", quicCryptoFrame(message, 0, end-1), false},
		{"head missing", quicCryptoFrame(message, at-12, len(message)), true},
		{"only the extension", quicCryptoFrame(message, at-9, end), true},
		{"gap before it", slices.Concat(quicCryptoFrame(message, 0, 60), quicCryptoFrame(message, at-9, len(message))), true},
		{"name missing", slices.Concat(quicCryptoFrame(message, 0, at-1), quicCryptoFrame(message, end, len(message))), false},
		{"nothing of the hello", []byte{quicPing}, false},
		{"declared longer than is kept", slices.Concat(quicCryptoFrame(message, 4, len(message)), []byte("\x06\x00\x04\x01\xff\xff\xff")), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var c QUICClient
			var log capture.Log
			if s := c.Datagram(quicV1Packet(t, 0, tt.frames), &log); s != QUICMore {
				t.Fatalf("status %d, want more", s)
			}
			if got := c.Flush(&log); got != tt.want || (log.Len() == 1) != tt.want {
				t.Fatalf("Flush says %v with %d observations, want %v", got, log.Len(), tt.want)
			}
			if c.Flush(&log) {
				t.Error("a second Flush reports again")
			}
			if !tt.want {
				return
			}
			if o := log.At(0); string(o.Name) != name || !o.TLS.HasSNI || o.TLS.JA4 != [36]byte{} || o.TLS.QUICVersion != quicVersion1 {
				t.Errorf("observation %q %+v", o.Name, o.TLS)
			}
		})
	}
	if new(QUICClient).Flush(new(capture.Log)) {
		t.Error("Flush of a new client reports something")
	}
}

// TestQUICBrokenFrames stops at a frame that is malformed: what stood before it
// counts, what follows it does not.
func TestQUICBrokenFrames(t *testing.T) {
	message := quicMessage(t, "frames.example")
	half := len(message) / 2
	begin, end := quicCryptoFrame(message, 0, half), quicCryptoFrame(message, half, len(message))
	for name, broken := range map[string][]byte{
		"frame of 1-RTT packets":    {0x08},
		"unknown frame":             {0x3f},
		"frame type cut":            {0xc0},
		"ACK with too many ranges":  {quicACK, 0, 0, 0x80, 0xff, 0xff, 0xff, 0},
		"CRYPTO longer than packet": {quicCRYPTO, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"reason longer than packet": {quicClose, 0, 0, 0xbf, 0xff, 0xff, 0xff},
		"reason of a user's close":  {quicCloseByUser, 0, 0xbf, 0xff, 0xff, 0xff},
	} {
		var c QUICClient
		var log capture.Log
		if s := c.Datagram(quicV1Packet(t, 0, slices.Concat(begin, broken, end)), &log); s != QUICMore {
			t.Errorf("%s: status %d, want more", name, s)
		}
		if s := c.Datagram(quicV1Packet(t, 1, end), &log); s != QUICHello {
			t.Errorf("%s: status %d with the rest, want a hello", name, s)
		}
	}
}

// TestQUICBounds fills a client with all it can be sent.
func TestQUICBounds(t *testing.T) {
	var a quicAssembly
	for i := range uint64(1 << 16) {
		a.add(2*i, []byte{1})
	}
	if a.n != quicMaxRanges {
		t.Errorf("%d ranges, want %d", a.n, quicMaxRanges)
	}
	a.reset()
	a.add(quicMaxCrypto-2, make([]byte, 100))
	a.add(1<<62-1, make([]byte, 100))
	if len(a.data) != quicMaxCrypto || a.n != 1 {
		t.Errorf("%d bytes in %d ranges, want %d in 1", len(a.data), a.n, quicMaxCrypto)
	}
}

func TestIsQUICLong(t *testing.T) {
	tests := []struct {
		name, b string
		want    bool
	}{
		{"v1", "c0 00000001 00 00", true},
		{"v1, fixed bit cleared", "80 00000001 00 00", true},
		{"unknown version", "c0 12345678 00 00", true},
		{"unknown version, fixed bit cleared", "80 12345678 00 00", false},
		{"version negotiation", "c0 00000000 00 00", false},
		{"short header", "40 00000001 00 00", false},
		{"connection id too long", "c0 00000001 15 00" + "000000000000000000000000000000000000000000", false},
		{"ids beyond the end", "c0 00000001 00 04 000000", false},
		{"first id beyond the end", "c0 00000001 01 00", false},
		{"too short", "c0 00000001 00", false},
		{"gQUIC Q046", "c3 51303436 50 0102030405060708", false},
		{"RTP", "80 60 1234 00000001 12345678", false},
	}
	for _, tt := range tests {
		if got := IsQUICLong(tlsHex(t, tt.b)); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestQUICVarint(t *testing.T) {
	// RFC 9000, appendix A.1.
	tests := []struct {
		b    string
		want uint64
		n    int
	}{
		{"c2197c5eff14e88c", 151288809941952652, 8},
		{"9d7f3e7d", 494878333, 4},
		{"7bbd", 15293, 2},
		{"25", 37, 1},
		{"4025", 37, 2},
		{"9d7f3e", 0, 0},
		{"", 0, 0},
	}
	for _, tt := range tests {
		if v, n := quicVarint(tlsHex(t, tt.b)); v != tt.want || n != tt.n {
			t.Errorf("%s gives %d of %d bytes, want %d of %d", tt.b, v, n, tt.want, tt.n)
		}
	}
}

// TestQUICAllocates checks that nothing but new keys allocates: two AES ciphers and GCM,
// each in up to two parts.
func TestQUICAllocates(t *testing.T) {
	message := quicMessage(t, "alloc.example")
	whole := quicWhole(t, quicPacket{version: quicVersion1, scheme: quicV1, dcid: quicTestID}, message)
	again := quicV1Packet(t, 1, quicCryptoFrame(message, 0, 100))
	var c QUICClient
	var log capture.Log
	const objects = 6
	if n := testing.AllocsPerRun(100, func() {
		log.Reset()
		c.Reset()
		c.Datagram(whole, &log)
	}); n > objects {
		t.Errorf("%v allocations a connection, want at most %d", n, objects)
	}
	c.Reset()
	c.Datagram(again, &log)
	if n := testing.AllocsPerRun(100, func() { c.Datagram(again, &log) }); n != 0 {
		t.Errorf("%v allocations for a further Initial", n)
	}
	if n := testing.AllocsPerRun(100, func() { quicDerive(quicV1, []byte(quicTestID)) }); n != 0 {
		t.Errorf("%v allocations to derive keys", n)
	}
}

func BenchmarkQUICInitial(b *testing.B) {
	packet := quicHex(b, quicRFC9001)
	b.Run("new connection", func(b *testing.B) {
		var c QUICClient
		var log capture.Log
		b.ReportAllocs()
		for b.Loop() {
			log.Reset()
			c.Reset()
			c.Datagram(packet, &log)
		}
	})
	b.Run("further Initial", func(b *testing.B) {
		again := quicV1Packet(b, 1, append([]byte{quicPing}, make([]byte, 1100)...))
		var c QUICClient
		var log capture.Log
		b.ReportAllocs()
		for b.Loop() {
			c.Datagram(again, &log)
		}
	})
	b.Run("keys", func(b *testing.B) {
		dcid := []byte(quicTestID)
		b.ReportAllocs()
		for b.Loop() {
			quicDerive(quicV1, dcid)
		}
	})
}
