package bundle

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"aead.dev/minisign"
)

// PublicKey verifies signatures.
type PublicKey struct{ key minisign.PublicKey }

// ParsePublicKey reads a public key as minisign writes it: the line that begins with
// RW, or the file with a comment above it.
func ParsePublicKey(text string) (PublicKey, error) {
	var k PublicKey
	if err := k.key.UnmarshalText([]byte(strings.TrimSpace(text))); err != nil {
		return k, errors.New("no minisign public key: give the line that begins with RW")
	}
	return k, nil
}

// String returns the number by which minisign calls the key.
func (k PublicKey) String() string { return fmt.Sprintf("%X", k.key.ID()) }

// Verify reports why signature is none of message by this key.
func (k PublicKey) Verify(message, signature []byte) error {
	var s minisign.Signature
	if err := s.UnmarshalText(signature); err != nil {
		return errors.New("no minisign signature: it is malformed")
	}
	if s.KeyID != k.key.ID() {
		return fmt.Errorf("signed with the key %X and not with %s: wrong key, or not from whom it should be", s.KeyID, k)
	}
	if !minisign.Verify(k.key, message, signature) {
		return fmt.Errorf("the signature by %s does not fit: what was signed has been changed", k)
	}
	return nil
}

// SecretKey signs.
type SecretKey struct{ key minisign.PrivateKey }

// ParseSecretKey reads a secret key as minisign writes it. A key without a password
// needs none.
func ParseSecretKey(text []byte, password string) (SecretKey, error) {
	var k SecretKey
	var err error
	if minisign.IsEncrypted(text) {
		if k.key, err = minisign.DecryptKey(password, text); err != nil {
			return k, errors.New("the password does not open the secret key")
		}
		return k, nil
	}
	if err := k.key.UnmarshalText(text); err != nil {
		return k, errors.New("no minisign secret key: make one with 'telltale feeds keygen'")
	}
	return k, nil
}

// NeedsPassword reports whether a secret key is locked by a password.
func NeedsPassword(text []byte) bool { return minisign.IsEncrypted(text) }

// Public returns the key that verifies what k signs.
func (k SecretKey) Public() PublicKey {
	public, _ := k.key.Public().(minisign.PublicKey)
	return PublicKey{public}
}

// Sign returns the signature of message; comment is signed too.
func (k SecretKey) Sign(message []byte, comment string) []byte {
	return minisign.SignWithComments(k.key, message, comment, "signature from telltale secret key")
}

// GenerateKey makes a pair of keys in the form of minisign's files. An empty password
// leaves the secret key unlocked.
func GenerateKey(password string) (public, secret []byte, err error) {
	pub, key, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("making a key: %w", err)
	}
	if public, err = pub.MarshalText(); err != nil {
		return nil, nil, fmt.Errorf("writing the public key: %w", err)
	}
	if password == "" {
		secret, err = key.MarshalText()
	} else {
		secret, err = minisign.EncryptKey(password, key)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("writing the secret key: %w", err)
	}
	return public, secret, nil
}
