package decode

import "encoding/binary"

var (
	_ = registerUDP(4789, udpReader{read: readVXLAN, tunnel: TunnelVXLAN})
	_ = registerUDP(8472, udpReader{read: readVXLAN, tunnel: TunnelVXLAN}) // Linux before the port was assigned
	_ = registerUDP(4790, udpReader{read: readVXLANGPE, tunnel: TunnelVXLANGPE})
)

const (
	vxlanHeader = 8
	vxlanValid  = 0x08 // the identifier counts
)

func vxlanID(v view) uint32 { return binary.BigEndian.Uint32(v.b[4:]) >> 8 }

// readVXLAN reads VXLAN (RFC 7348 §5). Reserved bits are ignored, as it says; some
// are in use, for group policies for instance.
func readVXLAN(d *Decoder, s *Segment, v view) (Reason, bool) {
	if len(v.b) < vxlanHeader || v.b[0]&vxlanValid == 0 {
		return OK, false
	}
	frame := v.skip(vxlanHeader)
	if !plausibleFrame(frame) || !s.enterOnIP(TunnelVXLAN, vxlanID(v)) {
		return OK, false
	}
	return readEthernet(d, s, frame), true
}

// gpeTypes are the next protocols of VXLAN-GPE that have an EtherType (0x6558 is a
// frame).
var gpeTypes = [...]uint16{1: etherIPv4, 2: etherIPv6, 3: 0x6558, 4: 0x894f, 5: 0x8847}

// readVXLANGPE reads the generic protocol extension (draft-ietf-nvo3-vxlan-gpe §3).
func readVXLANGPE(d *Decoder, s *Segment, v view) (Reason, bool) {
	const (
		version = 0x30
		hasNext = 0x04
		frames  = 3
	)
	if len(v.b) < vxlanHeader || v.b[0]&vxlanValid == 0 || v.b[0]&version != 0 {
		return OK, false
	}
	next := frames
	if v.b[0]&hasNext != 0 {
		next = int(v.b[3])
	}
	if next == 0 || next >= len(gpeTypes) || !plausibleInner(gpeTypes[next], v.skip(vxlanHeader)) {
		return OK, false
	}
	if !s.enterOnIP(TunnelVXLANGPE, vxlanID(v)) {
		return OK, false
	}
	return d.network(s, gpeTypes[next], v.skip(vxlanHeader)), true
}
