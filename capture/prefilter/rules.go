package prefilter

import "telltale/capture/proto"

// bitmap is a set of numbers of 16 bits.
type bitmap [1 << 16 / 8]byte

func (b *bitmap) set(n uint16)      { b[n>>3] |= 1 << (n & 7) }
func (b *bitmap) has(n uint16) bool { return b[n>>3]>>(n&7)&1 != 0 }

// Rules are the ports whose packets always pass, and the first two bytes of TCP
// payload that may begin a message.
type Rules struct {
	ports  bitmap
	shapes bitmap
}

// alwaysPorts are ports of protocols that identify hosts or name what they ask for,
// with one message a datagram or a long-lived connection. Ports below 1024 pass, but
// for those of bulk (see DefaultRules); these are the others.
var alwaysPorts = [...]uint16{
	1812, 1813, // RADIUS
	1900,       // SSDP
	3478,       // STUN
	3702,       // WS-Discovery
	5060, 5061, // SIP
	5246,       // CAPWAP control
	5351,       // NAT-PMP, PCP
	5353, 5355, // mDNS, LLMNR
	5678,         // MikroTik neighbours
	5683,         // CoAP
	10001,        // Ubiquiti discovery
	34962, 34964, // PROFINET
	37020, // SADP
	37810, // Dahua discovery
	// Tunnels: the inner packets of VXLAN and GENEVE are looked at, of others not.
	1701, 2152, 3544, 4500, 4789, 4790, 5247, 6081, 6635, 8472, 37008,
}

// bulkPorts are the ports below 1024 that carry bulk: web, mail, files, terminals. Of
// them the first bytes matter, as of any other.
var bulkPorts = [...]uint16{20, 21, 22, 25, 80, 110, 119, 139, 143, 443, 445, 465, 554, 563, 587, 636, 873, 989, 990, 993, 995}

// DefaultRules follow the protocols that are decoded: a port with a protocol of its own
// passes, and so does what any of the others can begin with.
func DefaultRules() *Rules {
	r := &Rules{}
	for p := range uint16(1024) {
		r.ports.set(p)
	}
	for _, p := range bulkPorts {
		r.ports[p>>3] &^= 1 << (p & 7)
	}
	for _, p := range alwaysPorts {
		r.ports.set(p)
	}
	for _, d := range proto.Datagrams() {
		for _, p := range d.Ports {
			r.ports.set(p)
		}
	}
	for _, s := range proto.Streams() {
		if s.Port != 0 {
			r.ports.set(s.Port)
			continue
		}
		r.learn(s.Match)
	}
	return r
}

// loose is the share of first two bytes (one in so many) from which on a protocol
// cannot be told by them. Of such the first message of a stream is found, and later
// ones of the SSL 2.0 form, which the decision knows.
const loose = 64

// learn adds the first two bytes that match does not refuse.
func (r *Rules) learn(match func([]byte) proto.Verdict) {
	var own bitmap
	tight := 0
	for n := range 1 << 16 {
		b := []byte{byte(n >> 8), byte(n)}
		if match(b) == proto.No || sslv2Only(match, b) {
			continue
		}
		own.set(uint16(n))
		tight++
	}
	if tight > 1<<16/loose {
		return
	}
	for i := range own {
		r.shapes[i] |= own[i]
	}
}

// sslv2Only says whether what begins with b can only be a ClientHello in the SSL 2.0
// format, whose third byte is 1. The bytes tried stand for all others.
func sslv2Only(match func([]byte) proto.Verdict, b []byte) bool {
	if b[0]&0x80 == 0 {
		return false
	}
	for _, third := range []byte{0, 2, 3, 4, 8, 0x10, 0x16, 0x20, 0x30, 'A', 'M', 'S', 'a', 's', 0x7f, 0x80, 0xc0, 0xfe, 0xff} {
		if match([]byte{b[0], b[1], third}) != proto.No {
			return false
		}
	}
	return true
}
