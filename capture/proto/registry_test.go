package proto

import (
	"fmt"
	"strings"
	"testing"
)

// TestRegistry shows every protocol in the order it is tried: a new one is seen here.
func TestRegistry(t *testing.T) {
	const want = `stream dns from 0, port 53
stream tls from 1, any port
stream tls from 2, any port
stream llmnr from 0, port 5355
stream http from 1, any port
stream http from 1, any port
stream http from 2, any port
stream proxy from 1, any port, opening
stream proxy from 1, any port, opening
stream socks from 1, any port, opening
stream socks from 1, any port, opening
stream socks from 1, any port, opening
stream socks from 1, any port, opening
stream smtp from 1, any port, opening
stream imap from 1, any port, opening
stream pop3 from 1, any port, opening
stream ftp from 1, any port, opening
stream xmpp from 1, any port, opening
stream ldap from 1, any port, opening
stream postgresql from 1, any port, opening
stream mysql from 1, any port, opening
datagram dns
datagram quic
datagram mdns
datagram llmnr
datagram dhcp, ports [67 68 4011]
datagram dhcpv6, ports [546 547]
datagram nbns, ports [137]
datagram nbdgm, ports [138]
datagram ssdp, ports [1900]
datagram wsd, ports [3702]
datagram sadp, ports [37020]
datagram dhip, ports [37810 5050]
message arp
message ndp
message lldp
message cdp
`
	var b strings.Builder
	for _, s := range Streams() {
		port := "any port"
		if s.Port != 0 {
			port = fmt.Sprintf("port %d", s.Port)
		}
		if s.Opening {
			port += ", opening"
		}
		fmt.Fprintf(&b, "stream %s from %d, %s\n", s.Proto, s.From, port)
	}
	for _, d := range Datagrams() {
		fmt.Fprintf(&b, "datagram %s", d.Proto)
		if d.Ports != nil {
			fmt.Fprintf(&b, ", ports %d", d.Ports)
		}
		fmt.Fprintln(&b)
	}
	for _, m := range Messages() {
		fmt.Fprintf(&b, "message %s\n", m.Proto)
	}
	if got := b.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
