package decode

import "encoding/binary"

var _ = registerEther(0x88e7, readPBB)

// readPBB reads the customer's frame behind a service instance tag (IEEE 802.1Q §9.7,
// formerly IEEE 802.1ah). The VLAN of the backbone is not the customer's.
func readPBB(d *Decoder, s *Segment, v view) Reason {
	const header = 4
	if len(v.b) < header {
		return v.short(header)
	}
	if !s.enter(TunnelPBB, binary.BigEndian.Uint32(v.b)&0xffffff) {
		return BadHeader
	}
	s.VLAN = 0
	return readEthernet(d, s, v.skip(header))
}
