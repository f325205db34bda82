package format

import (
	"strings"

	"telltale/alert"
)

var _ = register(Format{Name: "leef", About: "IBM QRadar LEEF:2.0", Header: LEEFHeader, encode: leef})

// leef appends an event in the Log Event Extended Format 2.0 with tabs between the
// attributes. Event id and category are static: together they select the QID.
func leef(dst []byte, a *alert.Alert) []byte {
	dst = append(dst, "LEEF:2.0|telltale|telltale|"...)
	dst = appendLEEFHeader(dst, program(a))
	dst = append(dst, '|')
	dst = appendLEEFHeader(dst, a.Rule())
	dst = append(dst, "|x09|"...)
	p := pairs{b: dst, separator: '\t', escape: appendLEEFValue}
	p.text("cat", string(a.Kind))
	p.signed("devTime", millis(a.Time))
	p.number("sev", max(1, tenths(a.Severity)))
	p.leefFinding(a)
	p.text("identHostName", hostName(a))
	p.text("telltaleEventId", a.ID)
	p.number("telltaleSequence", a.Seq)
	p.text("telltaleEpoch", epochText(a))
	for _, n := range bookkeeping(a) {
		p.number(n.name, n.value)
	}
	p.text("telltaleSensor", a.Sensor)
	p.text("msg", message(a))
	return p.b
}

func (p *pairs) leefFinding(a *alert.Alert) {
	f := a.Finding
	if f == nil {
		return
	}
	c := &f.Contact
	if c.Server.IsValid() {
		p.text("src", c.Client.Addr().String())
		p.text("dst", c.Server.Addr().String())
		p.number("srcPort", uint64(c.Client.Port()))
		p.number("dstPort", uint64(c.Server.Port()))
		p.text("proto", strings.ToUpper(transport(c.Transport)))
	} else {
		p.text("src", f.Host.Addr.String())
	}
	if fromHost(f) {
		p.text("srcMAC", macText(f.Host.MAC))
	}
	p.text("resource", c.Name)
	p.text("policy", strings.Join(policyIDs(f), ","))
	p.text("telltaleFinding", f.ID)
	p.text("telltaleVendor", f.Vendor)
	p.text("telltaleProduct", f.Product)
	p.text("telltaleClass", f.Class.String())
	p.text("telltaleFunctions", strings.Join(functionNames(f), ","))
	p.text("telltaleNames", strings.Join(f.Names, ","))
	p.number("telltaleAttempts", f.Attempts)
	p.number("telltaleExchanges", f.Exchanges)
	if f.Foreign != nil {
		p.text("telltaleCountry", f.Foreign.Country)
	}
}

func hostName(a *alert.Alert) string {
	if a.Finding == nil {
		return ""
	}
	return a.Finding.Host.Name
}

// appendLEEFHeader writes a field of the header, where a pipe cannot stand.
func appendLEEFHeader(dst []byte, s string) []byte {
	return append(dst, strings.ReplaceAll(asciiText(s), "|", "/")...)
}

// appendLEEFValue writes a value. The form knows no escape for its separator, but a text
// in ASCII holds none.
func appendLEEFValue(dst []byte, s string) []byte { return append(dst, asciiText(s)...) }
