#!/usr/bin/env bash
# Records the cases: record.sh [SCENARIO...], by default all of them.
#
# Three network namespaces make a laboratory without any way out: clients, servers,
# and the SPAN port of the switch between them (the program wire), where tcpdump
# records. Real clients run in the first; the program servers plays the internet in
# the second, on addresses that look like the internet's.
#
# Run it as root, on Linux with /dev/net/tun. It needs go, iproute2, tcpdump, tshark
# (with editcap and capinfos), chromium, curl, openssl and dig. It writes
# testdata/case/NAME/input.* and README, and leaves neither processes nor namespaces
# behind.
set -Eeuo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cases=$here/../case
span=telltale-span
# shellcheck source=lab.sh
source "$here/lab.sh"
# shellcheck source=readme.sh
source "$here/readme.sh"

# browse FLAGS... URL: one page in a browser without a past
browse() {
	local profile
	profile=$(mktemp -d "$work/profile.XXXX")
	client env HOME="$profile" timeout 60 chromium --headless --no-sandbox --disable-gpu \
		--no-first-run --disable-background-networking --disable-component-update \
		--disable-sync --disable-default-apps --disable-extensions --disable-dev-shm-usage \
		--ignore-certificate-errors --ignore-certificate-errors-spki-list="$(<"$work/spki")" \
		--user-data-dir="$profile" --dump-dom "$@" >"$work/dom" 2>"$work/chromium.log" || true
	grep -q '<title>' "$work/dom" || die "chromium loaded no page: see $(tail -n 3 "$work/chromium.log")"
}

chromium_version() { chromium --version 2>/dev/null | grep -o 'Chromium [0-9.]*'; }
curl_version() { curl --version | awk 'NR == 1 { print $1, $2 }'; }
openssl_version() { openssl version | cut -d' ' -f1,2; }
go_version() { go version | awk '{ print "Go", substr($3, 3) }'; }
dig_version() { dig -v 2>&1 | cut -d- -f1; }

# ask ARGUMENTS...: one question by dig
ask() { client dig +noall "$@" >"$work/dig.log" 2>&1; }

# sclient ARGUMENTS...: a TLS handshake and nothing more
sclient() {
	client timeout 10 openssl s_client "$@" </dev/null >/dev/null 2>&1
}

scenario_chromium_visit() {
	as_host 41
	record chromium-visit input.pcap
	browse --disable-quic https://www.kaspersky.com/
	browse --disable-quic https://www.daily-news.example/
	finish "$(chromium_version)" "Headless Chromium visits the vendor's web site (an alias under a CDN's zone) and a news site that embeds scripts of two other vendors. Post-quantum hellos longer than a segment, ECH GREASE, HTTPS questions."
}

scenario_chromium_quic() {
	as_host 41
	record chromium-quic input.pcapng
	browse --origin-to-force-quic-on=www.huawei.com:443 https://www.huawei.com/
	browse --origin-to-force-quic-on=www.kaspersky.com:443 https://www.kaspersky.com/
	finish "$(chromium_version)" "Headless Chromium over HTTP/3 (QUIC version 1): the hello spans several Initial packets, its CRYPTO frames shuffled. File format pcapng."
}

scenario_updater() {
	local agent='*B0cBAAQAjyajPZi3NqrqOlLbWHEBn0dO1ZHOsQUs2xEOPsB8LFbPAkWACAAAA8AA'
	local server=198.51.100.20 path
	as_host 42
	record updater input.pcap
	for path in updaters/updater.xml.dif updaters/updater.xml.klz index/u1313g.xml.dif updates/av/av-1313g.xml.klz; do
		client curl -0 -sS -o /dev/null -A "$agent" -H 'Pragma: no-cache' "http://$server/$path"
	done
	client curl -ksS -4 --http1.1 -o /dev/null https://s00.upd.kaspersky.com/
	client curl -ksS -4 --http1.1 -o /dev/null https://activation-v2.kaspersky.com/
	client curl -ksS -4 --http1.1 -o /dev/null https://ksn-verdict-geo.kaspersky-labs.com/
	client curl -sS -A "$agent" -o /dev/null http://downloads.upd.kaspersky.com/updaters/updater.xml.klz
	finish "$(curl_version)" "What an installed product does: update files over HTTP/1.0 from an address literal with the updater's User-Agent and bodies that begin with KLD2 or KLZF, then update, activation and reputation servers over TLS, and one update by name over HTTP/1.1."
}

scenario_openssl_sclient() {
	local name=s00.upd.kaspersky.com act=activation-v2.kaspersky.com
	local protocols=h2,http/1.1,spdy/3.1,spdy/3,spdy/2
	for _ in {1..40}; do protocols+=,padding-protocol; done
	as_host 44
	record openssl-sclient input.pcap
	sclient -4 -connect $name:443 -servername $name -tls1_2
	sclient -4 -connect $name:443 -servername $name -tls1_3
	sclient -4 -connect $name:443 -noservername -tls1_2
	sclient -4 -connect $name:443 -noservername -tls1_3
	sclient -6 -connect $act:443 -servername $act -tls1_3
	# A hello of several records: OpenSSL begins a new one after 512 bytes.
	sclient -4 -connect $act:443 -servername $act -max_send_frag 512 -alpn "$protocols"
	# A hello of many segments: the servers ask for short ones.
	server ip route change 10.20.30.0/24 dev tap0 advmss 88
	server ip -6 route add 2001:db8:20::44/128 dev tap0 advmss 100
	sclient -4 -connect ksn-verdict-geo.kaspersky-labs.com:443 -servername ksn-verdict-geo.kaspersky-labs.com
	sclient -6 -connect $name:443 -servername $name -tls1_3
	server ip route change 10.20.30.0/24 dev tap0
	server ip -6 route del 2001:db8:20::44/128 dev tap0
	finish "$(openssl_version) s_client" "TLS 1.2 and 1.3, with and without a server name, IPv4 and IPv6; one hello in several records of 512 bytes; two hellos cut into segments of 76 (IPv4) and 88 bytes (IPv6)."
}

scenario_go_client() {
	as_host 45
	record go-client input.pcap
	client "$work/client" https www.kaspersky.com
	client "$work/client" https ksn-verdict-geo.kaspersky-labs.com
	client "$work/client" quic s00.upd.kaspersky.com 1
	client "$work/client" quic www.huawei.com 2
	finish "$(go_version) net/http, quic-go" "Go's TLS hello, and HTTP/3 by quic-go over QUIC version 1 (to the update server) and version 2 (to www.huawei.com)."
}

scenario_ech() {
	as_host 45
	record ech input.pcap
	ask private.example HTTPS
	client "$work/client" ech private.example cloudflare-ech.com "$work/ech"
	finish "$(go_version) crypto/tls" "Real Encrypted Client Hello: the HTTPS record of private.example carries its configuration, the hello shows the provider's public name only."
}

scenario_dig_dns() {
	local name
	as_host 46
	record dig-dns input.pcap
	for name in kaspersky.com WWW.Kaspersky.COM s00.upd.kaspersky.com; do
		ask "$name" A
	done
	ask s00.upd.kaspersky.com AAAA
	ask +tcp activation-v2.kaspersky.com A
	ask -6 @2001:db8:20::1 ksn-file-geo.kaspersky-labs.com A
	ask www.huawei.com HTTPS
	ask private.example HTTPS
	ask analytics.tiktok.com A
	ask does-not-exist.kaspersky.com A
	ask @10.20.30.53 ksn-verdict-geo.kaspersky-labs.com A
	ask @10.20.30.53 ksn-verdict-geo.kaspersky-labs.com AAAA
	ask @10.20.30.53 downloads.upd.kaspersky.com A
	ask +noedns +ignore big.example TXT
	ask +bufsize=4096 big.example TXT
	ask -x 203.0.113.10
	finish "$(dig_version)" "DNS over UDP and TCP, IPv4 and IPv6: mixed case, AAAA, HTTPS with and without ECH, an alias chain into a CDN's zone, no such name, the answers 0.0.0.0 and ::, blocked with an extended error, a truncated answer, an answer in IP fragments, a reverse question."
}

scenario_blocked() {
	local r
	as_host 43
	record blocked input.pcap
	ask @10.20.30.53 downloads.upd.kaspersky.com A
	ask @10.20.30.53 ksn-verdict-geo.kaspersky-labs.com A
	for r in 8.8.8.8 1.1.1.1 223.6.6.6 9.9.9.9 185.228.168.168; do
		ask +tries=1 +time=1 "@$r" downloads.upd.kaspersky.com A || [ $r = 9.9.9.9 ]
	done
	finish "$(dig_version)" "The product's walk through public resolvers, in its order, after the network's own resolver refused its names: NXDOMAIN with the extended error Blocked, 0.0.0.0; then NXDOMAIN, 0.0.0.0, REFUSED, ICMP port unreachable, NXDOMAIN with Blocked. No connection follows."
}

scenario_refused() {
	as_host 47
	record refused input.pcap
	client curl -ksS -m 5 -o /dev/null https://ds.kaspersky.com/ 2>/dev/null || [ $? -eq 7 ]
	client curl -ksS --connect-timeout 1.5 -o /dev/null https://ksn-url-geo.kaspersky-labs.com/ 2>/dev/null || [ $? -eq 28 ]
	client curl -ksS -m 5 -o /dev/null https://activation-v2.geo.kaspersky.com/ 2>/dev/null || [ $? -eq 35 ]
	client timeout 3 "$work/client" quic ds.kaspersky.com 1 2>/dev/null || true
	finish "$(curl_version), quic-go" "Attempts at product endpoints without an exchange: RST, no answer to the SYN, a fatal TLS alert, and QUIC answered by ICMP port unreachable."
}

scenario_link_sll() {
	as_host 48
	record link-sll input.pcap -ns "$clients" -i any -y LINUX_SLL
	web_request
	finish "$(curl_version)" "Recorded on the client with tcpdump -i any, link type LINUX_SLL (113)."
	record link-sll2 input.pcap -ns "$clients" -i any -y LINUX_SLL2
	web_request
	finish "$(curl_version)" "Recorded on the client with tcpdump -i any, link type LINUX_SLL2 (276)."
}

scenario_link_loopback() {
	record link-loopback input.pcap -ns "$servers" -i lo
	server curl -4 -ksS -o /dev/null --resolve s00.upd.kaspersky.com:443:198.51.100.10 https://s00.upd.kaspersky.com/
	server curl -6 -ksS -o /dev/null --resolve s00.upd.kaspersky.com:443:[2001:db8:100::10] https://s00.upd.kaspersky.com/
	finish "$(curl_version)" "Recorded on the loopback device: Ethernet headers without addresses, no segmentation, client and server with one address."
}

scenario_link_vlan() {
	as_host 49
	wire_up -vlan 30
	record link-vlan input.pcap
	web_request
	finish "$(curl_version)" "One 802.1Q tag, VLAN 30."
	wire_up -vlan 30 -outer 200
	record link-qinq input.pcap
	web_request
	finish "$(curl_version)" "Two tags: 802.1ad service VLAN 200 over 802.1Q VLAN 30. Compressed with gzip; the file's name does not say so."
	wire_up
	gzip -9n "$cases/link-qinq/input.pcap"
	mv "$cases/link-qinq/input.pcap.gz" "$cases/link-qinq/input.pcap"
}

scenario_link_raw() {
	tunnel_up
	record link-raw input.pcap -ns "$clients" -i tun0
	web_request
	finish "$(curl_version)" "Recorded on a tun device: IP packets without a link header, link type RAW (101)."
	tunnel_down
}

# web_request: what the link type cases hold, a page over TLS and one over HTTP
web_request() {
	client curl -4 -ksS -o /dev/null https://s00.upd.kaspersky.com/
	client curl -4 -sS -o /dev/null http://www.kaspersky.com/
}

scenario_multicast() {
	as_host 41
	record multicast input.pcap
	client "$work/client" mdns tap0
	client "$work/client" llmnr tap0
	finish "$(go_version), miekg/dns" "Multicast DNS questions and the announcement of huawei-matebook.local (10.20.30.41), LLMNR questions over IPv4 and IPv6."
}

scenario_proxy() {
	as_host 41
	record proxy input.pcap
	client curl -4 -ksS -o /dev/null -x http://10.20.30.1:3128 https://activation-v2.kaspersky.com/
	client curl -4 -sS -o /dev/null http://203.0.113.10/
	client curl -6 -gsS -o /dev/null 'http://[2001:db8:113::10]/'
	finish "$(curl_version)" "CONNECT through a proxy, with the TLS handshake inside it; HTTP to address literals."
}

# openssl_server ADDRESS:PORT FLAGS...: openssl answers there, until openssl_end
openssl_server() {
	[ -e "$work/own.pem" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
		-subj /CN=server.example -keyout "$work/own.pem" -out "$work/own.crt" 2>/dev/null
	ip netns exec "$servers" openssl s_server -accept "$1" -cert "$work/own.crt" -key "$work/own.pem" -quiet "${@:2}" <"$work/silence" >/dev/null 2>&1 &
	openssl_pid=$!
	sleep 0.3
}

openssl_end() {
	end "$openssl_pid"
	openssl_pid=''
}

scenario_dtls() {
	local name=www.daily-news.example
	as_host 50
	record dtls input.pcap
	openssl_server 203.0.113.20:4443 -dtls1_2 -listen
	sclient -4 -connect $name:4443 -servername $name -dtls1_2
	openssl_end
	openssl_server 203.0.113.20:4444 -dtls -cipher ALL:@SECLEVEL=0
	sclient -4 -connect $name:4444 -servername $name -dtls1_2 -mtu 256 -alpn coap,padding-protocol,another-protocol
	sclient -4 -connect $name:4444 -noservername -dtls1 -cipher ALL:@SECLEVEL=0
	openssl_end
	finish "$(openssl_version) s_client" "DTLS 1.2 with a HelloVerifyRequest, so that two hellos carry the name, which counts once; a hello in fragments, over several datagrams; DTLS 1.0 without a name."
}

scenario_quic_port() {
	as_host 45
	record quic-port input.pcap
	client "$work/client" quic www.huawei.com:4433 1
	finish "$(go_version) quic-go" "HTTP/3 on port 4433: the hello spans two Initial packets."
}

scenario_quic_retry() {
	as_host 45
	record quic-retry input.pcap
	client "$work/client" quic www.huawei.com:4434 1
	finish "$(go_version) quic-go" "The server answers the first Initial with a Retry; the hello comes again, in Initials with the token and another connection id. It counts once."
}

scenario_quic_again() {
	as_host 45
	record quic-again input.pcap
	client "$work/client" again www.kaspersky.com www.daily-news.example
	finish "$(go_version) quic-go" "Two QUIC connections one after the other between the same addresses and ports, for two names."
}

scenario_h2c() {
	as_host 46
	record h2c input.pcap
	client curl -4 -sS --http2-prior-knowledge -A KL/1.0 -o /dev/null http://downloads.upd.kaspersky.com/updaters/updater.xml.klz
	client "$work/client" clear s00.upd.kaspersky.com/updates/av.klz downloads.upd.kaspersky.com/index/u1313g.xml.dif
	client curl -4 -sS --http2 -o /dev/null http://www.kaspersky.com/ -o /dev/null http://www.kaspersky.com/second
	finish "$(curl_version), $(go_version) net/http" "HTTP/2 without TLS: by prior knowledge, one request by curl and two requests for two names on one connection by Go; by Upgrade: h2c, two requests by curl, the first of them in HTTP/1.1."
}

scenario_encrypted_dns() {
	as_host 51
	record encrypted-dns input.pcap
	openssl_server 8.8.8.8:853 -alpn dot
	sclient -4 -connect dns.google:853 -servername dns.google -alpn dot
	openssl_end
	openssl_server 1.1.1.1:443 -alpn h2
	sclient -4 -connect one.one.one.one:443 -servername cloudflare-dns.com -alpn h2
	openssl_end
	client "$work/client" quic dns9.quad9.net:853 1
	finish "$(openssl_version) s_client, $(go_version) quic-go" "Three public resolvers, each asked in another hidden way: DNS over TLS, HTTPS and QUIC."
}

all=(chromium-visit chromium-quic updater openssl-sclient go-client ech dig-dns blocked refused
	link-sll link-loopback link-vlan link-raw multicast proxy dtls quic-port quic-retry quic-again h2c encrypted-dns)
[ $# -gt 0 ] || set -- "${all[@]}"
for scenario in "$@"; do
	declare -F "scenario_${scenario//-/_}" >/dev/null || die "no scenario $scenario: choose from ${all[*]}"
done
lab_up
for scenario in "$@"; do
	"scenario_${scenario//-/_}"
done
