package prefilter

// Class says what became of a packet.
type Class uint8

// Classes. All but the first are held back.
const (
	Passed  Class = iota
	TCPAck        // acknowledgements without data
	TCPData       // data beyond the first bytes of a stream or of a message
	QUIC          // datagrams of port 443 beyond the first
	UDPData       // other datagrams beyond the first

	// ClassCount is the number of classes, for tables indexed by them.
	ClassCount
)

// String returns the word used in the coverage report.
func (c Class) String() string {
	return [ClassCount]string{"passed", "tcp_ack", "tcp_data", "quic", "udp_data"}[min(c, ClassCount-1)]
}

// Count is a number of packets and their bytes, as the link layer counts them.
type Count struct{ Packets, Bytes uint64 }

// Counts are the totals of each class.
type Counts [ClassCount]Count

// Held returns the total of what was held back.
func (c *Counts) Held() (sum Count) {
	for _, n := range c[Passed+1:] {
		sum.Packets += n.Packets
		sum.Bytes += n.Bytes
	}
	return sum
}

// Verdicts of the programs: of a socket filter the bytes of the packet that are kept,
// of XDP its actions.
const (
	socketPass = 1<<31 - 1
	socketHold = 0
	xdpDrop    = 1
	xdpPass    = 2
)
