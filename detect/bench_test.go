package detect

import (
	"testing"

	"telltale/capture"
)

// BenchmarkObserve is a hello, a question and a flow that meet nothing, and a hello
// that meets an indicator.
func BenchmarkObserve(b *testing.B) {
	x := newBench(b, Config{})
	plain := x.observation(capture.ProtoTLS, capture.Request, host1, "198.51.100.1:443")
	plain.Flow, plain.Name, plain.TLS = 1, []byte("www.example.org"), &capture.ClientHello{HasSNI: true}
	ask := x.observation(capture.ProtoDNS, capture.Request, host1, resolver+":53")
	ask.Name, ask.DNS = []byte("www.example.org"), &capture.DNS{Type: 1, Class: 1}
	end := x.observation(capture.ProtoFlow, capture.FlowEnd, host1, "198.51.100.1:443")
	end.Flow, end.End = 1, &capture.FlowState{Outcome: capture.Exchanged}
	met := x.observation(capture.ProtoTLS, capture.Request, host1, vendorIP+":443")
	met.Flow, met.Name, met.TLS = 7, []byte(update), &capture.ClientHello{HasSNI: true}
	for _, c := range []struct {
		name string
		o    *capture.Observation
	}{{"hello", plain}, {"question", ask}, {"flow", end}, {"match", met}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x.Observe(c.o)
			}
		})
	}
}

// FuzzECHConfig reads any bytes as an ECHConfigList.
func FuzzECHConfig(f *testing.F) {
	f.Add([]byte{0, 20, 0xfe, 0x0d, 0, 16, 7, 0, 32, 0, 1, 9, 0, 4, 0, 1, 0, 1, 0, 3, 'a', '.', 'b', 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		c := make(echConfigs)
		c.learn(&capture.DNS{Answers: []capture.Answer{{ECH: b}}})
		if len(c) > maxECH {
			t.Errorf("%d configurations", len(c))
		}
	})
}

func TestECHRealAndGrease(t *testing.T) {
	x := newBench(t, Config{})
	list := []byte{0, 25, 0xfe, 0x0d, 0, 21, 7, 0, 32, 0, 1, 9, 0, 4, 0, 1, 0, 1, 0, 5, 'C', 'o', 'v', 'e', 'r', 0, 0}
	answer := x.observation(capture.ProtoDNS, capture.Response, host1, resolver+":53")
	answer.Name, answer.DNS = []byte("hidden.example"), &capture.DNS{Type: 65, Class: 1, Answers: []capture.Answer{{ECH: list}}}
	x.Observe(answer)
	if len(x.ech) != 1 {
		t.Fatalf("configurations %v", x.ech)
	}
	for _, c := range []struct {
		name string
		id   uint8
	}{{"cover", 7}, {"cover", 8}, {"www.example.org", 7}} {
		o := x.observation(capture.ProtoTLS, capture.Request, host1, vendorIP+":443")
		o.Flow, o.Name = x.packet, []byte(c.name)
		o.TLS = &capture.ClientHello{HasSNI: true, ECH: capture.ECH{Present: true, ConfigID: c.id}}
		x.Observe(o)
	}
	if c := x.Coverage(); c.ECHReal != 1 || c.ECHGrease != 2 {
		t.Errorf("%d real, %d GREASE; want 1 and 2", c.ECHReal, c.ECHGrease)
	}
}
