package prefilter

import (
	"slices"
	"testing"

	"golang.org/x/net/bpf"

	"telltale/capture"
	"telltale/capture/decode"
	"telltale/capture/proto"
)

// TestRulesFollowDecoders: whatever in the captures a decoder would look at on its own
// port or any, the rules let pass; and what they let pass on any port is little.
func TestRulesFollowDecoders(t *testing.T) {
	r := DefaultRules()
	m := NewModel(Config{Flows: 2})
	d := decode.New(decode.Config{})
	var s decode.Segment
	loosely := looseOpenings(t)
	for _, path := range captures(t) {
		for _, p := range packets(t, path) {
			if d.Decode(&p, &s) != decode.OK || len(s.Payload) < tcpLeast {
				continue
			}
			if s.Protocol == 17 {
				follow(t, r, &s)
				continue
			}
			for _, st := range proto.Streams() {
				if st.Opening && slices.Contains(loosely, st.Proto) {
					continue // looked for in the first bytes of a stream only, which pass
				}
				owned := r.ports.has(s.SrcPort) || r.ports.has(s.DstPort)
				if (st.Port == 0 || st.Port == s.SrcPort || st.Port == s.DstPort) && st.Match(s.Payload) != proto.No && !owned && !m.shaped(s.Payload) {
					t.Errorf("%s, packet %d: a message of %s by % x is not seen", path, p.Ordinal, st.Proto, s.Payload[:6])
				}
			}
		}
	}
	shapes := 0
	for n := range 1 << 16 {
		if r.shapes.has(uint16(n)) {
			shapes++
		}
	}
	if shapes == 0 || shapes > 1<<16/50 {
		t.Errorf("%d of 65536 first pairs of bytes may begin a message: too many hold nothing back", shapes)
	}
}

// looseOpenings returns the protocols that open a stream and cannot be told by their first
// two bytes. All are listed here: a new one must be meant to be so.
func looseOpenings(t *testing.T) (list []capture.Proto) {
	t.Helper()
	for _, st := range proto.Streams() {
		var r Rules
		if r.learn(st.Match); st.Opening && r.shapes == (bitmap{}) {
			list = append(list, st.Proto)
		}
	}
	if want := []capture.Proto{capture.ProtoIMAP}; !slices.Equal(list, want) {
		t.Errorf("loose are %v, want %v", list, want)
	}
	return list
}

func follow(t *testing.T, r *Rules, s *decode.Segment) {
	t.Helper()
	if r.ports.has(s.SrcPort) || r.ports.has(s.DstPort) || telling(s.Payload) {
		return
	}
	for _, g := range proto.Datagrams() {
		if g.Ports != nil && !slices.Contains(g.Ports, s.SrcPort) && !slices.Contains(g.Ports, s.DstPort) {
			continue
		}
		if g.Match(s.SrcPort, s.DstPort, s.Payload) {
			t.Errorf("packet %d: a datagram of %s between %d and %d by % x is not seen", s.Packet, g.Proto, s.SrcPort, s.DstPort, s.Payload[:12])
		}
	}
	if proto.IsQUICLong(s.Payload) {
		t.Errorf("packet %d: a QUIC long header is not seen: % x", s.Packet, s.Payload[:12])
	}
}

// TestLooseProtocol: a protocol that any two bytes can begin does not make all pass.
func TestLooseProtocol(t *testing.T) {
	var r Rules
	r.learn(func([]byte) proto.Verdict { return proto.More })
	if r.shapes != (bitmap{}) {
		t.Error("a protocol without shape fills the bitmap")
	}
	r.learn(func(b []byte) proto.Verdict {
		if b[0] == 0xfe && (len(b) < 2 || b[1] == 'S') {
			return proto.Yes
		}
		return proto.No
	})
	if !r.shapes.has(0xfe53) || r.shapes.has(0xfe54) {
		t.Error("a protocol with a shape is not learned")
	}
}

// TestClassic: the program without memory holds back no more than it says.
func TestClassic(t *testing.T) {
	raw, err := Classic()
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for _, path := range captures(t) {
		for _, p := range packets(t, path) {
			if p.Link != capture.LinkEthernet {
				continue
			}
			if may := bare(p.Data); !may && !runClassic(t, raw, p.Data) {
				t.Fatalf("%s, packet %d: held back", path, p.Ordinal)
			} else if may && !runClassic(t, raw, p.Data) {
				held++
			}
		}
	}
	if held == 0 {
		t.Error("nothing is held back")
	}
}

// bare says whether a frame is an acknowledgement without data, or QUIC with a short
// header.
func bare(b []byte) bool {
	d := decode.New(decode.Config{})
	var s decode.Segment
	p := capture.Packet{Data: b, Length: uint32(len(b)), Link: capture.LinkEthernet}
	if d.Decode(&p, &s) != decode.OK {
		return false
	}
	if s.Protocol == 6 {
		return s.PayloadLen == 0 && s.Flags&7 == 0
	}
	return (s.SrcPort == 443 || s.DstPort == 443) && len(s.Payload) > 0 && s.Payload[0]&0xc0 == 0x40
}

// runClassic runs the program as if chance always held back.
func runClassic(t *testing.T, raw []bpf.RawInstruction, b []byte) bool {
	t.Helper()
	code := make([]bpf.Instruction, len(raw))
	for i, r := range raw {
		code[i] = r.Disassemble()
		if e, ok := code[i].(bpf.LoadExtension); ok && e.Num == bpf.ExtRand {
			code[i] = bpf.LoadConstant{Dst: bpf.RegA, Val: 1}
		}
	}
	vm, err := bpf.NewVM(code)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) < 54 {
		return true
	}
	n, err := vm.Run(b)
	if err != nil {
		t.Fatal(err)
	}
	return n != 0
}
