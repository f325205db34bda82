package generate

import (
	"net/netip"
	"strings"
	"time"
)

// talk is what client and server say before a TLS hello: each turn begins with c: or s:.
type talk struct {
	port  uint16
	name  string // in the hello; empty for one without a name
	turns []string
	// joined says that the client does not wait: its last turn and the hello are one run.
	joined bool
}

// talks are the dialogues that lead to TLS, one for each protocol.
func talks() []talk {
	return []talk{
		{25, "mx.example", []string{"s:220 mx.example ESMTP\r\n", "c:EHLO me.example\r\n", "s:250-mx.example\r\n250 STARTTLS\r\n", "c:STARTTLS\r\n", "s:220 2.0.0 Ready\r\n"}, false},
		{143, "imap.example", []string{"s:* OK ready\r\n", "c:a1 CAPABILITY\r\n", "s:* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK done\r\n", "c:a2 STARTTLS\r\n", "s:a2 OK begin\r\n"}, false},
		{110, "pop.example", []string{"s:+OK ready\r\n", "c:STLS\r\n", "s:+OK begin\r\n"}, false},
		{21, "ftp.example", []string{"s:220 ftp.example FTP\r\n", "c:AUTH TLS\r\n", "s:234 go on\r\n"}, false},
		{5222, "xmpp.example", []string{
			"c:<?xml version='1.0'?><stream:stream to='xmpp.example' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>",
			"s:<?xml version='1.0'?><stream:stream id='1' version='1.0'><stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>",
			"c:<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "s:<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
		}, false},
		{389, "ldap.example", []string{
			"c:\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037",
			"s:\x30\x24\x02\x01\x01\x78\x1f\x0a\x01\x00\x04\x00\x04\x00\x8a\x161.3.6.1.4.1.1466.20037",
		}, false},
		{5432, "pg.example", []string{"c:\x00\x00\x00\x08\x04\xd2\x16\x2f", "s:S"}, false},
		{5432, "pgdirect.example", nil, false},
		{3306, "mysql.example", []string{
			"s:\x4a\x00\x00\x00\x0a8.0.36\x00" + strings.Repeat("x", 66),
			"c:\x20\x00\x00\x01\x85\xae\xff\x19\x00\x00\x00\x01\xff" + strings.Repeat("\x00", 23),
		}, true},
		{8443, "v1.example", []string{"c:PROXY TCP4 198.51.100.7 203.0.113.9 51234 443\r\n"}, true},
		{8443, "v2.example", []string{"c:\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x19\xc6\x33\x64\x08\xcb\x00\x71\x09\xc8\x22\x01\xbb\x02\x00\x0av2.example"}, true},
		{1080, "activation-v2.kaspersky.com", []string{"c:\x04\x01\x01\xbb\x00\x00\x00\x01\x00activation-v2.kaspersky.com\x00", "s:\x00\x5a\x00\x00\x00\x00\x00\x00"}, false},
		{1080, "", []string{"c:\x05\x01\x00", "s:\x05\x00", "c:\x05\x01\x00\x03\x1eksn-url-geo.kaspersky-labs.com\x01\xbb", "s:\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"}, false},
		{3128, "", []string{"c:CONNECT ds.kaspersky.com:443 HTTP/1.1\r\n\r\n", "s:HTTP/1.1 200 Connection established\r\n\r\n"}, false},
	}
}

// Openings returns connections, one by one, in which something else comes before TLS:
// STARTTLS in eight protocols, PROXY headers, SOCKS, CONNECT.
func Openings() (*Capture, error) {
	t := newTrace(11)
	at := start()
	for i, k := range talks() {
		at = t.lead(at, host(i), k).Add(time.Second)
	}
	return t.finish()
}

// lead plays k and the hello behind it.
func (t *trace) lead(at time.Time, client netip.Addr, k talk) time.Time {
	hello := t.namelessHello(versionTLS13)
	if k.name != "" {
		hello = t.browserHello(k.name)
		t.contact(client, "tls", k.name)
	}
	d := t.dial(at, endpoint{client, 0}, endpoint{netip.AddrFrom4([4]byte{192, 0, 2, 1}), k.port})
	d.open()
	for i, turn := range k.turns {
		switch data := []byte(turn[2:]); {
		case turn[0] == 's':
			d.reply(data)
		case k.joined && i == len(k.turns)-1:
			hello = append(data, hello...)
		default:
			d.send(data)
		}
	}
	d.send(hello)
	d.reply(t.serverFlight(1200))
	d.send(t.application(300))
	d.reply(t.application(600))
	d.end()
	return d.at
}

// namelessHello is a ClientHello without server_name that offers up to version.
func (t *trace) namelessHello(version uint16) []byte {
	return t.record(hello{
		message: messageClient, random: t.bytes(32), ciphers: []uint16{0x1301, 0xc02f, 0xc030, 0x009c},
		extensions: []extension{
			{extSupportedGroups, t.list16(groupX25519, 0x0017)},
			{extSignatureAlgorithms, t.list16(0x0403, 0x0804, 0x0401)},
			{extSupportedVersions, []byte{2, byte(version >> 8), byte(version)}},
		},
	})
}
