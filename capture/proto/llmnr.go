package proto

import "telltale/capture"

const llmnrPort = 5355

// Link-Local Multicast Name Resolution (RFC 4795): DNS messages on port 5355, over
// TCP where an answer does not fit a datagram.
var (
	_ = registerDatagram(dnsDatagram(capture.ProtoLLMNR, llmnrPort, 12))
	_ = registerStream(dnsStream(capture.ProtoLLMNR, llmnrPort, 12))
)
