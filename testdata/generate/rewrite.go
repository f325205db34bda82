package generate

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// Merge returns one capture with the packets of all, in order of time. They must have
// the same link type.
func Merge(captures ...[]byte) ([]byte, error) {
	var all []frame
	var link layers.LinkType
	for i, c := range captures {
		frames, l, err := decode(c)
		if err != nil {
			return nil, fmt.Errorf("capture %d: %w", i+1, err)
		}
		if i > 0 && l != link {
			return nil, fmt.Errorf("capture %d: link type %s, the others have %s", i+1, l, link)
		}
		all, link = append(all, frames...), l
	}
	inTime(all)
	return encode(all, link)
}

// Duplicate repeats every n-th packet right behind itself, as a SPAN port does that
// mirrors both directions of two ports. n is at least 1.
func Duplicate(capture []byte, n int) ([]byte, error) {
	if n < 1 {
		return nil, fmt.Errorf("duplicating every packet number %d: it must be at least 1", n)
	}
	return rewrite(capture, func(i int, f frame, _ place) []frame {
		if (i+1)%n != 0 {
			return []frame{f}
		}
		return []frame{f, f}
	})
}

// CutSegments cuts the payload of TCP segments into pieces of size bytes, in order, as a
// path with a small MTU does. SYN packets, and packets that were cut short by the
// capture, in fragments or in a tunnel stay as they are.
func CutSegments(capture []byte, size int) ([]byte, error) {
	if size < 1 {
		return nil, fmt.Errorf("cutting segments of %d bytes: it must be at least 1", size)
	}
	return rewrite(capture, func(_ int, f frame, p place) []frame { return p.cut(f, size) })
}

// Fragment cuts the payload of IP packets into fragments of size bytes, a multiple of 8,
// in order (RFC 791 §3.2, RFC 8200 §4.5). Don't-fragment is ignored. Packets that were
// cut short by the capture, in fragments, in a tunnel or with IPv6 extension headers stay
// as they are.
func Fragment(capture []byte, size int) ([]byte, error) {
	if size < 8 || size%8 != 0 {
		return nil, fmt.Errorf("fragments of %d bytes: it must be a multiple of 8", size)
	}
	return rewrite(capture, func(i int, f frame, p place) []frame {
		return p.fragment(f, size, uint16(i+1))
	})
}

// SwapNeighbours exchanges packets that follow each other in one direction of one
// connection, each pair with even odds; times stay where they were, so they go on rising.
func SwapNeighbours(capture []byte, seed uint64) ([]byte, error) {
	frames, link, err := decode(capture)
	if err != nil {
		return nil, err
	}
	dice := rand.New(rand.NewPCG(seed, 0))
	for i := 1; i < len(frames); i++ {
		a, b := direction(frames[i-1], link), direction(frames[i], link)
		if a != b || a == (flow{}) || dice.IntN(2) == 0 {
			continue
		}
		before, after := &frames[i-1], &frames[i]
		before.data, after.data = after.data, before.data
		before.length, after.length = after.length, before.length
		i++ // a packet moves one place, not to the end
	}
	return encode(frames, link)
}

// rewrite replaces each packet of a capture by what change makes of it; i counts from 0.
func rewrite(capture []byte, change func(i int, f frame, p place) []frame) ([]byte, error) {
	frames, link, err := decode(capture)
	if err != nil {
		return nil, err
	}
	var out []frame
	for i, f := range frames {
		out = append(out, change(i, f, locate(f, link))...)
	}
	return encode(slices.Clip(out), link)
}

// flow is one direction of one conversation.
type flow struct{ network, transport gopacket.Flow }

// direction returns the flow of a packet, the zero value if it has none.
func direction(f frame, link layers.LinkType) flow {
	p := gopacket.NewPacket(f.data, link, gopacket.NoCopy)
	if p.NetworkLayer() == nil || p.TransportLayer() == nil {
		return flow{}
	}
	return flow{p.NetworkLayer().NetworkFlow(), p.TransportLayer().TransportFlow()}
}
