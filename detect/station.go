package detect

import (
	"encoding/binary"
	"net/netip"

	"telltale/capture"
	"telltale/feeds"
)

// station is what is remembered of one hardware address; or, where the link does not
// show the host's own, of one address (mac is zero then).
type station struct {
	mac    [6]byte
	own    []netip.Addr // addresses that ARP, NDP, DHCP or the host itself gave it
	behind []netip.Addr // others that were seen in its frames
	many   bool         // more addresses than one host has: it answers for others
	router bool         // it passes on what others send
	name   string
	rank   uint8 // of the protocol that gave the name
	// host is the record that hardware and identity of the station are told of.
	host *host
	// leased is the record of the address that DHCP gave it last.
	leased  *host
	waiting []identified // what was learned before an address was known
}

// identified is an identity that met an indicator.
type identified struct {
	match  feeds.Match
	value  string
	packet uint64 // that showed it
}

const (
	// maxOwn is the number of addresses of a kind (IPv4, IPv6 by /64) that one host
	// may have; of more it is a router, or answers for others.
	maxOwn = 4
	// maxWaiting bounds what a station keeps until its address is known.
	maxWaiting = 4
)

// stations are the hardware addresses seen, and who has which address. When there are
// too many the one known longest is forgotten.
type stations struct {
	limit   int
	byMAC   map[[6]byte]*station
	byAddr  map[netip.Addr]*station // who claimed the address last
	recent  [1024]*station          // used lately, by a digest of the hardware address
	order   []*station
	evicted uint64
}

func newStations(limit int) stations {
	return stations{limit: limit, byMAC: make(map[[6]byte]*station), byAddr: make(map[netip.Addr]*station)}
}

// group says that mac is none of a host's: zero, a group, or a name that routers share
// (VRRP, RFC 9568 §7.3; HSRP; GLBP).
func group(mac [6]byte) bool { return mac[0]&1 != 0 || mac == [6]byte{} }

func shared(mac [6]byte) bool {
	switch [3]byte(mac[:3]) {
	case [3]byte{0x00, 0x00, 0x5e}:
		return mac[3] == 0x00 && (mac[4] == 0x01 || mac[4] == 0x02)
	case [3]byte{0x00, 0x00, 0x0c}:
		return mac[3] == 0x07 && mac[4] == 0xac || mac[3] == 0x9f && mac[4]&0xf0 == 0xf0
	case [3]byte{0x00, 0x07, 0xb4}:
		return mac[3] == 0x00
	}
	return false
}

// get returns the station of mac, made if it is new; nil if mac is none of a host's.
func (t *stations) get(mac [6]byte) *station {
	if group(mac) {
		return nil
	}
	slot := t.slot(mac)
	if s := *slot; s != nil && s.mac == mac {
		return s
	}
	s := t.byMAC[mac]
	if s == nil {
		s = t.add(&station{mac: mac, router: shared(mac)})
		t.byMAC[mac] = s
	}
	*slot = s
	return s
}

// slot is the place of mac among those used lately.
func (t *stations) slot(mac [6]byte) **station {
	low := binary.LittleEndian.Uint32(mac[2:])
	return &t.recent[low*0x9e3779b1>>22]
}

// at returns the station that has addr, made without a hardware address if none has.
func (t *stations) at(addr netip.Addr) *station {
	s := t.byAddr[addr]
	if s == nil {
		s = t.add(&station{own: []netip.Addr{addr}})
		t.byAddr[addr] = s
	}
	return s
}

func (t *stations) add(s *station) *station {
	if len(t.order) >= t.limit {
		t.forget(t.order[0])
		t.order = t.order[1:]
		t.evicted++
	}
	t.order = append(t.order, s)
	return s
}

func (t *stations) forget(s *station) {
	delete(t.byMAC, s.mac)
	if slot := t.slot(s.mac); *slot == s {
		*slot = nil
	}
	for _, a := range s.own {
		if t.byAddr[a] == s {
			delete(t.byAddr, a)
		}
	}
}

// claim gives addr to s, as somebody who must know said. The latest claim counts.
func (t *stations) claim(s *station, addr netip.Addr) {
	if old := t.byAddr[addr]; old != s {
		if old != nil && s.name == "" && old.mac == [6]byte{} {
			s.name, s.rank, s.host = old.name, old.rank, old.host
		}
		t.byAddr[addr] = s
	}
	if has(s.own, addr) {
		return
	}
	if len(s.own) >= 4*maxOwn {
		if first := s.own[0]; t.byAddr[first] == s {
			delete(t.byAddr, first)
		}
		s.own = append(s.own[:0], s.own[1:]...)
	}
	s.own = append(s.own, addr)
	s.many = s.many || s.count4() > maxOwn
}

// recall takes up what another run learned of a host.
func (t *stations) recall(h *Host) {
	s := t.get(h.MAC)
	if s != nil {
		t.claim(s, h.Addr)
	} else if h.Name != "" {
		s = t.at(h.Addr)
	}
	if s != nil && s.name == "" {
		s.name = h.Name
	}
}

// release takes addr from s, which has another now.
func (t *stations) release(s *station, addr netip.Addr) {
	if t.byAddr[addr] == s {
		delete(t.byAddr, addr)
	}
	for i, a := range s.own {
		if a == addr {
			s.own = append(s.own[:i], s.own[i+1:]...)
			return
		}
	}
}

func has(list []netip.Addr, a netip.Addr) bool {
	for _, b := range list {
		if a == b {
			return true
		}
	}
	return false
}

// count4 is the number of IPv4 addresses that s was given.
func (s *station) count4() (n int) {
	for _, a := range s.own {
		if a.Is4() {
			n++
		}
	}
	return n
}

// passes notes that addr was seen in a frame from or to s. One that carries the packets
// of many addresses is a router.
func (s *station) passes(addr netip.Addr) {
	if s.router || !addr.IsValid() || addr.IsUnspecified() || addr.IsLinkLocalUnicast() || addr.IsMulticast() || has(s.own, addr) {
		return
	}
	if addr.Is6() { // a host has many addresses of a network (RFC 8981)
		p, err := addr.Prefix(64)
		if err != nil {
			return
		}
		addr = p.Addr()
	}
	if has(s.behind, addr) {
		return
	}
	if len(s.behind) >= maxOwn {
		s.router, s.behind = true, nil
		return
	}
	s.behind = append(s.behind, addr)
}

// owns says that the hardware address of s is surely that of the host at addr. A router
// has its own address too; it is believed if it was given no other.
func (s *station) owns(addr netip.Addr) bool {
	if s.many || s.mac == [6]byte{} || !has(s.own, addr) {
		return false
	}
	return !s.router || addr.Is4() && s.count4() == 1
}

// passing notes whose frames carry what addresses.
func (e *Engine) passing(o *capture.Observation) {
	if s := e.stations.get(o.ClientMAC); s != nil {
		s.passes(o.Client.Addr())
		if s.host != nil && s.owns(o.Client.Addr()) {
			s.host.present(o.Time)
		}
	}
	if s := e.stations.get(o.ServerMAC); s != nil {
		s.passes(o.Server.Addr())
	}
}

// present notes that the hardware of h is still there.
func (h *host) present(t int64) {
	for _, f := range h.findings {
		if f.hardware {
			f.LastSeen = max(f.LastSeen, t)
		}
	}
}

// hardware returns the host's own hardware address, zero if it is not surely known.
func (e *Engine) hardware(addr netip.Addr) [6]byte {
	if s := e.stations.byAddr[addr]; s != nil && s.owns(addr) {
		return s.mac
	}
	return [6]byte{}
}

// hostName returns the name that the host at addr gave itself, "" if none is known.
func (e *Engine) hostName(addr netip.Addr) string {
	if s := e.stations.byAddr[addr]; s != nil && (s.mac == [6]byte{} || s.owns(addr)) {
		return s.name
	}
	return ""
}
