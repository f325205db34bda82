package flow

import "math/bits"

// Blocks kept are of these sizes: powers of two from a hello in two segments to 64 KiB.
const (
	minBlock     = 2 << 10
	blockClasses = 6
)

// spareBytes bounds the blocks of one shard that wait for their next use. What a burst
// needed beyond it is given back.
const spareBytes = 1 << 20

// memory keeps blocks for their next use: fresh ones cost more than what is put in them.
type memory struct {
	spare [blockClasses][][]byte
	bytes int // of all that are spare
}

// blockSize returns the size of the block that holds n bytes, at least 1.
func blockSize(n int) int { return minBlock << blockClass(n) }

// blockClass returns the place of the least size that holds n bytes.
func blockClass(n int) int { return bits.Len(uint(max(n, minBlock)-1) / minBlock) }

// get returns a block of size bytes; what it holds is not defined.
func (m *memory) get(size int) []byte {
	class := blockClass(size)
	if class >= blockClasses || size != minBlock<<class || len(m.spare[class]) == 0 {
		return make([]byte, size)
	}
	list := m.spare[class]
	b := list[len(list)-1]
	m.spare[class] = list[:len(list)-1]
	m.bytes -= size
	return b[:size]
}

// put takes a block back, nil too.
func (m *memory) put(b []byte) {
	size := cap(b)
	class := blockClass(size)
	if class >= blockClasses || size != minBlock<<class || m.bytes+size > spareBytes {
		return
	}
	m.bytes += size
	m.spare[class] = append(m.spare[class], b)
}
