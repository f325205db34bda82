// Package flow follows conversations: it keeps a bounded table of flows, assembles
// no more of a stream than its first messages, hands those to the protocol parsers
// and reports every flow's outcome and totals. Packet time is its only clock.
package flow

import (
	"errors"
	"fmt"
	"time"
)

// Config sets the limits of flow tracking. The zero value of a field means its default.
type Config struct {
	// Workers is the number of goroutines that follow flows. 1 does everything in
	// the caller's. The output is the same for any number. Default 1.
	Workers int
	// Shards is the number of independent parts of the flow table; a power of two,
	// at least Workers. It takes part in which flow is evicted first, so it is a
	// constant of a run. Default 16.
	Shards int
	// MaxFlows is the number of flows remembered at once over all shards; beyond it
	// the idlest of a few candidates is reported and forgotten. Default 1,048,576.
	MaxFlows int
	// MaxMessage is the most bytes assembled for one message, per direction of a
	// flow. Default 65,600: a DNS message over TCP with its length.
	MaxMessage int
	// MaxAssembly is the most bytes held in all assembly buffers. Default 64 MiB.
	MaxAssembly int
	// MaxQUIC is the number of QUIC connections, and of DTLS ones, whose hello is being collected at
	// once. Default 4,096.
	MaxQUIC int
	// TCPIdle and UDPIdle are the silence after which a flow ends; Closing is the same
	// after FIN or RST. Defaults 5 min, 1 min, 10 s.
	TCPIdle, UDPIdle, Closing time.Duration
	// Details asks for what only those need who keep Observations: JA4 fingerprints, and
	// certificates of TLS servers that the hello named, which say nothing new of them.
	Details bool
	// Prefiltered says that packets of bulk were held back before: bytes of a TCP
	// direction then come from its sequence numbers where those tell more, and the
	// records of flows say that their totals are not whole.
	Prefiltered bool
	// Loss asks for the estimate of what was lost before it was captured: Acknowledged
	// and Unseen of Stats.
	Loss bool
	// LossWindow is the number of bytes from the start of a stream within which unseen
	// bytes count as lost, where later ones are held back on purpose; 0 is no limit.
	LossWindow int
	// Seed keys the hash of the flow table. A live capture sets it at random against
	// crafted collisions, a replay leaves it alone for equal output.
	Seed uint64
}

func (c Config) withDefaults() Config {
	set := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	setTime := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	set(&c.Workers, 1)
	set(&c.Shards, 16)
	set(&c.MaxFlows, 1<<20)
	set(&c.MaxMessage, 65600)
	set(&c.MaxAssembly, 64<<20)
	set(&c.MaxQUIC, 4096)
	setTime(&c.TCPIdle, 5*time.Minute)
	setTime(&c.UDPIdle, time.Minute)
	setTime(&c.Closing, 10*time.Second)
	return c
}

// Validate returns all that is wrong with c, nil if nothing is.
func (c Config) Validate() error {
	c = c.withDefaults()
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("flow: "+format, args...))
		}
	}
	check(c.Workers >= 1 && c.Workers <= 256, "workers must be 1 to 256, not %d", c.Workers)
	check(c.Shards >= 1 && c.Shards <= 1024 && c.Shards&(c.Shards-1) == 0, "shards must be a power of two up to 1024, not %d", c.Shards)
	check(c.Workers <= c.Shards, "workers (%d) must not exceed shards (%d)", c.Workers, c.Shards)
	check(c.MaxFlows >= c.Shards, "max flows must be at least one a shard, not %d", c.MaxFlows)
	check(c.MaxMessage >= 2048 && c.MaxMessage <= 1<<20, "max message must be 2 KiB to 1 MiB, not %d bytes", c.MaxMessage)
	check(c.MaxAssembly >= c.MaxMessage, "max assembly (%d bytes) must hold at least one message (%d bytes)", c.MaxAssembly, c.MaxMessage)
	check(c.MaxQUIC >= c.Shards, "max quic must be at least one a shard, not %d", c.MaxQUIC)
	check(c.LossWindow >= 0 && c.LossWindow <= 1<<30, "loss window must be 0 to 1 GiB, not %d bytes", c.LossWindow)
	check(c.TCPIdle > 0 && c.UDPIdle > 0 && c.Closing > 0, "idle times must be positive")
	return errors.Join(errs...)
}

// Stats counts what flow tracking did and where its limits told.
type Stats struct {
	Flows          uint64 // flows seen
	Evicted        uint64 // flows forgotten early because the table was full
	AssemblyFull   uint64 // messages given up because the buffers were full
	AssemblyTooBig uint64 // messages given up because they exceed MaxMessage
	Gaps           uint64 // messages given up because bytes were missing
	Conflicts      uint64 // flows with segments that overlap and differ; the first bytes were read
	QUICFull       uint64 // QUIC and DTLS hellos given up because too many were open
	ReadersFull    uint64 // HTTP/2 connections without TLS that were not read because too many were open
	Rejected       uint64 // messages on a protocol's own port that are not that protocol
	Open           int    // flows in the table now
	// Acknowledged are bytes that TCP flows acknowledged of what was seen to be sent,
	// Unseen those of them that were not seen: lost before they were captured.
	Acknowledged, Unseen uint64
}

func (s *Stats) add(o Stats) {
	s.Flows += o.Flows
	s.Evicted += o.Evicted
	s.AssemblyFull += o.AssemblyFull
	s.AssemblyTooBig += o.AssemblyTooBig
	s.Gaps += o.Gaps
	s.Conflicts += o.Conflicts
	s.QUICFull += o.QUICFull
	s.ReadersFull += o.ReadersFull
	s.Rejected += o.Rejected
	s.Open += o.Open
	s.Acknowledged += o.Acknowledged
	s.Unseen += o.Unseen
}
