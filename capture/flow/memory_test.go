package flow

import (
	"testing"

	"pgregory.net/rapid"
)

// TestMemory: whatever is taken and given back, a block has the size asked for, is
// nobody else's, and what waits is counted and bounded.
func TestMemory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m memory
		var mine [][]byte
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			if len(mine) > 0 && rapid.Bool().Draw(t, "give back") {
				m.put(mine[0])
				mine = mine[1:]
			} else {
				n := rapid.IntRange(1, 70_000).Draw(t, "bytes")
				size := min(blockSize(n), 65_600)
				b := m.get(max(size, n))
				if len(b) < n {
					t.Fatalf("a block of %d bytes for %d", len(b), n)
				}
				mine = append(mine, b)
			}
			waiting := 0
			for class, list := range m.spare {
				for _, b := range list {
					waiting += cap(b)
					if cap(b) != minBlock<<class {
						t.Fatalf("%d bytes among blocks of %d", cap(b), minBlock<<class)
					}
				}
			}
			if waiting != m.bytes || waiting > spareBytes {
				t.Fatalf("%d bytes wait, %d are counted, at most %d may", waiting, m.bytes, spareBytes)
			}
		}
		for i := range mine {
			mine[i][0], mine[i][1] = byte(i), byte(i>>8)
		}
		for i := range mine {
			if mine[i][0] != byte(i) {
				t.Fatal("two hold the same block")
			}
		}
	})
}

// BenchmarkAssembly is a message of three segments that is put together and given back.
func BenchmarkAssembly(b *testing.B) {
	p := buffers{limit: 1 << 20, message: 65_600}
	segment := make([]byte, 1400)
	b.ReportAllocs()
	for b.Loop() {
		n := p.get(0)
		for i := range uint32(3) {
			p.add(n, i*1400, segment)
		}
		p.put(n)
	}
}
