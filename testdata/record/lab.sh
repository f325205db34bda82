# Sourced by record.sh: the laboratory, that is namespaces, wire, servers, and the
# recording of one case. Everything it makes is gone when the script ends.
# shellcheck shell=bash

clients=telltale-client
servers=telltale-server
work=$(mktemp -d)
wire_pid='' tunnel_pid='' servers_pid='' tcpdump_pid='' openssl_pid=''

die() {
	echo "record: $*" >&2
	exit 1
}

client() { ip netns exec "$clients" "$@"; }
server() { ip netns exec "$servers" "$@"; }

# end PID: ends a process of ours and waits for it; nothing if there is none
end() {
	[ -n "$1" ] || return 0
	kill "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}

lab_down() {
	local ns
	end "$tcpdump_pid"
	end "$openssl_pid"
	end "$servers_pid"
	end "$wire_pid"
	end "$tunnel_pid"
	for ns in "$clients" "$servers" "$span"; do
		# What a client left running would hold the namespace.
		ip netns pids "$ns" 2>/dev/null | xargs -r kill -KILL 2>/dev/null || true
		ip netns del "$ns" 2>/dev/null || true
	done
	rm -rf "$work" "/etc/netns/$clients"
	rmdir /etc/netns 2>/dev/null || true
}

# wait_for FILE: until a program says by it that it is ready
wait_for() {
	for _ in {1..100}; do
		[ -e "$1" ] && return 0
		sleep 0.1
	done
	die "$1 did not appear: $(cat "$work/servers.log")"
}

lab_up() {
	local program ns
	[ "$(id -u)" -eq 0 ] || die "network namespaces need root: run it with sudo"
	for ns in "$clients" "$servers" "$span"; do
		[ ! -e "/run/netns/$ns" ] || die "the namespace $ns exists: is another recording running? Else: ip netns del $ns"
	done
	trap lab_down EXIT
	trap 'echo "record: failed at line $LINENO: $BASH_COMMAND" >&2' ERR
	trap 'exit 1' INT TERM
	for program in client servers wire; do
		(cd "$here/$program" && CGO_ENABLED=0 go build -o "$work/$program" .)
	done
	for ns in "$clients" "$servers" "$span"; do
		ip netns add "$ns"
		ip -n "$ns" link set lo up
	done
	mkdir -p "/etc/netns/$clients"
	echo "nameserver 10.20.30.1" >"/etc/netns/$clients/resolv.conf"
	ip -n "$servers" tuntap add dev tap0 mode tap
	ip -n "$clients" tuntap add dev tap0 mode tap
	ip -n "$span" tuntap add dev span0 mode tap
	# The recording station says nothing, and clients configure nothing by themselves.
	ip netns exec "$span" sysctl -qw net.ipv6.conf.span0.disable_ipv6=1
	client sysctl -qw net.ipv6.conf.tap0.accept_ra=0 net.ipv6.conf.tap0.router_solicitations=0
	wire_up
	# The first packets come as soon as an end is up: the recorder is ready before.
	ip -n "$span" link set span0 mtu 9000 up
	for ns in "$clients" "$servers"; do
		ip -n "$ns" link set tap0 up
	done
	server_addresses
	server sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	# To this address nobody answers.
	ip -n "$servers" route add blackhole 198.51.100.14/32
	ip netns exec "$servers" "$work/servers" -state "$work" 2>"$work/servers.log" &
	servers_pid=$!
	wait_for "$work/ready"
	mkfifo "$work/silence" # the input of programs that must not see its end
	exec 9<>"$work/silence"
}

# server_addresses gives the servers their side of the link and all of the internet's
# addresses they play.
server_addresses() {
	local address
	ip -n "$servers" address add 10.20.30.1/24 dev tap0
	ip -n "$servers" address add 10.20.30.53/24 dev tap0
	ip -n "$servers" address add 2001:db8:20::1/64 dev tap0 nodad
	for address in $("$work/servers" -addresses); do
		case $address in
		*:*) ip -n "$servers" address add "$address/128" dev lo nodad ;;
		*) ip -n "$servers" address add "$address/32" dev lo ;;
		esac
	done
}

# as_host NUMBER: the client becomes the host 10.20.30.NUMBER
as_host() {
	ip -n "$clients" address flush dev tap0 scope global
	ip -n "$clients" address add "10.20.30.$1/24" dev tap0
	ip -n "$clients" address add "2001:db8:20::$1/64" dev tap0 nodad
	ip -n "$clients" route replace default via 10.20.30.1
	ip -n "$clients" -6 route replace default via 2001:db8:20::1
}

# wire_up [FLAGS...]: joins the two sides, anew if they are joined
wire_up() {
	end "$wire_pid"
	"$work/wire" -a "$clients:tap0" -b "$servers:tap0" -span "$span:span0" "$@" &
	wire_pid=$!
	sleep 0.3
}

# tunnel_up: clients reach the servers through tun devices
tunnel_up() {
	local ns
	for ns in "$clients" "$servers"; do
		ip -n "$ns" tuntap add dev tun0 mode tun
	done
	"$work/wire" -tun -a "$clients:tun0" -b "$servers:tun0" &
	tunnel_pid=$!
	sleep 0.3
	ip -n "$clients" address add 10.99.0.2/24 dev tun0
	ip -n "$servers" address add 10.99.0.1/24 dev tun0
	for ns in "$clients" "$servers"; do
		ip netns exec "$ns" sysctl -qw net.ipv6.conf.tun0.disable_ipv6=1
		ip -n "$ns" link set tun0 up
	done
	ip -n "$clients" address flush dev tap0 scope global
	ip -n "$clients" route replace default via 10.99.0.1
	ip -n "$clients" route replace 10.20.30.1/32 via 10.99.0.1
}

tunnel_down() {
	end "$tunnel_pid"
	tunnel_pid=''
	ip -n "$clients" link del tun0
	ip -n "$servers" link del tun0
}

# record CASE FILE [-ns NAMESPACE] [TCPDUMP FLAGS...]: begins to record, by default
# what the SPAN port carries
record() {
	local ns=$span
	case_name=$1 case_file=$2
	shift 2
	if [ "${1-}" = -ns ]; then
		ns=$2
		shift 2
	fi
	[ $# -gt 0 ] || set -- -i span0
	mkdir -p "$cases/$case_name"
	rm -f "$cases/$case_name"/input.*
	# Settle: nothing of what went before may be in it.
	sleep 0.5
	ip netns exec "$ns" tcpdump -n -s0 -U --immediate-mode -Z root -c 400 -w "$work/recording" "$@" 2>"$work/tcpdump.log" &
	tcpdump_pid=$!
	for _ in {1..50}; do
		grep -qs 'listening on' "$work/tcpdump.log" && break
		sleep 0.1
	done
	kill -0 $tcpdump_pid 2>/dev/null || die "tcpdump: $(<"$work/tcpdump.log")"
}

# finish CLIENT TEXT: ends the recording begun last, and writes its README
finish() {
	sleep 0.5
	kill -0 $tcpdump_pid 2>/dev/null || die "$case_name: more than 400 packets"
	end $tcpdump_pid
	tcpdump_pid=''
	local kind=pcap
	[ "${case_file##*.}" != pcapng ] || kind=pcapng
	editcap -F "$kind" "$work/recording" "$cases/$case_name/$case_file" 2>/dev/null
	write_readme "$cases/$case_name" "$case_file" "$1" "$2"
	echo "recorded $case_name: $(capinfos -Mc "$cases/$case_name/$case_file" 2>/dev/null | awk '/Number/ { print $NF }') packets, $(stat -c %s "$cases/$case_name/$case_file") bytes"
}
