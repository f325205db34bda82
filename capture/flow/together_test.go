package flow

import (
	"testing"

	"telltale/capture"
	"telltale/capture/decode"
	"telltale/capture/proto"
)

// TestShareAllocatesNothing: dealing a batch to the workers costs no memory once the
// lists have grown.
func TestShareAllocatesNothing(t *testing.T) {
	packet := make([]byte, 28)
	packet[0], packet[3], packet[8], packet[9] = 0x45, byte(len(packet)), 64, 17
	packet[25] = 8
	conf := Config{Workers: 2}.withDefaults()
	r := runner{conf: conf, decoder: decode.New(decode.Config{})}
	reg := newRegistry(proto.Streams(), proto.Datagrams(), proto.Messages())
	for range conf.Shards {
		r.shards = append(r.shards, newTable(conf, reg))
	}
	rd := (&runner{conf: conf}).newRound()
	for i := range 300 {
		rd.batch.Packets = append(rd.batch.Packets, capture.Packet{
			Data: packet, Length: uint32(len(packet)), Ordinal: uint64(i + 1), Link: capture.LinkRaw,
		})
	}
	r.share(rd, false)
	if got := len(rd.work[0]) + len(rd.work[1]); got != len(rd.batch.Packets) {
		t.Fatalf("%d of %d packets were dealt", got, len(rd.batch.Packets))
	}
	if n := testing.AllocsPerRun(20, func() { r.share(rd, false) }); n > 0 {
		t.Errorf("%v allocations a batch", n)
	}
}
