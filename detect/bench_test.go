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
