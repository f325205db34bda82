package proto

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// quicPacket describes an Initial for quicSeal.
type quicPacket struct {
	version uint32
	scheme  quicScheme
	keyID   string // connection id the keys come from, dcid if empty
	dcid    string
	token   string
	number  uint32
	frames  []byte
	clear   byte // bits of the first byte to clear, as the fixed bit of RFC 9287
}

// quicSeal returns the Initial, protected as RFC 9001 §5 says.
func quicSeal(tb testing.TB, p quicPacket) []byte {
	tb.Helper()
	if p.keyID == "" {
		p.keyID = p.dcid
	}
	s := quicDerive(p.scheme, []byte(p.keyID))
	frames := p.frames
	for len(frames) < quicMaxNumber {
		frames = append(frames, quicPadding)
	}
	first := byte(0xc3)
	if p.version == quicVersion2 {
		first = 0xd3
	}
	b := binary.BigEndian.AppendUint32([]byte{first &^ p.clear}, p.version)
	b = append(append(b, byte(len(p.dcid))), p.dcid...)
	b = append(b, 0)
	b = append(append(b, byte(0x40|len(p.token)>>8), byte(len(p.token))), p.token...)
	b = binary.BigEndian.AppendUint16(b, uint16(0x4000|(quicMaxNumber+len(frames)+16)))
	at := len(b)
	b = binary.BigEndian.AppendUint32(b, p.number)

	nonce := s.iv
	for i, c := range b[at:] {
		nonce[8+i] ^= c
	}
	block, err := aes.NewCipher(s.key[:])
	if err != nil {
		tb.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		tb.Fatal(err)
	}
	b = aead.Seal(b, nonce[:], frames, b)
	hp, err := aes.NewCipher(s.hp[:])
	if err != nil {
		tb.Fatal(err)
	}
	var mask [16]byte
	hp.Encrypt(mask[:], b[at+quicMaxNumber:])
	b[0] ^= mask[0] & 0x0f
	for i := range quicMaxNumber {
		b[at+i] ^= mask[1+i]
	}
	return b
}

// quicCryptoFrame returns the CRYPTO frame of message[lo:hi].
func quicCryptoFrame(message []byte, lo, hi int) []byte {
	b := binary.BigEndian.AppendUint32([]byte{quicCRYPTO}, uint32(0x80000000|lo))
	b = binary.BigEndian.AppendUint16(b, uint16(0x4000|(hi-lo)))
	return append(b, message[lo:hi]...)
}

// quicShuffle cuts a message into frames of at most size bytes, every one twice, and
// mixes them with the other frames an Initial may carry.
func quicShuffle(r *rand.Rand, message []byte, size int) (frames [][]byte) {
	for lo := 0; lo < len(message); {
		hi := min(len(message), lo+1+r.IntN(size))
		frames = append(frames, quicCryptoFrame(message, lo, hi))
		frames = append(frames, quicCryptoFrame(message, max(0, lo-r.IntN(5)), hi))
		lo = hi
	}
	for range 10 {
		frames = append(frames,
			[]byte{quicPing}, make([]byte, 20),
			[]byte{quicACK, 5, 0, 1, 0, 1, 1}, []byte{quicACKECN, 5, 0, 0, 0, 1, 2, 3},
			[]byte{quicClose, 1, 6, 2, 'h', 'i'}, []byte{quicCloseByUser, 1, 2, 'h', 'i'})
	}
	r.Shuffle(len(frames), func(i, j int) { frames[i], frames[j] = frames[j], frames[i] })
	return frames
}
