// Package afpacket captures from Linux network interfaces through memory-mapped rings
// (AF_PACKET, TPACKET_V3), without libpcap and without cgo.
//
// A packet is read where the kernel put it. An Interface has one Ring for each worker;
// the kernel deals the packets out by Steering, so that both directions of a flow meet
// in one ring, those inside tunnels too where it may load an eBPF program. An interface
// that goes down resumes by itself; one that vanishes is opened anew when Check finds it
// again, and its Rings stay what they were.
//
// This is the only package that makes system calls of its own, and the only one that
// maps memory it shares with the kernel: the word by which a block of the ring changes
// hands is read and written atomically, which takes package unsafe (handover_linux.go).
package afpacket
