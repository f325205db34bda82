package alert

import (
	"context"
	"time"
)

// Sink hands records to one kind of receiver. The packages below alert/sink implement
// it; the Dispatcher is its only user, and docs/delivery.md says what it builds on it.
//
// A Sink connects when it is first needed, keeps its connection, and has a deadline of
// its own on every dial, handshake, write and read. It does not retry, pause, log or
// count: it returns, and the Dispatcher decides. It is used by one goroutine.
type Sink interface {
	// Send hands over a batch, which is not empty and in order of sequence, and says
	// how far it came. It must not keep batch or the bodies in it after it returns. It
	// returns soon after ctx is done; what was not settled by then is sent again.
	Send(ctx context.Context, batch []Record) Outcome
	// Close ends the connection. Nothing is sent after it.
	Close() error
}

// Record is one message for a receiver.
type Record struct {
	// Alert is what Body says, for headers, keys, templates and ids. It is shared and
	// must not be changed. It is nil for a line of the observation log, which only
	// sinks that offer to take them are given.
	Alert *Alert
	// Sensor is the name of the sensor: the key by which order is kept.
	Sensor string
	// Body is the Alert in the format of the sink: printable ASCII, one line, no line
	// end.
	Body []byte
}

// Outcome is how far a Send came.
type Outcome struct {
	// Done counts the records from the front of the batch that are settled: the
	// receiver acknowledged them, or they are among Refused. What a receiver without
	// acknowledgements was handed counts as settled.
	Done int
	// Refused lists, by rising index, those of the Done that the receiver will never
	// take. They go to the dead letters.
	Refused []Refusal
	// Err says why the rest is not settled. The Dispatcher sends the rest again after
	// a pause, or at once if Err is nil and Done is not 0. It ends in what the operator
	// can do.
	Err error
	// After is the pause the receiver asked for (Retry-After). 0 leaves it to the
	// Dispatcher's back-off.
	After time.Duration
	// Rewind says that the connection is new and that what was handed to the one before
	// may be lost. Nothing of the batch was sent; the next one begins with the records of
	// the Target's window. Once per connection, and only by sinks whose receiver does not
	// acknowledge.
	Rewind bool
}

// Refusal is a record that a receiver will never take.
type Refusal struct {
	Index  int    // in the batch
	Reason string // the receiver's words, for the operator
}

// Window bounds the records sent again to a receiver that does not acknowledge, after
// its connection was lost: those of the last Span, and at least Records.
type Window struct {
	Records int
	Span    time.Duration
}

// Target is a Sink as it was configured.
type Target struct {
	// Name tells it from others; its place in the outbox is kept by it.
	Name string
	Sink Sink
	// Encode appends an Alert in the format of the sink.
	Encode func(dst []byte, a *Alert) []byte
	// Filter says which Alerts it is given.
	Filter Filter
	// Batch is the most records of one Send. Default 256.
	Batch int
	// Window is zero for receivers that acknowledge.
	Window Window
}
