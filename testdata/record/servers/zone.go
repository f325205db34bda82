package main

import (
	"net/netip"
	"slices"
	"strings"
)

// role says what answers at an address besides DNS.
type role uint8

// Roles of an address.
const (
	web    role = iota // TLS on 443, HTTP on 80, QUIC on 443
	update             // HTTP on 80 with the updater's tree, TLS on 443
	alarm              // TLS that ends every handshake with a fatal alert
	closed             // nothing listens: RST, and ICMP for UDP
	public             // a public resolver
)

// host is a name with its addresses, the name it is an alias of, or both.
type host struct {
	name  string
	alias []string // CNAME targets, in order; the last one owns the addresses
	addr  []string
	role  role
	alpn  []string // of the HTTPS record, none for no record
	ech   bool     // the HTTPS record carries the ECHConfigList
}

// zone returns every name the resolvers know. The addresses are those of RFC 5737 and
// RFC 3849, but for one network that lies in Russia and the well-known resolvers.
func zone() []host {
	return []host{
		{
			name: "www.kaspersky.com", alias: []string{"www.kaspersky.com.edgekey.net", "e7777.dsca.akamaiedge.net"},
			addr: []string{"203.0.113.10", "2001:db8:113::10"},
		},
		{name: "kaspersky.com", addr: []string{"203.0.113.10"}},
		{name: "www.daily-news.example", addr: []string{"203.0.113.20"}},
		{
			name: "analytics.tiktok.com", alias: []string{"analytics.tiktok.com.edgekey.net"},
			addr: []string{"203.0.113.30"},
		},
		{name: "mc.yandex.ru", addr: []string{"77.88.21.119"}},
		{name: "www.huawei.com", addr: []string{"203.0.113.40"}, alpn: []string{"h3", "h2"}},
		{name: "grs.dbankcloud.com", addr: []string{"203.0.113.41"}},
		{name: "private.example", addr: []string{"203.0.113.50"}, alpn: []string{"h2"}, ech: true},
		{name: echPublicName, addr: []string{"203.0.113.50"}},
		{name: "s00.upd.kaspersky.com", addr: []string{"198.51.100.10", "2001:db8:100::10"}, role: update},
		{name: "downloads.upd.kaspersky.com", addr: []string{"198.51.100.10"}, role: update},
		{name: "activation-v2.kaspersky.com", addr: []string{"198.51.100.11", "2001:db8:100::11"}},
		{name: "ksn-verdict-geo.kaspersky-labs.com", addr: []string{"198.51.100.12", "2001:db8:100::12"}},
		{name: "ksn-file-geo.kaspersky-labs.com", addr: []string{"198.51.100.12"}},
		{name: "ds.kaspersky.com", addr: []string{"198.51.100.13"}, role: closed},
		{name: "ksn-url-geo.kaspersky-labs.com", addr: []string{silentAddress}, role: closed},
		{name: "activation-v2.geo.kaspersky.com", addr: []string{"198.51.100.15"}, role: alarm},
		{name: "update-literal.example", addr: []string{"198.51.100.20"}, role: update},
		{name: "dns.google", addr: []string{"8.8.8.8"}, role: public},
		{name: "one.one.one.one", addr: []string{"1.1.1.1"}, role: public},
		{name: "public1.alidns.com", addr: []string{"223.6.6.6"}, role: public},
		{name: "dns9.quad9.net", addr: []string{"9.9.9.9"}, role: public},
		{name: "family-filter-dns.cleanbrowsing.org", addr: []string{"185.228.168.168"}, role: public},
		{name: "dns.yandex.ru", addr: []string{"77.88.8.8"}, role: public},
	}
}

// silentAddress belongs to a name, and to no interface: packets to it vanish.
const silentAddress = "198.51.100.14"

// addresses returns every address that must be set on an interface, each once.
func addresses() []string {
	var all []string
	for _, h := range zone() {
		all = append(all, h.addr...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return slices.DeleteFunc(all, func(a string) bool { return a == silentAddress })
}

// serving returns the addresses of one role, each once.
func serving(r role) []netip.Addr {
	var all []netip.Addr
	for _, h := range zone() {
		for _, a := range h.addr {
			if addr := netip.MustParseAddr(a); h.role == r && !slices.Contains(all, addr) {
				all = append(all, addr)
			}
		}
	}
	return all
}

// find returns the host called name or with that alias, compared without regard to case.
func find(name string) (host, bool) {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	for _, h := range zone() {
		if h.name == name || slices.Contains(h.alias, name) {
			return h, true
		}
	}
	return host{}, false
}
