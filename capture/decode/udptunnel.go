package decode

import "slices"

// udpReader reads the payload of a UDP datagram. The result false says that it is
// not the encapsulation it could be by its port; s is unchanged then, and the
// datagram is an ordinary one.
type udpReader struct {
	read   func(d *Decoder, s *Segment, v view) (Reason, bool)
	tunnel Tunnel
	source bool // the port may also be the one it comes from
}

// udpReaders has the UDP ports of encapsulations.
var udpReaders sparse[udpReader]

func registerUDP(port uint16, r udpReader) bool { return udpReaders.add(port, r) }

// overUDP unwraps the datagram s with payload v; false if it is no encapsulation.
func (d *Decoder) overUDP(s *Segment, v view) (Reason, bool) {
	if u := d.ports.find(s.DstPort); u != nil {
		if r, ok := u.read(d, s, v); ok {
			return r, true
		}
	}
	if u := d.ports.find(s.SrcPort); u != nil && u.source {
		if r, ok := u.read(d, s, v); ok {
			return r, true
		}
	}
	return OK, false
}

// UDPTunnels returns the encapsulations on UDP, in rising order.
func UDPTunnels() []Tunnel {
	var all []Tunnel
	for _, e := range udpReaders.entries {
		all = append(all, e.value.tunnel)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// udpReaderOf returns the reader of t, nil if t is not carried by UDP.
func udpReaderOf(t Tunnel) *udpReader {
	for i := range udpReaders.entries {
		if u := &udpReaders.entries[i].value; u.tunnel == t {
			return u
		}
	}
	return nil
}

// ports returns the registered ports and those of c.
func (c Config) ports() sparse[udpReader] {
	all := udpReaders
	all.entries = slices.Clone(all.entries)
	for _, p := range c.UDPPorts {
		all.add(p.Port, *udpReaderOf(p.Tunnel))
	}
	return all
}
