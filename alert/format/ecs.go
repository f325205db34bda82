package format

import (
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/publicsuffix"

	"telltale/alert"
	"telltale/capture"
	"telltale/detect"
	"telltale/feeds"
)

var (
	_ = register(Format{Name: "ecs", About: "Elastic Common Schema 9", encode: func(dst []byte, a *alert.Alert) []byte { return ecs(dst, a, "9.4.0") }})
	_ = register(Format{Name: "ecs8", About: "Elastic Common Schema 8", encode: func(dst []byte, a *alert.Alert) []byte { return ecs(dst, a, "8.17.0") }})
)

// ecs appends a document of the Elastic Common Schema. What the schema has no field for
// stands under telltale, whose names are those of the native form.
func ecs(dst []byte, a *alert.Alert, version string) []byte {
	o := object{append(dst, '{')}
	o.text("@timestamp", rfc3339(a.Time))
	o.open("ecs")
	o.text("version", version)
	o.close()
	o.text("message", message(a))
	o.ecsEvent(a)
	o.open("observer")
	o.text("vendor", "telltale")
	o.text("product", "telltale")
	o.text("type", "ids")
	o.some("version", a.Program)
	o.some("name", a.Sensor)
	o.close()
	if f := a.Finding; f != nil {
		o.ecsEnds(f)
		o.ecsNetwork(f)
		o.ecsDNS(&f.Contact)
		if c := &f.Contact; c.Name != "" && (c.Proto == capture.ProtoTLS || c.Proto == capture.ProtoQUIC) {
			o.open("tls")
			o.open("client")
			o.text("server_name", c.Name)
			o.close()
			o.close()
		}
		o.ecsThreat(f)
		o.ecsRelated(f)
		o.strings("tags", policyIDs(f))
	}
	o.open("rule")
	o.text("id", a.Rule())
	o.text("name", a.Title())
	o.text("category", category(a))
	o.text("ruleset", "telltale")
	o.some("version", a.Packs)
	o.close()
	o.ecsOwn(a)
	return append(o.b, '}')
}

func (o *object) ecsEvent(a *alert.Alert) {
	o.open("event")
	o.text("id", a.ID)
	o.number("sequence", a.Seq)
	o.text("action", string(a.Kind))
	o.text("module", "telltale")
	o.text("dataset", "telltale.alert")
	o.text("provider", "telltale")
	o.number("severity", ecsSeverity(a.Severity))
	if f := a.Finding; f != nil {
		o.text("kind", "alert")
		o.strings("category", []string{"network", "intrusion_detection"})
		o.strings("type", []string{"info"})
		o.text("start", rfc3339(f.FirstSeen))
		o.text("end", rfc3339(f.LastSeen))
	} else {
		o.text("kind", "event")
		o.strings("category", []string{"host"})
		o.strings("type", []string{"info"})
		o.text("reason", a.Text)
	}
	o.close()
}

// ecsSeverity is the number Elastic's detection engine gives the same words.
func ecsSeverity(s alert.Severity) uint64 {
	switch s {
	case alert.High:
		return 73
	case alert.Medium:
		return 47
	case alert.Low:
		return 21
	}
	return 1
}

func (o *object) ecsEnds(f *detect.Finding) {
	c := &f.Contact
	if !c.Server.IsValid() {
		c = &detect.Contact{Client: netip.AddrPortFrom(f.Host.Addr, 0)}
	}
	o.ecsEnd("source", f, c.Client)
	if c.Server.IsValid() {
		o.ecsEnd("destination", f, c.Server)
	}
	o.open("host")
	o.strings("ip", []string{f.Host.Addr.String()})
	if f.Host.MAC != [6]byte{} {
		o.strings("mac", []string{ecsMAC(f.Host.MAC)})
	}
	o.some("name", f.Host.Name)
	o.close()
}

// ecsEnd appends one end of the contact.
func (o *object) ecsEnd(key string, f *detect.Finding, end netip.AddrPort) {
	o.open(key)
	o.text("ip", end.Addr().String())
	o.text("address", end.Addr().String())
	if end.Port() != 0 {
		o.number("port", uint64(end.Port()))
	}
	if end.Addr() == f.Host.Addr && f.Host.MAC != [6]byte{} {
		o.text("mac", ecsMAC(f.Host.MAC))
	}
	if p := f.Foreign; p != nil && p.Addr == end.Addr() {
		if p.Country != "" {
			o.open("geo")
			o.text("country_iso_code", p.Country)
			o.close()
		}
		if p.ASN != 0 {
			o.open("as")
			o.number("number", uint64(p.ASN))
			if p.ASName != "" {
				o.open("organization")
				o.text("name", p.ASName)
				o.close()
			}
			o.close()
		}
	}
	o.close()
}

// ecsMAC writes a hardware address as RFC 7042 §2.1 does.
func ecsMAC(mac [6]byte) string {
	return strings.ReplaceAll(strings.ToUpper(macText(mac)), ":", "-")
}

func (o *object) ecsNetwork(f *detect.Finding) {
	c := &f.Contact
	if !c.Server.IsValid() {
		return
	}
	o.open("network")
	o.some("transport", transport(c.Transport))
	if c.Transport != 0 {
		o.text("iana_number", strconv.Itoa(int(c.Transport)))
	}
	o.text("type", "ipv"+strconv.FormatUint(ipVersion(c), 10))
	o.some("protocol", application(c))
	o.some("community_id", communityID(c))
	if f.Host.VLAN != 0 {
		o.open("vlan")
		o.text("id", strconv.Itoa(int(f.Host.VLAN)))
		o.close()
	}
	o.close()
}

func (o *object) ecsDNS(c *detect.Contact) {
	if c.Proto != capture.ProtoDNS || c.Name == "" {
		return
	}
	o.open("dns")
	o.open("question")
	o.text("name", c.Name)
	if domain, err := publicsuffix.EffectiveTLDPlusOne(c.Name); err == nil {
		o.text("registered_domain", domain)
		if sub, ok := strings.CutSuffix(c.Name, "."+domain); ok {
			o.text("subdomain", sub)
		}
		if _, tld, ok := strings.Cut(domain, "."); ok {
			o.text("top_level_domain", tld)
		}
	}
	o.close()
	o.close()
}

func (o *object) ecsThreat(f *detect.Finding) {
	if f.Vendor == "" {
		return
	}
	o.open("threat")
	o.open("feed")
	o.text("name", "telltale-"+f.Vendor)
	o.close()
	o.open("indicator")
	o.text("provider", "telltale")
	o.text("confidence", ecsConfidence(f.Class))
	if name := f.Contact.Name; name != "" && !isAddress(name) {
		o.text("type", "domain-name")
		o.text("name", name)
	} else if f.Contact.Server.IsValid() {
		o.text("type", "ipv"+strconv.FormatUint(ipVersion(&f.Contact), 10)+"-addr")
		o.text("ip", f.Contact.Server.Addr().String())
	}
	o.close()
	o.open("software")
	name := f.Vendor
	if f.Product != "" {
		name += " " + f.Product
	}
	o.text("name", name)
	o.close()
	o.close()
}

// ecsConfidence says how far the class carries.
func ecsConfidence(c feeds.Class) string {
	switch {
	case c >= feeds.Device:
		return "High"
	case c >= feeds.Likely:
		return "Medium"
	case c >= feeds.Resolved:
		return "Low"
	}
	return "None"
}

func (o *object) ecsRelated(f *detect.Finding) {
	ips := []string{f.Host.Addr.String()}
	for _, end := range []netip.AddrPort{f.Contact.Client, f.Contact.Server} {
		if end.IsValid() && end.Addr() != f.Host.Addr {
			ips = append(ips, end.Addr().String())
		}
	}
	o.open("related")
	o.strings("ip", ips)
	hosts := f.Names
	if f.Host.Name != "" {
		hosts = append([]string{f.Host.Name}, hosts...)
	}
	o.strings("hosts", hosts)
	o.close()
}

// ecsOwn appends what ECS has no field for.
func (o *object) ecsOwn(a *alert.Alert) {
	o.open("telltale")
	o.text("schema", alert.Version)
	o.text("kind", string(a.Kind))
	if a.Epoch != 0 {
		o.number("epoch", a.Epoch)
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
	if f := a.Finding; f != nil {
		o.text("finding", f.ID)
		o.some("vendor", f.Vendor)
		o.some("product", f.Product)
		o.text("class", f.Class.String())
		o.number("attempts", f.Attempts)
		o.number("exchanges", f.Exchanges)
		o.number("bytes_out", f.BytesOut)
		o.number("bytes_in", f.BytesIn)
		o.strings("functions", functionNames(f))
		o.strings("names", f.Names)
		o.strings("facts", factTexts(f))
		o.strings("roles", f.Roles)
		o.strings("policies", policyIDs(f))
		if f.Foreign != nil {
			o.foreign(f.Foreign)
		}
	}
	o.close()
}
