package decode

import (
	"bytes"
	"encoding/binary"
	"testing"

	"telltale/capture"
)

// field is one field of a logged packet, in a byte order.
func field(order binary.AppendByteOrder, kind uint16, data []byte) []byte {
	b := order.AppendUint16(order.AppendUint16(nil, uint16(4+len(data))), kind)
	b = append(b, data...)
	return append(b, make([]byte, -len(data)&3)...)
}

func TestNFLOG(t *testing.T) {
	little, big := binary.AppendByteOrder(binary.LittleEndian), binary.AppendByteOrder(binary.BigEndian)
	head := func(family uint8) []byte { return []byte{family, 0, 0, 7} }
	prefix := make([]byte, 5)
	address := []byte{0, 6, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0}
	tests := []struct {
		name string
		data []byte
		want Reason
		seg  string
	}{
		{"IPv4", join(head(2), field(little, 1, prefix[:4]), field(little, 10, prefix), field(little, 9, inner4())), OK, tcp4},
		{"IPv6", join(head(10), field(little, 9, inner6())), OK, udp6},
		{"big-endian", join(head(2), field(big, 10, prefix), field(big, 9, inner4())), OK, tcp4},
		{"hardware address", join(head(2), field(big, 8, address), field(big, 9, inner4())), OK, tcp4},
		{"other family", join(head(7), field(little, 9, inner4())), NotIP, ""},
		{"no packet", join(head(2), field(little, 10, prefix)), BadHeader, ""},
		{"too many fields", join(head(2), bytes.Repeat(field(little, 10, prefix), maxNFLOGFields), field(little, 9, inner4())), BadHeader, ""},
		{"field of length 3", join(head(2), []byte{3, 0, 9, 0}, inner4()), BadHeader, ""},
		{"field beyond the end", join(head(2), []byte{200, 0, 10, 0}), BadHeader, ""},
		{"header cut", head(2)[:3], BadHeader, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { check(t, 239, test.data, test.want, test.seg) })
	}
	_, s := decodeOne(capture.LinkType(239), tests[3].data)
	if s.SrcMAC != [6]byte{2, 0, 0, 0, 0, 1} {
		t.Errorf("source %x, want the hardware address", s.SrcMAC)
	}
}
