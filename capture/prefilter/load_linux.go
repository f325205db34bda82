package prefilter

import (
	"fmt"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// newProgram loads the program of one kind.
func newProgram(m *maps, conf Config, xdp bool) (*ebpf.Program, error) {
	spec := &ebpf.ProgramSpec{
		Name: "tt_prefilter", Type: ebpf.SocketFilter, License: "Apache-2.0",
		Instructions: program(m, conf, xdp),
	}
	if xdp {
		spec.Type, spec.Flags = ebpf.XDP, unix.BPF_F_XDP_HAS_FRAGS
	}
	p, err := ebpf.NewProgram(spec)
	if err != nil {
		return nil, fmt.Errorf("loading the prefilter: %w", err)
	}
	return p, nil
}
