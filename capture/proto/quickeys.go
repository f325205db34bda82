package proto

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
)

// quicSecrets are the client's Initial packet protection keys (RFC 9001 §5.2).
type quicSecrets struct {
	key [16]byte
	iv  [12]byte
	hp  [16]byte
}

// quicDerive derives the client's Initial keys from the destination connection id of
// its first Initial.
func quicDerive(s quicScheme, dcid []byte) (out quicSecrets) {
	p := s.parameters()
	initial := quicHMAC([]byte(p.salt), dcid)
	client := quicExpandLabel(&initial, "client in", sha256.Size)
	key := quicExpandLabel(&client, p.key, len(out.key))
	iv := quicExpandLabel(&client, p.iv, len(out.iv))
	hp := quicExpandLabel(&client, p.hp, len(out.hp))
	copy(out.key[:], key[:])
	copy(out.iv[:], iv[:])
	copy(out.hp[:], hp[:])
	return out
}

// quicExpandLabel is HKDF-Expand-Label (RFC 8446 §7.1) with an empty context. Of the
// result the first length bytes count, which are never more than one hash.
func quicExpandLabel(secret *[sha256.Size]byte, label string, length int) [sha256.Size]byte {
	const prefix = "tls13 "
	var buf [32]byte
	info := append(buf[:0], 0, byte(length), byte(len(prefix)+len(label)))
	info = append(info, prefix...)
	info = append(info, label...)
	info = append(info, 0, 1) // no context; the counter of HKDF-Expand
	return quicHMAC(secret[:], info)
}

// quicHMAC is HMAC-SHA-256 (RFC 2104) of a key of at most 32 bytes and a message of
// at most 64. crypto/hmac does the same with several allocations.
func quicHMAC(key, message []byte) [sha256.Size]byte {
	var inner [2 * sha256.BlockSize]byte
	var outer [sha256.BlockSize + sha256.Size]byte
	copy(inner[:], key)
	copy(outer[:], key)
	for i := range sha256.BlockSize {
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	n := copy(inner[sha256.BlockSize:], message)
	sum := sha256.Sum256(inner[:sha256.BlockSize+n])
	copy(outer[sha256.BlockSize:], sum[:])
	return sha256.Sum256(outer[:])
}

// quicKeys removes the protection of Initial packets. Mask and nonce live here since
// what is passed to a cipher escapes to the heap.
type quicKeys struct {
	aead  cipher.AEAD
	hp    cipher.Block
	iv    [12]byte
	nonce [12]byte
	mask  [aes.BlockSize]byte
}

func (k *quicKeys) ready() bool { return k.aead != nil }

// set makes k the keys of s; it returns false if the platform refuses the cipher.
func (k *quicKeys) set(s quicSecrets) bool {
	*k = quicKeys{iv: s.iv}
	block, err := aes.NewCipher(s.key[:])
	if err != nil {
		return false
	}
	hp, err := aes.NewCipher(s.hp[:])
	if err != nil {
		return false
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return false
	}
	k.aead, k.hp = aead, hp
	return true
}

// open removes header and packet protection of the packet b (RFC 9001 §5.3, §5.4)
// and returns its frames, which lie in scratch. b is not changed. The packet number
// is taken as sent: nobody sends the 256 Initials after which it would be shortened.
// p must be openable.
func (k *quicKeys) open(scratch *[]byte, p *quicLong, b []byte) ([]byte, bool) {
	if cap(*scratch) < len(b) {
		*scratch = make([]byte, 0, max(len(b), 1536))
	}
	sample := p.number + quicMaxNumber
	k.hp.Encrypt(k.mask[:], b[sample:sample+quicSample])
	first := b[0] ^ k.mask[0]&0x0f
	numberLen := int(first&3) + 1
	header := append((*scratch)[:0], b[:p.number+numberLen]...)
	header[0] = first
	k.nonce = k.iv
	for i := range numberLen {
		header[p.number+i] ^= k.mask[1+i]
		k.nonce[len(k.nonce)-numberLen+i] ^= header[p.number+i]
	}
	n := len(header)
	plain, err := k.aead.Open(header[n:n], k.nonce[:], b[n:], header)
	return plain, err == nil
}
