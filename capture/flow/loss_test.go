package flow

import (
	"testing"

	"telltale/capture"
	"telltale/capture/decode"
)

// exchange is a TCP conversation seen packet by packet.
type exchange struct {
	table *table
	log   capture.Log
	n     uint64
}

func (k *exchange) send(fromServer bool, flags uint8, seq, ack uint32, payload int) {
	s := decode.Segment{
		Packet: k.n + 1, Time: int64(k.n), Protocol: protoTCP, Flags: flags, Seq: seq, Ack: ack, PayloadLen: uint32(payload),
		Src: addr4(10, 0, 0, 1), SrcPort: 40000, Dst: addr4(192, 0, 2, 1), DstPort: 9999, Payload: make([]byte, payload),
	}
	if fromServer {
		s.Src, s.Dst, s.SrcPort, s.DstPort = s.Dst, s.Src, s.DstPort, s.SrcPort
	}
	k.n++
	k.table.segment(&s, s.Hash(0), decode.OK, &k.log)
}

func TestUnseen(t *testing.T) {
	client, server := uint32(0xfffffff0), uint32(1000) // the first wraps round
	for name, c := range map[string]struct {
		window        int
		rest          func(k *exchange)
		acked, unseen uint64
	}{
		"all seen": {0, func(k *exchange) {
			k.send(false, decode.ACK, client+1, server+1, 100)
			k.send(true, decode.ACK, server+1, client+101, 0)
		}, 100, 0},
		"lost": {0, func(k *exchange) { k.send(true, decode.ACK, server+1, client+101, 0) }, 100, 100},
		"late": {0, func(k *exchange) {
			k.send(true, decode.ACK, server+1, client+101, 0)
			k.send(false, decode.ACK, client+1, server+1, 100)
		}, 100, 0},
		"sent again": {0, func(k *exchange) {
			k.send(false, decode.ACK, client+1, server+1, 100)
			k.send(false, decode.ACK, client+1, server+1, 100)
			k.send(true, decode.ACK, server+1, client+101, 0)
		}, 100, 0},
		"late, and goes on": {0, func(k *exchange) {
			k.send(true, decode.ACK, server+1, client+61, 0)
			k.send(false, decode.ACK, client+1, server+1, 100)
		}, 60, 0},
		"lost, then goes on": {0, func(k *exchange) {
			k.send(true, decode.ACK, server+1, client+61, 0)
			k.send(false, decode.ACK, client+61, server+1, 100)
			k.send(false, decode.ACK, client+261, server+1, 100)
		}, 60, 60},
		"beyond":   {50, func(k *exchange) { k.send(true, decode.ACK, server+1, client+10001, 0) }, 50, 50},
		"stray":    {0, func(k *exchange) { k.send(true, decode.ACK, server+1, client+0x7000_0000, 0) }, 0, 0},
		"one side": {0, func(k *exchange) { k.send(true, decode.ACK, server+1, client+1, 100) }, 0, 0},
		"fin is a bit": {0, func(k *exchange) {
			k.send(false, decode.ACK|decode.FIN, client+1, server+1, 0)
			k.send(true, decode.ACK, server+1, client+2, 0)
		}, 1, 0},
		"fin is late": {0, func(k *exchange) {
			k.send(false, decode.ACK, client+1, server+1, 100)
			k.send(true, decode.ACK, server+1, client+102, 0)
			k.send(false, decode.ACK|decode.FIN, client+101, server+1, 0)
		}, 101, 0},
		"all is late": {0, func(k *exchange) {
			k.send(true, decode.ACK, server+1, client+102, 0)
			k.send(false, decode.ACK|decode.FIN, client+1, server+1, 100)
		}, 101, 0},
	} {
		t.Run(name, func(t *testing.T) {
			k := exchange{table: newTable(Config{Shards: 1, Loss: true, LossWindow: c.window}.withDefaults(), testRegistry)}
			k.send(false, decode.SYN, client, 0, 0)
			if name == "one side" {
				k.table = newTable(Config{Shards: 1, Loss: true}.withDefaults(), testRegistry)
			}
			c.rest(&k)
			if s := k.table.stats; s.Acknowledged != c.acked || s.Unseen != c.unseen {
				t.Errorf("%d acknowledged, %d unseen; want %d, %d", s.Acknowledged, s.Unseen, c.acked, c.unseen)
			}
		})
	}
}
