package decode

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"time"
)

// DefaultDedup is a good Config.Dedup: longer than the way through a switch or router
// that mirrors a packet at both ends, shorter than the least wait of a program that
// sends the same again (RFC 6298 §2.4: a second; Linux: 200 ms).
const DefaultDedup = 20 * time.Millisecond

const (
	// copyBuckets x copyWays packets are remembered: 16,384, at 20 ms those of 800,000
	// packets a second.
	copyBuckets = 1 << 12
	copyWays    = 4

	// copyHead is how much of a datagram's start makes it this one.
	copyHead = 64
)

// copies remembers the packets of the last moments. Two are the same if these are:
// addresses, IP identification, length, transport header with its checksum, and of a
// datagram the first bytes of the payload, the last ones too where there is no
// identification or no checksum. What a router, a tag or a tunnel changes on the way
// does not count: hop limit, header checksum, service class, hardware addresses, what
// lies outside. What a host sends again differs by identification, packet number or
// timestamp, or comes later than the window.
//
// The digest is seeded at random, so that nobody can make a packet that is taken for
// the copy of another; the outcome does not depend on the seed.
type copies struct {
	window    int64 // nanoseconds, 0 is off
	shift     int   // nanoseconds to ticks of the coarse clock
	seed      maphash.Seed
	key       [12 + copyHead/8]uint64
	tags      []copyTags // small, so that a new packet is told without a look at buckets
	buckets   [][copyWays]copied
	forgotten uint64 // packets forgotten within the window, their bucket being full
}

// copyTags are a part of the digest of each packet in a bucket, its time by a coarse
// clock, and the place of the oldest one.
type copyTags struct {
	tag    [copyWays]uint16
	time   [copyWays]uint16
	oldest uint8
}

// copyTicks is the most ticks of the coarse clock in a window.
const copyTicks = 128

// copied is a packet that was seen.
type copied struct {
	digest uint64
	time   int64
}

func (c *copies) setUp(conf Config) {
	c.window = int64(conf.Dedup)
	if c.window == 0 {
		return
	}
	c.seed = maphash.MakeSeed()
	for i := range c.key {
		c.key[i] = maphash.Comparable(c.seed, i)
	}
	c.shift = max(0, bits.Len64(uint64(c.window))-bits.Len(copyTicks-1))
	c.tags = make([]copyTags, copyBuckets)
	c.buckets = make([][copyWays]copied, copyBuckets)
}

// transport says Duplicate if the segment s, whose header begins b, was seen a moment
// ago, and else OK. The digest is made of products with keys of their own (as NH of
// RFC 4418 §5.2 is), which a processor computes side by side.
func (c *copies) transport(s *Segment, b []byte) Reason {
	if c.window == 0 {
		return OK
	}
	k := &c.key
	h := product(s.Src[:], k[0], k[1]) ^ bits.RotateLeft64(product(s.Dst[:], k[2], k[3]), 1)
	own := uint64(s.ID)<<32 ^ uint64(s.PayloadLen)
	if s.Protocol == protocolTCP {
		h ^= bits.RotateLeft64(product(b[:16], k[4], k[5]), 2)
		h ^= fold(uint64(binary.LittleEndian.Uint32(b[16:]))+k[6], own+k[7])
		return c.seen(h, s.Time)
	}
	h ^= fold(binary.LittleEndian.Uint64(b)+k[8], own+k[9])
	if len(s.Payload) == int(s.PayloadLen) { // else the copy may be cut elsewhere
		h ^= c.payload(s.Payload, s.ID == 0 || b[6]|b[7] == 0)
	}
	return c.seen(h, s.Time)
}

// unreachable is transport for the ICMP message that s was made of.
func (c *copies) unreachable(s *Segment) Reason {
	if c.window == 0 {
		return Unreachable
	}
	k := &c.key
	h := product(s.Src[:], k[4], k[5]) ^ bits.RotateLeft64(product(s.Dst[:], k[6], k[7]), 1)
	ports := uint64(s.SrcPort)<<32 | uint64(s.DstPort)<<16 | uint64(s.Protocol)
	h ^= fold(ports+k[8], (uint64(s.ID)<<32|uint64(s.Seq))+k[9])
	if r := c.seen(h, s.Time); r != OK {
		return r
	}
	return Unreachable
}

// message is transport for a message that lies straight in a frame or in ICMPv6.
func (c *copies) message(s *Segment) Reason {
	if c.window == 0 {
		return Message
	}
	h := fold(maphash.Bytes(c.seed, s.Payload)^uint64(s.Message), uint64(s.PayloadLen)^c.key[0])
	if r := c.seen(h, s.Time); r != OK {
		return r
	}
	return Message
}

// payload returns the digest of a datagram's first bytes. Its last ones are looked at
// only if asked: they are in no cache, and the checksum covers them.
func (c *copies) payload(b []byte, ends bool) (h uint64) {
	if len(b) < 16 {
		var whole [16]byte
		copy(whole[:], b)
		return product(whole[:], c.key[10], c.key[11])
	}
	k := c.key[12:]
	for head := b[:min(len(b), copyHead)]; len(head) >= 16; head, k = head[16:], k[2:] {
		h ^= product(head, k[0], k[1])
	}
	if ends || len(b) < copyHead {
		h ^= product(b[len(b)-16:], c.key[10], c.key[11])
	}
	return h
}

// product multiplies two words of b, each with a key added.
func product(b []byte, k0, k1 uint64) uint64 {
	return fold(binary.LittleEndian.Uint64(b)+k0, binary.LittleEndian.Uint64(b[8:])+k1)
}

// fragment is transport for the piece p of datagram k. Copies that came another way
// (k has the VLAN and the tunnel) are put together each for itself, since neither way
// need bring all pieces first.
func (c *copies) fragment(k *datagramKey, now int64, p *piece) Reason {
	if c.window == 0 {
		return OK
	}
	place := uint64(p.offset) << 1
	if p.more {
		place++
	}
	h := fold(maphash.Comparable(c.seed, *k)^place, maphash.Bytes(c.seed, p.data)^c.key[0])
	return c.seen(h, now)
}

// seen notes the packet with this digest and says whether it was there within the
// window. A bucket that is full forgets the packet that came to it first. A clock
// that was set back by more than the window is a new beginning.
func (c *copies) seen(digest uint64, now int64) Reason {
	t, b := &c.tags[digest%copyBuckets], &c.buckets[digest%copyBuckets]
	tag := uint16(digest >> 48)
	for i := range t.tag {
		if t.tag[i] == tag && b[i].digest == digest {
			if c.recent(&b[i], now) {
				return Duplicate
			}
			b[i].time = now
			return OK
		}
	}
	i, tick := t.oldest%copyWays, uint16(now>>c.shift)
	if tick-t.time[i]+copyTicks <= 2*copyTicks && b[i].digest != 0 && c.recent(&b[i], now) {
		c.forgotten++
	}
	t.tag[i], t.time[i], t.oldest = tag, tick, i+1
	b[i] = copied{digest, now}
	return OK
}

func (c *copies) recent(e *copied, now int64) bool {
	return uint64(now-e.time+c.window) <= 2*uint64(c.window)
}
