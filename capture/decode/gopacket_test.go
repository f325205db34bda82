package decode

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"telltale/capture"
)

// oracle decodes with gopacket the layers that both it and this package know well.
type oracle struct {
	parsers map[capture.LinkType]*gopacket.DecodingLayerParser
	decoded []gopacket.LayerType
	eth     layers.Ethernet
	tag     layers.Dot1Q
	ip4     layers.IPv4
	ip6     layers.IPv6
	tcp     layers.TCP
	udp     layers.UDP
}

func newOracle() *oracle {
	o := &oracle{parsers: map[capture.LinkType]*gopacket.DecodingLayerParser{}}
	for link, first := range map[capture.LinkType]gopacket.LayerType{
		capture.LinkEthernet: layers.LayerTypeEthernet,
		capture.LinkIPv4:     layers.LayerTypeIPv4,
		capture.LinkIPv6:     layers.LayerTypeIPv6,
	} {
		o.parsers[link] = gopacket.NewDecodingLayerParser(first, &o.eth, &o.tag, &o.ip4, &o.ip6, &o.tcp, &o.udp)
	}
	return o
}

// decode returns the summary of a packet that gopacket reads down to TCP or UDP,
// "" of any other. Its panics on hostile packets count as not read.
func (o *oracle) decode(link capture.LinkType, b []byte) (text string) {
	if link == capture.LinkRaw {
		link = map[byte]capture.LinkType{4: capture.LinkIPv4, 6: capture.LinkIPv6}[b[0]>>4]
	}
	parser := o.parsers[link]
	if parser == nil {
		return ""
	}
	defer func() {
		if recover() != nil {
			text = ""
		}
	}()
	_ = parser.DecodeLayers(b, &o.decoded)
	return o.summary()
}

func (o *oracle) summary() string {
	var s Segment
	ips, vlan := 0, uint16(0)
	for _, layer := range o.decoded {
		switch layer {
		case layers.LayerTypeDot1Q:
			vlan = o.tag.VLANIdentifier
		case layers.LayerTypeIPv4:
			ips++
			if o.ip4.Version != 4 || o.ip4.FragOffset != 0 || o.ip4.Flags&layers.IPv4MoreFragments != 0 {
				return ""
			}
			s.Src, s.Dst = [16]byte(o.ip4.SrcIP.To16()), [16]byte(o.ip4.DstIP.To16())
		case layers.LayerTypeIPv6:
			ips++
			if o.ip6.HopByHop != nil { // it forgets to take this header off the length
				return ""
			}
			s.Src, s.Dst = [16]byte(o.ip6.SrcIP), [16]byte(o.ip6.DstIP)
		}
	}
	if n := len(o.decoded); ips != 1 || n == 0 || !o.transport(o.decoded[n-1], &s) {
		return ""
	}
	s.VLAN, s.PayloadLen = vlan, uint32(len(s.Payload))
	return fmt.Sprintf("%s seq %d ack %d", summary(&s), s.Seq, s.Ack)
}

func (o *oracle) transport(layer gopacket.LayerType, s *Segment) bool {
	switch layer {
	case layers.LayerTypeTCP:
		s.Protocol, s.SrcPort, s.DstPort = 6, uint16(o.tcp.SrcPort), uint16(o.tcp.DstPort)
		s.Seq, s.Ack, s.Payload = o.tcp.Seq, o.tcp.Ack, o.tcp.Payload
	case layers.LayerTypeUDP:
		s.Protocol, s.SrcPort, s.DstPort, s.Payload = 17, uint16(o.udp.SrcPort), uint16(o.udp.DstPort), o.udp.Payload
	default:
		return false
	}
	return true
}

// captures returns the directory of captures beside the project; it skips the test
// where there is none.
func captures(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		path := filepath.Join(dir, "shared", "captures")
		if _, err := os.Stat(path); err == nil {
			return path
		}
		if dir == filepath.Dir(dir) {
			t.Skip("no captures beside the project")
		}
		dir = filepath.Dir(dir)
	}
}

// readCapture calls each for the packets of a file as far as it can be read.
func readCapture(path string, each func(p *capture.Packet)) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var in io.Reader = bufio.NewReader(f)
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(in); err != nil {
			return err
		}
	}
	next, err := packetReader(in)
	if err != nil {
		return err
	}
	for n := uint64(1); ; n++ {
		b, ci, link, err := next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		each(&capture.Packet{
			Data: b, Length: uint32(ci.Length), Time: ci.Timestamp.UnixNano(),
			Ordinal: n, Link: link,
		})
	}
}

type nextPacket func() ([]byte, gopacket.CaptureInfo, capture.LinkType, error)

// classicReader reads pcap. Its reader keeps eight bits of the link type only.
func classicReader(in *bufio.Reader) (nextPacket, error) {
	header, err := in.Peek(24)
	if err != nil {
		return nil, err
	}
	link := binary.LittleEndian.Uint32(header[20:])
	if header[0] == 0xa1 {
		link = binary.BigEndian.Uint32(header[20:])
	}
	r, err := pcapgo.NewReader(in)
	if err != nil {
		return nil, err
	}
	return func() ([]byte, gopacket.CaptureInfo, capture.LinkType, error) {
		b, ci, err := r.ReadPacketData()
		return b, ci, capture.LinkType(link), err
	}, nil
}

func packetReader(in io.Reader) (nextPacket, error) {
	buffered := bufio.NewReader(in)
	magic, err := buffered.Peek(4)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(magic, []byte{0x0a, 0x0d, 0x0d, 0x0a}) {
		return classicReader(buffered)
	}
	r, err := pcapgo.NewNgReader(buffered, pcapgo.NgReaderOptions{WantMixedLinkType: true})
	if err != nil {
		return nil, err
	}
	return func() ([]byte, gopacket.CaptureInfo, capture.LinkType, error) {
		b, ci, err := r.ReadPacketData()
		if err != nil {
			return nil, ci, 0, err
		}
		i, err := r.Interface(ci.InterfaceIndex)
		return b, ci, capture.LinkType(i.LinkType), err
	}, nil
}

// tally counts how the two decoders agree.
type tally struct {
	both, alone, wrong int
	reasons            [ReasonCount]uint64
}

func (c *tally) compare(t *testing.T, name string, o *oracle, d *Decoder, p *capture.Packet) {
	t.Helper()
	var s Segment
	r := d.Decode(p, &s)
	c.reasons[r]++
	want := ""
	if len(p.Data) > 0 {
		want = o.decode(p.Link, p.Data)
	}
	if want == "" || s.Tunnel != NoTunnel { // the oracle knows no tunnels
		if r == OK {
			c.alone++
		}
		return
	}
	s.PayloadLen = uint32(len(s.Payload)) // gopacket does not know it
	got := fmt.Sprintf("%s seq %d ack %d", summary(&s), s.Seq, s.Ack)
	if r == OK && got == want {
		c.both++
		return
	}
	if c.wrong++; c.wrong < 10 {
		t.Errorf("%s packet %d: %v\n got %.200s\nwant %.200s", name, p.Ordinal, r, got, want)
	}
}

// Every packet of the captures that gopacket reads gives the same segment here.
func TestCapturesLikeGopacket(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(captures(t), "*.pcap*"))
	if err != nil {
		t.Fatal(err)
	}
	o, d, files := newOracle(), New(Config{}), 0
	var c tally
	for _, path := range paths {
		name := filepath.Base(path)
		if err := readCapture(path, func(p *capture.Packet) { c.compare(t, name, o, d, p) }); err != nil {
			t.Logf("%s: %v", name, err)
		}
		files++
		d.Release()
	}
	if c.both == 0 {
		t.Error("no packet was compared")
	}
	t.Logf("%d files: %d segments alike, %d only here, %d different", files, c.both, c.alone, c.wrong)
	for r, n := range c.reasons {
		if n > 0 {
			t.Logf("%8d %v", n, Reason(r))
		}
	}
	t.Logf("%+v", d.Stats().Fragments)
}

func TestSerializedLayers(t *testing.T) {
	eth := &layers.Ethernet{SrcMAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, DstMAC: net.HardwareAddr{2, 0, 0, 0, 0, 2}, EthernetType: layers.EthernetTypeIPv4}
	tagged := &layers.Ethernet{SrcMAC: eth.SrcMAC, DstMAC: eth.DstMAC, EthernetType: layers.EthernetTypeDot1Q}
	v4 := func(p layers.IPProtocol) *layers.IPv4 {
		return &layers.IPv4{Version: 4, TTL: 64, Protocol: p, SrcIP: source4.AsSlice(), DstIP: target4.AsSlice()}
	}
	v6 := &layers.IPv6{Version: 6, NextHeader: layers.IPProtocolTCP, SrcIP: source6.AsSlice(), DstIP: target6.AsSlice()}
	tcp := &layers.TCP{SrcPort: 40000, DstPort: 443, SYN: true, Options: []layers.TCPOption{{OptionType: layers.TCPOptionKindMSS, OptionLength: 4, OptionData: []byte{5, 0xb4}}}}
	udp := &layers.UDP{SrcPort: 40000, DstPort: 443}
	hi := gopacket.Payload("hi")
	tests := []struct {
		name   string
		link   capture.LinkType
		want   string
		layers []gopacket.SerializableLayer
	}{
		{"Ethernet IPv4 TCP", capture.LinkEthernet, tcp4, []gopacket.SerializableLayer{eth, v4(layers.IPProtocolTCP), tcp, hi}},
		{"Ethernet IPv4 UDP", capture.LinkEthernet, udp4, []gopacket.SerializableLayer{eth, v4(layers.IPProtocolUDP), udp, hi}},
		{"VLAN IPv6 TCP", capture.LinkEthernet, onVLAN(tcp6, "12"), []gopacket.SerializableLayer{tagged, &layers.Dot1Q{VLANIdentifier: 12, Type: layers.EthernetTypeIPv6}, v6, tcp, hi}},
		{"loopback IPv6 TCP", capture.LinkNull, tcp6, []gopacket.SerializableLayer{&layers.Loopback{Family: layers.ProtocolFamilyIPv6Darwin}, v6, tcp, hi}},
		{"raw IPv4 TCP", capture.LinkRaw, tcp4, []gopacket.SerializableLayer{v4(layers.IPProtocolTCP), tcp, hi}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			buffer := gopacket.NewSerializeBuffer()
			if err := gopacket.SerializeLayers(buffer, gopacket.SerializeOptions{FixLengths: true}, test.layers...); err != nil {
				t.Fatal(err)
			}
			check(t, test.link, buffer.Bytes(), OK, test.want)
		})
	}
}
