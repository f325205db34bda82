package afpacket

import (
	"sync/atomic"
	"unsafe"
)

// loadStatus reads the status word of the block at at. What the kernel wrote before it
// set the word is seen by what follows.
func loadStatus(mem []byte, at int) uint32 {
	return atomic.LoadUint32((*uint32)(unsafe.Pointer(&mem[at : at+4][0])))
}

// storeStatus writes the status word of the block at at: what was read of the block
// before was read before the kernel may fill it anew.
func storeStatus(mem []byte, at int, v uint32) {
	atomic.StoreUint32((*uint32)(unsafe.Pointer(&mem[at : at+4][0])), v)
}
