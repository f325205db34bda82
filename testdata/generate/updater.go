package generate

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// UpdaterConfig says how many hosts have the product, and what becomes of its attempts.
type UpdaterConfig struct {
	// Hosts is the number of hosts, at least 1; up to 10000; the first is 10.20.42.10.
	Hosts int
	// Rounds is how often each of them looks for updates, at least 1.
	Rounds int
	// Every is the time from one round to the next, at least a minute.
	Every time.Duration
	// Blocked refuses everything: names do not exist, connections are reset.
	Blocked bool
	// Seed of all that is drawn.
	Seed uint64
}

// UpdateServer is the address literal that the product fetches update files from.
func UpdateServer() netip.Addr { return netip.AddrFrom4([4]byte{198, 51, 100, 20}) }

// The updater's User-Agent is that of 2018, seen in the traces of LBNL's Zeek package
// detect-kaspersky; so are its paths and the magic numbers of its files.
const updaterAgent = "*B0cBAAQAjyajPZi3NqrqOlLbWHEBn0dO1ZHOsQUs2xEOPsB8LFbPAkWACAAAA8AA"

// cloudNames are those of the reputation cloud; each round asks two of them.
func cloudNames() []string {
	return []string{
		"ksn-verdict-geo.kaspersky-labs.com", "ksn-file-geo.kaspersky-labs.com",
		"ksn-url-geo.kaspersky-labs.com", "ksn-info-geo.kaspersky-labs.com",
	}
}

// Updater returns the traffic of an installed product: in each round, on each host, TLS
// to an update server and to the reputation cloud, without ALPN, and update files over
// HTTP/1.0 from an address literal. It fails if conf is out of range.
func Updater(conf UpdaterConfig) (*Capture, error) {
	if conf.Hosts < 1 || conf.Hosts > 10000 || conf.Rounds < 1 || conf.Every < time.Minute {
		return nil, errors.New("generating: hosts must be 1 to 10000, rounds at least 1, every at least a minute")
	}
	t := newTrace(conf.Seed)
	for number := range conf.Hosts {
		client := host(200 + number)
		first := start().Add(t.between(0, conf.Every))
		for round := range conf.Rounds {
			at := first.Add(time.Duration(round)*conf.Every + t.between(0, 2*time.Second))
			t.update(at, client, round, conf.Blocked)
		}
	}
	return t.finish()
}

// update is one round on one host.
func (t *trace) update(at time.Time, client netip.Addr, round int, refused bool) {
	cloud := cloudNames()
	for _, name := range []string{"s00.upd.kaspersky.com", cloud[round%len(cloud)], cloud[(round+1)%len(cloud)]} {
		at = t.consult(at, client, name, refused).Add(t.between(10*time.Millisecond, time.Second))
	}
	for _, file := range []struct{ path, magic string }{
		{"/updaters/updater.xml.dif", "KLD2"}, {"/updaters/updater.xml.klz", "KLZF"},
	} {
		at = t.fetch(at, client, file.path, file.magic, refused).Add(t.between(10*time.Millisecond, time.Second))
	}
}

// consult speaks TLS with a server by name, if the name has an address.
func (t *trace) consult(at time.Time, client netip.Addr, name string, refused bool) time.Time {
	if refused {
		return t.lookup(at, client, name, blocked, dns.TypeA, dns.TypeAAAA)
	}
	known := t.lookup(at, client, name, resolved, dns.TypeA, dns.TypeAAAA)
	t.contact(client, "tls", name)
	d := t.dial(known, endpoint{client, 0}, endpoint{Address(name), 443})
	d.open()
	d.send(t.productHello(name))
	d.reply(t.serverFlight(1500 + t.dice.IntN(500)))
	d.send(append([]byte{recordCipherSpec, 3, 3, 0, 1, 1}, t.application(69)...))
	d.send(t.application(120 + t.dice.IntN(200)))
	d.reply(t.application(80 + t.dice.IntN(400)))
	d.end()
	return d.at
}

// fetch gets an update file from the address literal.
func (t *trace) fetch(at time.Time, client netip.Addr, path, magic string, refused bool) time.Time {
	d := t.dial(at, endpoint{client, 0}, endpoint{UpdateServer(), 80})
	if refused {
		d.refuse()
		return d.at
	}
	t.request(d, path, updaterAgent, append([]byte(magic), t.bytes(1000+t.dice.IntN(2500))...))
	return d.at
}

// request fetches a path from an address literal on a new connection.
func (t *trace) request(d *dialogue, path, agent string, body []byte) {
	t.contact(d.client.addr, "http", UpdateServer().String())
	d.open()
	d.send([]byte(strings.Join([]string{
		"GET " + path + " HTTP/1.0", "Host: " + UpdateServer().String(), "Pragma: no-cache",
		"Cache-Control: no-cache", "Connection: keep-alive", "User-Agent: " + agent, "", "",
	}, "\r\n")))
	d.reply(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"+
		"Content-Length: %d\r\nConnection: keep-alive\r\n\r\n%s", len(body), body))
	d.end()
}
