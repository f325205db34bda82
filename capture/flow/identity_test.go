package flow

import (
	"testing"

	"telltale/capture"
	"telltale/capture/decode"
)

// arpSegment is an ARP request of a host for another.
func arpSegment(at int64, sender byte) decode.Segment {
	b := []byte("\x00\x01\x08\x00\x06\x04\x00\x01\x52\x54\x00\x00\x00\x00\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0a\x00\x00\x01")
	b[13], b[17] = sender, sender
	return decode.Segment{Payload: b, PayloadLen: uint32(len(b)), Time: at, Packet: uint64(at), Message: capture.ProtoARP}
}

func TestRepeatedIdentities(t *testing.T) {
	tab := newTable(Config{}.withDefaults(), testRegistry)
	var log capture.Log
	feed := func(seconds int64, sender byte) int {
		log.Reset()
		s := arpSegment(seconds*1e9+1, sender)
		tab.segment(&s, s.Hash(0), decode.Message, &log)
		return log.Len()
	}
	for _, c := range []struct {
		at     int64
		sender byte
		want   int
	}{{0, 1, 1}, {1, 1, 0}, {2, 2, 1}, {59, 1, 0}, {61, 1, 1}, {62, 1, 0}, {10, 1, 1}} {
		if got := feed(c.at, c.sender); got != c.want {
			t.Errorf("host %d at %d s: %d reported, want %d", c.sender, c.at, got, c.want)
		}
	}
	s := arpSegment(200e9, 1)
	s.Payload = s.Payload[:20]
	log.Reset()
	if tab.segment(&s, 0, decode.Message, &log); log.Len() != 0 || tab.stats.Rejected != 1 {
		t.Errorf("a cut message: %d reported, %d rejected", log.Len(), tab.stats.Rejected)
	}
	n := testing.AllocsPerRun(100, func() {
		s := arpSegment(0, 3)
		log.Reset()
		tab.segment(&s, 0, decode.Message, &log)
	})
	if n > 1 { // the segment of the test itself
		t.Errorf("%v allocations", n)
	}
}

// A lease is told as often as it is given.
func TestLeasesAreNeverDropped(t *testing.T) {
	tab := newTable(Config{}.withDefaults(), testRegistry)
	var log capture.Log
	ack := make([]byte, 240)
	ack[0], ack[1], ack[2] = 2, 1, 6
	copy(ack[16:], "\x0a\x00\x00\x05")
	copy(ack[28:], "\x52\x54\x00\x00\x00\x01")
	copy(ack[236:], "\x63\x82\x53\x63")
	ack = append(ack, 53, 1, 5, 255)
	s := decode.Segment{Payload: ack, PayloadLen: uint32(len(ack)), Time: 1, Packet: 1, Protocol: protoUDP, SrcPort: 67, DstPort: 68}
	s.Src, s.Dst = [16]byte{10: 0xff, 11: 0xff, 12: 10, 15: 1}, [16]byte{10: 0xff, 11: 0xff, 12: 255, 13: 255, 14: 255, 15: 255}
	s.SrcMAC, s.DstMAC = [6]byte{0x52, 0x54, 0, 9, 9, 9}, [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	for range 3 {
		tab.segment(&s, s.Hash(0), decode.OK, &log)
	}
	if log.Len() != 3 {
		t.Fatalf("%d reported, want 3", log.Len())
	}
	o := log.At(0)
	if o.Server.String() != "10.0.0.1:67" || o.ServerMAC != s.SrcMAC || o.ClientMAC != [6]byte{} || o.ID.Addr.String() != "10.0.0.5" {
		t.Errorf("client %v %x, server %v %x, %+v", o.Client, o.ClientMAC, o.Server, o.ServerMAC, o.ID)
	}
}
