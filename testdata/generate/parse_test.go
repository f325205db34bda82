package generate

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/miekg/dns"
	"golang.org/x/crypto/cryptobyte"
)

// parsed is a capture as gopacket sees it.
type parsed struct {
	packets []gopacket.Packet
	frames  []frame
}

func parse(t *testing.T, capture []byte) parsed {
	t.Helper()
	frames, link, err := decode(capture)
	if err != nil {
		t.Fatal(err)
	}
	p := parsed{frames: frames}
	for i, f := range frames {
		packet := gopacket.NewPacket(f.data, link, gopacket.Default)
		if e := packet.ErrorLayer(); e != nil {
			t.Fatalf("packet %d: %v", i+1, e.Error())
		}
		p.packets = append(p.packets, packet)
	}
	return p
}

// streams returns what each direction of each TCP connection carried, by "from>to".
// Bytes are put where their sequence number says, so order and cuts do not matter.
func (p parsed) streams() map[string]string {
	type piece struct {
		seq  uint32
		data []byte
	}
	first := map[string]uint32{}
	all := map[string][]piece{}
	for _, packet := range p.packets {
		tcp, ok := packet.Layer(layers.LayerTypeTCP).(*layers.TCP)
		if !ok {
			continue
		}
		n, s := packet.NetworkLayer().NetworkFlow(), tcp.TransportFlow()
		key := fmt.Sprintf("%v:%v>%v:%v", n.Src(), s.Src(), n.Dst(), s.Dst())
		if tcp.SYN {
			first[key] = tcp.Seq + 1
		}
		if len(tcp.Payload) > 0 {
			all[key] = append(all[key], piece{tcp.Seq, tcp.Payload})
		}
	}
	out := map[string]string{}
	for key, pieces := range all {
		slices.SortFunc(pieces, func(a, b piece) int { return int(int32(a.seq - b.seq)) })
		var stream []byte
		for _, x := range pieces {
			if at := int(x.seq - first[key]); at == len(stream) {
				stream = append(stream, x.data...)
			}
		}
		out[key] = string(stream)
	}
	return out
}

// contacts finds what Capture.Contacts lists, in the packets alone.
func (p parsed) contacts(t *testing.T) []Contact {
	t.Helper()
	var found []Contact
	for _, packet := range p.packets {
		src := netip.MustParseAddr(packet.NetworkLayer().NetworkFlow().Src().String())
		if udp, ok := packet.Layer(layers.LayerTypeUDP).(*layers.UDP); ok && udp.DstPort == 53 {
			var m dns.Msg
			if err := m.Unpack(udp.Payload); err != nil {
				t.Fatalf("DNS message: %v", err)
			}
			found = append(found, Contact{src, "dns", m.Question[0].Name[:len(m.Question[0].Name)-1]})
		}
	}
	for key, stream := range p.streams() {
		ends := key[:slices.Index([]byte(key), '>')]
		src := netip.MustParseAddrPort(ends).Addr()
		switch {
		case stream[0] == recordHandshake && stream[5] == messageClient:
			found = append(found, Contact{src, "tls", parseHello(t, stream).name})
		case stream[:3] == "GET":
			found = append(found, Contact{src, "http", UpdateServer().String()})
		}
	}
	return distinct(found)
}

// shape is what tells clients apart in a hello, GREASE written as 0x0a0a.
type shape struct {
	name                          string
	ciphers, groups, signatures   []uint16
	extensions                    []uint16 // sorted
	alpn                          string
	firstExtension, lastExtension uint16
}

// parseHello reads the ClientHello at the start of a stream.
func parseHello(t *testing.T, stream string) (h shape) {
	t.Helper()
	record := cryptobyte.String(stream)
	var kind uint8
	var version uint16
	var message, body, session, ciphers, compression, extensions cryptobyte.String
	if !record.ReadUint8(&kind) || !record.ReadUint16(&version) || !record.ReadUint16LengthPrefixed(&message) ||
		!message.ReadUint8(&kind) || !message.ReadUint24LengthPrefixed(&body) || !message.Empty() ||
		!body.Skip(34) || !body.ReadUint8LengthPrefixed(&session) || !body.ReadUint16LengthPrefixed(&ciphers) ||
		!body.ReadUint8LengthPrefixed(&compression) || !body.ReadUint16LengthPrefixed(&extensions) || !body.Empty() {
		t.Fatalf("not a whole ClientHello: %x", stream[:min(len(stream), 80)])
	}
	h.ciphers = numbers(ciphers)
	for !extensions.Empty() {
		var ext uint16
		var data cryptobyte.String
		if !extensions.ReadUint16(&ext) || !extensions.ReadUint16LengthPrefixed(&data) {
			t.Fatal("broken extensions")
		}
		h.extensions = append(h.extensions, masked(ext))
		switch ext {
		case extServerName:
			h.name = string(data[5:])
		case extSupportedGroups:
			h.groups = numbers(data[2:])
		case extSignatureAlgorithms:
			h.signatures = numbers(data[2:])
		case extALPN:
			h.alpn = string(data)
		}
	}
	h.firstExtension, h.lastExtension = h.extensions[0], h.extensions[len(h.extensions)-1]
	slices.Sort(h.extensions)
	return h
}

func numbers(b []byte) (list []uint16) {
	for ; len(b) > 1; b = b[2:] {
		list = append(list, masked(binary.BigEndian.Uint16(b)))
	}
	return list
}

// masked writes every GREASE number alike (RFC 8701 §2).
func masked(n uint16) uint16 {
	if n&0x0f0f == 0x0a0a && n>>8 == n&0xff {
		return 0x0a0a
	}
	return n
}

// whole puts IPv4 fragments that carry TCP together again, if each comes once and in
// order; every other packet stays as it is.
func (p parsed) whole(t *testing.T) parsed {
	t.Helper()
	type datagram struct {
		from, to string
		ident    uint16
	}
	held := map[datagram][]byte{}
	var out parsed
	for i, packet := range p.packets {
		ip, ok := packet.Layer(layers.LayerTypeIPv4).(*layers.IPv4)
		more := ok && ip.Flags&layers.IPv4MoreFragments != 0
		if !ok || ip.Protocol != layers.IPProtocolTCP || !more && ip.FragOffset == 0 {
			out.packets = append(out.packets, packet)
			continue
		}
		key := datagram{ip.SrcIP.String(), ip.DstIP.String(), ip.Id}
		if int(ip.FragOffset)*8 != len(held[key]) {
			t.Fatalf("packet %d: fragment at %d, %d bytes came before", i+1, int(ip.FragOffset)*8, len(held[key]))
		}
		held[key] = append(held[key], ip.Payload...)
		if more {
			continue
		}
		head := *ip
		head.FragOffset = 0
		buffer := gopacket.NewSerializeBuffer()
		err := gopacket.SerializeLayers(buffer, gopacket.SerializeOptions{FixLengths: true}, &head, gopacket.Payload(held[key]))
		if err != nil {
			t.Fatal(err)
		}
		delete(held, key)
		out.packets = append(out.packets, gopacket.NewPacket(buffer.Bytes(), layers.LayerTypeIPv4, gopacket.Default))
	}
	if len(held) > 0 {
		t.Errorf("%d packets lack their last fragment", len(held))
	}
	return out
}
