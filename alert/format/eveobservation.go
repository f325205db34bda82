package format

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"telltale/capture"
)

var (
	_ = registerLog(Log{Name: "eve", About: "Suricata 8 EVE JSON: dns, tls, quic, http and flow", Append: func(dst []byte, o *capture.Observation, sensor string) []byte {
		return eveLog(dst, o, sensor, 8)
	}})
	_ = registerLog(Log{Name: "eve7", About: "Suricata 7 EVE JSON", Append: func(dst []byte, o *capture.Observation, sensor string) []byte {
		return eveLog(dst, o, sensor, 7)
	}})
)

// eveLog appends the event that Suricata would log. Its http events are of a request and
// its response together; this has what the request says.
func eveLog(dst []byte, o *capture.Observation, sensor string, version int) []byte {
	kind := eveKind(o)
	if kind == "" {
		return dst
	}
	e := object{append(dst, '{')}
	e.key("timestamp")
	e.b = append(e.b, '"')
	e.b = time.Unix(0, o.Time).UTC().AppendFormat(e.b, "2006-01-02T15:04:05.000000-0700")
	e.b = append(e.b, '"')
	c := contactOf(o)
	e.number("flow_id", flowID(c))
	e.text("event_type", kind)
	if o.VLAN != 0 {
		e.list("vlan", 1, func(int) { e.b = strconv.AppendUint(e.b, uint64(o.VLAN), 10) })
	}
	e.eveEnds(o)
	if version >= 8 {
		e.number("ip_v", ipVersion(c))
	}
	e.number("pcap_cnt", o.Packet)
	e.some("community_id", communityID(c))
	e.some("host", sensor)
	switch kind {
	case "dns":
		e.eveDNS(o, version)
	case "tls", "quic":
		e.eveHello(o, version)
	case "http":
		e.eveRequest(o)
	case "flow":
		e.eveTotals(o)
	}
	return append(e.b, '}')
}

// eveKind returns the event type, "" where there is none.
func eveKind(o *capture.Observation) string {
	switch o.Proto {
	case capture.ProtoDNS:
		return "dns"
	case capture.ProtoTLS, capture.ProtoQUIC, capture.ProtoHTTP:
		if o.Kind == capture.Request {
			return o.Proto.String()
		}
	case capture.ProtoFlow:
		if o.Kind == capture.FlowEnd {
			return "flow"
		}
	}
	return ""
}

// eveEnds appends who sent the message to whom: of an answer the server is the source.
func (e *object) eveEnds(o *capture.Observation) {
	from, to := o.Client, o.Server
	if o.Kind == capture.Response {
		from, to = to, from
	}
	end := func(ip, port string, a netip.AddrPort) {
		e.text(ip, a.Addr().String())
		e.number(port, uint64(a.Port()))
	}
	end("src_ip", "src_port", from)
	end("dest_ip", "dest_port", to)
	e.some("proto", strings.ToUpper(transport(o.Transport)))
}

func (e *object) eveDNS(o *capture.Observation, version int) {
	e.open("dns")
	name, kind := string(o.Name), o.DNS.TypeName()
	question := "request"
	if version < 8 {
		question = "query"
		e.number("version", 2)
	} else {
		e.number("version", 3)
	}
	if o.Kind == capture.Response {
		question = map[bool]string{true: "response", false: "answer"}[version >= 8]
	}
	e.text("type", question)
	e.number("id", uint64(o.DNS.ID))
	if o.Kind == capture.Response {
		e.text("rcode", o.DNS.RCodeName())
	}
	if version < 8 {
		e.text("rrname", name)
		e.text("rrtype", kind)
	} else {
		e.list("queries", 1, func(int) {
			e.b = append(e.b, '{')
			e.text("rrname", name)
			e.text("rrtype", kind)
			e.close()
		})
	}
	if n := len(o.DNS.Answers); n > 0 {
		e.list("answers", n, func(i int) { e.eveAnswer(&o.DNS.Answers[i]) })
	}
	e.close()
}

func (e *object) eveAnswer(a *capture.Answer) {
	e.b = append(e.b, '{')
	e.text("rrname", string(a.Name))
	e.text("rrtype", a.TypeName())
	e.number("ttl", uint64(a.TTL))
	e.some("rdata", rdata(a))
	e.close()
}

// rdata is what a record points to, "" where only its type was kept.
func rdata(a *capture.Answer) string {
	if a.Addr.IsValid() {
		return a.Addr.String()
	}
	return string(a.Target)
}

func (e *object) eveHello(o *capture.Observation, version int) {
	e.open(o.Proto.String())
	e.some("sni", string(o.Name))
	if o.Proto == capture.ProtoQUIC {
		e.text("version", quicVersion(o.TLS.QUICVersion))
	} else {
		e.some("version", tlsVersions[o.TLS.Version])
		if version >= 8 && len(o.TLS.ALPN) > 0 {
			e.list("client_alpns", len(o.TLS.ALPN), func(i int) { e.b = appendString(e.b, raw(o.TLS.ALPN[i])) })
		}
	}
	if o.TLS.JA4[0] != 0 {
		e.text("ja4", string(o.TLS.JA4[:]))
	}
	e.close()
}

func quicVersion(v uint32) string {
	switch v {
	case 1:
		return "1"
	case 0x6b3343cf:
		return "2"
	}
	return fmt.Sprintf("%08x", v)
}

func (e *object) eveRequest(o *capture.Observation) {
	e.open("http")
	e.some("hostname", string(o.Name))
	if o.HTTP.Port != 0 {
		e.number("http_port", uint64(o.HTTP.Port))
	}
	e.some("url", raw(o.HTTP.Target))
	e.some("http_user_agent", raw(o.HTTP.UserAgent))
	e.some("http_method", raw(o.HTTP.Method))
	protocol := "HTTP/1." + strconv.Itoa(int(o.HTTP.Minor))
	if o.HTTP.Major == 2 {
		protocol = "HTTP/2"
	}
	e.text("protocol", protocol)
	e.close()
}

// eveTotals appends the record of a flow. Bytes are those of the transport's payload,
// without headers.
func (e *object) eveTotals(o *capture.Observation) {
	f := o.End
	switch f.App {
	case capture.ProtoNone:
	case capture.ProtoDNS, capture.ProtoTLS, capture.ProtoQUIC, capture.ProtoHTTP:
		e.text("app_proto", f.App.String())
	}
	e.open("flow")
	e.number("pkts_toserver", f.PacketsOut)
	e.number("pkts_toclient", f.PacketsIn)
	e.number("bytes_toserver", f.BytesOut)
	e.number("bytes_toclient", f.BytesIn)
	start, end := time.Unix(0, f.Start).UTC(), time.Unix(0, o.Time).UTC()
	e.text("start", start.Format("2006-01-02T15:04:05.000000-0700"))
	e.text("end", end.Format("2006-01-02T15:04:05.000000-0700"))
	e.number("age", uint64(max(0, end.Sub(start)/time.Second)))
	e.text("state", map[bool]string{true: "established", false: "new"}[f.Outcome == capture.Exchanged])
	e.close()
}
