package flow

import (
	"telltale/capture"
	"telltale/capture/decode"
	"telltale/capture/proto"
)

// collectors is the bounded pool of what puts hellos together, of one shard.
type collectors[T any, P interface {
	*T
	Reset()
}] struct {
	limit int
	all   []P
	free  []uint32
}

// get returns a collector's number + 1, 0 if all are in use.
func (c *collectors[T, P]) get() uint32 {
	if k := len(c.free); k > 0 {
		n := c.free[k-1]
		c.free = c.free[:k-1]
		c.all[n].Reset()
		return n + 1
	}
	if len(c.all) >= c.limit {
		return 0
	}
	c.all = append(c.all, P(new(T)))
	return uint32(len(c.all))
}

func (c *collectors[T, P]) at(n uint32) P { return c.all[n-1] }

func (c *collectors[T, P]) put(n uint32) { c.free = append(c.free, n-1) }

type (
	quicCollectors = collectors[proto.QUICClient, *proto.QUICClient]
	dtlsCollectors = collectors[proto.DTLSClient, *proto.DTLSClient]
)

// hello gives the flow the hello that lies in log from mark on, unless it is the one
// that is known, sent again after a Retry, a HelloVerifyRequest or a change of version.
// random is a digest of the client's, 0 if that was not seen.
func (t *table) hello(e *entry, random uint32, s *decode.Segment, log *capture.Log, mark int) {
	again := e.has(flagAgain) || random != 0 && random == e.hello
	e.flags &^= flagAgain
	e.hello = random
	if again {
		log.Truncate(mark)
		return
	}
	for i := mark; i < log.Len(); i++ {
		t.learn(e, log.At(i))
	}
	t.stamp(e, s, log, mark)
}
