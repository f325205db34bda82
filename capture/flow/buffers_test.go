package flow

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// TestBuffersAnyOrder holds a buffer against the obvious: an array and a flag a byte.
func TestBuffersAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const size = 300
		base := rapid.Uint32().Draw(t, "base")
		p := buffers{limit: 1 << 20, message: size}
		n := p.get(base)
		var want [size]byte
		var known [size]bool
		for range rapid.IntRange(1, 30).Draw(t, "pieces") {
			from := rapid.IntRange(-20, size-1).Draw(t, "from")
			length := rapid.IntRange(0, size-max(from, 0)).Draw(t, "length")
			piece := rapid.SliceOfN(rapid.Byte(), length, length).Draw(t, "piece")
			if f := p.add(n, base+uint32(from), piece); f == faultHoles {
				return
			} else if f != faultNone {
				t.Fatalf("add [%d,%d): fault %d", from, from+length, f)
			}
			for i, b := range piece {
				if at := from + i; at >= 0 && !known[at] {
					want[at], known[at] = b, true
				}
			}
		}
		have := 0
		for have < size && known[have] {
			have++
		}
		b := p.at(n)
		if b.have != have || !bytes.Equal(b.data[:b.have], want[:have]) {
			t.Fatalf("contiguous part is %d bytes, want %d, or differs", b.have, have)
		}
		for _, s := range b.spans {
			if !bytes.Equal(b.data[s.from:s.to], want[s.from:s.to]) {
				t.Fatalf("span [%d,%d) differs", s.from, s.to)
			}
		}
	})
}

func TestBuffersBounds(t *testing.T) {
	p := buffers{limit: 8192, message: 4096}
	a := p.get(0)
	if f := p.add(a, 4000, make([]byte, 200)); f != faultBig {
		t.Errorf("a message beyond its limit: fault %d, want %d", f, faultBig)
	}
	if f := p.add(a, 0, make([]byte, 4096)); f != faultNone {
		t.Fatalf("a message of the full size: fault %d", f)
	}
	b, c := p.get(0), p.get(0)
	if f := p.add(b, 0, make([]byte, 4096)); f != faultNone {
		t.Fatalf("a second message: fault %d", f)
	}
	if f := p.add(c, 0, []byte{1}); f != faultFull {
		t.Errorf("a third message: fault %d, want %d", f, faultFull)
	}
	p.put(a)
	p.put(b)
	p.put(c)
	if p.held != 0 {
		t.Errorf("%d bytes held after all was given back", p.held)
	}
	n := p.get(0)
	for i := range uint32(maxSpans) {
		if f := p.add(n, 2+2*i, []byte{1}); f != faultNone {
			t.Fatalf("hole %d: fault %d", i, f)
		}
	}
	if f := p.add(n, 1000, []byte{1}); f != faultHoles {
		t.Errorf("one hole too many: fault %d, want %d", f, faultHoles)
	}
}

func TestBufferConsume(t *testing.T) {
	p := buffers{limit: 1 << 16, message: 1 << 12}
	n := p.get(100)
	p.add(n, 100, []byte("abcdef"))
	p.add(n, 110, []byte("xy"))
	b := p.at(n)
	b.consume(4)
	if b.base != 104 || string(b.data[:b.have]) != "ef" {
		t.Fatalf("after consume: base %d, %q", b.base, b.data[:b.have])
	}
	p.add(n, 106, []byte("ghij"))
	if got := string(b.data[:b.have]); got != "efghijxy" {
		t.Errorf("after the hole is filled: %q", got)
	}
}
