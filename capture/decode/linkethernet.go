package decode

import (
	"encoding/binary"

	"telltale/capture"
)

var _ = registerLink(capture.LinkEthernet, readEthernet)

const ethernetHeader = 14

// readEthernet reads an Ethernet frame without preamble and check sequence (IEEE 802.3 §3).
func readEthernet(d *Decoder, s *Segment, v view) Reason {
	if len(v.b) < ethernetHeader {
		return Truncated
	}
	s.DstMAC = [6]byte(v.b[0:6])
	s.SrcMAC = [6]byte(v.b[6:12])
	return d.network(s, binary.BigEndian.Uint16(v.b[12:14]), v.skip(ethernetHeader))
}
