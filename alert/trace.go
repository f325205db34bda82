package alert

import "context"

// Step is one thing a Sink did on the way to its receiver: resolve, connect, handshake,
// log in, write, wait for the acknowledgement.
type Step struct {
	Name   string // a verb, lower case: "connect"
	Detail string // what was met: an address, a certificate, an answer
	Err    error  // why it failed, nil if it worked
}

type traceKey struct{}

// WithTrace returns a context whose Sends tell each Step they take.
func WithTrace(ctx context.Context, tell func(Step)) context.Context {
	return context.WithValue(ctx, traceKey{}, tell)
}

// Trace tells s to whoever watches ctx. Sinks call it at every step; it costs nothing
// when nobody watches.
func Trace(ctx context.Context, s Step) {
	if tell, ok := ctx.Value(traceKey{}).(func(Step)); ok {
		tell(s)
	}
}
