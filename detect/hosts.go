package detect

import "net/netip"

// hosts are the records of addresses. Records are made in blocks and stay: what was seen
// of a host must last as long as the process.
type hosts struct {
	byAddr map[netip.Addr]*host
	// recent leads to records used lately: the messages of a flow come close together.
	recent [1024]*host
	block  []host // not yet in use
}

// hostBlock is how many records are made at once.
const hostBlock = 64

func newHosts() hosts { return hosts{byAddr: make(map[netip.Addr]*host)} }

// make returns a record for addr that is not yet put.
func (t *hosts) make(addr netip.Addr) *host {
	if len(t.block) == 0 {
		t.block = make([]host, hostBlock)
	}
	h := &t.block[0]
	t.block = t.block[1:]
	h.Addr = addr
	return h
}

// get returns the record at addr, nil if there is none.
func (t *hosts) get(addr netip.Addr) *host {
	slot := &t.recent[addrDigest(addr)>>54]
	if h := *slot; h != nil && h.Addr == addr {
		return h
	}
	h := t.byAddr[addr]
	if h != nil {
		*slot = h
	}
	return h
}

// put makes h the record at addr.
func (t *hosts) put(addr netip.Addr, h *host) {
	t.byAddr[addr] = h
	t.recent[addrDigest(addr)>>54] = h
}
