package proto

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"telltale/capture"
)

// dnsCaptureDir returns the folder of captures shared beside the module, or skips.
func dnsCaptureDir(t testing.TB) (dir string, ok bool) {
	t.Helper()
	at, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; filepath.Dir(at) != at; at = filepath.Dir(at) {
		dir = filepath.Join(at, "shared", "captures")
		if _, err := os.Stat(dir); err == nil {
			return dir, true
		}
	}
	return "", false
}

// dnsEachPacket calls do with every packet of a capture that can be decoded.
func dnsEachPacket(t testing.TB, path string, do func(gopacket.Packet)) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var in io.Reader = bytes.NewReader(b)
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(in); err != nil {
			t.Fatal(err)
		}
	}
	src, link, err := dnsOpenCapture(in, strings.Contains(path, ".pcapng"))
	if err != nil {
		return // a format that the reader of this test does not know
	}
	for {
		data, _, err := src.ReadPacketData()
		if err != nil {
			return
		}
		do(gopacket.NewPacket(data, link, gopacket.DecodeOptions{NoCopy: true}))
	}
}

func dnsOpenCapture(in io.Reader, ng bool) (gopacket.PacketDataSource, gopacket.Decoder, error) {
	if ng {
		r, err := pcapgo.NewNgReader(in, pcapgo.DefaultNgReaderOptions)
		if err != nil {
			return nil, nil, err
		}
		return r, r.LinkType(), nil
	}
	r, err := pcapgo.NewReader(in)
	if err != nil {
		return nil, nil, err
	}
	return r, r.LinkType(), nil
}

// dnsCapturedMessages returns up to limit UDP payloads of captures with unusual DNS
// messages, none if there are no captures.
func dnsCapturedMessages(t testing.TB, limit int) (msgs [][]byte) {
	dir, ok := dnsCaptureDir(t)
	if !ok {
		return nil
	}
	for _, name := range []string{
		"zeek_dns-edns-ecs-bad", "sv_dns-udp-junkrequest-first", "pfl_dns_response_2", "zeek_ech",
		"zeek_naptr", "ja4_sshv1", "zeek_dns-edns-ecs", "sv_bug-1158",
	} {
		dnsEachPacket(t, filepath.Join(dir, name+".pcap"), func(p gopacket.Packet) {
			if udp, ok := p.Layer(layers.LayerTypeUDP).(*layers.UDP); ok && len(msgs) < limit && len(udp.Payload) > 0 {
				msgs = append(msgs, bytes.Clone(udp.Payload))
			}
		})
	}
	return msgs
}

// dnsPair is a client and a name it asked for.
type dnsPair [2]string

// TestDNSCaptures reads every DNS datagram of the captures, holds it against miekg/dns,
// and holds the names against what is known to be in them.
func TestDNSCaptures(t *testing.T) { dnsScoreCaptures(t, "dns", 97, dnsReadPacket) }

// dnsScoreCaptures reads all captures packet by packet and holds the names found
// against those expected. It must find least percent: what needs reassembly or an
// unusual link layer is missed.
func dnsScoreCaptures(t *testing.T, proto string, least int, read func(*testing.T, gopacket.Packet, map[dnsPair]bool)) {
	t.Helper()
	dir, ok := dnsCaptureDir(t)
	if !ok {
		t.Skip("no captures beside the module")
	}
	oracles, err := filepath.Glob(filepath.Join(dir, "*.oracle.json"))
	if err != nil || len(oracles) == 0 {
		t.Skip("no captures with expected values")
	}
	var required, found int
	for _, oracle := range oracles {
		name := strings.TrimSuffix(oracle, ".oracle.json")
		paths, err := filepath.Glob(name + ".pcap*")
		if err != nil || len(paths) != 1 {
			t.Fatalf("captures of %s: %v", oracle, paths)
		}
		want, allowed := dnsOraclePairs(t, oracle, proto)
		got := map[dnsPair]bool{}
		dnsEachPacket(t, paths[0], func(p gopacket.Packet) { read(t, p, got) })
		for pair := range got {
			if want[pair] {
				found++
			} else if !allowed[pair] {
				t.Errorf("%s: %s is not in the capture", filepath.Base(name), pair)
			}
		}
		required += len(want)
	}
	t.Logf("%d of %d required names found", found, required)
	if found*100 < required*least {
		t.Errorf("%d of %d required names found", found, required)
	}
}

func dnsOraclePairs(t *testing.T, path, proto string) (want, allowed map[dnsPair]bool) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var o struct{ Pairs, Neutral map[string][]dnsPair }
	if err := json.Unmarshal(b, &o); err != nil {
		t.Fatal(err)
	}
	want, allowed = map[dnsPair]bool{}, map[dnsPair]bool{}
	for _, p := range o.Pairs[proto] {
		want[p] = true
	}
	for _, p := range o.Neutral[proto] {
		allowed[p] = true
	}
	return want, allowed
}

// TestDNSOverTCPCapture reads an answer of 2048 addresses that came in many segments.
func TestDNSOverTCPCapture(t *testing.T) {
	dir, ok := dnsCaptureDir(t)
	if !ok {
		t.Skip("no captures beside the module")
	}
	var b []byte
	dnsEachPacket(t, filepath.Join(dir, "dnscol_dnsdump_udp_truncated-tcp_fragmented.pcap"), func(p gopacket.Packet) {
		if tcp, ok := p.TransportLayer().(*layers.TCP); ok && tcp.SrcPort == dnsPort {
			b = append(b, tcp.Payload...)
		}
	})
	log := new(capture.Log)
	if v := dnsMatchStream(capture.ProtoDNS, b); v != Yes {
		t.Fatalf("match %d", v)
	}
	if n, s := dnsParseStream(capture.ProtoDNS, b[:4344], false, log); s != Incomplete {
		t.Errorf("first segment: %d bytes, status %d", n, s)
	}
	n, s := dnsParseStream(capture.ProtoDNS, b, false, log)
	if s != Done || n != 2+int(binary.BigEndian.Uint16(b)) || log.Len() != 1 {
		t.Fatalf("%d of %d bytes, status %d, %d names", n, len(b), s, log.Len())
	}
	if o := log.At(0); string(o.Name) != "2048-a.size.dns.netmeister.org" || len(o.DNS.Answers) != dnsMaxAnswers || o.DNS.Malformed {
		t.Errorf("%s with %d answers, malformed %v", o.Name, len(o.DNS.Answers), o.DNS.Malformed)
	}
}

// dnsReadPacket adds what the DNS datagram in p, if it is one, names.
func dnsReadPacket(t *testing.T, p gopacket.Packet, got map[dnsPair]bool) {
	t.Helper()
	udp, ok := p.TransportLayer().(*layers.UDP)
	if !ok || len(udp.Payload) == 0 {
		return
	}
	d := dnsDatagram(capture.ProtoDNS, dnsPort, 0)
	log := new(capture.Log)
	if !d.Match(uint16(udp.SrcPort), uint16(udp.DstPort), udp.Payload) || d.Parse(udp.Payload, p.Metadata().Truncated, log) != nil {
		return
	}
	dnsCheckAgainstMiekg(t, capture.ProtoDNS, udp.Payload)
	src, dst := dnsInnermost(p).Endpoints()
	for i := range log.Len() {
		client := src
		if log.At(i).Kind == capture.Response {
			client = dst
		}
		got[dnsPair{client.String(), string(log.At(i).Name)}] = true
	}
}

// dnsInnermost returns the addresses of the last network layer of p.
func dnsInnermost(p gopacket.Packet) (f gopacket.Flow) {
	for _, l := range p.Layers() {
		if n, ok := l.(gopacket.NetworkLayer); ok {
			f = n.NetworkFlow()
		}
	}
	return f
}
