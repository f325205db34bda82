package afpacket

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"telltale/capture"
)

// Ring is one of the rings of an Interface, a capture.Source. Next and Close belong to
// one goroutine, Stats to any.
type Ring struct {
	conf *Config
	held map[*capture.Batch]holding

	mu      sync.Mutex
	current *socket // nil while the interface is not there; guarded by mu
	coming  *socket // to take its place; guarded by mu
	stats   capture.Stats
	closed  bool
}

// holding is the block that a batch points into.
type holding struct {
	socket *socket
	block  int
}

func newRing(c *Config) *Ring {
	return &Ring{conf: c, held: make(map[*capture.Batch]holding)}
}

// Next implements capture.Source: the packets of one block, which lie in the ring until
// b is passed in again. It returns none if none came within Config.Wait, and no error
// but fs.ErrClosed after Close and what the kernel says of the socket.
func (r *Ring) Next(b *capture.Batch) error {
	r.release(b)
	b.Packets = b.Packets[:0]
	s, err := r.socket()
	if err != nil {
		return err
	}
	if s == nil {
		time.Sleep(r.conf.Wait)
		return nil
	}
	at := s.next * s.blockSize
	if !s.ready() {
		switch err := s.poll(r.conf.Wait); {
		case errors.Is(err, errDown):
			time.Sleep(r.conf.Wait)
			return nil
		case err != nil:
			return err
		case !s.ready():
			return nil
		}
	}
	var frames uint64
	b.Packets, frames = readBlock(s.mem[at:at+s.blockSize], b.Packets)
	r.held[b] = holding{s, s.next}
	s.taken[s.next] = true
	s.out++
	s.next = (s.next + 1) % len(s.taken)
	r.count(b, frames)
	return nil
}

// ready says whether the next block is the program's to read.
func (s *socket) ready() bool {
	return !s.taken[s.next] && loadStatus(s.mem, s.next*s.blockSize+blockStatus)&unix.TP_STATUS_USER != 0
}

// socket returns the socket to read from, nil if there is none, after a change of
// sockets if there is one to be made.
func (r *Ring) socket() (*socket, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, fmt.Errorf("capturing: %w", fs.ErrClosed)
	}
	if r.coming != nil {
		r.drop()
		r.current, r.coming = r.coming, nil
	}
	return r.current, nil
}

// replace hands a new socket to the goroutine that reads.
func (r *Ring) replace(s *socket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.coming != nil {
		r.coming.close()
	}
	r.coming = s
}

// release gives the block that b points into back to the kernel.
func (r *Ring) release(b *capture.Batch) {
	h, ok := r.held[b]
	if !ok {
		return
	}
	delete(r.held, b)
	storeStatus(h.socket.mem, h.block*h.socket.blockSize+blockStatus, unix.TP_STATUS_KERNEL)
	h.socket.taken[h.block] = false
	h.socket.out--
	h.socket.unmap()
}

func (r *Ring) count(b *capture.Batch, frames uint64) {
	var bytes, cut uint64
	for i := range b.Packets {
		bytes += uint64(len(b.Packets[i].Data))
		if len(b.Packets[i].Data) < int(b.Packets[i].Length) {
			cut++
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.Packets += uint64(len(b.Packets))
	r.stats.Skipped += frames - uint64(len(b.Packets))
	r.stats.Bytes += bytes
	r.stats.Read += int64(bytes)
	r.stats.Cut += cut
}

// Stats implements capture.Source. Skipped are packets of the loopback interface that
// were seen twice; Dropped those that found the ring full, Frozen how often it was.
func (r *Ring) Stats() capture.Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.collect()
	return r.stats
}

// collect adds the kernel's counters, which start anew with each reading.
func (r *Ring) collect() {
	if r.current == nil || r.current.closed {
		return
	}
	if k, err := unix.GetsockoptTpacketStatsV3(r.current.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
		r.stats.Dropped += uint64(k.Drops)
		r.stats.Frozen += uint64(k.Freeze_q_cnt)
	}
}

// drop closes the current socket, keeping its counters.
func (r *Ring) drop() {
	if r.current != nil {
		r.collect()
		r.current.close()
		r.current = nil
	}
}

// stop lets no further packet into the ring.
func (r *Ring) stop() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current == nil || r.closed {
		return nil
	}
	return r.current.stop()
}

// Close implements capture.Source. The batches read stay valid until the next Next.
func (r *Ring) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.drop()
	if r.coming != nil {
		r.coming.close()
		r.coming = nil
	}
	return nil
}
