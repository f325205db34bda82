package proto

import "encoding/binary"

// Frame types an Initial packet may carry (RFC 9000 §12.4), and the application's
// CONNECTION_CLOSE, which some senders put there.
const (
	quicPadding     = 0x00
	quicPing        = 0x01
	quicACK         = 0x02
	quicACKECN      = 0x03
	quicCRYPTO      = 0x06
	quicClose       = 0x1c
	quicCloseByUser = 0x1d
)

// quicReader reads the frames of an opened packet; bad is set once it ran short.
type quicReader struct {
	b   []byte
	bad bool
}

func (r *quicReader) varint() uint64 {
	v, n := quicVarint(r.b)
	if n == 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *quicReader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

// skip passes over n variable-length integers.
func (r *quicReader) skip(n uint64) {
	for ; n > 0 && !r.bad; n-- {
		r.varint()
	}
}

// padding passes over a run of PADDING, of which a short hello leaves a thousand bytes.
func (r *quicReader) padding() {
	for len(r.b) >= 8 && binary.NativeEndian.Uint64(r.b) == 0 {
		r.b = r.b[8:]
	}
	for len(r.b) > 0 && r.b[0] == quicPadding {
		r.b = r.b[1:]
	}
}

// readFrames keeps the data of the CRYPTO frames among the frames of an Initial
// packet. It stops at a frame that is malformed or does not belong there.
func (a *quicAssembly) readFrames(frames []byte) {
	r := quicReader{b: frames}
	for len(r.b) > 0 {
		switch r.varint() {
		case quicPadding:
			r.padding()
		case quicPing:
		case quicACK:
			r.ack()
		case quicACKECN:
			r.ack()
			r.skip(3)
		case quicCRYPTO:
			offset := r.varint()
			data := r.bytes(r.varint())
			if !r.bad {
				a.add(offset, data)
			}
		case quicClose:
			r.skip(2)
			r.bytes(r.varint())
		case quicCloseByUser:
			r.skip(1)
			r.bytes(r.varint())
		default:
			return
		}
	}
}

// ack passes over the part that both kinds of ACK frame share (RFC 9000 §19.3).
func (r *quicReader) ack() {
	r.skip(2)
	ranges := r.varint()
	r.skip(1)
	if ranges > uint64(len(r.b))/2 {
		r.bad, r.b = true, nil
		return
	}
	r.skip(2 * ranges)
}
