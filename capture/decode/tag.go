package decode

import "encoding/binary"

var (
	_ = registerEther(0x8926, readVNTag)
	_ = registerEther(0x893f, readETag)
	_ = registerEther(0x8909, readCMD)
	_ = registerEther(0x892f, readHSR)
)

// readVNTag passes a VN-Tag, by which a switch names the interface of a virtual machine.
func readVNTag(d *Decoder, s *Segment, v view) Reason { return d.tagged(s, v, 4) }

// readETag passes an E-Tag (IEEE 802.1BR §7.5).
func readETag(d *Decoder, s *Segment, v view) Reason { return d.tagged(s, v, 6) }

// readCMD passes Cisco metadata, a security group tag: version, length, option, tag.
func readCMD(d *Decoder, s *Segment, v view) Reason {
	if len(v.b) >= 2 && (v.b[0] != 1 || v.b[1] != 1) {
		return NotIP
	}
	return d.tagged(s, v, 6)
}

// readHSR passes a tag of high-availability seamless redundancy: path, length,
// sequence number (IEC 62439-3 §5.7).
func readHSR(d *Decoder, s *Segment, v view) Reason { return d.tagged(s, v, 4) }

// tagged passes a tag of n bytes and reads what the EtherType behind it announces.
func (d *Decoder) tagged(s *Segment, v view, n int) Reason {
	if len(v.b) < n+2 {
		return v.short(n + 2)
	}
	if !s.deeper() {
		return BadHeader
	}
	return d.network(s, binary.BigEndian.Uint16(v.b[n:]), v.skip(n+2))
}
