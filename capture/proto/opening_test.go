package proto

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"telltale/capture"
)

// openings returns the protocols that only open a stream.
func openings() (list []Stream) {
	for _, s := range Streams() {
		if s.Opening {
			list = append(list, s)
		}
	}
	return list
}

func proxyHeader(command, family byte, body string) string {
	size := binary.BigEndian.AppendUint16(nil, uint16(len(body)))
	return proxyV2Signature + string([]byte{command, family}) + string(size) + body
}

const proxyInetBody = "\xc6\x33\x64\x07\xcb\x00\x71\x09\xc8\x22\x01\xbb"

// opened is one message, what follows it, and the Observation wanted as JSON without
// time and place, empty for none.
var opened = []struct {
	name, in, rest, want string
	proto                capture.Proto
	status               Status
}{
	{"smtp", "EHLO me\r\n", "STARTTLS\r\n", "", capture.ProtoSMTP, Done},
	{"smtp, any case, bare line feed", "starttls\n", "\x16\x03", "", capture.ProtoSMTP, Done},
	{"smtp, longer word", "EHLOX\r\n", "", "", capture.ProtoSMTP, Reject},
	{"smtp, endless line", "EHLO " + strings.Repeat("x", commandMax), "", "", capture.ProtoSMTP, Reject},
	{"smtp, bytes of control", "EHLO \x00\r\n", "", "", capture.ProtoSMTP, Reject},
	{"imap", "A.1 id (\"name\" \"x\")\r\n", "", "", capture.ProtoIMAP, Done},
	{"imap, another command", "a1 LOGIN x y\r\n", "", "", capture.ProtoIMAP, Reject},
	{"imap, long tag", "aaaaaaaaaaaaaaaaaaaaaaaa STARTTLS\r\n", "", "", capture.ProtoIMAP, Reject},
	{"pop3", "STLS\r\n", "", "", capture.ProtoPOP3, Done},
	{"ftp", "AUTH TLS-C\r\n", "", "", capture.ProtoFTP, Done},
	{"xmpp, declaration", "<?xml version='1.0'?>\n", "<stream:stream ", "", capture.ProtoXMPP, Done},
	{"xmpp, empty request", "<starttls xmlns='x'>", "</starttls>", "", capture.ProtoXMPP, Done},
	{"xmpp, its end", "</starttls>", "\x16\x03", "", capture.ProtoXMPP, Done},
	{"xmpp, endless tag", "<stream:stream " + strings.Repeat("x", xmppMax), "", "", capture.ProtoXMPP, Reject},
	{"ldap", "\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037", "\x16\x03", "", capture.ProtoLDAP, Done},
	{"ldap, another request", "\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20036", "", "", capture.ProtoLDAP, Reject},
	{"postgresql", postgresGSS, postgresSSL, "", capture.ProtoPostgreSQL, Done},
	{"postgresql, cancel", "\x00\x00\x00\x08\x04\xd2\x16\x2e", "", "", capture.ProtoPostgreSQL, Reject},
	{"mysql", mysqlHeader + "\x85\xae\xff\x19\x00\x00\x00\x01\xff" + strings.Repeat("\x00", 23), "\x16\x03", "", capture.ProtoMySQL, Done},
	{"mysql, login without TLS", mysqlHeader + "\x85\xa6\xff\x19\x00\x00\x00\x01\xff" + strings.Repeat("\x00", 23), "", "", capture.ProtoMySQL, Reject},
	{
		"proxy v1", "PROXY TCP6 2001:db8::7 2001:db8::1 51234 443\r\n", "GET /", `"proxy","kind":"request","proxied_src":"2001:db8::7","proxied_sport":51234`,
		capture.ProtoPROXY, Done,
	},
	{"proxy v1, unknown", "PROXY UNKNOWN ffff::1 x\r\n", "\x16", "", capture.ProtoPROXY, Done},
	{"proxy v1, no address", "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n", "", "", capture.ProtoPROXY, Reject},
	{"proxy v1, port too large", "PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n", "", "", capture.ProtoPROXY, Reject},
	{"proxy v1, no line end", "PROXY TCP4 " + strings.Repeat("1", proxyV1Max), "", "", capture.ProtoPROXY, Reject},
	{"proxy v2", proxyHeader(0x21, 0x11, proxyInetBody), "\x16", `"proxy","kind":"request","proxied_src":"198.51.100.7","proxied_sport":51234`, capture.ProtoPROXY, Done},
	{
		"proxy v2, name", proxyHeader(0x21, 0x11, proxyInetBody+"\x01\x00\x02h2\x02\x00\x09A.example"), "",
		`"proxy","kind":"request","proxied_src":"198.51.100.7","proxied_sport":51234,"name":"a.example"`, capture.ProtoPROXY, Done,
	},
	{
		"proxy v2, IPv6", proxyHeader(0x21, 0x21, "\x20\x01\x0d\xb8"+strings.Repeat("\x00", 11)+"\x07"+strings.Repeat("\x00", 16)+"\x00\x01\x00\x02"), "",
		`"proxy","kind":"request","proxied_src":"2001:db8::7","proxied_sport":1`, capture.ProtoPROXY, Done,
	},
	{"proxy v2, local", proxyHeader(0x20, 0, ""), "\x16", "", capture.ProtoPROXY, Done},
	{"proxy v2, unix", proxyHeader(0x21, 0x31, strings.Repeat("x", 216)), "\x16", "", capture.ProtoPROXY, Done},
	{"proxy v2, short addresses", proxyHeader(0x21, 0x11, "\x01\x02"), "\x16", "", capture.ProtoPROXY, Done},
	{"socks 4", "\x04\x01\x00\x50\xc0\x00\x02\x01user\x00", "", `"socks","kind":"request","name":"192.0.2.1","socks_version":4,"command":"connect","port":80,"host_is_ip":true`, capture.ProtoSOCKS, Done},
	{"socks 4a", "\x04\x01\x01\xbb\x00\x00\x00\x01\x00A.example\x00", "", `"socks","kind":"request","name":"a.example","socks_version":4,"command":"connect","port":443`, capture.ProtoSOCKS, Done},
	{"socks 4, binary user", "\x04\x01\x00\x50\xc0\x00\x02\x01\x80\x00", "", "", capture.ProtoSOCKS, Reject},
	{"socks 4a, no name", "\x04\x01\x01\xbb\x00\x00\x00\x01\x00\x00", "", "", capture.ProtoSOCKS, Reject},
	{"socks 5 greeting", "\x05\x01\x00", "\x05\x01\x00\x03", "", capture.ProtoSOCKS, Done},
	{"socks 5 greeting that looks like a request", "\x05\x03\x00\x01\x02", "", "", capture.ProtoSOCKS, Done},
	{"socks 5 greeting, a method twice", "\x05\x02\x00\x00\x09", "", "", capture.ProtoSOCKS, Reject},
	{"socks 5 login", "\x01\x02me\x02pw", "\x05", "", capture.ProtoSOCKS, Done},
	{"socks 5", "\x05\x01\x00\x03\x09A.example\x01\xbb", "\x16", `"socks","kind":"request","name":"a.example","socks_version":5,"command":"connect","port":443`, capture.ProtoSOCKS, Done},
	{"socks 5, IPv6", "\x05\x03\x00\x04\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x07\x00\x35", "", `"socks","kind":"request","name":"2001:db8::7","socks_version":5,"command":"udp_associate","port":53,"host_is_ip":true`, capture.ProtoSOCKS, Done},
	{"socks 5, address as a name", "\x05\x01\x00\x03\x09192.0.2.1\x01\xbb", "", `"socks","kind":"request","name":"192.0.2.1","socks_version":5,"command":"connect","port":443,"host_is_ip":true`, capture.ProtoSOCKS, Done},
	{"socks 5, binary name", "\x05\x01\x00", "\x03\x02\x00\x01\x01\xbb", "", capture.ProtoSOCKS, Done},
	{"dce/rpc", "\x05\x00\x0b\x03\x10\x00\x00\x00\x48\x00\x00\x00", "", "", capture.ProtoSOCKS, Reject},
}

// parseOpening reads one message as the flow table does.
func parseOpening(b []byte, last bool, log *capture.Log) (p capture.Proto, n int, s Status) {
	waits := Reject
	for _, o := range openings() {
		switch o.Match(b) {
		case No:
			continue
		case More:
			waits = Incomplete
			continue
		}
		if n, s := o.Parse(b, last, log); s != Reject {
			return o.Proto, n, s
		}
	}
	return capture.ProtoNone, 0, waits
}

func TestOpenings(t *testing.T) {
	for _, c := range opened {
		t.Run(c.name, func(t *testing.T) {
			var log capture.Log
			p, n, s := parseOpening([]byte(c.in+c.rest), false, &log)
			if s != c.status || s == Done && (p != c.proto || n != len(c.in)) {
				t.Fatalf("%s: %d of %d bytes, status %d; want %s, all, status %d", p, n, len(c.in), s, c.proto, c.status)
			}
			got := ""
			for i := range log.Len() {
				got += string(log.At(i).AppendJSON(nil))
			}
			for _, s := range []string{`{"ts":"1970-01-01T00:00:00.000000000Z","packet":0,"proto":`, `"transport":6,`, `}`} {
				got = strings.Replace(got, s, "", 1)
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestOpeningsCut: no beginning of a message is refused, and none is taken for another
// whole one that would leave the rest unread.
func TestOpeningsCut(t *testing.T) {
	for _, c := range opened {
		if c.status != Done {
			continue
		}
		for n := 1; n < len(c.in); n++ {
			var log capture.Log
			p, used, s := parseOpening([]byte(c.in[:n]), false, &log)
			if s == Reject || s == Done && used < n {
				t.Errorf("%s: the first %d bytes give %s, %d bytes, status %d", c.name, n, p, used, s)
			}
		}
	}
}

func TestOpeningsAllocate(t *testing.T) {
	var log capture.Log
	list := openings()
	for _, c := range opened {
		b := []byte(c.in)
		if got := testing.AllocsPerRun(20, func() {
			log.Reset()
			for i := range list {
				if list[i].Match(b) == Yes {
					list[i].Parse(b, false, &log)
				}
			}
		}); got != 0 {
			t.Errorf("%s: %v allocations", c.name, got)
		}
	}
}

// FuzzOpenings checks what Stream promises: what is consumed lies within the bytes, the
// verdict on whole bytes does not change when more come, and Observations come with
// Done only.
func FuzzOpenings(f *testing.F) {
	for _, c := range opened {
		f.Add([]byte(c.in), []byte(c.rest))
	}
	for _, p := range captured(f, "ndpi_pop3_stls", "zeek_psql-aws-ssl-preferred", "ndpi_tls_heur__shadowsocks-tcp", "zeek_connect-with-header") {
		f.Add(p[:min(len(p), 100)], []byte{})
	}
	list := openings()
	f.Fuzz(func(t *testing.T, b, more []byte) {
		if len(b) == 0 {
			return
		}
		for i := range list {
			o := &list[i]
			for _, last := range []bool{false, true} {
				var log capture.Log
				n, s := o.Parse(b, last, &log)
				if n < 0 || n > len(b) || (s == Done) != (n > 0) || s != Done && log.Len() > 0 || log.Len() > 1 {
					t.Fatalf("%s: parse of %d bytes returned %d, %d with %d observations", o.Proto, len(b), n, s, log.Len())
				}
			}
			if v := o.Match(b); v == No && o.Match(append(bytes.Clone(b), more...)) != No && o.Proto != capture.ProtoSOCKS {
				t.Fatalf("%s: refused, and not with %d more bytes", o.Proto, len(more))
			}
		}
	})
}

// FuzzAddr holds the reader of addresses against net/netip.
func FuzzAddr(f *testing.F) {
	for _, s := range []string{"192.0.2.1", "2001:db8::7", "::", "1::2::3", "::ffff:1.2.3.4", "01.2.3.4", "1:2:3:4:5:6:7:8", "fe80::1%eth0", "1:2:3:4:5:6:7::", "::1:2:3:4:5:6:7:8"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := parseAddr([]byte(s))
		want, err := netip.ParseAddr(s)
		if embedded := strings.Contains(s, ":") && strings.ContainsAny(s, ".%"); ok != (err == nil) && !embedded || ok && got != want {
			t.Fatalf("%q: %v, %v; net/netip says %v, %v", s, got, ok, want, err)
		}
	})
}
