package filter

// Opcodes of classic BPF (McCanne and Jacobson 1993; Linux include/uapi/linux/bpf_common.h).
const (
	opLoadWord     = 0x20 // A = 4 bytes at k
	opLoadHalf     = 0x28
	opLoadByte     = 0x30
	opLoadWordX    = 0x40 // A = 4 bytes at X + k
	opLoadHalfX    = 0x48
	opLoadByteX    = 0x50
	opLoadLength   = 0x80 // A = length on the wire
	opLoadConst    = 0x00
	opLoadCell     = 0x60 // A = M[k]
	opLoadXConst   = 0x01
	opLoadXCell    = 0x61
	opLoadXLength  = 0x81
	opLoadXHeader  = 0xb1 // X = 4 * (byte at k & 15)
	opStore        = 0x02 // M[k] = A
	opStoreX       = 0x03
	opJump         = 0x05
	opIfEqual      = 0x15
	opIfGreater    = 0x25
	opIfAtLeast    = 0x35
	opIfAny        = 0x45 // A & k != 0
	opReturnConst  = 0x06
	opReturnA      = 0x16
	opAToX         = 0x07
	opXToA         = 0x87
	opAdd          = 0x04
	opAddX         = 0x0c
	opAnd          = 0x54
	opShiftLeft    = 0x64
	sourceX        = 0x08 // bit of an operation that takes X in place of k
	cells          = 16   // of scratch memory
	maxProgram     = 4096 // instructions the kernel takes (BPF_MAXINSNS)
	wholePacket    = 262144
	ancillary      = 0xfffff000 // loads from here on ask the kernel about the packet
	ancillaryVLAN  = ancillary + 44
	ancillaryHas   = ancillary + 48 // a tag was taken out
	ancillaryVTPID = ancillary + 60
)
