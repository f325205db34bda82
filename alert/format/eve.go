package format

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"telltale/alert"
	"telltale/capture"
	"telltale/detect"
	"telltale/feeds"
)

var (
	_ = register(Format{Name: "eve", About: "Suricata 8 EVE JSON", encode: func(dst []byte, a *alert.Alert) []byte { return eve(dst, a, 8) }})
	_ = register(Format{Name: "eve7", About: "Suricata 7 EVE JSON", encode: func(dst []byte, a *alert.Alert) []byte { return eve(dst, a, 7) }})
)

// eve appends an EVE event of type alert for readers of that major version of Suricata.
// The schema is closed: what is ours stands in alert.metadata, whose values are lists of
// strings, and from version 8 on in alert.context.
func eve(dst []byte, a *alert.Alert, version int) []byte {
	o := object{append(dst, '{')}
	o.key("timestamp")
	o.b = append(o.b, '"')
	o.b = time.Unix(0, a.Time).UTC().AppendFormat(o.b, "2006-01-02T15:04:05.000000-0700")
	o.b = append(o.b, '"')
	o.text("event_type", "alert")
	if f := a.Finding; f != nil {
		o.eveFlow(f, version)
	}
	if a.Sensor != "" {
		o.text("host", a.Sensor)
	}
	o.eveAlert(a, version)
	if f := a.Finding; f != nil {
		o.eveApp(&f.Contact, version)
	}
	return append(o.b, '}')
}

// eveFlow appends who talked to whom.
func (o *object) eveFlow(f *detect.Finding, version int) {
	c := &f.Contact
	o.number("flow_id", flowID(c))
	if f.Host.VLAN != 0 {
		o.list("vlan", 1, func(int) { o.b = strconv.AppendUint(o.b, uint64(f.Host.VLAN), 10) })
	}
	if !c.Server.IsValid() {
		o.text("src_ip", f.Host.Addr.String())
		o.eveEther(f)
		return
	}
	o.text("src_ip", c.Client.Addr().String())
	o.text("dest_ip", c.Server.Addr().String())
	if name := transport(c.Transport); name != "" {
		o.number("src_port", uint64(c.Client.Port()))
		o.number("dest_port", uint64(c.Server.Port()))
		o.text("proto", strings.ToUpper(name))
	}
	if version >= 8 {
		o.number("ip_v", ipVersion(c))
	}
	o.eveEther(f)
	if id := communityID(c); id != "" {
		o.text("community_id", id)
	}
	if app := eveApp(c); app != "" {
		o.text("app_proto", app)
	}
	o.text("direction", "to_server")
}

// eveEther appends the hardware address of the source, if it is known.
func (o *object) eveEther(f *detect.Finding) {
	if mac := macText(f.Host.MAC); mac != "" && fromHost(f) {
		o.open("ether")
		o.text("src_mac", mac)
		o.close()
	}
}

// flowID derives a number below 2^51 from the flow, as Suricata's is, so that readers
// with 64-bit floats keep it.
func flowID(c *detect.Contact) uint64 {
	b := c.Client.Addr().AsSlice()
	b = append(b, c.Server.Addr().AsSlice()...)
	b = append(b, c.Transport)
	b = binary.BigEndian.AppendUint16(b, c.Client.Port())
	b = binary.BigEndian.AppendUint16(b, c.Server.Port())
	b = binary.BigEndian.AppendUint64(b, c.Flow)
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:]) & (1<<51 - 1)
}

// signatureBase is the first signature id in use; ids from 1,000,000 to 1,999,999 are
// for local rules by the convention of Snort and Emerging Threats.
const signatureBase = 1861700

// signatureID numbers what an alert is an instance of: topics by tens, classes within.
// The numbers do not change.
func signatureID(a *alert.Alert) uint64 {
	f := a.Finding
	if f == nil {
		return signatureBase + 90
	}
	id := signatureBase + 10*uint64(f.Topic)
	if f.Topic == detect.AboutVendor {
		id += uint64(f.Class)
	}
	return id
}

func (o *object) eveAlert(a *alert.Alert, version int) {
	o.open("alert")
	o.text("action", "allowed") // a passive sensor blocks nothing
	o.number("gid", 1)
	o.number("signature_id", signatureID(a))
	o.number("rev", 1)
	o.text("signature", "TELLTALE "+a.Title())
	o.text("category", category(a))
	o.number("severity", eveSeverity(a.Severity))
	o.open("metadata")
	o.eveMetadata(a)
	if version < 8 && a.Finding != nil {
		o.strings("facts", factTexts(a.Finding))
	}
	o.close()
	if version >= 8 && a.Finding != nil {
		o.open("context")
		o.open("telltale")
		o.number("attempts", a.Finding.Attempts)
		o.number("exchanges", a.Finding.Exchanges)
		o.number("bytes_out", a.Finding.BytesOut)
		o.number("bytes_in", a.Finding.BytesIn)
		o.strings("facts", factTexts(a.Finding))
		o.close()
		o.close()
	}
	o.close()
}

// eveMetadata appends what consoles search by.
func (o *object) eveMetadata(a *alert.Alert) {
	one := func(k, v string) {
		if v != "" {
			o.strings(k, []string{v})
		}
	}
	one("telltale_event_id", a.ID)
	one("telltale_seq", strconv.FormatUint(a.Seq, 10))
	one("telltale_epoch", epochText(a))
	one("telltale_kind", string(a.Kind))
	one("telltale_rule", a.Rule())
	one("telltale_text", a.Text)
	one("packs", a.Packs)
	for _, n := range bookkeeping(a) {
		one(n.name, strconv.FormatUint(n.value, 10))
	}
	f := a.Finding
	if f == nil {
		return
	}
	one("finding", f.ID)
	one("vendor", f.Vendor)
	one("product", f.Product)
	one("evidence_class", f.Class.String())
	one("host_name", f.Host.Name)
	one("attempts", strconv.FormatUint(f.Attempts, 10))
	one("exchanges", strconv.FormatUint(f.Exchanges, 10))
	one("first_seen", rfc3339(f.FirstSeen))
	one("last_seen", rfc3339(f.LastSeen))
	o.strings("functions", functionNames(f))
	o.strings("names", f.Names)
	o.strings("roles", f.Roles)
	o.strings("policies", policyIDs(f))
	if p := f.Foreign; p != nil {
		one("country", p.Country)
		one("asn", asnText(p.ASN))
		one("foreign_ip", p.Addr.String())
		one("foreign_network", p.Network.String())
	}
}

// eveApp appends the record of the application protocol.
func (o *object) eveApp(c *detect.Contact, version int) {
	if c.Name == "" {
		return
	}
	switch c.Proto {
	case capture.ProtoDNS:
		o.open("dns")
		if version >= 8 {
			o.number("version", 3)
			o.text("type", "request")
			o.key("queries")
		} else {
			o.number("version", 2)
			o.key("query")
		}
		o.b = append(o.b, '[')
		q := object{append(o.b, '{')}
		if version < 8 {
			q.text("type", "query")
		}
		q.text("rrname", c.Name)
		o.b = append(q.b, '}', ']')
	case capture.ProtoTLS, capture.ProtoQUIC:
		o.open(c.Proto.String())
		o.text("sni", c.Name)
	case capture.ProtoHTTP:
		o.open("http")
		o.text("hostname", c.Name)
	default:
		return
	}
	o.close()
}

// eveApp returns Suricata's name of the application protocol, "" if it has none.
func eveApp(c *detect.Contact) string {
	switch c.Proto {
	case capture.ProtoDNS, capture.ProtoTLS, capture.ProtoQUIC, capture.ProtoHTTP:
		return c.Proto.String()
	}
	return ""
}

// eveSeverity is Suricata's, where 1 is the worst.
func eveSeverity(s alert.Severity) uint64 {
	switch s {
	case alert.High:
		return 1
	case alert.Medium:
		return 2
	case alert.Low:
		return 3
	}
	return 4
}

// category is the description of a class in Suricata's classification.config.
func category(a *alert.Alert) string {
	f := a.Finding
	switch {
	case f == nil:
		return "Not Suspicious Traffic"
	case f.Topic == detect.AboutSinkhole:
		return "Malware Command and Control Activity Detected"
	case f.Topic == detect.AboutLookalike:
		return "Possible Social Engineering Attempted"
	case f.Topic == detect.AboutForeign || f.Class <= feeds.Resolved:
		return "Misc activity"
	}
	return "Potential Corporate Privacy Violation"
}
