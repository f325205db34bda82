package prefilter

import "fmt"

// Mode is a kind of prefilter.
type Mode uint8

// Modes.
const (
	Auto Mode = iota // EBPF, else CBPF, else Off
	EBPF             // eBPF program on the capture's own socket
	CBPF             // classic BPF program there: no memory, so it holds back little
	Off              // every packet reaches user space
	XDP              // eBPF program in the driver, which drops: a dedicated mirror port only
	modeCount
)

var modeNames = [modeCount]string{"auto", "ebpf", "cbpf", "off", "xdp"}

// String returns the word used on the command line.
func (m Mode) String() string {
	if m < modeCount {
		return modeNames[m]
	}
	return "unknown"
}

// ParseMode returns the Mode of a word.
func ParseMode(s string) (Mode, error) {
	for m, name := range modeNames {
		if name == s {
			return Mode(m), nil
		}
	}
	return Auto, fmt.Errorf("unknown prefilter %q: use auto, ebpf, cbpf, off or xdp", s)
}
