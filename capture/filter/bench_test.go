package filter

import (
	"testing"

	"golang.org/x/net/bpf"

	"telltale/capture"
)

const benchExpression = "not (port 53 or port 443) and net 10.0.0.0/8"

// BenchmarkMatch is what a packet of a file costs.
func BenchmarkMatch(b *testing.B) {
	f, err := Parse(benchExpression)
	if err != nil {
		b.Fatal(err)
	}
	packets := sharedPackets(b, 100)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p := &packets[i%len(packets)]
		p.Link = capture.LinkEthernet
		if _, err := f.Match(p); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVM is the same program in the interpreter of x/net/bpf, for comparison.
func BenchmarkVM(b *testing.B) {
	n, err := parse(benchExpression)
	if err != nil {
		b.Fatal(err)
	}
	raw, err := compile(n, capture.LinkEthernet, false)
	if err != nil {
		b.Fatal(err)
	}
	ins, _ := bpf.Disassemble(raw)
	vm, err := bpf.NewVM(ins)
	if err != nil {
		b.Fatal(err)
	}
	packets := sharedPackets(b, 100)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := vm.Run(packets[i%len(packets)].Data); err != nil {
			b.Fatal(err)
		}
	}
}
