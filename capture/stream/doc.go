// Package stream is for live packets that come by another way than an interface of this
// host: captures that are still being written (a pipe, a directory of rotating files,
// pcap-over-IP in both directions), and mirrored traffic that is sent to this host
// inside VXLAN, GENEVE, TZSP or GRE.
//
// It listens and, for pcap-over-IP alone, connects; it sends nothing but what TCP needs.
// It reads no capture format itself: that is the Open function it is given.
package stream
