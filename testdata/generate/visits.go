package generate

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/miekg/dns"
)

// visitors is the number of hosts that browse.
const visitors = 8

// Visits returns browser traffic: n visits to web pages, by eight hosts. names are the
// sites; each visit goes to one of them, in turn, and fetches from up to three others
// what the page embeds. For each there are questions for A, AAAA and HTTPS records, a
// TLS connection with a browser's hello, and an exchange.
// It fails without names, or with one that DNS cannot carry.
func Visits(n int, names []string, seed uint64) (*Capture, error) {
	if err := valid(names); err != nil {
		return nil, err
	}
	t := newTrace(seed)
	at := start()
	for i := range n {
		t.visit(at, host(t.dice.IntN(visitors)), t.page(names, i))
		at = at.Add(t.between(time.Second, 20*time.Second))
	}
	return t.finish()
}

// valid reports names that cannot be asked for.
func valid(names []string) error {
	if len(names) == 0 {
		return errors.New("generating: no names given")
	}
	for _, name := range names {
		if _, ok := dns.IsDomainName(name); !ok || name == "" {
			return fmt.Errorf("generating: %q is no domain name", name)
		}
	}
	return nil
}

// page returns what visit number i fetches: a site, then what it embeds.
func (t *trace) page(names []string, i int) []string {
	all := []string{names[i%len(names)]}
	for _, other := range t.dice.Perm(len(names))[:t.dice.IntN(min(4, len(names)))] {
		if other != i%len(names) {
			all = append(all, names[other])
		}
	}
	return all
}

// visit fetches the first of names, then the others at once.
func (t *trace) visit(at time.Time, client netip.Addr, names []string) {
	for i, name := range names {
		known := t.lookup(at, client, name, resolved, dns.TypeHTTPS, dns.TypeAAAA, dns.TypeA)
		done := t.browse(known, client, name)
		if i == 0 {
			at = done
		}
	}
}

// browse fetches something over TLS and returns the time it had come.
func (t *trace) browse(at time.Time, client netip.Addr, name string) time.Time {
	t.contact(client, "tls", name)
	d := t.dial(at, endpoint{client, 0}, endpoint{Address(name), 443})
	d.open()
	d.send(t.browserHello(name))
	d.reply(t.serverFlight(1200 + t.dice.IntN(2800)))
	d.send(append([]byte{recordCipherSpec, 3, 3, 0, 1, 1}, t.application(53)...))
	d.send(t.application(300 + t.dice.IntN(500)))
	d.reply(t.application(400 + t.dice.IntN(6000)))
	done := d.at
	d.end()
	return done
}
