package stream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"telltale/capture"
)

// Mirror is a capture.Source of traffic that is mirrored to this host inside another
// protocol. A datagram is handed on as the IP packet it came in, with its header made
// anew, so that it is decoded like any other tunnel and its numbers are kept.
type Mirror struct {
	conf   Config
	kind   kind
	conn   datagrams
	local  netip.AddrPort
	mu     sync.Mutex
	stats  capture.Stats // guarded by mu
	header [ipv6Header + udpHeader]byte
}

// datagrams is a socket that datagrams are read from.
type datagrams interface {
	read(b []byte) (int, netip.AddrPort, error)
	SetReadDeadline(t time.Time) error
	io.Closer
}

// kind is a protocol in which traffic is mirrored.
type kind struct {
	protocol uint8  // IP protocol
	port     uint16 // registered port, which the header made anew carries
}

const (
	protocolUDP = 17
	protocolGRE = 47
)

// kinds are the schemes of Listen.
var kinds = map[string]kind{
	"vxlan":  {protocolUDP, 4789},  // RFC 7348
	"geneve": {protocolUDP, 6081},  // RFC 8926
	"tzsp":   {protocolUDP, 37008}, // TaZmen Sniffer Protocol
	"gre":    {protocolGRE, 0},     // RFC 2784, ERSPAN in it
	"erspan": {protocolGRE, 0},
}

// Schemes returns the protocols that Listen takes, in order.
func Schemes() []string {
	var all []string
	for s := range kinds {
		all = append(all, s)
	}
	slices.Sort(all)
	return all
}

// Listen returns what is mirrored to scheme://address[:port]. GRE and ERSPAN need
// CAP_NET_RAW and have no port.
func Listen(scheme, address string, conf Config) (*Mirror, error) {
	k, ok := kinds[scheme]
	if !ok {
		return nil, fmt.Errorf("listening for mirrored traffic: unknown protocol %q: use one of %s", scheme, strings.Join(Schemes(), ", "))
	}
	m := &Mirror{conf: conf.withDefaults(), kind: k}
	if err := m.open(address); err != nil {
		return nil, fmt.Errorf("listening for %s on %s: %w", scheme, address, err)
	}
	return m, nil
}

// receiveBuffer is asked for each socket; the kernel may grant less (net.core.rmem_max).
const receiveBuffer = 32 << 20

func (m *Mirror) open(address string) error {
	if m.kind.protocol == protocolGRE {
		return m.openRaw(address)
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(strings.Trim(address, "[]"), fmt.Sprint(m.kind.port))
	}
	a, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return err
	}
	c, err := net.ListenUDP("udp", a)
	if err != nil {
		return err
	}
	_ = c.SetReadBuffer(receiveBuffer) // as much as is granted
	m.conn = udpSocket{c}
	if l, ok := c.LocalAddr().(*net.UDPAddr); ok {
		m.local = l.AddrPort()
	}
	return nil
}

func (m *Mirror) openRaw(address string) error {
	a, err := netip.ParseAddr(strings.Trim(address, "[]"))
	if err != nil {
		return fmt.Errorf("%w: write it like gre://0.0.0.0, there is no port", err)
	}
	network := "ip4:gre"
	if a.Is6() {
		network = "ip6:gre"
	}
	c, err := net.ListenIP(network, &net.IPAddr{IP: a.AsSlice()})
	if err != nil {
		return err
	}
	_ = c.SetReadBuffer(receiveBuffer)
	m.conn, m.local = rawSocket{c}, netip.AddrPortFrom(a, 0)
	return nil
}

type udpSocket struct{ *net.UDPConn }

func (s udpSocket) read(b []byte) (int, netip.AddrPort, error) { return s.ReadFromUDPAddrPort(b) }

type rawSocket struct{ *net.IPConn }

func (s rawSocket) read(b []byte) (int, netip.AddrPort, error) {
	n, from, err := s.ReadFromIP(b)
	if err != nil {
		return n, netip.AddrPort{}, err
	}
	a, _ := netip.AddrFromSlice(from.IP)
	return n, netip.AddrPortFrom(a.Unmap(), 0), nil
}

// Local returns the address that is listened on.
func (m *Mirror) Local() netip.AddrPort { return m.local }

const (
	ipv4Header = 20
	ipv6Header = 40
	udpHeader  = 8

	maxDatagram = 64 << 10
	batchBuffer = 1 << 20
)

// Next implements capture.Source: what comes until Config.Wait has passed or the batch
// is full.
func (m *Mirror) Next(b *capture.Batch) error {
	if cap(b.Buffer) < batchBuffer {
		b.Buffer = make([]byte, batchBuffer)
	}
	b.Packets = b.Packets[:0]
	if err := m.conn.SetReadDeadline(time.Unix(0, m.conf.Clock()+int64(m.conf.Wait))); err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	room := b.Buffer[:batchBuffer]
	for len(room) >= len(m.header)+maxDatagram {
		n, from, err := m.conn.read(room[len(m.header):][:maxDatagram])
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			m.count(b)
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("listening: %w", fs.ErrClosed)
		case err != nil:
			continue // an ICMP error of a datagram never sent, at most
		}
		size := m.wrap(n, from)
		begin := len(m.header) - size
		copy(room[begin:], m.header[:size])
		end := len(m.header) + n
		b.Packets = append(b.Packets, capture.Packet{
			Data: room[begin:end:end], Time: m.conf.Clock(), Length: uint32(size + n), Link: capture.LinkRaw,
		})
		room = room[end:]
	}
	m.count(b)
	return nil
}

// wrap makes the headers below a payload of n bytes and returns their length.
func (m *Mirror) wrap(n int, from netip.AddrPort) int {
	src, dst := from.Addr().Unmap(), m.local.Addr().Unmap()
	if src.Is4() && !dst.Is4() {
		dst = netip.IPv4Unspecified() // bound to all addresses of both families
	}
	be, h := binary.BigEndian, m.header[:]
	clear(h)
	size := ipv4Header
	if src.Is4() {
		h[0], h[8], h[9] = 0x45, 64, m.kind.protocol
		copy(h[12:16], src.AsSlice())
		copy(h[16:20], dst.AsSlice())
	} else {
		size = ipv6Header
		h[0], h[6], h[7] = 0x60, m.kind.protocol, 64
		from16, to16 := src.As16(), dst.As16()
		copy(h[8:24], from16[:])
		copy(h[24:40], to16[:])
	}
	if m.kind.protocol == protocolUDP {
		u := h[size:]
		be.PutUint16(u[0:], from.Port())
		be.PutUint16(u[2:], m.kind.port)
		be.PutUint16(u[4:], uint16(udpHeader+n))
		size += udpHeader
	}
	if src.Is4() {
		be.PutUint16(h[2:], uint16(min(size+n, 65535)))
	} else {
		be.PutUint16(h[4:], uint16(min(size+n-ipv6Header, 65535)))
	}
	return size
}

func (m *Mirror) count(b *capture.Batch) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stats.Packets += uint64(len(b.Packets))
	for i := range b.Packets {
		m.stats.Bytes += uint64(len(b.Packets[i].Data))
	}
	m.stats.Read = int64(m.stats.Bytes)
}

// Stats implements capture.Source. Dropped are datagrams that found the socket's buffer
// full, where the kernel tells.
func (m *Mirror) Stats() capture.Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.stats
	s.Dropped = socketDrops(m.kind.protocol, m.local)
	return s
}

// Close implements capture.Source.
func (m *Mirror) Close() error { return m.conn.Close() }
