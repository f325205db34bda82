package flow

import (
	"testing"

	"telltale/capture"
	"telltale/capture/decode"
)

// TestSpan: bytes of which the packets were held back are told by the numbers of others.
func TestSpan(t *testing.T) {
	for name, packets := range map[string][]decode.Segment{
		"by the end": {
			{Flags: decode.SYN, Seq: 99},
			{Flags: decode.ACK, Seq: 100, PayloadLen: 50},
			{Flags: decode.FIN | decode.ACK, Seq: 100_100},
		},
		"by a later segment": {
			{Flags: decode.SYN, Seq: 99}, {Flags: decode.ACK, Seq: 100, PayloadLen: 50}, {Flags: decode.ACK, Seq: 100_000, PayloadLen: 100},
		},
		"across the turn of the numbers": {
			{Flags: decode.SYN, Seq: 0xffffffef}, {Flags: decode.ACK, Seq: 0xfffffff0, PayloadLen: 50}, {Flags: decode.ACK, Seq: 100_000 - 16, PayloadLen: 0},
		},
	} {
		tab := newTable(Config{Prefiltered: true}.withDefaults(), newRegistry(nil, nil, nil))
		var log capture.Log
		for i, s := range packets {
			s.Protocol, s.SrcPort, s.DstPort, s.Packet, s.Time = protoTCP, 40000, 443, uint64(i+1), int64(i)
			tab.tcp(&s, 1, &log)
		}
		tab.end(0, 9, &log)
		f := log.At(log.Len() - 1).End
		if f.BytesOut != 100_000 || !f.Prefiltered {
			t.Errorf("%s: %d bytes, prefiltered %v", name, f.BytesOut, f.Prefiltered)
		}
	}
}

// TestSpanByAck: what the other side acknowledges was sent.
func TestSpanByAck(t *testing.T) {
	tab := newTable(Config{Prefiltered: true}.withDefaults(), newRegistry(nil, nil, nil))
	var log capture.Log
	for i, s := range []decode.Segment{
		{Flags: decode.SYN, Seq: 99, SrcPort: 40000, DstPort: 443},
		{Flags: decode.SYN | decode.ACK, Seq: 499, Ack: 100, SrcPort: 443, DstPort: 40000},
		{Flags: decode.ACK, Seq: 100, Ack: 70_500, SrcPort: 40000, DstPort: 443},
		{Flags: decode.RST, Seq: 3_000_000, Ack: 3_000_000, SrcPort: 443, DstPort: 40000},
	} {
		s.Src, s.Dst = [16]byte{1}, [16]byte{2}
		if s.SrcPort == 443 {
			s.Src, s.Dst = s.Dst, s.Src
		}
		s.Protocol, s.Packet, s.Time = protoTCP, uint64(i+1), int64(i)
		tab.tcp(&s, 1, &log)
	}
	tab.end(0, 9, &log)
	if f := log.At(log.Len() - 1).End; f.BytesIn != 70_000 || f.BytesOut != 0 {
		t.Errorf("%d bytes out, %d in", f.BytesOut, f.BytesIn)
	}
}

// TestStale: a flow that was silent too long has ended, however few packets others sent.
func TestStale(t *testing.T) {
	conf := Config{}.withDefaults()
	for _, protocol := range []uint8{protoTCP, protoUDP} {
		tab := newTable(conf, newRegistry(nil, nil, nil))
		var log capture.Log
		idle := conf.TCPIdle
		if protocol == protoUDP {
			idle = conf.UDPIdle
		}
		for i, at := range []int64{0, int64(idle), 2*int64(idle) + 1} {
			s := decode.Segment{Protocol: protocol, SrcPort: 40000, DstPort: 443, Flags: decode.ACK, PayloadLen: 100, Packet: uint64(i + 1), Time: at}
			tab.segment(&s, 1, decode.OK, &log)
		}
		if tab.stats.Flows != 2 {
			t.Errorf("protocol %d: %d flows, want 2", protocol, tab.stats.Flows)
		}
	}
}
