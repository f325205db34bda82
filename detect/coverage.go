package detect

import (
	"net/netip"

	"telltale/capture"
)

// Coverage is what an Engine saw and where it was blind. "Nothing found" means no more
// than this allows.
type Coverage struct {
	Hosts        int                            // addresses that asked or were asked
	HostsLost    uint64                         // observations without a host record: the table was full
	FlowsLost    uint64                         // flows of Findings whose bytes are not counted
	Observations [capture.ProtoCount]uint64     // by capture.Proto
	Flows        uint64                         // flows that ended
	Unnamed      [capture.UnnamedReasons]uint64 // of those, by reason; index 0 is named
	OneSided     uint64                         // flows of which one direction was seen
	First, Last  int64                          // times of the first and last Observation

	ClearDNS     uint64 // DNS questions in the clear
	EncryptedDNS uint64 // connections to encrypted resolvers, by name or port
	ECHReal      uint64 // hellos whose outer name is a published front, or that match a config seen in DNS
	ECHGrease    uint64 // other hellos with the extension: GREASE as far as can be told
}

func (c *Coverage) count(o *capture.Observation) {
	c.Observations[o.Proto]++
	if c.First == 0 || o.Time < c.First {
		c.First = o.Time
	}
	c.Last = max(c.Last, o.Time)
	switch {
	case o.Proto == capture.ProtoDNS && o.Kind == capture.Request:
		c.ClearDNS++
	case o.Kind == capture.FlowEnd:
		c.Flows++
		c.Unnamed[o.End.Unnamed]++
		if o.End.OneSided {
			c.OneSided++
		}
	}
}

// dotPort is the port of DNS over TLS and over QUIC (RFC 7858 §3.1, RFC 9250 §4.1.1).
const dotPort = 853

// blind counts hellos that hide names: those to encrypted resolvers, and real ECH.
func (e *Engine) blind(o *capture.Observation) {
	if o.Server.Port() == dotPort || e.set.EncryptedDNS(o.Name) || e.resolverAt(o.Server.Addr()) {
		e.cover.EncryptedDNS++
	}
	if !o.TLS.ECH.Present {
		return
	}
	if _, front := e.set.ECHFront(o.Name); front || e.ech.published(o) {
		e.cover.ECHReal++
	} else {
		e.cover.ECHGrease++
	}
}

func (e *Engine) resolverAt(a netip.Addr) bool {
	_, ok := e.set.PublicResolver(a)
	return ok
}
