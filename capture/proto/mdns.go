package proto

import "telltale/capture"

// Multicast DNS (RFC 6762): DNS messages on port 5353. A unicast answer to a legacy
// resolver has the port on the sending side only.
var _ = registerDatagram(mdnsDatagram())

func mdnsDatagram() Datagram {
	d := dnsDatagram(capture.ProtoMDNS, 5353, 11)
	dns := d.Parse
	d.Parse = func(b []byte, cut bool, log *capture.Log) error { return mdnsParse(b, cut, log, dns) }
	return d
}
