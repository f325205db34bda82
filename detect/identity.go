package detect

import (
	"net/netip"
	"strings"

	"telltale/capture"
)

// identify takes a message by which a host says who it is. It is no contact: it opens
// Findings about the hardware, and tells which hardware address and name a host has.
func (e *Engine) identify(o *capture.Observation) {
	addr := subject(o)
	s := e.stations.get(speaker(o))
	var owner *station
	if addr.IsValid() {
		owner = e.stations.byAddr[addr]
	}
	if s != nil {
		s.router = s.router || o.ID.Router
		if addr.IsValid() && believed(o, addr) {
			e.stations.claim(s, addr)
			if o.Proto == capture.ProtoDHCP && said(o, "ack") {
				e.lease(s, owner, addr)
			}
		}
	} else if addr.IsValid() {
		s = e.stations.at(addr)
	}
	if s == nil {
		return
	}
	s.learnName(o)
	e.hold(s, o)
	e.registered(s, o)
}

// speaker returns the hardware address of the host that o speaks of: the one in the
// message, else that of a frame which no router can have passed on.
func speaker(o *capture.Observation) [6]byte {
	if o.ID.MAC != [6]byte{} || o.Proto == capture.ProtoDHCP || o.Proto == capture.ProtoDHCPv6 {
		return o.ID.MAC
	}
	if o.Proto == capture.ProtoLLDP || o.Proto == capture.ProtoCDP || onLink(o) {
		return o.ClientMAC
	}
	return [6]byte{}
}

// onLink says that o was sent to a group that routers never forward (RFC 5771 §4,
// RFC 4291 §2.7), so that its frame is the sender's own.
func onLink(o *capture.Observation) bool { return o.Server.Addr().IsLinkLocalMulticast() }

// subject returns the address of the host that o speaks of, invalid if that is not said.
// A DHCP message may come from a relay, so there the message alone counts.
func subject(o *capture.Observation) netip.Addr {
	if o.ID.Addr.IsValid() || o.Proto == capture.ProtoDHCP || o.Proto == capture.ProtoDHCPv6 {
		return o.ID.Addr
	}
	a := o.Client.Addr()
	if !a.IsValid() || a.IsUnspecified() || a.IsMulticast() {
		return netip.Addr{}
	}
	return a
}

func said(o *capture.Observation, message string) bool {
	return string(o.ID.Get(capture.FieldMessage)) == message
}

// believed says whether o is a reason to take its hardware address for that of addr.
func believed(o *capture.Observation, addr netip.Addr) bool {
	sameFrame := o.ClientMAC == o.ID.MAC || o.ClientMAC == [6]byte{}
	switch o.Proto {
	case capture.ProtoARP, capture.ProtoNDP:
		return o.ID.MAC != [6]byte{} && sameFrame
	case capture.ProtoDHCP:
		return said(o, "ack") || sameFrame && !said(o, "release")
	case capture.ProtoDHCPv6:
		return said(o, "reply")
	case capture.ProtoLLDP, capture.ProtoCDP:
		return false // a management address may be of another interface
	}
	if o.ID.MAC != [6]byte{} {
		return addr == o.Client.Addr()
	}
	return onLink(o) && addr == o.Client.Addr()
}

// nameRank orders the protocols by how much a host's name in them is its own; 0 has
// none worth showing.
func nameRank(o *capture.Observation) uint8 {
	switch o.Proto {
	case capture.ProtoLLDP, capture.ProtoCDP:
		return 4
	case capture.ProtoDHCP, capture.ProtoDHCPv6:
		return 3
	case capture.ProtoMDNS:
		return 2
	case capture.ProtoNBNS, capture.ProtoNBDGM, capture.ProtoDHIP:
		return 1
	}
	return 0
}

// maxHostName bounds the name shown with a host, in bytes.
const maxHostName = 64

// learnName keeps the host's name; that of the better protocol, of equals the latest.
func (s *station) learnName(o *capture.Observation) {
	rank := nameRank(o)
	if rank == 0 || rank < s.rank {
		return
	}
	name := o.ID.Get(capture.FieldHostname)
	if name == nil {
		name = o.ID.Get(capture.FieldFQDN)
	}
	if len(name) == 0 || len(name) > maxHostName {
		return
	}
	var buf [4 * maxHostName]byte
	text := strings.TrimSuffix(string(capture.AppendEscaped(buf[:0], name)), ".local")
	if text != "" && text != s.name {
		s.name = text
	}
	s.rank = rank
}

// hold holds the fields of o against the patterns of the packs.
func (e *Engine) hold(s *station, o *capture.Observation) {
	for i := range o.ID.Fields {
		f := &o.ID.Fields[i]
		e.matches = e.set.Identity(o.Proto, f, e.matches[:0])
		for _, m := range e.matches {
			value := o.Proto.String() + " " + f.Key.String() + " " + string(capture.AppendEscaped(nil, f.Value))
			e.identified(s, o, identified{m, value, o.Packet})
		}
	}
}

// registered holds the hardware address of s against the registry. That of a router is
// looked at only where it is surely the router's own.
func (e *Engine) registered(s *station, o *capture.Observation) {
	if s.many || s.mac == [6]byte{} || s.router && s.count4() > 1 {
		return
	}
	e.matches = e.set.MAC(s.mac, e.matches[:0])
	for _, m := range e.matches {
		e.identified(s, o, identified{m, string(capture.AppendMAC(nil, s.mac)), o.Packet})
	}
}

// identified notes that s met an indicator. If its address is not known yet, this waits.
func (e *Engine) identified(s *station, o *capture.Observation, x identified) {
	h := e.recordOf(s, subject(o))
	if h == nil {
		s.wait(x)
		return
	}
	for _, w := range s.waiting {
		e.met(h, o, w)
	}
	s.waiting = nil
	e.met(h, o, x)
}

// met adds x to the Finding about h that it belongs to. It is no contact.
func (e *Engine) met(h *host, o *capture.Observation, x identified) {
	f := e.findingFor(h, o, x.match)
	f.LastSeen, f.touched, f.hardware = max(f.LastSeen, o.Time), true, true
	if t := f.hit(x.match, []byte(x.value), o); t != nil {
		if t.last == 0 {
			t.packet, t.proof = x.packet, x.packet
		}
		t.channel, t.last = ByName, o.Time
	}
	f.learn(x.match, nil)
	e.mark(f)
	e.judged(h, f, o)
}

func (s *station) wait(x identified) {
	for _, w := range s.waiting {
		if w.match.Indicator == x.match.Indicator && w.value == x.value {
			return
		}
	}
	if len(s.waiting) < maxWaiting {
		s.waiting = append(s.waiting, x)
	}
}

// recordOf returns the record of the host that s is, nil if no address of it is known
// that tells it apart: IPv4 before IPv6, never a link-local one alone. stated is the
// address that the message gives it, for want of a better.
func (e *Engine) recordOf(s *station, stated netip.Addr) *host {
	if s.host != nil {
		return s.host
	}
	var best netip.Addr
	if !stated.IsLinkLocalUnicast() {
		best = stated
	}
	for _, a := range s.own {
		if a.Is4() || !best.IsValid() && !a.IsLinkLocalUnicast() {
			if best = a; a.Is4() {
				break
			}
		}
	}
	if best.IsValid() {
		s.host = e.hostAt(best)
	}
	return s.host
}
