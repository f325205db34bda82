package flow

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"math/big"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/quic-go/quic-go"

	"telltale/capture"
	"telltale/capture/decode"
	"telltale/capture/proto"
)

// sent is a datagram of the client (side 0) or of the server.
type sent struct {
	side int
	data []byte
}

// play feeds datagrams between one client port and port 4433 of a server, and returns
// what was observed.
func play(conf Config, list ...sent) []seen {
	return playFrom(conf, func(int) uint16 { return 50000 }, list...)
}

// playFrom is play with the client's port of each datagram.
func playFrom(conf Config, port func(i int) uint16, list ...sent) []seen {
	k := newTalk(conf)
	for i, p := range list {
		k.packet++
		k.time += 1e6
		s := decode.Segment{
			Time: k.time, Packet: k.packet, Protocol: protoUDP,
			Src: addr4(10, 0, 0, 1), SrcPort: port(i), Dst: addr4(192, 0, 2, 1), DstPort: 4433,
			Payload: p.data, PayloadLen: uint32(len(p.data)),
		}
		if p.side == 1 {
			s.Src, s.Dst, s.SrcPort, s.DstPort = s.Dst, s.Src, s.DstPort, s.SrcPort
		}
		k.feed(s)
	}
	return k.end()
}

// tap records what a client's socket sends and receives.
type tap struct {
	net.PacketConn
	mu   sync.Mutex
	list []sent
}

func (t *tap) note(side int, b []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list = append(t.list, sent{side, bytes.Clone(b)})
}

func (t *tap) WriteTo(b []byte, to net.Addr) (int, error) {
	t.note(0, b)
	return t.PacketConn.WriteTo(b, to)
}

func (t *tap) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := t.PacketConn.ReadFrom(b)
	if err == nil {
		t.note(1, b[:n])
	}
	return n, from, err
}

func (t *tap) taken() []sent {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.list)
}

// loopback opens a UDP socket, or skips the test.
func loopback(t *testing.T) net.PacketConn {
	t.Helper()
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Skipf("no loopback: %v", err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// quicServer runs a server of quic-go and returns its address.
func quicServer(t *testing.T, retry bool, versions ...quic.Version) net.Addr {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	tr := &quic.Transport{Conn: loopback(t)}
	if retry {
		tr.VerifySourceAddress = func(net.Addr) bool { return true }
	}
	conf := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"h3"}}
	l, err := tr.ListenEarly(conf, &quic.Config{Versions: versions, Allow0RTT: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tr.Close() })
	go func() {
		for {
			if _, err := l.Accept(context.Background()); err != nil {
				return
			}
		}
	}()
	return tr.Conn.LocalAddr()
}

// client is a QUIC client whose socket is tapped.
type client struct {
	t   *testing.T
	tap *tap
	tr  *quic.Transport
	tls *tls.Config
}

func newClient(t *testing.T) *client {
	c := &client{t: t, tap: &tap{PacketConn: loopback(t)}}
	c.tr = &quic.Transport{Conn: c.tap}
	t.Cleanup(func() { _ = c.tr.Close() })
	c.tls = &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h3"}, ClientSessionCache: tls.NewLRUClientSessionCache(4)}
	return c
}

// connect shakes hands with a server under a name, waits a moment and hangs up.
func (c *client) connect(to net.Addr, name string, versions ...quic.Version) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	conf := c.tls.Clone()
	conf.ServerName = name
	q, err := c.tr.DialEarly(ctx, to, conf, &quic.Config{Versions: versions})
	if err != nil {
		c.t.Fatalf("connecting to %s: %v", name, err)
	}
	if s, err := q.OpenUniStream(); err == nil {
		_, _ = s.Write([]byte("early"))
	}
	<-q.HandshakeComplete()
	time.Sleep(50 * time.Millisecond) // for the session ticket
	_ = q.CloseWithError(0, "")
	time.Sleep(10 * time.Millisecond)
}

// wantQUIC checks that exactly these names were asked for, in one flow that was answered.
func wantQUIC(t *testing.T, all []seen, want ...string) {
	t.Helper()
	if got := names(all, capture.ProtoQUIC); !slices.Equal(got, want) {
		t.Errorf("names %q, want %q", got, want)
	}
	if f := last(t, all); f.Outcome != capture.Exchanged || f.Unnamed != capture.Named || f.Client != "10.0.0.1:50000" {
		t.Errorf("flow %+v", f)
	}
}

// TestQUICOnAnyPort also has the hello, with a post-quantum key, in two Initials in
// either order.
func TestQUICOnAnyPort(t *testing.T) {
	var list []sent
	for tries := 0; len(list) < 2 || list[1].side != 0; tries++ { // until the server answers late
		if tries == 20 {
			t.Skip("the server always answers between the two Initials")
		}
		c := newClient(t)
		c.connect(quicServer(t, false), "any.example")
		list = c.tap.taken()
	}
	wantQUIC(t, play(Config{}, list...), "any.example")
	list[0], list[1] = list[1], list[0]
	wantQUIC(t, play(Config{}, list...), "any.example")
	wantQUIC(t, play(Config{}, slices.Concat(list[1:2], list)...), "any.example")
}

// TestQUICRetry: the hello that follows a Retry has other keys and is the same.
func TestQUICRetry(t *testing.T) {
	c := newClient(t)
	c.connect(quicServer(t, true), "retry.example")
	list := c.tap.taken()
	i := slices.IndexFunc(list, func(p sent) bool { return p.side == 1 && len(p.data) > 0 && p.data[0]&0xf0 == 0xf0 })
	if i < 0 {
		t.Fatal("the server sent no Retry")
	}
	wantQUIC(t, play(Config{}, list...), "retry.example")
	client := slices.DeleteFunc(slices.Clone(list), func(p sent) bool { return p.side == 1 })
	if got := names(play(Config{}, client...), capture.ProtoQUIC); !slices.Equal(got, []string{"retry.example"}) {
		t.Errorf("names %q with the client's side only", got)
	}
	for from := range 3 { // of the first hello nothing, or a part, was seen
		wantQUIC(t, play(Config{}, list[from:]...), "retry.example")
	}
}

// TestQUICNegotiation: the server knows another version only.
func TestQUICNegotiation(t *testing.T) {
	c := newClient(t)
	c.connect(quicServer(t, false, quic.Version1), "versions.example", quic.Version2, quic.Version1)
	list := c.tap.taken()
	i := slices.IndexFunc(list, func(p sent) bool { return proto.IsQUICNegotiation(p.data) })
	if i < 0 || list[i].side != 1 {
		t.Fatal("the server sent no Version Negotiation")
	}
	wantQUIC(t, play(Config{}, list...), "versions.example")

	// A version reserved for the purpose is not tried; its flow is still QUIC, and what
	// follows is named.
	reserved := bytes.Clone(list[0].data)
	binary.BigEndian.PutUint32(reserved[1:], 0x1a2a3a4a)
	reserved[0] &^= 0x30
	all := play(Config{}, sent{0, reserved}, list[i])
	if len(names(all, capture.ProtoQUIC)) != 0 || last(t, all).Unnamed != capture.Undecrypted {
		t.Errorf("only negotiation: %+v", all)
	}
	wantQUIC(t, play(Config{}, slices.Concat([]sent{{0, reserved}}, list[i:])...), "versions.example")
}

// TestQUICAgain: a second connection from the same port, then one with early data,
// which shares datagrams with the hello.
func TestQUICAgain(t *testing.T) {
	server := quicServer(t, false)
	c := newClient(t)
	c.connect(server, "first.example")
	c.connect(server, "second.example")
	before := len(c.tap.taken())
	c.connect(server, "first.example")
	list := c.tap.taken()
	if !slices.ContainsFunc(list[before:], hasZeroRTT) {
		t.Fatal("no early data was sent")
	}
	wantQUIC(t, play(Config{}, list...), "first.example", "second.example", "first.example")
	wantQUIC(t, play(Config{}, list[before:]...), "first.example")
}

// hasZeroRTT says whether a 0-RTT packet lies in a datagram.
func hasZeroRTT(p sent) bool {
	return p.side == 0 && len(p.data) > 0 && (p.data[0]&0xf0 == 0xd0 || bytes.Contains(p.data[1:], p.data[1:14]))
}

// TestQUICFromAnotherPort: what goes on from another port of the client is a flow of
// its own, without a name, and disturbs nothing.
func TestQUICFromAnotherPort(t *testing.T) {
	c := newClient(t)
	c.connect(quicServer(t, false), "moves.example")
	list := c.tap.taken()
	moved := len(list) - 1
	for list[moved].side != 0 {
		moved--
	}
	all := playFrom(Config{}, func(i int) uint16 {
		if i < moved {
			return 50000
		}
		return 50001
	}, list...)
	if got := names(all, capture.ProtoQUIC); !slices.Equal(got, []string{"moves.example"}) {
		t.Errorf("names %q", got)
	}
	ends := map[string]capture.Unnamed{}
	for _, s := range all {
		if s.Kind == capture.FlowEnd {
			ends[s.Client] = s.Unnamed
		}
	}
	if len(ends) != 2 || ends["10.0.0.1:50000"] != capture.Named || ends["10.0.0.1:50001"] == capture.Named {
		t.Errorf("flows %v", ends)
	}
}

// TestSealedIsBounded: a flow of what looks like Initials is given up.
func TestSealedIsBounded(t *testing.T) {
	c := newClient(t)
	c.connect(quicServer(t, false), "late.example")
	list := c.tap.taken()
	fake := func(i int) sent {
		b := bytes.Clone(list[0].data)
		binary.BigEndian.PutUint32(b[6:], uint32(i))
		return sent{0, b}
	}
	for n, named := range map[int]bool{maxSealed - 1: true, maxSealed: false} {
		var before []sent
		for i := range n {
			before = append(before, fake(i))
		}
		if got := names(play(Config{}, append(before, list...)...), capture.ProtoQUIC); (len(got) == 1) != named {
			t.Errorf("after %d that do not open: names %q", n, got)
		}
	}
}

// dtlsHello returns a DTLS 1.2 ClientHello for name in fragments of at most size
// bytes, one a datagram. The two with different cookies belong to one handshake.
func dtlsHello(t *testing.T, name, cookie string, size int) (list []sent) {
	t.Helper()
	return dtlsPieces([]byte(hello(t, name))[9:], cookie, size)
}

func dtlsPieces(tlsBody []byte, cookie string, size int) (list []sent) {
	at := 35 + int(tlsBody[34])
	body := slices.Concat(tlsBody[:at], []byte{byte(len(cookie))}, []byte(cookie), tlsBody[at:])
	body[0], body[1] = 0xfe, 0xfd
	sequence := byte(min(len(cookie), 1))
	word := func(n int) []byte { return []byte{byte(n >> 16), byte(n >> 8), byte(n)} }
	for lo := 0; lo < len(body); lo += size {
		hi := min(len(body), lo+size)
		part := slices.Concat([]byte{1}, word(len(body)), []byte{0, sequence}, word(lo), word(hi-lo), body[lo:hi])
		list = append(list, sent{0, slices.Concat([]byte("\x16\xfe\xff\x00\x00\x00\x00\x00\x00\x00\x00"), binary.BigEndian.AppendUint16(nil, uint16(len(part))), part)})
	}
	return list
}

const (
	dtlsVerify = "\x16\xfe\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x13\x03\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00\x07\xfe\xff\x04cook"
	dtlsServer = "\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x01\x00\x10\x02\x00\x00\x04\x00\x01\x00\x00\x00\x00\x00\x04\xfe\xfdxx"
	dtlsAlert  = "\x15\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x01\x00\x02\x02\x28"
)

func TestDTLS(t *testing.T) {
	body := []byte(hello(t, "dtls.example"))[9:]
	whole, parts := dtlsPieces(body, "", 1<<14), dtlsPieces(body, "", 90)
	again, againParts := dtlsPieces(body, "cook", 1<<14), dtlsPieces(body, "cook", 90)
	other := dtlsHello(t, "other.example", "", 1<<14)
	verify, server, alert := sent{1, []byte(dtlsVerify)}, sent{1, []byte(dtlsServer)}, sent{1, []byte(dtlsAlert)}
	one := []string{"dtls.example"}
	reversed := slices.Clone(parts)
	slices.Reverse(reversed)
	tests := []struct {
		name    string
		list    []sent
		names   []string
		outcome capture.Outcome
		unnamed capture.Unnamed
	}{
		{"hello", whole, one, capture.Attempted, capture.Named},
		{"hello and answer", append(whole, server), one, capture.Exchanged, capture.Named},
		{"cookie", slices.Concat(whole, []sent{verify}, again, []sent{server}), one, capture.Exchanged, capture.Named},
		{"cookie and fragments", slices.Concat(parts, []sent{verify}, againParts, []sent{server}), one, capture.Exchanged, capture.Named},
		{"part of the first, cookie, the second", slices.Concat(parts[1:], []sent{verify}, again), one, capture.Exchanged, capture.Named},
		{"repeated", slices.Concat(whole, whole, parts[:1]), one, capture.Attempted, capture.Named},
		{"reversed", reversed, one, capture.Attempted, capture.Named},
		{"another connection", slices.Concat(whole, []sent{server}, other), []string{"dtls.example", "other.example"}, capture.Exchanged, capture.Named},
		{"alert", append(whole, alert), one, capture.Refused, capture.Named},
		{"server first", slices.Concat([]sent{server}, again), one, capture.Attempted, capture.Named}, // what came before was no answer
		{"no end", parts[:1], nil, capture.Attempted, capture.Incomplete},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			all := play(Config{}, tt.list...)
			if got := names(all, capture.ProtoDTLS); !slices.Equal(got, tt.names) {
				t.Errorf("names %q, want %q", got, tt.names)
			}
			if f := last(t, all); f.Outcome != tt.outcome || f.Unnamed != tt.unnamed || f.Client != "10.0.0.1:50000" {
				t.Errorf("flow %+v", f)
			}
		})
	}
}

// TestHelloCollectorsAreBounded: hellos in the making beyond the limit are given up and
// counted.
func TestHelloCollectorsAreBounded(t *testing.T) {
	part := dtlsHello(t, "many.example", "", 60)[:1]
	k := newTalk(Config{MaxQUIC: 10})
	for i := range 30 {
		k.packet++
		s := datagram(i, k.time)
		s.Payload, s.PayloadLen = part[0].data, uint32(len(part[0].data))
		k.feed(s)
	}
	if n := k.t.stats.QUICFull; n != 20 || len(k.t.dtlsHellos.all) != 10 {
		t.Errorf("%d given up, %d collectors, want 20 and 10", n, len(k.t.dtlsHellos.all))
	}
	if all := k.end(); len(all) != 30 || fmt.Sprint(all[29].Unnamed) != "incomplete" {
		t.Errorf("%d flows, the last %+v", len(all), all[len(all)-1])
	}
}

// dnsOn plays messages between a client and port 53.
func dnsOn(messages ...[]byte) (*talk, []seen) {
	k := newTalk(Config{})
	for i, m := range messages {
		k.packet++
		s := datagram(i, k.time)
		s.SrcPort, s.DstPort = 4000, 53
		s.Payload, s.PayloadLen = m, uint32(len(m))
		k.feed(s)
	}
	return k, k.end()
}

// TestDNSDatagrams: what is no DNS disturbs none of it, and the longest message that
// fits a datagram is read to its end.
func TestDNSDatagrams(t *testing.T) {
	pack := func(m *dns.Msg) []byte {
		b, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	query := new(dns.Msg).SetQuestion("plain.example.", dns.TypeA)
	query.SetEdns0(1232, true)
	several := new(dns.Msg)
	for _, n := range []string{"one.example.", "two.example.", "three.example."} {
		several.Question = append(several.Question, dns.Question{Name: n, Qtype: dns.TypeAAAA, Qclass: dns.ClassINET})
	}
	loop := append(pack(new(dns.Msg))[:12], 1, 'a', 0xc0, 12, 0, 1, 0, 1)
	loop[5] = 1
	k, all := dnsOn([]byte("junk"), bytes.Repeat([]byte{0xff}, 200), loop, pack(query), pack(several))
	want := []string{"plain.example", "one.example", "two.example", "three.example"}
	if got := names(all, capture.ProtoDNS); !slices.Equal(got, want) {
		t.Errorf("names %q, want %q", got, want)
	}
	if k.t.stats.Rejected == 0 {
		t.Error("nothing was counted as rejected")
	}

	const room = 65535 - 20 - 8
	big := new(dns.Msg).SetQuestion("big.example.", dns.TypeTXT)
	big.Response = true
	for n := 0; ; n++ {
		a := &dns.TXT{Hdr: dns.RR_Header{Name: "big.example.", Rrtype: dns.TypeTXT, Class: dns.ClassINET}, Txt: []string{string(bytes.Repeat([]byte{'x'}, 250))}}
		if big.Answer = append(big.Answer, a); big.Len() > room {
			big.Answer = big.Answer[:n]
			break
		}
	}
	big.SetEdns0(1232, false).Rcode = dns.RcodeBadVers // in the last record
	for big.Len() > room {
		big.Answer = big.Answer[1:]
	}
	k, _ = dnsOn(pack(big))
	if o := k.log.At(0); o.Proto != capture.ProtoDNS || string(o.Name) != "big.example" || o.DNS.Malformed || o.DNS.RCode != dns.RcodeBadVers || len(o.DNS.Answers) == 0 {
		t.Errorf("of %d bytes: %q %+v", big.Len(), o.Name, o.DNS)
	}
}
