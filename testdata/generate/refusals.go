package generate

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// refusal is a connection to a proxy that does not lead to the name asked for. Turns
// begin with c: or s:.
type refusal struct {
	port     uint16
	protocol string // of what carries the name
	name     string
	turns    []string
}

// refusals are the ways in which proxies say no: policy, no password, no connection.
func refusals() []refusal {
	page := strings.Repeat("<p>This site is not allowed by the rules of your organisation.</p>\r\n", 40)
	answer := func(status, body string) string {
		return "s:HTTP/1.1 " + status + "\r\nContent-Type: text/html\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
	}
	connect := func(name string) string {
		return "c:CONNECT " + name + ":443 HTTP/1.1\r\nHost: " + name + ":443\r\n\r\n"
	}
	request5 := func(name string) string {
		return "c:\x05\x01\x00\x03" + string(rune(len(name))) + name + "\x01\xbb"
	}
	const nowhere = "\x01\x00\x00\x00\x00\x00\x00"
	forbidden, passwordless, unreachable := "ds.kaspersky.com", "activation-v2.kaspersky.com", "s00.upd.kaspersky.com"
	return []refusal{
		{3128, "http", forbidden, []string{connect(forbidden), answer("403 Forbidden", page)}},
		{3128, "http", passwordless, []string{connect(passwordless), answer("407 Proxy Authentication Required", page)}},
		{3128, "http", unreachable, []string{connect(unreachable), "s:HTTP/1.1 503 Service Unavailable\r\n\r\n"}},
		{3128, "http", "downloads.upd.kaspersky.com", []string{
			"c:GET http://downloads.upd.kaspersky.com/ HTTP/1.1\r\nHost: downloads.upd.kaspersky.com\r\n\r\n",
			answer("407 Proxy Authentication Required", page),
		}},
		{1080, "socks", "ksn-url-geo.kaspersky-labs.com", []string{"c:\x05\x01\x00", "s:\x05\x00", request5("ksn-url-geo.kaspersky-labs.com"), "s:\x05\x02\x00" + nowhere}},
		{1080, "socks", "ksn-file-geo.kaspersky-labs.com", []string{
			"c:\x04\x01\x01\xbb\x00\x00\x00\x01\x00ksn-file-geo.kaspersky-labs.com\x00", "s:\x00\x5b\x00\x00\x00\x00\x00\x00",
		}},
	}
}

// Refusals returns connections to proxies, one by one and each from a host of its own,
// that are all refused: nothing of the vendor was reached.
func Refusals() (*Capture, error) {
	t := newTrace(17)
	at := start()
	for i, r := range refusals() {
		t.contact(host(i), r.protocol, r.name)
		d := t.dial(at, endpoint{host(i), 0}, endpoint{netip.AddrFrom4([4]byte{192, 0, 2, 1}), r.port})
		d.open()
		for _, turn := range r.turns {
			if turn[0] == 's' {
				d.reply([]byte(turn[2:]))
			} else {
				d.send([]byte(turn[2:]))
			}
		}
		d.end()
		at = d.at.Add(time.Second)
	}
	return t.finish()
}
