package detect

import (
	"telltale/capture"
)

// Coverage is what an Engine saw and where it was blind. "Nothing found" means no more
// than this allows.
type Coverage struct {
	Hosts        int                            // addresses that asked or were asked
	HostsLost    uint64                         // observations without a host record: the table was full
	StationsLost uint64                         // hardware addresses forgotten because there were too many
	Unaddressed  int                            // hardware known to a pack whose address was not seen
	FlowsLost    uint64                         // flows of Findings whose bytes are not counted
	Observations [capture.ProtoCount]uint64     // by capture.Proto
	Flows        uint64                         // flows that ended
	Unnamed      [capture.UnnamedReasons]uint64 // of those, by reason; index 0 is named
	OneSided     uint64                         // flows of which one direction was seen
	Last         int64                          // time of the last Observation

	ClearDNS     uint64 // DNS questions in the clear
	EncryptedDNS uint64 // connections to encrypted resolvers, by port, ALPN, name or address
	// Encrypted lists who uses which of them, by host and resolver.
	Encrypted     []EncryptedUse
	EncryptedLost uint64 // connections to resolvers that are not listed: the list was full
	ECHReal       uint64 // hellos whose outer name is a published front, or that match a config seen in DNS
	ECHGrease     uint64 // other hellos with the extension: GREASE as far as can be told
	ECHForgotten  uint64 // configurations in use that were forgotten, more were seen than are kept
}

func (c *Coverage) count(o *capture.Observation) {
	c.Observations[o.Proto]++
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

// blind counts hellos that hide names: those to encrypted resolvers, and real ECH.
func (e *Engine) blind(h *host, o *capture.Observation) {
	if kind, ok := e.encryptedHello(o); ok {
		e.secret(h, o, kind)
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
