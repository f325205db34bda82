package decode

import "encoding/binary"

// EtherTypes (IANA "IEEE 802 Numbers").
const (
	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd
	etherVLAN = 0x8100 // IEEE 802.1Q customer tag
	etherQinQ = 0x88a8 // IEEE 802.1ad service tag
	etherOldQ = 0x9100 // service tag before 802.1ad

	// minEtherType is the least value that is an EtherType; up to maxLength it is the
	// length of an 802.3 frame.
	minEtherType = 0x0600
	maxLength    = 1500
)

const (
	maxTags   = 8 // VLAN tags and LLC headers in one frame
	tagLength = 4
)

// network reads what EtherType t announces: tags, then IP or an encapsulation.
func (d *Decoder) network(s *Segment, t uint16, v view) Reason {
	for range maxTags + 1 {
		switch t {
		case etherIPv4:
			return d.ipv4(s, v)
		case etherIPv6:
			return d.ipv6(s, v)
		case etherVLAN, etherQinQ, etherOldQ:
			if len(v.b) < tagLength {
				return Truncated
			}
			// Identifier 0 is a priority tag: the frame is in no VLAN of that tag.
			if id := binary.BigEndian.Uint16(v.b) & 0x0fff; id != 0 {
				s.VLAN = id
			}
			t = binary.BigEndian.Uint16(v.b[2:])
			v = v.skip(tagLength)
		default:
			if t >= minEtherType {
				return d.otherEther(s, t, v)
			}
			if t > maxLength {
				return UnknownEthertype
			}
			if t, v = unwrapLLC(v.resize(min(int(t), v.wire))); t == 0 {
				return NotIP
			}
		}
	}
	return BadHeader
}

// unwrapLLC returns the EtherType in an 802.2 header and what follows it; 0 if
// the header announces none (IEEE 802.2 §3, RFC 1042).
func unwrapLLC(v view) (uint16, view) {
	const (
		llcLength  = 3
		snapLength = 8
		sapIP      = 0x06
		sapSNAP    = 0xaa
		unnumbered = 0x03
		snapTunnel = 0xf8 // 00-00-F8: IEEE 802.1H
		snapCisco  = 0x0c // 00-00-0C
	)
	b := v.b
	if len(b) < llcLength || b[0] != b[1] || b[2] != unnumbered {
		return 0, v
	}
	switch {
	case b[0] == sapIP:
		return etherIPv4, v.skip(llcLength)
	case b[0] != sapSNAP || len(b) < snapLength:
		return 0, v
	case b[3] != 0 || b[4] != 0:
		return 0, v
	}
	t := binary.BigEndian.Uint16(b[6:])
	switch {
	case b[5] == snapCisco && t == etherCDP:
	case b[5] != 0 && b[5] != snapTunnel || t < minEtherType:
		return 0, v
	}
	return t, v.skip(snapLength)
}

// etherReaders has the EtherTypes of encapsulations.
var etherReaders sparse[reader]

func registerEther(t uint16, r reader) bool { return etherReaders.add(t, r) }

// otherEther reads what EtherType t announces, if neither a VLAN tag nor IP.
func (d *Decoder) otherEther(s *Segment, t uint16, v view) Reason {
	if r := etherReaders.find(t); r != nil {
		return (*r)(d, s, v)
	}
	return etherReason(t)
}

// etherReason says what a frame of EtherType t is that is not read here.
func etherReason(t uint16) Reason {
	switch t {
	case 0x8035, // RARP
		0x0842, 0x9000, 0x8808, 0x8809, // Wake-on-LAN, loopback test, pause, LACP and OAM
		0x888e, 0x88c7, 0x8863, // EAPOL, 802.11 pre-authentication, PPPoE discovery
		0x88f5, 0x88f6, 0x88f7, 0x8902, // MVRP, MMRP, PTP, connectivity faults
		0x22ea, 0x22f0, 0x22f4, 0x8929, // stream reservation, AVTP, IS-IS, multiple I-SID registration
		0x8906, 0x8914, 0x88a2, 0x8915, // FCoE, FIP, ATA over Ethernet, RoCE
		0x8892, 0x88a4, 0x88ab, 0x88cd, // PROFINET, EtherCAT, POWERLINK, SERCOS
		0x88b8, 0x88b9, 0x88ba, 0x88e3, // GOOSE, GSE, sampled values, media redundancy
		0x88fb, 0x892f, 0x891d, // PRP, HSR, TTEthernet
		0x887b, 0x88e1, 0x8912, 0x893a, // HomePlug, IEEE 1905
		0x890d, 0x8899, 0x886c, // 802.11 TDLS, Realtek, Broadcom
		0x8137, 0x8138, 0x809b, 0x80f3, // IPX, AppleTalk, AARP
		0x6002, 0x6003, 0x6004, 0x80d5: // DEC MOP, DECnet, LAT, SNA
		return NotIP
	}
	return UnknownEthertype
}
