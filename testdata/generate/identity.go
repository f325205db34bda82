package generate

import (
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/miekg/dns"
)

// station is a host of the local network with its hardware address.
type station struct {
	mac  [6]byte
	addr netip.Addr
}

func stationOf(mac [6]byte, last byte) station {
	return station{mac, netip.AddrFrom4([4]byte{10, 20, 30, last})}
}

// all is where broadcasts and multicasts go.
func all() [6]byte { return [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff} }

// Identity returns messages by which hosts of a local network say who they are, one of
// each protocol: a camera, a phone, a switch, a recorder and a PC. The PC looks a vendor's
// name up, gets another address by DHCP, and looks it up again; its old address goes to
// another host, which does the same. One of the questions is in a tunnel.
func Identity() (*Capture, error) {
	t := &local{trace: newTrace(1), at: start()}
	camera := stationOf([6]byte{0x28, 0x57, 0xbe, 1, 2, 3}, 64)
	phone := stationOf([6]byte{0x00, 0x18, 0x82, 1, 2, 3}, 8)
	pc := stationOf([6]byte{0x52, 0x54, 0, 1, 2, 3}, 7)
	other := stationOf([6]byte{0x52, 0x54, 0, 1, 2, 4}, 7)
	t.join(camera, "camera-1", "udhcp 1.22.1")
	t.announce(camera)
	t.discover(camera, pc)
	t.join(phone, "HUAWEI_P30-9e8b07efe8", "HUAWEI:android:ELE")
	t.neighbours()
	t.join(pc, "PC-7", "MSFT 5.0")
	t.netbios(pc)
	t.ask(pc)
	t.lease(layers.DHCPMsgTypeAck, pc.mac, netip.MustParseAddr("10.20.30.9"))
	pc.addr = netip.MustParseAddr("10.20.30.9")
	t.ask(pc)
	t.join(other, "PC-8", "MSFT 5.0")
	t.ask(other)
	t.tunnel(pc)
	return t.finish()
}

// local builds frames of a local network, a tenth of a second apart.
type local struct {
	*trace
	at time.Time
}

// dhcpServer answers DHCP and DNS.
func dhcpServer() station { return stationOf([6]byte{0x52, 0x54, 0, 0, 0, 1}, 1) }

// frame adds a frame of the layers above Ethernet.
func (t *local) frame(from, to [6]byte, kind layers.EthernetType, above ...gopacket.SerializableLayer) {
	stack := append([]gopacket.SerializableLayer{&layers.Ethernet{SrcMAC: from[:], DstMAC: to[:], EthernetType: kind}}, above...)
	t.keep(gopacket.SerializeLayers(t.buffer, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, stack...))
	data := append([]byte(nil), t.buffer.Bytes()...)
	t.frames = append(t.frames, frame{at: t.at, data: data, length: len(data)})
	t.at = t.at.Add(100 * time.Millisecond)
}

// udp adds a datagram from a station; to is 255.255.255.255, a group or a host.
func (t *local) udp(from station, source uint16, toMAC [6]byte, to string, port uint16, payload []byte) {
	a, b := endpoint{from.addr, source}, endpoint{netip.MustParseAddr(to), port}
	ip := t.network(a, b, layers.IPProtocolUDP)
	udp := &layers.UDP{SrcPort: layers.UDPPort(a.port), DstPort: layers.UDPPort(b.port)}
	t.keep(udp.SetNetworkLayerForChecksum(ip))
	t.frame(from.mac, toMAC, layers.EthernetTypeIPv4, ip, udp, gopacket.Payload(payload))
}

// join adds the four messages by which a host gets its address, and its announcement.
func (t *local) join(s station, name, class string) {
	for _, step := range [][2]layers.DHCPMsgType{
		{layers.DHCPMsgTypeDiscover, layers.DHCPMsgTypeOffer}, {layers.DHCPMsgTypeRequest, layers.DHCPMsgTypeAck},
	} {
		kind, answer := step[0], step[1]
		options := layers.DHCPOptions{
			layers.NewDHCPOption(layers.DHCPOptMessageType, []byte{byte(kind)}),
			layers.NewDHCPOption(layers.DHCPOptHostname, []byte(name)),
			layers.NewDHCPOption(layers.DHCPOptClassID, []byte(class)),
			layers.NewDHCPOption(layers.DHCPOptClientID, append([]byte{1}, s.mac[:]...)),
			layers.NewDHCPOption(layers.DHCPOptParamsRequest, []byte{1, 3, 6, 15, 43}),
		}
		if kind == layers.DHCPMsgTypeRequest {
			options = append(options, layers.NewDHCPOption(layers.DHCPOptRequestIP, s.addr.AsSlice()))
		}
		m := &layers.DHCPv4{Operation: layers.DHCPOpRequest, HardwareType: layers.LinkTypeEthernet, HardwareLen: 6, ClientHWAddr: s.mac[:], Options: options}
		nobody := station{s.mac, netip.IPv4Unspecified()}
		t.udp(nobody, 68, all(), "255.255.255.255", 67, t.bytesOf(m))
		t.lease(answer, s.mac, s.addr)
	}
	t.frame(s.mac, all(), layers.EthernetTypeARP, &layers.ARP{
		AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4, HwAddressSize: 6, ProtAddressSize: 4, Operation: layers.ARPRequest,
		SourceHwAddress: s.mac[:], SourceProtAddress: s.addr.AsSlice(), DstHwAddress: make([]byte, 6), DstProtAddress: s.addr.AsSlice(),
	})
}

// lease adds what the DHCP server says of an address.
func (t *local) lease(kind layers.DHCPMsgType, mac [6]byte, addr netip.Addr) {
	m := &layers.DHCPv4{
		Operation: layers.DHCPOpReply, HardwareType: layers.LinkTypeEthernet, HardwareLen: 6, ClientHWAddr: mac[:], YourClientIP: addr.AsSlice(),
		Options: layers.DHCPOptions{layers.NewDHCPOption(layers.DHCPOptMessageType, []byte{byte(kind)})},
	}
	t.udp(dhcpServer(), 67, all(), "255.255.255.255", 68, t.bytesOf(m))
}

func (t *local) bytesOf(l gopacket.SerializableLayer) []byte {
	b := gopacket.NewSerializeBuffer()
	t.keep(l.SerializeTo(b, gopacket.SerializeOptions{FixLengths: true}))
	return b.Bytes()
}

// announce adds what a camera tells everybody: mDNS, SSDP, WS-Discovery.
func (t *local) announce(s station) {
	m := &dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Authoritative: true}}
	for _, r := range []string{
		`_http._tcp.local. 4500 IN PTR Front\ door._http._tcp.local.`,
		`Front\ door._http._tcp.local. 120 IN SRV 0 0 80 camera-1.local.`,
		`Front\ door._http._tcp.local. 4500 IN TXT "md=DS-2CD2143G2-I"`,
		"camera-1.local. 120 IN A 10.20.30.64",
	} {
		rr, err := dns.NewRR(r)
		t.keep(err)
		m.Answer = append(m.Answer, rr)
	}
	b, err := m.Pack()
	t.keep(err)
	t.udp(s, 5353, [6]byte{1, 0, 0x5e, 0, 0, 0xfb}, "224.0.0.251", 5353, b)
	t.udp(s, 1900, [6]byte{1, 0, 0x5e, 0x7f, 0xff, 0xfa}, "239.255.255.250", 1900, []byte("NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"+
		"LOCATION: http://10.20.30.64:49152/upnp.xml\r\nNT: upnp:rootdevice\r\nNTS: ssdp:alive\r\nSERVER: Linux/3.10 UPnP/1.0 Hikvision/V5.7.15\r\nUSN: uuid:44194e2a::upnp:rootdevice\r\n\r\n"))
	t.udp(s, 3702, [6]byte{1, 0, 0x5e, 0x7f, 0xff, 0xfa}, "239.255.255.250", 3702, []byte(`<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header>`+
		`<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Hello</a:Action></s:Header><s:Body><d:Hello><a:EndpointReference><a:Address>urn:uuid:44194e2a</a:Address></a:EndpointReference>`+
		`<d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/hardware/DS-2CD2143G2-I</d:Scopes><d:XAddrs>http://10.20.30.64/onvif/device_service</d:XAddrs></d:Hello></s:Body></s:Envelope>`))
}

// discover adds the search of makers' tools on a PC, and the answers.
func (t *local) discover(s, asking station) {
	group := [6]byte{1, 0, 0x5e, 0x7f, 0xff, 0xfa}
	t.udp(asking, 37020, group, "239.255.255.250", 37020, []byte(`<?xml version="1.0" encoding="utf-8"?><Probe><Uuid>1</Uuid><Types>inquiry</Types></Probe>`))
	t.udp(s, 37020, group, "239.255.255.250", 37020, []byte(`<?xml version="1.0" encoding="UTF-8"?><ProbeMatch><Uuid>1</Uuid><Types>inquiry</Types><DeviceType>141945</DeviceType>`+
		`<DeviceDescription>DS-2CD2143G2-I</DeviceDescription><DeviceSN>DS-2CD2143G2-I0120230101AAWR000000001</DeviceSN><MAC>28-57-be-01-02-03</MAC>`+
		`<IPv4Address>10.20.30.64</IPv4Address><SoftwareVersion>V5.7.15build 230313</SoftwareVersion></ProbeMatch>`))
	recorder := stationOf([6]byte{0x52, 0x54, 0, 7, 7, 7}, 77)
	text := `{"mac":"52:54:00:07:07:07","method":"client.notifyDevInfo","params":{"deviceInfo":{"DeviceType":"X-1","IPv4Address":{"IPAddress":"10.20.30.77"},"SerialNo":"0001","Version":"1.0"}}}`
	head := make([]byte, 32)
	head[0], head[16], head[24] = 32, byte(len(text)), byte(len(text))
	copy(head[4:], "DHIP")
	t.udp(recorder, 37810, asking.mac, asking.addr.String(), 37810, append(head, text...))
}

// neighbours adds what switches and hosts say below IPv4: LLDP, CDP, IPv6 neighbour
// discovery.
func (t *local) neighbours() {
	sw := [6]byte{0x00, 0xe0, 0xfc, 1, 2, 3}
	t.frame(sw, [6]byte{1, 0x80, 0xc2, 0, 0, 0x0e}, layers.EthernetTypeLinkLayerDiscovery, gopacket.Payload(
		"\x02\x07\x04\x00\xe0\xfc\x01\x02\x03"+"\x04\x06\x05Gi0/2"+"\x06\x02\x00\x78"+"\x0a\x04sw-1"+
			"\x0c\x29Huawei Versatile Routing Platform V5.170 "+"\x0e\x04\x00\x14\x00\x04"+"\x10\x0c\x05\x01\x0a\x14\x1e\x02\x02\x00\x00\x00\x01\x00"+"\x00\x00"))
	cdp := "\x02\xb4\x00\x00" + "\x00\x01\x00\x08sw-2" + "\x00\x03\x00\x09Gi0/1" + "\x00\x04\x00\x08\x00\x00\x00\x28" + "\x00\x05\x00\x0cIOS 15.2" + "\x00\x06\x00\x0cWS-C2960"
	t.frame([6]byte{0x52, 0x54, 0, 8, 8, 8}, [6]byte{1, 0, 0x0c, 0xcc, 0xcc, 0xcc}, layers.EthernetType(8+len(cdp)),
		gopacket.Payload("\xaa\xaa\x03\x00\x00\x0c\x20\x00"+cdp))
	mac := [6]byte{0x52, 0x54, 0, 1, 2, 3}
	source, target := net.ParseIP("2001:db8:20::7"), net.ParseIP("ff02::1")
	ip := &layers.IPv6{Version: 6, HopLimit: 255, NextHeader: layers.IPProtocolICMPv6, SrcIP: source, DstIP: target}
	icmp := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(layers.ICMPv6TypeNeighborAdvertisement, 0)}
	t.keep(icmp.SetNetworkLayerForChecksum(ip))
	t.frame(mac, [6]byte{0x33, 0x33, 0, 0, 0, 1}, layers.EthernetTypeIPv6, ip, icmp, &layers.ICMPv6NeighborAdvertisement{
		Flags: 0x20, TargetAddress: source, Options: layers.ICMPv6Options{{Type: layers.ICMPv6OptTargetAddress, Data: mac[:]}},
	})
	six := &layers.IPv6{Version: 6, HopLimit: 1, NextHeader: layers.IPProtocolUDP, SrcIP: net.ParseIP("fe80::7"), DstIP: net.ParseIP("ff02::1:2")}
	udp := &layers.UDP{SrcPort: 546, DstPort: 547}
	t.keep(udp.SetNetworkLayerForChecksum(six))
	t.frame(mac, [6]byte{0x33, 0x33, 0, 1, 0, 2}, layers.EthernetTypeIPv6, six, udp, gopacket.Payload(
		"\x01abc\x00\x01\x00\x0a\x00\x03\x00\x01\x52\x54\x00\x01\x02\x03\x00\x27\x00\x07\x00\x04PC-7\x00\x00\x10\x00\x0e\x00\x00\x01\x37\x00\x08MSFT 5.0"))
}

// netbios adds the registration of a PC's name and a datagram from it.
func (t *local) netbios(s station) {
	name := netbiosName("PC-7", 0)
	record := "\x00\x20\x00\x01\x00\x00\x00\x3c\x00\x06\x00\x00" + string(s.addr.AsSlice())
	t.udp(s, 137, all(), "10.20.30.255", 137, []byte("\x00\x01\x29\x10\x00\x01\x00\x00\x00\x00\x00\x01"+name+"\x00\x20\x00\x01\xc0\x0c"+record))
	t.udp(s, 138, all(), "10.20.30.255", 138, []byte("\x11\x02\x00\x01"+string(s.addr.AsSlice())+"\x00\x8a\x00\x44\x00\x00"+netbiosName("PC-7", 0x20)+netbiosName("WORKGROUP", 0x1d)))
}

// netbiosName encodes a name and its suffix (RFC 1001 §14.1).
func netbiosName(name string, suffix byte) string {
	var b strings.Builder
	b.WriteByte(32)
	for _, c := range []byte(name + strings.Repeat(" ", 15-len(name)) + string(rune(suffix))) {
		b.WriteByte('A' + c>>4)
		b.WriteByte('A' + c&15)
	}
	b.WriteByte(0)
	return b.String()
}

// question is a query for a name that only an installed product asks for.
func (t *local) question() []byte {
	m := &dns.Msg{}
	m.SetQuestion("s00.upd.kaspersky.com.", dns.TypeA)
	m.Id = 7
	b, err := m.Pack()
	t.keep(err)
	return b
}

func (t *local) ask(s station) {
	t.contact(s.addr, "dns", "s00.upd.kaspersky.com")
	t.udp(s, 50000, dhcpServer().mac, "10.20.30.1", 53, t.question())
	t.at = t.at.Add(10 * time.Minute)
}

// tunnel adds the question in VXLAN, as a switch mirrors it to a sensor.
func (t *local) tunnel(s station) {
	inner := &local{trace: newTrace(2), at: t.at}
	inner.udp(s, 50000, dhcpServer().mac, "10.20.30.1", 53, t.question())
	t.keep(inner.err)
	mirror := station{[6]byte{0x52, 0x54, 0, 9, 9, 9}, netip.MustParseAddr("192.0.2.1")}
	t.udp(mirror, 40000, [6]byte{0x52, 0x54, 0, 9, 9, 8}, "192.0.2.2", 4789, append([]byte("\x08\x00\x00\x00\x00\x00\x2a\x00"), inner.frames[0].data...))
}
