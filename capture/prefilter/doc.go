// Package prefilter keeps bulk transfer from reaching user space: an eBPF socket
// filter, or an XDP program on a port that does nothing but mirror, passes only the
// packets that can change an Observation and counts the rest, by class and by vendor
// address, in the kernel.
//
// Model is the same decision in Go. The program is tested against it packet by
// packet, and what it passes against the whole capture: the same Observations, but
// for the totals of flows. Only Ethernet is read; docs/prefilter.md is the manual.
package prefilter
