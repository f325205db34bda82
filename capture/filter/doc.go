// Package filter compiles capture filter expressions, a documented subset of
// pcap-filter(7), to classic BPF, reads programs made by tcpdump -ddd, and runs both
// on packets of files. The same program goes to the kernel in live capture.
//
// What is not in the subset is an Error that names the word, its place and what to
// write instead; an expression is never compiled to something that means less or more
// than it says. Expressions look through VLAN tags: up to two in the frame and one
// that the kernel took out. docs/filter.md is the manual.
package filter
