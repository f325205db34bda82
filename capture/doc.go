// Package capture holds the words every later stage speaks: a Packet as it was
// captured, the Source that delivers packets in batches, and the Observation a
// protocol decoder makes of them. It decodes nothing and opens nothing.
//
// Times are nanoseconds since 1970-01-01 00:00 UTC, taken from the capture:
// below cmd the packet is the only clock.
package capture
