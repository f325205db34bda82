package afpacket

import (
	"encoding/binary"
	"math"

	"golang.org/x/sys/unix"

	"telltale/capture"
)

// Offsets in a block and in a frame (linux/if_packet.h: tpacket_block_desc,
// tpacket3_hdr, sockaddr_ll).
const (
	blockStatus = 8
	blockCount  = 12
	blockFirst  = 16

	frameNext    = 0
	frameSecond  = 4
	frameNano    = 8
	frameSnap    = 12
	frameLength  = 16
	frameStatus  = 20
	frameMAC     = 24
	frameNet     = 26
	frameTag     = 32
	frameAddress = unix.SizeofTpacket3Hdr
	frameHeader  = frameAddress + unix.SizeofSockaddrLinklayer

	addressProtocol = frameAddress + 2
	addressDevice   = frameAddress + 8
	addressKind     = frameAddress + 10
)

// Link types with 802.11 frames, as registered at tcpdump.org.
const (
	linkDot11    capture.LinkType = 105
	linkPrism    capture.LinkType = 119
	linkRadiotap capture.LinkType = 127
)

// Device types (linux/if_arp.h).
const (
	deviceEthernet = 1
	deviceLoopback = 772
	deviceDot11    = 801
	devicePrism    = 802
	deviceRadiotap = 803
)

// readBlock appends the packets of a block to list and returns it with the number of
// frames there were. Frames that are left out are the second sight of looped packets.
func readBlock(block []byte, list []capture.Packet) ([]capture.Packet, uint64) {
	ne := binary.NativeEndian
	n, at := ne.Uint32(block[blockCount:]), int(ne.Uint32(block[blockFirst:]))
	var frames uint64
	for ; n > 0 && at >= 0 && at <= len(block)-frameHeader; n-- {
		f := block[at:]
		frames++
		if p, ok := readFrame(f); ok {
			list = append(list, p)
		}
		next := int(ne.Uint32(f[frameNext:]))
		if next < frameHeader {
			break
		}
		at += next
	}
	return list, frames
}

// readFrame returns the packet in the frame at the front of f.
func readFrame(f []byte) (capture.Packet, bool) {
	ne := binary.NativeEndian
	device, kind := ne.Uint16(f[addressDevice:]), f[addressKind]
	if device == deviceLoopback && kind == unix.PACKET_OUTGOING {
		return capture.Packet{}, false // it comes in again
	}
	from, length := int(ne.Uint16(f[frameMAC:])), ne.Uint32(f[frameLength:])
	to := from + int(ne.Uint32(f[frameSnap:]))
	if to > len(f) || from > to {
		return capture.Packet{}, false
	}
	p := capture.Packet{
		Time: int64(ne.Uint32(f[frameSecond:]))*1e9 + int64(ne.Uint32(f[frameNano:])),
		Data: f[from:to:to], Length: length,
	}
	if status := ne.Uint32(f[frameStatus:]); status&unix.TP_STATUS_VLAN_VALID != 0 {
		p.VLAN = uint16(ne.Uint32(f[frameTag:])) & 0x0fff
	}
	var cooked bool
	if p.Link, cooked = linkOf(device); cooked {
		return network(f, p)
	}
	return p, true
}

// linkOf returns how frames of a device type begin. cooked says that it is not known,
// and that they are to be read from the network header on.
func linkOf(device uint16) (link capture.LinkType, cooked bool) {
	switch device {
	case deviceEthernet, deviceLoopback:
		return capture.LinkEthernet, false
	case deviceDot11:
		return linkDot11, false
	case devicePrism:
		return linkPrism, false
	case deviceRadiotap:
		return linkRadiotap, false
	}
	return capture.LinkRaw, true
}

// network takes what precedes the network header off p, if that is IP.
func network(f []byte, p capture.Packet) (capture.Packet, bool) {
	protocol := binary.BigEndian.Uint16(f[addressProtocol:])
	mac, net := int(binary.NativeEndian.Uint16(f[frameMAC:])), int(binary.NativeEndian.Uint16(f[frameNet:]))
	skip := net - mac
	if protocol != unix.ETH_P_IP && protocol != unix.ETH_P_IPV6 || skip < 0 || skip > len(p.Data) {
		p.Link = math.MaxUint32 // counted as not decoded
		return p, true
	}
	p.Data = p.Data[skip:]
	p.Length -= min(uint32(skip), p.Length)
	return p, true
}
