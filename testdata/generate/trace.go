package generate

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// start is the time of the first packet: there is no clock here.
func start() time.Time { return time.Date(2026, time.March, 2, 8, 0, 0, 0, time.UTC) }

// endpoint is one end of a conversation.
type endpoint struct {
	addr netip.Addr // IPv4
	port uint16
}

// trace gathers the packets of conversations that go on at the same time.
type trace struct {
	frames   []frame
	contacts []Contact
	noise    *rand.ChaCha8 // the one source of chance
	dice     *rand.Rand    // draws from noise
	buffer   gopacket.SerializeBuffer
	ident    uint16
	err      error // the first that happened
}

func newTrace(seed uint64) *trace {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	noise := rand.NewChaCha8(key)
	return &trace{noise: noise, dice: rand.New(noise), buffer: gopacket.NewSerializeBuffer()}
}

// bytes returns n bytes of noise.
func (t *trace) bytes(n int) []byte {
	b := make([]byte, n)
	_, _ = t.noise.Read(b) // never fails
	return b
}

// between returns a duration in [low, high), whole microseconds.
func (t *trace) between(low, high time.Duration) time.Duration {
	return (low + time.Duration(t.dice.Int64N(int64(high-low)))).Truncate(time.Microsecond)
}

// contact notes what must be found.
func (t *trace) contact(client netip.Addr, protocol, name string) {
	t.contacts = append(t.contacts, Contact{Client: client, Protocol: protocol, Name: name})
}

// finish returns the capture, its packets in order of time.
func (t *trace) finish() (*Capture, error) { return t.finishOn(layers.LinkTypeEthernet) }

// finishOn is finish for frames of another link type.
func (t *trace) finishOn(link layers.LinkType) (*Capture, error) {
	if t.err != nil {
		return nil, t.err
	}
	inTime(t.frames)
	file, err := encode(t.frames, link)
	if err != nil {
		return nil, err
	}
	return &Capture{PCAP: file, Contacts: distinct(t.contacts)}, nil
}

// datagram adds a UDP packet.
func (t *trace) datagram(at time.Time, from, to endpoint, payload []byte) {
	ip := t.network(from, to, layers.IPProtocolUDP)
	udp := &layers.UDP{SrcPort: layers.UDPPort(from.port), DstPort: layers.UDPPort(to.port)}
	t.keep(udp.SetNetworkLayerForChecksum(ip))
	t.packet(at, from, to, ip, udp, gopacket.Payload(payload))
}

// segment adds a TCP packet; its ports are set here.
func (t *trace) segment(at time.Time, from, to endpoint, tcp *layers.TCP, payload []byte) {
	ip := t.network(from, to, layers.IPProtocolTCP)
	tcp.SrcPort, tcp.DstPort = layers.TCPPort(from.port), layers.TCPPort(to.port)
	t.keep(tcp.SetNetworkLayerForChecksum(ip))
	t.packet(at, from, to, ip, tcp, gopacket.Payload(payload))
}

func (t *trace) network(from, to endpoint, protocol layers.IPProtocol) *layers.IPv4 {
	t.ident++
	return &layers.IPv4{
		Version: 4, TTL: 64, Id: t.ident, Flags: layers.IPv4DontFragment, Protocol: protocol,
		SrcIP: from.addr.AsSlice(), DstIP: to.addr.AsSlice(),
	}
}

// packet adds a frame of the layers, below an Ethernet header.
func (t *trace) packet(at time.Time, from, to endpoint, above ...gopacket.SerializableLayer) {
	ethernet := &layers.Ethernet{SrcMAC: hardware(from.addr), DstMAC: hardware(to.addr), EthernetType: layers.EthernetTypeIPv4}
	all := append([]gopacket.SerializableLayer{ethernet}, above...)
	t.keep(gopacket.SerializeLayers(t.buffer, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, all...))
	data := append([]byte(nil), t.buffer.Bytes()...)
	t.frames = append(t.frames, frame{at: at, data: data, length: len(data)})
}

// keep remembers the first error.
func (t *trace) keep(err error) {
	if t.err == nil && err != nil {
		t.err = fmt.Errorf("building packet %d: %w", len(t.frames)+1, err)
	}
}

// hardware returns the address of the host, or of the router for addresses beyond it.
func hardware(addr netip.Addr) []byte {
	if !addr.IsPrivate() {
		addr = router()
	}
	a := addr.As4()
	return []byte{0x02, 0, a[0], a[1], a[2], a[3]}
}

// The network that is generated.
func router() netip.Addr { return netip.AddrFrom4([4]byte{10, 20, 40, 1}) }
func resolver() endpoint { return endpoint{router(), 53} }
func host(number int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, 20, byte(41 + number/200), byte(10 + number%200)})
}
