package flow

import (
	"crypto/tls"
	"io"
	"net"
	"testing"

	"telltale/capture"
	"telltale/capture/decode"
	"telltale/capture/proto"
)

var testRegistry = newRegistry(proto.Streams(), proto.Datagrams(), proto.Messages())

// talk builds the segments of one TCP connection.
type talk struct {
	t      *table
	log    capture.Log
	packet uint64
	time   int64
	seq    [2]uint32
	port   uint16
}

func newTalk(conf Config) *talk {
	conf.Shards = 1
	return &talk{t: newTable(conf.withDefaults(), testRegistry), seq: [2]uint32{1000, 5000}, port: 443}
}

// segment makes a segment of side (0 is the client) at an offset from its next byte.
func (k *talk) segment(side int, flags uint8, offset int, payload string) decode.Segment {
	k.packet++
	k.time += 1e6
	s := decode.Segment{
		Time: k.time, Packet: k.packet, Protocol: protoTCP, Flags: flags,
		Src: addr4(10, 0, 0, 1), SrcPort: 50000, Dst: addr4(192, 0, 2, 1), DstPort: k.port,
		Seq: k.seq[side] + uint32(offset), Payload: []byte(payload), PayloadLen: uint32(len(payload)),
	}
	if side == 1 {
		s.Src, s.Dst, s.SrcPort, s.DstPort = s.Dst, s.Src, s.DstPort, s.SrcPort
	}
	return s
}

func addr4(a, b, c, d byte) [16]byte {
	return [16]byte{10: 0xff, 11: 0xff, 12: a, 13: b, 14: c, 15: d}
}

func (k *talk) feed(s decode.Segment) { k.t.segment(&s, s.Hash(0), decode.OK, &k.log) }

func (k *talk) handshake() {
	k.feed(k.segment(0, decode.SYN, -1, ""))
	k.feed(k.segment(1, decode.SYN|decode.ACK, -1, ""))
	k.feed(k.segment(0, decode.ACK, 0, ""))
}

// send sends payload in order.
func (k *talk) send(side int, payload string) {
	k.feed(k.segment(side, decode.ACK|decode.PSH, 0, payload))
	k.seq[side] += uint32(len(payload))
}

// end ends all flows and returns what was observed.
func (k *talk) end() []seen {
	for i := range k.t.flows.n {
		if k.t.flows.at(i).used {
			k.t.end(uint32(i), k.packet, &k.log)
		}
	}
	var all []seen
	for i := range k.log.Len() {
		o := k.log.At(i)
		s := seen{Proto: o.Proto, Kind: o.Kind, Name: string(o.Name), Client: o.Client.String()}
		if o.End != nil {
			s.Outcome, s.Unnamed = o.End.Outcome, o.End.Unnamed
			s.Out, s.In = o.End.BytesOut, o.End.BytesIn
		}
		all = append(all, s)
	}
	return all
}

// seen is what the tests compare of an Observation.
type seen struct {
	Proto   capture.Proto
	Kind    capture.Kind
	Name    string
	Client  string
	Outcome capture.Outcome
	Unnamed capture.Unnamed
	Out, In uint64
}

// names returns the names asked for with a protocol.
func names(all []seen, p capture.Proto) []string {
	var list []string
	for _, s := range all {
		if s.Proto == p && s.Kind == capture.Request {
			list = append(list, s.Name)
		}
	}
	return list
}

// last returns the record of the flow's end.
func last(t *testing.T, all []seen) seen {
	t.Helper()
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Kind == capture.FlowEnd {
			return all[i]
		}
	}
	t.Fatal("no flow ended")
	return seen{}
}

// hello returns the first flight of Go's own TLS client.
func hello(t testing.TB, name string) string {
	t.Helper()
	a, b := net.Pipe()
	go func() {
		c := tls.Client(a, &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: []string{"h2"}})
		_ = c.Handshake()
		a.Close()
	}()
	head := make([]byte, 5)
	if _, err := io.ReadFull(b, head); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, int(head[3])<<8|int(head[4]))
	if _, err := io.ReadFull(b, body); err != nil {
		t.Fatal(err)
	}
	b.Close()
	return string(head) + string(body)
}

const (
	serverHello = "\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03" + "0123456789abcdef0123456789abcdef" + "\x00\x13\x01\x00"
	fatalAlert  = "\x15\x03\x03\x00\x02\x02\x28"
)
