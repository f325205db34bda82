package capture

import (
	"encoding/base64"
	"net/netip"
	"strconv"
	"time"
)

// AppendJSON appends o as one JSON object without a line end. The field names are part
// of the product's contract (docs/observations.md) and the output is pure ASCII: bytes
// of the network that are not printable stand as \DDD escapes.
func (o *Observation) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"ts":"`...)
	dst = time.Unix(0, o.Time).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000000Z")
	dst = append(dst, `","packet":`...)
	dst = strconv.AppendUint(dst, o.Packet, 10)
	dst = appendUint(dst, "flow", o.Flow)
	dst = append(dst, `,"proto":"`...)
	dst = append(dst, o.Proto.String()...)
	dst = append(dst, `","kind":"`...)
	dst = append(dst, o.Kind.String()...)
	dst = append(dst, '"')
	if o.Client.IsValid() {
		dst = appendEndpoint(dst, "src", "sport", o.Client)
	}
	if o.Server.IsValid() {
		dst = appendEndpoint(dst, "dst", "dport", o.Server)
	}
	dst = appendUint(dst, "transport", uint64(o.Transport))
	if o.Proxied.IsValid() {
		dst = appendEndpoint(dst, "proxied_src", "proxied_sport", o.Proxied)
	}
	if o.ClientMAC != [6]byte{} {
		dst = append(dst, `,"mac":"`...)
		dst = AppendMAC(dst, o.ClientMAC)
		dst = append(dst, '"')
	}
	dst = appendUint(dst, "vlan", uint64(o.VLAN))
	if o.Tunnel != nil {
		dst = o.Tunnel.appendJSON(dst)
	}
	if len(o.Name) > 0 {
		dst = append(dst, `,"name":`...)
		dst = appendQuoted(dst, o.Name)
	}
	switch {
	case o.DNS != nil:
		dst = o.DNS.appendJSON(dst, o.Kind)
	case o.TLS != nil:
		dst = o.TLS.appendJSON(dst)
	case o.HTTP != nil:
		dst = o.HTTP.appendJSON(dst, o.Kind)
	case o.End != nil:
		dst = o.End.appendJSON(dst)
	case o.Cert != nil:
		dst = o.Cert.appendJSON(dst)
	case o.SOCKS != nil:
		dst = o.SOCKS.appendJSON(dst)
	case o.ID != nil:
		dst = o.ID.appendJSON(dst)
	}
	return append(dst, '}')
}

func (t *Tunnel) appendJSON(dst []byte) []byte {
	dst = append(dst, `,"tunnel":{"kind":"`...)
	dst = append(dst, t.Kind...)
	dst = append(dst, '"')
	dst = appendUint(dst, "id", uint64(t.ID))
	for _, end := range [...]struct {
		key  string
		addr netip.Addr
	}{{`,"src":"`, t.Src}, {`,"dst":"`, t.Dst}} {
		if end.addr.IsValid() {
			dst = append(dst, end.key...)
			dst = end.addr.AppendTo(dst)
			dst = append(dst, '"')
		}
	}
	return append(dst, '}')
}

func (d *DNS) appendJSON(dst []byte, kind Kind) []byte {
	dst = append(dst, `,"id":`...)
	dst = strconv.AppendUint(dst, uint64(d.ID), 10)
	dst = append(dst, `,"qtype":"`...)
	dst = append(dst, typeName(d.Type)...)
	dst = append(dst, '"')
	if d.Class != 1 {
		dst = appendUint(dst, "qclass", uint64(d.Class))
	}
	if kind == Response {
		dst = append(dst, `,"rcode":"`...)
		dst = append(dst, rcodeName(d.RCode)...)
		dst = append(dst, '"')
	}
	dst = appendTrue(dst, "truncated", d.Truncated)
	dst = appendTrue(dst, "malformed", d.Malformed)
	for i, c := range d.EDE {
		dst = append(dst, open(i, `,"ede":[`)...)
		dst = strconv.AppendUint(dst, uint64(c), 10)
	}
	dst = closeList(dst, len(d.EDE))
	for i := range d.Answers {
		dst = append(dst, open(i, `,"answers":[`)...)
		dst = d.Answers[i].appendJSON(dst)
	}
	return closeList(dst, len(d.Answers))
}

func (a *Answer) appendJSON(dst []byte) []byte {
	dst = append(dst, `{"name":`...)
	dst = appendQuoted(dst, a.Name)
	dst = append(dst, `,"type":"`...)
	dst = append(dst, typeName(a.Type)...)
	dst = append(dst, `","ttl":`...)
	dst = strconv.AppendUint(dst, uint64(a.TTL), 10)
	if a.Addr.IsValid() {
		dst = append(dst, `,"data":"`...)
		dst = a.Addr.AppendTo(dst)
		dst = append(dst, '"')
	} else if len(a.Target) > 0 {
		dst = append(dst, `,"data":`...)
		dst = appendQuoted(dst, a.Target)
	}
	if len(a.ECH) > 0 {
		dst = append(dst, `,"ech":"`...)
		dst = base64.StdEncoding.AppendEncode(dst, a.ECH)
		dst = append(dst, '"')
	}
	return append(dst, '}')
}

func (t *ClientHello) appendJSON(dst []byte) []byte {
	if t.QUICVersion != 0 {
		dst = append(dst, `,"quic_version":"`...)
		dst = appendHex(dst, uint64(t.QUICVersion), 8)
		dst = append(dst, '"')
	}
	dst = append(dst, `,"version":"`...)
	dst = appendHex(dst, uint64(t.Version), 4)
	dst = append(dst, '"')
	for i, a := range t.ALPN {
		dst = append(dst, open(i, `,"alpn":[`)...)
		dst = appendText(dst, a)
	}
	dst = closeList(dst, len(t.ALPN))
	if t.JA4[0] != 0 {
		dst = append(dst, `,"ja4":"`...)
		dst = append(dst, t.JA4[:]...)
		dst = append(dst, '"')
	}
	dst = appendUint(dst, "hello_length", uint64(t.Length))
	dst = appendTrue(dst, "esni", t.ESNI)
	if t.ECH.Present {
		dst = append(dst, `,"ech":{"inner":`...)
		dst = strconv.AppendBool(dst, t.ECH.Inner)
		dst = append(dst, `,"config_id":`...)
		dst = strconv.AppendUint(dst, uint64(t.ECH.ConfigID), 10)
		dst = appendUint(dst, "kdf", uint64(t.ECH.KDF))
		dst = appendUint(dst, "aead", uint64(t.ECH.AEAD))
		dst = appendUint(dst, "payload", uint64(t.ECH.PayloadLen))
		dst = append(dst, '}')
	}
	return dst
}

func (h *HTTP) appendJSON(dst []byte, kind Kind) []byte {
	field := func(key string, v []byte) {
		if len(v) > 0 {
			dst = append(dst, key...)
			dst = appendText(dst, v)
		}
	}
	if kind == Request {
		field(`,"method":`, h.Method)
		field(`,"target":`, h.Target)
		dst = appendUint(dst, "port", uint64(h.Port))
		field(`,"user_agent":`, h.UserAgent)
		dst = appendTrue(dst, "host_is_ip", h.HostIsIP)
	} else {
		dst = appendUint(dst, "status", uint64(h.Status))
		field(`,"content_type":`, h.ContentType)
		field(`,"server":`, h.Server)
		field(`,"body":`, h.Body[:min(16, len(h.Body))])
		dst = appendTrue(dst, "connect", h.Connect)
	}
	dst = appendUint(dst, "major", uint64(h.Major))
	dst = append(dst, `,"minor":`...)
	dst = strconv.AppendUint(dst, uint64(h.Minor), 10)
	return appendTrue(dst, "partial", h.Partial)
}

func (f *FlowState) appendJSON(dst []byte) []byte {
	dst = append(dst, `,"start":"`...)
	dst = time.Unix(0, f.Start).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000000Z")
	dst = append(dst, '"')
	for _, n := range [...]struct {
		key string
		v   uint64
	}{{`,"bytes_out":`, f.BytesOut}, {`,"bytes_in":`, f.BytesIn}, {`,"packets_out":`, f.PacketsOut}, {`,"packets_in":`, f.PacketsIn}} {
		dst = append(dst, n.key...)
		dst = strconv.AppendUint(dst, n.v, 10)
	}
	if f.App != ProtoNone {
		dst = append(dst, `,"app":"`...)
		dst = append(dst, f.App.String()...)
		dst = append(dst, '"')
	}
	dst = append(dst, `,"outcome":"`...)
	dst = append(dst, f.Outcome.String()...)
	dst = append(dst, `","naming":"`...)
	dst = append(dst, f.Unnamed.String()...)
	dst = append(dst, '"')
	dst = appendTrue(dst, "one_sided", f.OneSided)
	dst = appendTrue(dst, "conflict", f.Conflict)
	return appendTrue(dst, "prefiltered", f.Prefiltered)
}

func (c *Certificate) appendJSON(dst []byte) []byte {
	if len(c.Subject) > 0 {
		dst = append(dst, `,"subject":`...)
		dst = appendText(dst, c.Subject)
	}
	if len(c.Org) > 0 {
		dst = append(dst, `,"organization":`...)
		dst = appendText(dst, c.Org)
	}
	if len(c.Issuer) > 0 {
		dst = append(dst, `,"issuer":`...)
		dst = appendText(dst, c.Issuer)
	}
	for i, n := range c.Names {
		dst = append(dst, open(i, `,"san":[`)...)
		dst = appendQuoted(dst, n)
	}
	dst = closeList(dst, len(c.Names))
	dst = appendTrue(dst, "more_san", c.More)
	return appendTrue(dst, "asked", c.Asked)
}

func (s *SOCKS) appendJSON(dst []byte) []byte {
	dst = appendUint(dst, "socks_version", uint64(s.Version))
	dst = append(dst, `,"command":"`...)
	dst = append(dst, [...]string{"", "connect", "bind", "udp_associate"}[s.Command&3]...)
	dst = append(dst, '"')
	dst = appendUint(dst, "port", uint64(s.Port))
	return appendTrue(dst, "host_is_ip", s.HostIsIP)
}

func appendEndpoint(dst []byte, addr, port string, ap netip.AddrPort) []byte {
	dst = append(dst, `,"`...)
	dst = append(dst, addr...)
	dst = append(dst, `":"`...)
	dst = ap.Addr().AppendTo(dst)
	dst = append(dst, `","`...)
	dst = append(dst, port...)
	dst = append(dst, `":`...)
	return strconv.AppendUint(dst, uint64(ap.Port()), 10)
}

func open(i int, first string) string {
	if i == 0 {
		return first
	}
	return ","
}

func closeList(dst []byte, n int) []byte {
	if n > 0 {
		dst = append(dst, ']')
	}
	return dst
}

func appendUint(dst []byte, key string, v uint64) []byte {
	if v == 0 {
		return dst
	}
	dst = append(dst, `,"`...)
	dst = append(dst, key...)
	dst = append(dst, `":`...)
	return strconv.AppendUint(dst, v, 10)
}

func appendTrue(dst []byte, key string, v bool) []byte {
	if !v {
		return dst
	}
	dst = append(dst, `,"`...)
	dst = append(dst, key...)
	return append(dst, `":true`...)
}

// appendHex appends v as 0x and n hexadecimal digits.
func appendHex(dst []byte, v uint64, n int) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, "0x"...)
	for i := n - 1; i >= 0; i-- {
		dst = append(dst, digits[v>>(4*i)&15])
	}
	return dst
}
