package decode

import (
	"slices"
	"testing"

	"telltale/capture"
)

// snap is the 802.2 header of IPv4.
func snap() []byte { return join([]byte{0xaa, 0xaa, 3, 0, 0, 0}, words(0x0800)) }

// dot11Bytes is a frame header: control, flags, addresses that end in 1 to 3, and
// sequence number 5.
func dot11Bytes(control, flags uint8, more ...[]byte) []byte {
	b := []byte{control, flags, 0, 0}
	for i := range uint8(3) {
		b = append(b, 2, 0, 0, 0, 0, i+1)
	}
	return join(append(b, 0x50, 0), join(more...))
}

func radiotap(present uint32, fields []byte, frame []byte) []byte {
	return join([]byte{0, 0, byte(8 + len(fields)), 0}, littleEndian(present), fields, frame)
}

func dot11Packets() []wrapped {
	data := dot11Bytes(0x08, 1, snap(), inner4())
	qos := dot11Bytes(0x88, 2, []byte{0, 0}, snap(), inner4())
	padded := dot11Bytes(0x88, 2, []byte{0, 0, 0, 0}, snap(), inner4())
	prism := join(littleEndian(0x44), littleEndian(144), make([]byte, 136), data)
	avs := join(bigEndian(0x80211001), bigEndian(64), make([]byte, 56), data)
	subframe := join([]byte{2, 0, 0, 0, 0, 8, 2, 0, 0, 0, 0, 9}, words(50), snap(), inner4())
	return []wrapped{
		{"802.11 data", 105, data, tcp4, NoTunnel, 0, 0},
		{"802.11 QoS", 105, qos, tcp4, NoTunnel, 0, 0},
		{"802.11 four addresses", 105, dot11Bytes(0x08, 3, make([]byte, 6), snap(), inner4()), tcp4, NoTunnel, 0, 0},
		{"802.11 high throughput", 105, dot11Bytes(0x88, 0x81, []byte{0, 0, 0, 0, 0, 0}, snap(), inner4()), tcp4, NoTunnel, 0, 0},
		{"802.11 row of frames", 105, dot11Bytes(0x88, 1, []byte{0x80, 0}, subframe), tcp4, NoTunnel, 0, 0},
		{"802.11 check sequence", 105, join(data, make([]byte, 4)), tcp4, NoTunnel, 0, 0},
		{"radiotap", 127, radiotap(0, nil, data), tcp4, NoTunnel, 0, 0},
		{"radiotap padded", 127, radiotap(2, []byte{0x20}, padded), tcp4, NoTunnel, 0, 0},
		{"radiotap padded, timer", 127, radiotap(3, append(make([]byte, 8), 0x30), padded), tcp4, NoTunnel, 0, 0},
		{"radiotap two words", 127, radiotap(3|1<<31, join(littleEndian(0), make([]byte, 12), []byte{0x20}), padded), tcp4, NoTunnel, 0, 0},
		{"Prism", 119, prism, tcp4, NoTunnel, 0, 0},
		{"Prism big-endian", 119, join(bigEndian(0x44), bigEndian(144), make([]byte, 136), data), tcp4, NoTunnel, 0, 0},
		{"AVS", 163, avs, tcp4, NoTunnel, 0, 0},
		{"AVS as Prism", 119, avs, tcp4, NoTunnel, 0, 0},
		{"PPI with 802.11", 192, join([]byte{0, 0, 12, 0}, littleEndian(105), make([]byte, 4), data), tcp4, NoTunnel, 0, 1},
		{"PPI with Ethernet", 192, join([]byte{0, 0, 8, 0}, littleEndian(1), innerFrame()), tcp4, NoTunnel, 0, 1},
		{"PKTAP", 258, join(littleEndian(16), littleEndian(1), littleEndian(1), make([]byte, 4), innerFrame()), tcp4, NoTunnel, 0, 1},
		{"cooked 802.11", capture.LinkSLL, sll(801, 4, data), tcp4, NoTunnel, 0, 0},
		{"cooked Prism", capture.LinkSLL, sll(802, 4, prism), tcp4, NoTunnel, 0, 0},
		{"cooked radiotap", capture.LinkSLL2, sll2(803, 4, radiotap(0, nil, data)), tcp4, NoTunnel, 0, 0},
	}
}

func TestDot11(t *testing.T) {
	checkWrapped(t, dot11Packets())
	data := dot11Bytes(0x08, 1, snap(), inner4())
	later := slices.Clone(data)
	later[22] |= 1
	tests := []struct {
		name string
		link capture.LinkType
		data []byte
		want Reason
	}{
		{"beacon", 105, dot11Bytes(0x80, 0, make([]byte, 20)), NotIP},
		{"acknowledgement", 105, []byte{0xd4, 0, 0, 0, 2, 0, 0, 0, 0, 1}, NotIP},
		{"no data", 105, dot11Bytes(0x48, 1), NotIP},
		{"encrypted", 105, dot11Bytes(0x08, 0x41, snap(), inner4()), EncapsulatedWLAN},
		{"other version", 105, dot11Bytes(0x09, 1, snap(), inner4()), BadHeader},
		{"later fragment", 105, later, FragmentDropped},
		{"EAPOL", 105, dot11Bytes(0x08, 1, []byte{0xaa, 0xaa, 3, 0, 0, 0}, words(0x888e), make([]byte, 20)), NotIP},
		{"no SNAP", 105, dot11Bytes(0x08, 1, make([]byte, 20)), NotIP},
		{"header beyond the frame", 105, dot11Bytes(0x88, 3, make([]byte, 2)), BadHeader},
		{"radiotap version 1", 127, join([]byte{1, 0, 8, 0}, make([]byte, 4), data), BadHeader},
		{"radiotap beyond the packet", 127, join([]byte{0, 0, 255, 0}, make([]byte, 4), data), BadHeader},
		{"radiotap flags beyond", 127, radiotap(3, nil, data), OK},
		{"Prism of length 0", 119, join(littleEndian(0x44), littleEndian(0), data), BadHeader},
		{"Prism too long", 119, join(littleEndian(0x44), littleEndian(0x01010101), data), BadHeader},
		{"PPI of length 7", 192, join([]byte{0, 0, 7, 0}, littleEndian(1), innerFrame()), BadHeader},
		{"PPI beyond the packet", 192, join([]byte{0, 0, 255, 0}, littleEndian(1), innerFrame()), BadHeader},
		{"PPI in PPI without end", 192, slices.Repeat(join([]byte{0, 0, 8, 0}, littleEndian(192)), 20), BadHeader},
		{"PPI of unknown type", 192, join([]byte{0, 0, 8, 0}, littleEndian(1<<31), innerFrame()), UnknownLink},
		{"PKTAP of length 8", 258, join(littleEndian(8), littleEndian(1), littleEndian(1), innerFrame()), BadHeader},
		{"PKTAP beyond the packet", 258, join(littleEndian(1<<31), littleEndian(1), littleEndian(1), innerFrame()), BadHeader},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { check(t, test.link, test.data, test.want, "") })
	}
}

// Who sends to whom depends on the direction.
func TestDot11MAC(t *testing.T) {
	address := func(n uint8) [6]byte { return [6]byte{2, 0, 0, 0, 0, n} }
	fourth := []byte{2, 0, 0, 0, 0, 4}
	tests := []struct {
		name     string
		data     []byte
		src, dst [6]byte
	}{
		{"between stations", dot11Bytes(0x08, 0, snap(), inner4()), address(2), address(1)},
		{"to the access point", dot11Bytes(0x08, 1, snap(), inner4()), address(2), address(3)},
		{"from the access point", dot11Bytes(0x08, 2, snap(), inner4()), address(3), address(1)},
		{"between access points", dot11Bytes(0x08, 3, fourth, snap(), inner4()), address(4), address(3)},
	}
	for _, test := range tests {
		if r, s := decodeOne(105, test.data); r != OK || s.SrcMAC != test.src || s.DstMAC != test.dst {
			t.Errorf("%s: %v, %x > %x, want %x > %x", test.name, r, s.SrcMAC, s.DstMAC, test.src, test.dst)
		}
	}
}
