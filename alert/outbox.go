package alert

import "context"

// Outbox is where a Dispatcher reads what is to be sent and notes how far each receiver
// has come. It is safe for use by several goroutines.
type Outbox interface {
	// Cursor returns the sequence number up to which all is settled for a sink. A sink
	// that is new becomes known: what is written from now on is for it.
	Cursor(ctx context.Context, sink string) (uint64, error)
	// Next returns up to n Entries for a sink: dead letters to be tried again, or else
	// what comes after a sequence number, in order. None means that there is no more.
	Next(ctx context.Context, sink string, after uint64, n int) ([]Entry, error)
	// Settle notes how far a sink has come. Dead letters are durable when it returns;
	// the rest may be forgotten in a crash, which costs repeats and never an Alert.
	Settle(ctx context.Context, sink string, s Settlement) error
}

// Entry is one Alert to be sent.
type Entry struct {
	Seq   uint64
	Alert *Alert // nil if Err is set
	Err   error  // what was stored cannot be read
	// Retry is the number of the dead letter it was, 0 if it is none.
	Retry int64
}

// Settlement is how far a sink has come.
type Settlement struct {
	UpTo    uint64 // all up to this sequence number is settled; 0 if nothing moved
	Dead    []DeadLetter
	Retried []int64 // dead letters that were taken at last
}

// DeadLetter is an Alert that a receiver refused for good.
type DeadLetter struct {
	Seq    uint64
	Retry  int64 // the dead letter it was before, 0 if it is new
	Alert  *Alert
	Reason string
}
