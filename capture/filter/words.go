package filter

// services are the port names that are understood. Others are written as numbers:
// names that depend on a file of the machine would make a program that does too.
var services = map[string]uint16{
	"ftp-data": 20, "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "domain": 53,
	"bootps": 67, "bootpc": 68, "tftp": 69, "http": 80, "pop3": 110, "ntp": 123,
	"imap2": 143, "imap": 143, "snmp": 161, "snmp-trap": 162, "bgp": 179, "ldap": 389,
	"https": 443, "submission": 587, "ldaps": 636, "domain-s": 853, "imaps": 993,
	"pop3s": 995, "sip": 5060, "mdns": 5353,
}

// ipProtocols are the names understood after proto (IANA "Protocol Numbers").
var ipProtocols = map[string]uint8{
	"icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "ah": 51,
	"icmp6": 58, "ospf": 89, "pim": 103, "vrrp": 112, "sctp": 132,
}

// protocolWords are the primitives of one word that name an IP protocol.
var protocolWords = map[string]protocol{
	"tcp": {inIPv4 | inIPv6, 6}, "udp": {inIPv4 | inIPv6, 17}, "sctp": {inIPv4 | inIPv6, 132},
	"icmp": {inIPv4, 1}, "icmp6": {inIPv6, 58}, "igmp": {inIPv4, 2},
	"esp": {inIPv4 | inIPv6, 50}, "ah": {inIPv4 | inIPv6, 51},
	"pim": {inIPv4 | inIPv6, 103}, "vrrp": {inIPv4, 112},
}

// etherTypes are the primitives of one word that name an EtherType, and the names
// understood after ether proto.
var etherTypes = map[string]uint16{
	"ip": etherIPv4, "ip6": etherIPv6, "arp": etherARP, "rarp": etherRARP, "lldp": 0x88cc,
}

const program = "write the program with 'tcpdump -ddd' and give it with -F"

// refused are words of pcap-filter(7) outside the subset, with what to do instead.
var refused = map[string]string{
	"gateway":   "write 'ether host MAC and not host ADDRESS'",
	"broadcast": "write 'ether broadcast'; which IP addresses are broadcast depends on a netmask",
	"dir":       "write 'src' or 'dst'",
	"inbound":   "choose the interface that sees the direction, or filter by 'ether src'",
	"outbound":  "choose the interface that sees the direction, or filter by 'ether src'",
	"ifname":    "choose the interface with -i",
	"on":        "choose the interface with -i",
	"mpls":      "the labels are looked into without a filter; " + program,
	"pppoed":    "write 'ether proto 0x8863'",
	"pppoes":    "write 'ether proto 0x8864' for all sessions; " + program,
	"geneve":    "write 'udp port 6081' for the outer packets; " + program,
	"vxlan":     "write 'udp port 4789' for the outer packets; " + program,
	"len":       "write 'less N' or 'greater N'",
	"protochain": "write 'proto N', which does not follow IPv6 extension headers; " +
		program,
	"link": "write 'ether'", "fddi": "write 'ether'", "tr": "write 'ether'", "wlan": "write 'ether'; " + program,
	"decnet": program, "iso": program, "clnp": program, "esis": program, "isis": program,
	"llc": program, "stp": program, "atalk": program, "aarp": program, "lat": program,
	"moprc": program, "mopdl": program, "ipx": program, "netbeui": program, "carp": "write 'ip proto 112'",
	"igrp": "write 'ip proto 9'", "rnr": program, "rset": program, "reason": program, "action": program,
	"type": program, "subtype": program, "radio": program, "hopcount": program,
}
