package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"telltale/capture"
	"telltale/capture/decode"
	"telltale/capture/proto"
)

// Result is what Run counted.
type Result struct {
	Decode decode.Stats
	Flow   Stats
}

// Run reads src to its end and calls visit for every Observation, in the order of
// the packets that made them; the same packets give the same calls for any number of
// workers. The Observation is valid only during the call. Run stops early when ctx is
// done or visit fails, and then still reports the flows seen so far.
func Run(ctx context.Context, src capture.Source, conf Config, dec decode.Config, visit func(*capture.Observation) error) (Result, error) {
	if err := errors.Join(conf.Validate(), dec.Validate()); err != nil {
		return Result{}, err
	}
	conf = conf.withDefaults()
	r := runner{conf: conf, src: src, decoder: decode.New(dec), visit: visit}
	reg := newRegistry(proto.Streams(), proto.Datagrams(), proto.Messages())
	for range conf.Shards {
		r.shards = append(r.shards, newTable(conf, reg))
	}
	var err error
	if conf.Workers == 1 {
		err = r.alone(ctx)
	} else {
		err = r.together(ctx)
	}
	if flushed := r.flush(); err == nil {
		err = flushed
	}
	res := Result{Decode: r.decoder.Stats()}
	for _, t := range r.shards {
		res.Flow.add(t.stats)
	}
	return res, err
}

type runner struct {
	conf    Config
	src     capture.Source
	decoder *decode.Decoder
	shards  []*table
	visit   func(*capture.Observation) error
}

// next reads a batch; done says that there is no more.
func (r *runner) next(ctx context.Context, b *capture.Batch) (done bool, err error) {
	if err := ctx.Err(); err != nil {
		return true, fmt.Errorf("reading packets: %w", err)
	}
	switch err := r.src.Next(b); {
	case errors.Is(err, io.EOF):
		return true, nil
	case err != nil:
		return true, fmt.Errorf("reading packets: %w", err)
	}
	return false, nil
}

// shard returns which part of the table a hash falls to.
func (r *runner) shard(hash uint64) int { return int(hash>>20) & (len(r.shards) - 1) }

// alone does everything in this goroutine, a packet at a time: what was decoded is
// still in the first cache when the flow table needs it.
func (r *runner) alone(ctx context.Context) error {
	var (
		batch capture.Batch
		log   capture.Log
		seg   decode.Segment
	)
	log.Brief = !r.conf.Details
	for {
		if done, err := r.next(ctx, &batch); done {
			return err
		}
		for i := range batch.Packets {
			reason := r.decoder.Decode(&batch.Packets[i], &seg)
			if followed(reason) {
				hash := seg.Hash(r.conf.Seed)
				r.shards[r.shard(hash)].segment(&seg, hash, reason, &log)
			}
		}
		r.decoder.Release()
		if err := r.deliver(&log); err != nil {
			return err
		}
	}
}

func (r *runner) deliver(log *capture.Log) error {
	for i := range log.Len() {
		if err := r.visit(log.At(i)); err != nil {
			return err
		}
	}
	log.Reset()
	return nil
}

// followed says whether the Segment of a packet with this outcome means anything.
func followed(r decode.Reason) bool {
	return r == decode.OK || r == decode.Unreachable || r == decode.Message
}

// segment follows one decoded packet.
func (t *table) segment(s *decode.Segment, hash uint64, reason decode.Reason, log *capture.Log) {
	if t.tick++; t.tick&255 == 0 {
		t.expire(s, log, 4)
	}
	switch {
	case reason == decode.Unreachable:
		t.unreachable(s, hash)
	case reason == decode.Message:
		t.frame(s, log)
	case s.Protocol == protoTCP:
		t.tcp(s, hash, log)
	default:
		t.udp(s, hash, log)
	}
}

// pastEnd is added to a flow's number for the order of what is reported at the end.
const pastEnd = 1 << 63

// flush ends every flow, in the order of their first packets.
func (r *runner) flush() error {
	type place struct {
		id    uint64
		shard int32
		n     uint32
	}
	live := 0
	for _, t := range r.shards {
		live += t.live
	}
	all := make([]place, 0, live)
	for i, t := range r.shards {
		t.stats.Open = t.live
		for n := range t.flows.n {
			if e := t.flows.at(n); e.used {
				all = append(all, place{e.id, int32(i), n})
			}
		}
	}
	slices.SortFunc(all, func(a, b place) int { return cmp.Compare(a.id, b.id) })
	log := capture.Log{Brief: !r.conf.Details}
	for _, p := range all {
		t := r.shards[p.shard]
		t.finish(t.flows.at(p.n), pastEnd+p.id, &log)
		if err := r.deliver(&log); err != nil {
			return err
		}
	}
	return nil
}
