package format

import (
	"strconv"
	"strings"

	"telltale/alert"
	"telltale/detect"
)

var _ = register(Format{Name: "cef", About: "ArcSight CEF:0", encode: cef})

// Limits of CEF's header fields in bytes.
const (
	cefVersionLimit = 31
	cefNameLimit    = 512
)

// cefLimits are the lengths of the extension's texts in the dictionary of the format, by
// key. Connectors cut or drop what is longer.
var cefLimits = map[string]int{
	"app": 31, "cat": 1023, "dhost": 1023, "dvchost": 100, "flexString1": 1023, "msg": 1023, "reason": 1023, "shost": 1023,
	"cs1": 4000, "cs2": 4000, "cs3": 4000, "cs4": 4000, "cs5": 4000, "cs6": 4000,
}

// cef appends an event in version 0 of the Common Event Format: parsers that know later
// versions read it, many know no other.
func cef(dst []byte, a *alert.Alert) []byte {
	dst = append(dst, "CEF:0|telltale|telltale|"...)
	dst = appendCEFHeader(dst, shorten(program(a), cefVersionLimit))
	dst = append(dst, '|')
	dst = appendCEFHeader(dst, shorten(a.Rule(), cefNameLimit))
	dst = append(dst, '|')
	dst = appendCEFHeader(dst, shorten(a.Title(), cefNameLimit))
	dst = append(dst, '|')
	dst = strconv.AppendUint(dst, tenths(a.Severity), 10)
	dst = append(dst, '|')
	p := pairs{b: dst, separator: ' ', escape: appendCEFValue, limits: cefLimits}
	p.signed("rt", millis(a.Time))
	p.text("externalId", a.ID)
	p.text("cat", string(a.Kind))
	p.text("act", "alerted")
	p.text("dvchost", a.Sensor)
	p.labelled("cn3", "sequence", strconv.FormatUint(a.Seq, 10))
	p.labelled("flexNumber1", "epoch", epochText(a))
	if a.Finding == nil {
		slots := []string{"cn1", "cn2", "flexNumber2"}
		for i, n := range bookkeeping(a) {
			if i < len(slots) {
				p.labelled(slots[i], n.name, strconv.FormatUint(n.value, 10))
			}
		}
		p.text("msg", a.Text)
		return p.b
	}
	p.cefFinding(a)
	p.text("msg", message(a))
	return p.b
}

func (p *pairs) cefFinding(a *alert.Alert) {
	f := a.Finding
	p.cefEnds(a)
	p.signed("start", millis(f.FirstSeen))
	p.signed("end", millis(f.LastSeen))
	p.number("cnt", max(1, f.Attempts+f.Exchanges))
	p.number("out", f.BytesOut)
	p.number("in", f.BytesIn)
	p.labelled("cs1", "vendor", f.Vendor)
	p.labelled("cs2", "evidence class", f.Class.String())
	p.labelled("cs3", "product", f.Product)
	p.labelled("cs4", "functions", strings.Join(functionNames(f), ","))
	p.labelled("cs5", "names", strings.Join(f.Names, ","))
	p.labelled("cs6", "policies", strings.Join(policyIDs(f), ","))
	p.labelled("flexString1", "finding", f.ID)
	p.labelled("cn1", "attempts", strconv.FormatUint(f.Attempts, 10))
	p.labelled("cn2", "exchanges", strconv.FormatUint(f.Exchanges, 10))
	if f.Foreign != nil {
		p.text("reason", f.Foreign.Reason)
	}
}

// cefEnds appends who talked to whom. Readers that take IPv4 only in src and dst find
// IPv6 addresses in c6a2 and c6a3 as well.
func (p *pairs) cefEnds(a *alert.Alert) {
	f := a.Finding
	c := &f.Contact
	if !c.Server.IsValid() {
		p.text("src", f.Host.Addr.String())
		p.cefHost(f)
		return
	}
	p.text("src", c.Client.Addr().String())
	p.text("dst", c.Server.Addr().String())
	if ipVersion(c) == 6 {
		p.labelled("c6a2", "Source IPv6 Address", c.Client.Addr().String())
		p.labelled("c6a3", "Destination IPv6 Address", c.Server.Addr().String())
	}
	p.number("spt", uint64(c.Client.Port()))
	p.number("dpt", uint64(c.Server.Port()))
	if c.Client.Addr() == f.Host.Addr {
		p.cefHost(f)
	}
	p.text("dhost", c.Name)
	p.text("proto", strings.ToUpper(transport(c.Transport)))
	p.text("app", strings.ToUpper(application(c)))
}

func (p *pairs) cefHost(f *detect.Finding) {
	p.text("shost", f.Host.Name)
	p.text("smac", macText(f.Host.MAC))
}

// appendCEFHeader escapes a field of the header: backslash and pipe.
func appendCEFHeader(dst []byte, s string) []byte {
	for _, c := range []byte(asciiText(s)) {
		if c == '\\' || c == '|' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return dst
}

// appendCEFValue escapes a value of the extension: backslash and equals sign, since a
// word before one would begin another key.
func appendCEFValue(dst []byte, s string) []byte {
	for _, c := range []byte(asciiText(s)) {
		if c == '\\' || c == '=' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return dst
}
