package afpacket

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"

	"telltale/capture"
)

// block makes a block of one frame as the kernel lays it out.
func block(device uint16, kind byte, status, tci uint32, data []byte) []byte {
	ne := binary.NativeEndian
	const first, mac = 48, 96
	b := make([]byte, first+mac+len(data))
	ne.PutUint32(b[blockStatus:], unix.TP_STATUS_USER)
	ne.PutUint32(b[blockCount:], 1)
	ne.PutUint32(b[blockFirst:], first)
	f := b[first:]
	ne.PutUint32(f[frameSecond:], 1)
	ne.PutUint32(f[frameNano:], 2)
	ne.PutUint32(f[frameSnap:], uint32(len(data)))
	ne.PutUint32(f[frameLength:], uint32(len(data)+100))
	ne.PutUint32(f[frameStatus:], status)
	ne.PutUint16(f[frameMAC:], mac)
	ne.PutUint16(f[frameNet:], mac+4)
	ne.PutUint32(f[frameTag:], tci)
	ne.PutUint16(f[addressDevice:], device)
	binary.BigEndian.PutUint16(f[addressProtocol:], unix.ETH_P_IP)
	f[addressKind] = kind
	copy(f[mac:], data)
	return b
}

func TestReadBlock(t *testing.T) {
	data := []byte("abcdefgh")
	for name, c := range map[string]struct {
		block []byte
		want  capture.Packet
		none  bool
	}{
		"ethernet": {block(deviceEthernet, 0, 1, 0, data), capture.Packet{Data: data, Length: 108, Link: capture.LinkEthernet}, false},
		"tagged": {
			block(deviceEthernet, 0, 1|unix.TP_STATUS_VLAN_VALID, 0xe00c, data),
			capture.Packet{Data: data, Length: 108, Link: capture.LinkEthernet, VLAN: 12},
			false,
		},
		"tag not valid":   {block(deviceEthernet, 0, 1, 0xe00c, data), capture.Packet{Data: data, Length: 108, Link: capture.LinkEthernet}, false},
		"loop, going out": {block(deviceLoopback, unix.PACKET_OUTGOING, 1, 0, data), capture.Packet{}, true},
		"loop, coming in": {block(deviceLoopback, 0, 1, 0, data), capture.Packet{Data: data, Length: 108, Link: capture.LinkEthernet}, false},
		"wireless":        {block(deviceRadiotap, 0, 1, 0, data), capture.Packet{Data: data, Length: 108, Link: linkRadiotap}, false},
		"tunnel device":   {block(65534, 0, 1, 0, data), capture.Packet{Data: data[4:], Length: 104, Link: capture.LinkRaw}, false},
	} {
		t.Run(name, func(t *testing.T) {
			list, frames := readBlock(c.block, nil)
			if frames != 1 || len(list) == 0 != c.none {
				t.Fatalf("%d frames, %d packets", frames, len(list))
			}
			if c.none {
				return
			}
			p := list[0]
			if string(p.Data) != string(c.want.Data) || p.Length != c.want.Length || p.Link != c.want.Link || p.VLAN != c.want.VLAN || p.Time != 1e9+2 {
				t.Errorf("got %+v, want %+v", p, c.want)
			}
		})
	}
	b := block(deviceEthernet, 0, 1, 0, data)
	list := make([]capture.Packet, 0, 4)
	if n := testing.AllocsPerRun(100, func() { readBlock(b, list[:0]) }); n != 0 {
		t.Errorf("%v allocations a block", n)
	}
}

// FuzzReadBlock: whatever stands in a block, what is read lies in it.
func FuzzReadBlock(f *testing.F) {
	f.Add(block(deviceEthernet, 0, 1|unix.TP_STATUS_VLAN_VALID, 12, []byte("abcdefgh")))
	f.Add(block(65534, 0, 1, 0, []byte("abcd")))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 48 {
			return
		}
		list, frames := readBlock(b, nil)
		if uint64(len(list)) > frames {
			t.Errorf("%d packets of %d frames", len(list), frames)
		}
		for _, p := range list {
			if len(p.Data) > len(b) {
				t.Errorf("a packet of %d bytes in a block of %d", len(p.Data), len(b))
			}
		}
	})
}
