package proto

import "telltale/capture"

// Multicast DNS (RFC 6762): DNS messages on port 5353. A unicast answer to a legacy
// resolver has the port on the sending side only.
var _ = registerDatagram(dnsDatagram(capture.ProtoMDNS, 5353, 11))
