// Package format turns Alerts into the forms that receivers read, one file each: pure
// functions that append to a buffer.
package format

import (
	"time"

	"telltale/alert"
	"telltale/detect"
)

var _ = register(Format{Name: "native", About: "Telltale's own JSON", encode: Native})

// Native appends a as one JSON object of our own form (alert.Schema), pure ASCII, without
// a line end.
func Native(dst []byte, a *alert.Alert) []byte {
	o := object{append(dst, '{')}
	o.text("schema", alert.Version)
	o.text("id", a.ID)
	o.number("seq", a.Seq)
	if a.Epoch != 0 {
		o.number("epoch", a.Epoch)
	}
	o.time("ts", a.Time)
	o.text("kind", string(a.Kind))
	o.text("severity", string(a.Severity))
	if a.Text != "" {
		o.text("text", a.Text)
	}
	if a.Finding != nil {
		o.finding(a.Finding)
	}
	if a.Heartbeat != nil {
		o.heartbeat(a.Heartbeat)
	}
	if a.Gap != nil {
		o.gap(a.Gap)
	}
	if a.Omitted != 0 {
		o.number("omitted", a.Omitted)
	}
	o.text("sensor", a.Sensor)
	o.text("packs", a.Packs)
	return append(o.b, '}')
}

func (o *object) finding(f *detect.Finding) {
	o.text("finding", f.ID)
	o.host(&f.Host)
	if f.Vendor != "" {
		o.text("vendor", f.Vendor)
	}
	if f.Product != "" {
		o.text("product", f.Product)
	}
	o.text("class", f.Class.String())
	o.number("attempts", f.Attempts)
	o.number("exchanges", f.Exchanges)
	o.number("bytes_out", f.BytesOut)
	o.number("bytes_in", f.BytesIn)
	o.time("first_seen", f.FirstSeen)
	o.time("last_seen", f.LastSeen)
	o.list("functions", len(f.Functions), func(i int) { o.b = appendString(o.b, string(f.Functions[i])) })
	o.list("names", len(f.Names), func(i int) { o.b = appendString(o.b, f.Names[i]) })
	o.list("facts", len(f.Facts), func(i int) { o.fact(&f.Facts[i]) })
	if f.Contact.Server.IsValid() {
		o.contact(&f.Contact)
	}
	if f.Foreign != nil {
		o.foreign(f.Foreign)
	}
	if len(f.Roles) > 0 {
		o.list("roles", len(f.Roles), func(i int) { o.b = appendString(o.b, f.Roles[i]) })
	}
	o.list("policies", len(f.Policies), func(i int) { o.b = appendString(o.b, f.Policies[i].ID) })
}

func (o *object) heartbeat(h *alert.Heartbeat) {
	o.open("heartbeat")
	o.number("last_seq", h.LastSeq)
	o.number("alerts_dropped", h.AlertsDropped)
	o.number("alerts_coalesced", h.AlertsCoalesced)
	o.number("packets", h.Packets)
	o.number("packets_dropped", h.PacketsDropped)
	o.close()
}

func (o *object) gap(g *alert.Gap) {
	o.open("gap")
	o.number("first", g.First)
	o.number("last", g.Last)
	o.number("count", g.Count)
	o.text("reason", g.Reason)
	o.close()
}

func (o *object) host(h *detect.Host) {
	o.open("host")
	o.text("ip", h.Addr.String())
	o.some("mac", macText(h.MAC))
	o.some("name", h.Name)
	if h.VLAN != 0 {
		o.number("vlan", uint64(h.VLAN))
	}
	o.close()
}

func (o *object) contact(c *detect.Contact) {
	o.open("contact")
	o.text("proto", c.Proto.String())
	o.text("src", c.Client.Addr().String())
	o.number("sport", uint64(c.Client.Port()))
	o.text("dst", c.Server.Addr().String())
	o.number("dport", uint64(c.Server.Port()))
	o.number("transport", uint64(c.Transport))
	if c.Name != "" {
		o.text("name", c.Name)
	}
	o.close()
}

func (o *object) fact(f *detect.Fact) {
	o.b = append(o.b, '{')
	o.text("text", f.Text)
	if f.Against {
		o.truth("against")
	} else {
		o.truth("for")
	}
	if f.Indicator != "" {
		o.text("indicator", f.Indicator)
	}
	if f.Packet != 0 {
		o.number("packet", f.Packet)
	}
	o.close()
}

func (o *object) foreign(p *detect.Foreign) {
	o.open("foreign")
	o.text("ip", p.Addr.String())
	if p.Country != "" {
		o.text("country", p.Country)
	}
	if p.ASN != 0 {
		o.number("asn", uint64(p.ASN))
	}
	if p.ASName != "" {
		o.text("as_name", p.ASName)
	}
	o.text("network", p.Network.String())
	o.text("source", p.Source)
	if p.Built != 0 {
		o.key("built")
		o.b = append(o.b, '"')
		o.b = time.Unix(0, p.Built).UTC().AppendFormat(o.b, time.DateOnly)
		o.b = append(o.b, '"')
	}
	o.text("reason", p.Reason)
	if p.Shared {
		o.truth("shared")
	}
	o.close()
}
