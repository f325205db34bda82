package format

import (
	"net/netip"
	"strconv"

	"telltale/capture"
)

var _ = registerLog(Log{Name: "ocsf", About: "OCSF 1.8 DNS Activity and Network Activity", Append: ocsfLog})

// Numbers of OCSF 1.8.
const (
	ocsfNetwork         = 4    // category
	ocsfNetworkActivity = 4001 // class
	ocsfDNSActivity     = 4003 // class

	ocsfQuery, ocsfAnswer         = 1, 2    // activities of DNS
	ocsfOpened, ocsfEnded, ocsfOn = 1, 2, 6 // activities of the network: open, close, traffic
)

// ocsfLog appends DNS Activity for questions and answers, Network Activity for hellos,
// requests and flows.
func ocsfLog(dst []byte, o *capture.Observation, sensor string) []byte {
	class, activity := ocsfEvent(o)
	if class == 0 {
		return dst
	}
	e := object{append(dst, '{')}
	e.number("activity_id", activity)
	e.number("category_uid", ocsfNetwork)
	e.number("class_uid", class)
	e.number("type_uid", class*100+activity)
	e.number("severity_id", 1)
	e.signed("time", millis(o.Time))
	e.open("metadata")
	e.text("version", ocsfVersion)
	e.some("log_provider", sensor)
	e.open("product")
	e.text("name", "telltale")
	e.text("vendor_name", "telltale")
	e.close()
	e.close()
	e.ocsfEnd("src_endpoint", o.Client, "")
	name := ""
	if o.Proto != capture.ProtoDNS {
		name = string(o.Name)
	}
	e.ocsfEnd("dst_endpoint", o.Server, name)
	e.ocsfConnection(contactOf(o))
	switch {
	case o.DNS != nil:
		e.ocsfDNS(o)
	case o.TLS != nil && tlsVersions[o.TLS.Version] != "":
		e.open("tls")
		e.text("version", tlsVersions[o.TLS.Version])
		e.some("sni", string(o.Name))
		e.close()
	case o.End != nil:
		e.ocsfTraffic(o.End)
	}
	if o.Proto != capture.ProtoFlow {
		e.text("app_name", o.Proto.String())
	}
	return append(e.b, '}')
}

// ocsfEvent returns class and activity, 0 where there is none.
func ocsfEvent(o *capture.Observation) (class, activity uint64) {
	switch o.Proto {
	case capture.ProtoDNS:
		if o.Kind == capture.Response {
			return ocsfDNSActivity, ocsfAnswer
		}
		return ocsfDNSActivity, ocsfQuery
	case capture.ProtoTLS, capture.ProtoQUIC, capture.ProtoHTTP:
		if o.Kind == capture.Request {
			return ocsfNetworkActivity, ocsfOn
		}
	case capture.ProtoFlow:
		if o.Kind == capture.FlowEnd {
			return ocsfNetworkActivity, ocsfEnded
		}
		return ocsfNetworkActivity, ocsfOpened
	}
	return 0, 0
}

func (e *object) ocsfEnd(key string, a netip.AddrPort, name string) {
	e.open(key)
	e.text("ip", a.Addr().String())
	if a.Port() != 0 {
		e.number("port", uint64(a.Port()))
	}
	e.some("hostname", name)
	e.close()
}

func (e *object) ocsfDNS(o *capture.Observation) {
	d := o.DNS
	if len(o.Name) > 0 {
		e.open("query")
		e.text("hostname", string(o.Name))
		e.text("type", d.TypeName())
		e.number("packet_uid", uint64(d.ID))
		e.close()
	}
	if o.Kind != capture.Response {
		return
	}
	if d.RCode < 12 || d.RCode > 15 && d.RCode < 26 {
		e.number("rcode_id", uint64(d.RCode))
	}
	e.text("rcode", d.RCodeName())
	var told []int
	for i := range d.Answers {
		if rdata(&d.Answers[i]) != "" {
			told = append(told, i)
		}
	}
	if len(told) > 0 {
		e.list("answers", len(told), func(i int) {
			a := &d.Answers[told[i]]
			e.b = append(e.b, '{')
			e.text("rdata", rdata(a))
			e.text("type", a.TypeName())
			e.number("ttl", uint64(a.TTL))
			e.close()
		})
	}
}

func (e *object) ocsfTraffic(f *capture.FlowState) {
	e.open("traffic")
	e.number("bytes_out", f.BytesOut)
	e.number("bytes_in", f.BytesIn)
	e.number("packets_out", f.PacketsOut)
	e.number("packets_in", f.PacketsIn)
	e.close()
	e.signed("start_time", millis(f.Start))
	e.text("status_detail", f.Outcome.String()+", "+f.Unnamed.String()+", "+strconv.FormatUint(f.BytesOut+f.BytesIn, 10)+" bytes")
}
