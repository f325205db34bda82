package decode

import (
	"testing"

	"telltale/capture"
)

func TestRings(t *testing.T) {
	source, target := []byte{2, 0, 0, 0, 0, 1}, []byte{2, 0, 0, 0, 0, 2}
	routed := []byte{0x82, 0, 0, 0, 0, 1}
	v4, v6 := inner4(), inner6()
	tests := []struct {
		name string
		link capture.LinkType
		data []byte
		want Reason
		seg  string
	}{
		{"token ring", 6, join([]byte{0x10, 0x40}, target, source, snap(), v4), OK, tcp4},
		{"token ring, routed", 6, join([]byte{0x10, 0x40}, target, routed, []byte{6, 0, 0, 0, 0, 0}, snap(), v4), OK, tcp4},
		{"token ring management", 6, join([]byte{0x10, 0}, target, source, snap(), v4), NotIP, ""},
		{"token ring, route beyond", 6, join([]byte{0x10, 0x40}, target, routed, []byte{0x1f}), BadHeader, ""},
		{"token ring cut", 6, target, BadHeader, ""},
		{"token ring, other LLC", 6, join([]byte{0x10, 0x40}, target, source, make([]byte, 20)), NotIP, ""},
		{"FDDI", 10, join([]byte{0x51}, target, source, snap(), v4), OK, tcp4},
		{"FDDI management", 10, join([]byte{0x41}, target, source, snap(), v4), NotIP, ""},
		{"FDDI cut in LLC", 10, join([]byte{0x51}, target, source, snap()[:7]), BadHeader, ""},
		{"FDDI cut", 10, join([]byte{0x51}, target), BadHeader, ""},
		{"ARCnet, old IP", 7, join([]byte{1, 2, 240}, v4), OK, tcp4},
		{"ARCnet", 7, join([]byte{1, 2, 212, 0, 0, 9}, v4), OK, tcp4},
		{"ARCnet IPv6", 7, join([]byte{1, 2, 196, 0, 0, 9}, v6), OK, udp6},
		{"ARCnet, filled up", 7, join([]byte{1, 2, 212, 0xff, 0, 0, 0, 0, 0, 9}[:7], []byte{0, 0, 9}, v4), OK, tcp4},
		{"ARCnet of Linux", 129, join([]byte{1, 2, 9, 9, 240}, v4), OK, tcp4},
		{"ARCnet, later fragment", 7, join([]byte{1, 2, 212, 2, 0, 9}, v4), FragmentDropped, ""},
		{"ARCnet ARP", 7, join([]byte{1, 2, 213, 0, 0, 9}, v4), NotIP, ""},
		{"ARCnet cut", 7, []byte{1, 2, 212, 0}, BadHeader, ""},
		{"ARCnet cut behind filling", 7, []byte{1, 2, 212, 0xff, 0, 0, 0}, BadHeader, ""},
		{"ARCnet without type", 129, []byte{1, 2, 9, 9}, BadHeader, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { check(t, test.link, test.data, test.want, test.seg) })
	}
	_, s := decodeOne(6, join([]byte{0x10, 0x40}, target, routed, []byte{2, 0}, snap(), v4))
	if s.SrcMAC != [6]byte(source) || s.DstMAC != [6]byte(target) {
		t.Errorf("MACs %x > %x", s.SrcMAC, s.DstMAC)
	}
}
