// Package proto turns the bytes of one message into Observations, one file per
// protocol. The parsers keep no state between messages unless their type says so,
// never read outside what they are given, and fail into a Status, never a panic.
package proto

import (
	"cmp"
	"slices"

	"telltale/capture"
)

// Role is the side of a connection that sends something.
type Role uint8

// Roles.
const (
	Either Role = iota
	Client
	Server
)

// Verdict is the answer of a Match to the first bytes of a message.
type Verdict uint8

// Verdicts.
const (
	No   Verdict = iota // another protocol
	More                // too few bytes to say
	Yes
)

// Status is what a parser says of the bytes it was given.
type Status uint8

// Statuses.
const (
	Reject     Status = iota // not this protocol, or broken beyond use
	Incomplete               // whole so far, more bytes are needed
	Done                     // one message was parsed
	Denied                   // one message was parsed and it refuses the connection (TLS alert)
	// Answered is Incomplete, and the connection is known to be accepted: what is still
	// wanted is not needed to say so (TLS certificate behind a ServerHello).
	Answered
)

// Waits says that more bytes are wanted.
func (s Status) Waits() bool { return s == Incomplete || s == Answered }

// Stream is a protocol carried in TCP.
type Stream struct {
	Proto capture.Proto
	From  Role // who sends these messages
	Order int  // tried in rising order
	// Repeat says that further messages of the kind may follow in the same direction.
	Repeat bool
	// Opening says that these messages come at the start of a stream only, before
	// another protocol in the same direction: PROXY headers, SOCKS and STARTTLS
	// dialogues. They are not looked for later.
	Opening bool
	// Port limits the protocol to connections with this port on either side; 0 is any.
	Port uint16
	// Match judges the first bytes of a message; b is never empty.
	Match func(b []byte) Verdict
	// Parse reads one message at the start of b and appends its Observations, with
	// everything but time, packet, flow and endpoints filled in. n is the number of
	// bytes of the message if Done or Denied; it may be more than b holds where a body
	// goes on, which is then passed over. last says that no more bytes will come (end
	// of the flow, or the assembly limit): then a message whose essential part is
	// there is reported although it is not whole.
	Parse func(b []byte, last bool, log *capture.Log) (n int, s Status)
	// Brief reads a message as Parse does, without what adds nothing to a flow whose
	// name is known; nil where there is no such thing.
	Brief func(b []byte, last bool, log *capture.Log) (n int, s Status)
	// Reader, where it is set, makes what reads all that follows this message in its
	// direction.
	Reader func() Reader
}

// Reader reads the messages of one direction of a connection, where one is understood
// only with those before it.
type Reader interface {
	// Read reads one message at the start of b as Stream.Parse does. After Reject, or
	// if a message was lost, nothing more can be read.
	Read(b []byte, last bool, log *capture.Log) (n int, s Status)
}

// Datagram is a protocol carried in UDP, one or more whole messages a datagram.
type Datagram struct {
	Proto capture.Proto
	Order int // tried in rising order
	// Ports limits the protocol to datagrams from or to one of these; nil is any.
	Ports []uint16
	// Server is the port from which a message speaks of the host it is sent to, not of
	// its sender; 0 if there is none.
	Server uint16
	// Match judges ports and first bytes; b is never empty.
	Match func(src, dst uint16, b []byte) bool
	// Parse appends the Observations of b as Stream.Parse does. cut says that b is
	// shorter than it was on the wire. An error means that nothing was appended.
	Parse func(b []byte, cut bool, log *capture.Log) error
}

// Message is a protocol whose messages lie straight in a frame or in ICMPv6.
type Message struct {
	Proto capture.Proto
	// Parse appends the Observations of b as Datagram.Parse does.
	Parse func(b []byte, cut bool, log *capture.Log) error
}

var (
	streams   []Stream
	datagrams []Datagram
	messages  []Message
)

func registerStream(s Stream) bool {
	streams = append(streams, s)
	slices.SortStableFunc(streams, func(a, b Stream) int { return cmp.Compare(a.Order, b.Order) })
	return true
}

func registerDatagram(d Datagram) bool {
	datagrams = append(datagrams, d)
	slices.SortStableFunc(datagrams, func(a, b Datagram) int { return cmp.Compare(a.Order, b.Order) })
	return true
}

func registerMessage(m Message) bool {
	messages = append(messages, m)
	slices.SortFunc(messages, func(a, b Message) int { return cmp.Compare(a.Proto, b.Proto) })
	return true
}

// Messages returns the registered protocols of frames and ICMPv6.
func Messages() []Message { return slices.Clone(messages) }

// Streams returns the registered stream protocols in the order they are tried.
func Streams() []Stream { return slices.Clone(streams) }

// Datagrams returns the registered datagram protocols in the order they are tried.
func Datagrams() []Datagram { return slices.Clone(datagrams) }
