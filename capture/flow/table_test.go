package flow

import (
	"testing"
	"time"

	"telltale/capture"
	"telltale/capture/decode"
)

// datagram returns a UDP datagram of the i-th of many flows.
func datagram(i int, t int64) decode.Segment {
	return decode.Segment{
		Time: t, Packet: uint64(i + 1), Protocol: protoUDP,
		Src: addr4(10, byte(i>>16), byte(i>>8), byte(i)), SrcPort: 4000,
		Dst: addr4(192, 0, 2, 1), DstPort: 9999, Payload: []byte("x"), PayloadLen: 1,
	}
}

func TestTableBound(t *testing.T) {
	conf := Config{Shards: 1, MaxFlows: 100}.withDefaults()
	tab := newTable(conf, testRegistry)
	var log capture.Log
	const n = 5000
	for i := range n {
		s := datagram(i, int64(i))
		tab.segment(&s, s.Hash(0), decode.OK, &log)
		if tab.live > 100 {
			t.Fatalf("%d flows in a table of 100", tab.live)
		}
	}
	if tab.stats.Flows != n || tab.stats.Evicted != n-100 {
		t.Errorf("stats %+v", tab.stats)
	}
	ends := 0
	for i := range log.Len() {
		if log.At(i).Kind == capture.FlowEnd {
			ends++
		}
	}
	if ends != n-100 {
		t.Errorf("%d flows reported, want %d", ends, n-100)
	}
}

// TestTableFindsAll removes flows in a scattered order: those left must stay in reach.
func TestTableFindsAll(t *testing.T) {
	tab := newTable(Config{Shards: 1}.withDefaults(), testRegistry)
	var log capture.Log
	const n = 20000
	for i := range n {
		s := datagram(i, 0)
		tab.segment(&s, s.Hash(7), decode.OK, &log)
	}
	for i := range n {
		if i%3 == 0 {
			s := datagram(i, 0)
			e, _ := tab.find(&s, s.Hash(7))
			tab.remove(uint32(indexOf(tab, e)))
		}
	}
	for i := range n {
		s := datagram(i, 0)
		e, side := tab.find(&s, s.Hash(7))
		if (e != nil) != (i%3 != 0) || side != 0 {
			t.Fatalf("flow %d: found %v", i, e != nil)
		}
		s.Src, s.Dst, s.SrcPort, s.DstPort = s.Dst, s.Src, s.DstPort, s.SrcPort
		if r, side := tab.find(&s, s.Hash(7)); r != e || r != nil && side != 1 {
			t.Fatalf("flow %d: its other direction is another flow", i)
		}
	}
}

func indexOf(tab *table, e *entry) int {
	for i := range tab.flows.n {
		if tab.flows.at(i) == e {
			return int(i)
		}
	}
	return -1
}

func TestIdleFlowsEnd(t *testing.T) {
	tab := newTable(Config{Shards: 1}.withDefaults(), testRegistry)
	var log capture.Log
	s := datagram(0, 0)
	tab.segment(&s, s.Hash(0), decode.OK, &log)
	for i := 1; i < 100; i++ {
		s := datagram(i, int64(2*time.Minute)+int64(i))
		tab.segment(&s, s.Hash(0), decode.OK, &log)
	}
	if log.Len() != 1 || log.At(0).Flow != 1 {
		t.Errorf("%d observations, want the end of the first flow", log.Len())
	}
}

// TestBulkAllocatesNothing: packets that carry nothing new.
func TestBulkAllocatesNothing(t *testing.T) {
	k := newTalk(Config{})
	k.handshake()
	k.send(0, hello(t, "bulk.example"))
	k.send(1, serverHello)
	s := k.segment(1, decode.ACK, 0, string(make([]byte, 1400)))
	hash := s.Hash(0)
	u := datagram(9, k.time)
	uhash := u.Hash(0)
	k.t.segment(&u, uhash, decode.OK, &k.log)
	n := testing.AllocsPerRun(1000, func() {
		s.Seq += 1400
		s.Packet++
		k.t.segment(&s, hash, decode.OK, &k.log)
		k.t.segment(&u, uhash, decode.OK, &k.log)
	})
	if n != 0 {
		t.Errorf("%v allocations for two packets", n)
	}
}

// TestShortFlowsAllocateNothing: whole flows, once the tables have their size.
func TestShortFlowsAllocateNothing(t *testing.T) {
	k := newTalk(Config{MaxFlows: 64})
	h := hello(t, "short.example")
	i := 0
	turn := func() {
		i++
		k.seq[0] += 1 << 20
		k.seq[1] += 1 << 20
		k.feed(k.segment(0, decode.SYN, -1, ""))
		k.feed(k.segment(1, decode.SYN|decode.ACK, -1, ""))
		s := k.segment(0, decode.ACK, 0, "")
		s.Payload, s.PayloadLen = helloBytes(h), uint32(len(h))
		k.feed(s)
		k.log.Reset()
	}
	for range 200 {
		turn()
	}
	if n := testing.AllocsPerRun(200, turn); n > 0 {
		t.Errorf("%v allocations a flow", n)
	}
}

var helloCache []byte

func helloBytes(h string) []byte {
	if helloCache == nil {
		helloCache = []byte(h)
	}
	return helloCache
}

func TestConfigSaysAllThatIsWrong(t *testing.T) {
	err := Config{Workers: 300, Shards: 3, MaxFlows: -1, MaxMessage: 1}.Validate()
	if err == nil {
		t.Fatal("accepted")
	}
	if n := len(err.(interface{ Unwrap() []error }).Unwrap()); n < 4 {
		t.Errorf("%d errors, want every one of them: %v", n, err)
	}
	if err := (Config{}).Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
}
