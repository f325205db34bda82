# Sourced by record.sh: the README of a case, with what must be found in it. The list
# is made by tshark, so by a program that shares no line with the one under test.
# shellcheck shell=bash

# pairs FILE: "client protocol name" lines, each once
pairs() {
	local t=(tshark -n -r "$1" -o tls.desegment_ssl_records:TRUE -o tcp.reassemble_out_of_order:TRUE -T fields -E separator=' ' -E occurrence=l)
	{
		"${t[@]}" -Y 'dns && !mdns && !llmnr && dns.flags.response == 0' -e ip.src -e ipv6.src -e dns.qry.name | name_last dns
		"${t[@]}" -Y 'mdns' -e ip.src -e ipv6.src -e dns.qry.name | name_last mdns
		"${t[@]}" -Y 'llmnr' -e ip.src -e ipv6.src -e dns.qry.name | name_last llmnr
		"${t[@]}" -Y 'tls.handshake.type == 1 && !quic && !dtls' -e ip.src -e ipv6.src -e tls.handshake.extensions_server_name | name_last tls
		"${t[@]}" -Y 'tls.handshake.type == 1 && quic' -e ip.src -e ipv6.src -e tls.handshake.extensions_server_name | name_last quic
		"${t[@]}" -Y 'dtls.handshake.type == 1' -e ip.src -e ipv6.src -e dtls.handshake.extensions_server_name | name_last dtls
		"${t[@]}" -Y 'http.request' -e ip.src -e ipv6.src -e http.host | name_last http
		"${t[@]}" -Y 'http2.headers.authority' -e ip.src -e ipv6.src -e http2.headers.authority | name_last http
	} | tr '[:upper:]' '[:lower:]' | sort -u
}

# name_last PROTOCOL: "v4 v6 name" lines, one of the addresses empty, become "address
# protocol name"; lines without a name fall out
name_last() {
	awk -v p="$1" 'NF == 2 { if ($2 ~ /^\[/) gsub(/^\[|\].*$/, "", $2); else sub(/:[0-9]+$/, "", $2); print $1, p, $2 }'
}

# write_readme FOLDER FILE CLIENT TEXT
write_readme() {
	{
		printf '%s\n\nMade by %s; recorded by %s.\n' "$4" "$3" "$(tcpdump --version 2>&1 | sed -n 's/ version / /;1p')"
		printf '\nMust be found (client, protocol, name), as tshark %s reads it:\n\n' "$(tshark --version 2>/dev/null | awk 'NR == 1 { print $3 }')"
		pairs "$1/$2" 2>/dev/null | sed 's/^/    /'
	} >"$1/README"
}
