package flow

import (
	"telltale/capture"
	"telltale/capture/decode"
)

// frame reads s as a message of a protocol without ports.
func (t *table) frame(s *decode.Segment, log *capture.Log) {
	p := &t.reg.messages[s.Message]
	if p.Parse == nil {
		return
	}
	mark := log.Len()
	if err := p.Parse(s.Payload, uint32(len(s.Payload)) < s.PayloadLen, log); err != nil {
		log.Truncate(mark)
		t.stats.Rejected++
		return
	}
	for i := mark; i < log.Len(); i++ {
		o := log.At(i)
		client, server := o.Client, o.Server
		stamp(o, s)
		if s.Protocol == 0 { // no IP: what the message itself says of addresses
			o.Client, o.Server = client, server
		}
		tunnelled(o, s, log)
	}
	t.identities.drop(log, mark)
}

// turn exchanges the ends of the identities from mark on: the message came from a
// server and speaks of the host it was sent to.
func turn(log *capture.Log, mark int) {
	for i := mark; i < log.Len(); i++ {
		if o := log.At(i); o.Kind == capture.Identify {
			if reverse(o); o.ClientMAC[0]&1 != 0 {
				o.ClientMAC = [6]byte{} // sent to all
			}
		}
	}
}

// repeatAfter is how long an identity is not reported again that says what the latest
// of the same host and protocol said, in nanoseconds.
const repeatAfter = int64(60e9)

// identities remembers what hosts said of themselves a short while ago: ARP and
// announcements are repeated all the time. A full place is simply taken over.
type identities [256]struct {
	said uint64 // digest of all it says
	at   int64
}

// drop takes the last Observation out of the log if it is an identity, made by the
// message whose Observations begin at mark, that was reported within repeatAfter. What
// DHCP says is never dropped: leases count.
func (d *identities) drop(log *capture.Log, mark int) {
	last := log.Len() - 1
	if last < mark {
		return
	}
	o := log.At(last)
	if o.Kind != capture.Identify || o.Proto == capture.ProtoDHCP || o.Proto == capture.ProtoDHCPv6 {
		return
	}
	who, said := identityDigests(o)
	p := &d[who%uint64(len(d))]
	if since := o.Time - p.at; p.said == said && since >= 0 && since < repeatAfter {
		log.Truncate(last)
		return
	}
	p.said, p.at = said, o.Time
}

// identityDigests returns digests of who o speaks of, and of that and all it says.
func identityDigests(o *capture.Observation) (who, said uint64) {
	h := sum(offset64)
	client, addr := o.Client.Addr().As16(), o.ID.Addr.As16()
	h.byte(byte(o.Proto))
	h.bytes(client[:])
	h.bytes(addr[:])
	if !o.Client.IsValid() && !o.ID.Addr.IsValid() {
		h.bytes(o.ID.MAC[:])
	}
	who = uint64(h)
	h.bytes(o.ID.MAC[:])
	h.bytes(o.ClientMAC[:])
	h.byte(byte(o.VLAN))
	for i := range o.ID.Fields {
		h.byte(byte(o.ID.Fields[i].Key))
		h.bytes(o.ID.Fields[i].Value)
	}
	return who ^ who>>32, uint64(h)
}

const offset64 = 14695981039346656037

// sum is FNV-1a of 64 bits: a rare mistake hides a repetition.
type sum uint64

func (h *sum) byte(b byte) { *h = (*h ^ sum(b)) * 1099511628211 }

func (h *sum) bytes(b []byte) {
	for _, c := range b {
		h.byte(c)
	}
	h.byte(0xff)
}
