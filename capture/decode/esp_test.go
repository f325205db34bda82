package decode

import (
	"encoding/binary"
	"slices"
	"testing"

	"telltale/capture"
)

// esp is an ESP packet with index 0x01020304, padded to a multiple of four bytes.
func esp(vector, check int, next uint8, payload []byte) []byte {
	b := join(words(0x0102, 0x0304, 0, 1), make([]byte, vector), payload)
	n := uint8(0)
	for ; (len(b)+2)%4 != 0; n++ {
		b = append(b, n+1)
	}
	return join(append(b, n, next), slices.Repeat([]byte{0xa5}, check))
}

// signed sets the checksum at offset of a transport header between the ends of a tunnel.
func signed(protocol uint8, b []byte, offset int, addresses []byte) []byte {
	put(b, offset, 0)
	sum := checksum(checksum(uint64(protocol)+uint64(len(b)), addresses), b)
	binary.BigEndian.PutUint16(b[offset:], ^uint16(sum))
	return b
}

func espPackets() []wrapped {
	raw := capture.LinkRaw
	ends4, ends6 := join(near4.AsSlice(), far4.AsSlice()), join(near6.AsSlice(), far6.AsSlice())
	tcpOn := func(ends []byte) []byte { return signed(6, tcpBytes("hi"), 16, ends) }
	v4 := inner4()
	put(v4, 10, ^uint16(checksum(0, v4[:20])))
	const between4 = `tcp 203.0.113.1:40000 > 203.0.113.2:443 vlan 0: "hi" of 2`
	const between6 = `udp [2001:db8:ff::1]:40000 > [2001:db8:ff::2]:443 vlan 0: "hi" of 2`
	const odd = `udp 203.0.113.1:40000 > 203.0.113.2:443 vlan 0: "odd" of 3`
	return []wrapped{
		{"ESP TCP, 96-bit check", raw, on4(50, esp(0, 12, 6, tcpOn(ends4))), between4, TunnelESP, 0x01020304, 1},
		{"ESP TCP, 128-bit check", raw, on4(50, esp(0, 16, 6, tcpOn(ends4))), between4, TunnelESP, 0x01020304, 1},
		{"ESP GMAC", raw, on4(50, esp(8, 16, 6, tcpOn(ends4))), between4, TunnelESP, 0x01020304, 1},
		{"ESP UDP on IPv6", raw, on6(50, esp(0, 12, 17, signed(17, udpBytes("hi"), 6, ends6))), between6, TunnelESP, 0x01020304, 1},
		{"ESP UDP of odd length", raw, on4(50, esp(0, 12, 17, signed(17, udpBytes("odd"), 6, ends4))), odd, TunnelESP, 0x01020304, 1},
		{"ESP IPv4", raw, on4(50, esp(0, 12, 4, v4)), tcp4, TunnelESP, 0x01020304, 1},
		{"ESP IPv6", raw, on4(50, esp(0, 16, 41, inner6())), udp6, TunnelESP, 0x01020304, 1},
		{"ESP in UDP", raw, onUDP(4500, esp(0, 12, 4, v4)), tcp4, TunnelESP, 0x01020304, 1},
	}
}

func TestESP(t *testing.T) {
	checkWrapped(t, espPackets())
	ends := join(near4.AsSlice(), far4.AsSlice())
	good := func() []byte { return esp(0, 12, 6, signed(6, tcpBytes("hi"), 16, ends)) }
	change := func(at int) []byte {
		b := good()
		b[at] ^= 0x40
		return b
	}
	trailer := len(good()) - 12 - 2
	tests := []struct {
		name string
		data []byte
	}{
		{"wrong TCP checksum", change(8 + 21)},
		{"wrong TCP offset", change(8 + 12)},
		{"wrong padding", esp(0, 12, 6, join(signed(6, tcpBytes("hi"), 16, ends), []byte{9}))},
		{"padding too long", change(trailer)},
		{"other next header", change(trailer + 1)},
		{"reserved index", join(make([]byte, 4), good()[4:])},
		{"other check value", join(good(), make([]byte, 8))},
		{"UDP without checksum", esp(0, 12, 17, udpBytes("hi"))},
		{"IPv4 with a wrong checksum", esp(0, 12, 4, inner4())},
		{"IPv4 shorter than the payload", esp(0, 12, 4, join(inner4(), make([]byte, 8)))},
		{"IPv6 shorter than the payload", esp(0, 12, 41, join(inner6(), make([]byte, 8)))},
		{"too short", good()[:7]},
		{"no room for a trailer", good()[:20]},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { check(t, capture.LinkRaw, on4(50, test.data), EncapsulatedESP, "") })
	}
}

// What comes to the port of ESP in UDP and is none stays a datagram.
func TestESPOnUDP(t *testing.T) {
	for name, data := range map[string][]byte{
		"keep-alive":   {0xff},
		"key exchange": make([]byte, 60),
		"encrypted":    slices.Repeat([]byte{0xc3, 0x5a, 0x91}, 40),
	} {
		plainUDP(t, name, 4500, onUDP(4500, data))
	}
}

// Of data that looks random, practically nothing may be taken for clear text.
func TestESPEncrypted(t *testing.T) {
	data, state := make([]byte, 200), uint64(1)
	for range 200000 {
		for i := 0; i < len(data); i += 8 {
			state = state*6364136223846793005 + 1442695040888963407
			binary.LittleEndian.PutUint64(data[i:], state^state>>29)
		}
		if r, s := espOnce(data); r != EncapsulatedESP {
			t.Fatalf("%v %s from %x", r, summary(&s), data)
		}
	}
}

func espOnce(data []byte) (Reason, Segment) {
	s := Segment{Src: [16]byte{1}, Dst: [16]byte{2}}
	r := readESP(nil, &s, view{data, len(data)})
	return r, s
}
