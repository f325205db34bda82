package main

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

// echPublicName is the name that hellos with a hidden name show.
const echPublicName = "cloudflare-ech.com"

// identity is what the servers prove themselves with.
type identity struct {
	cert    tls.Certificate
	echKeys []tls.EncryptedClientHelloKey
	spki    string // SHA-256 of the certificate's public key, base64
	ech     string // ECHConfigList, base64
}

// newIdentity makes a self-signed certificate for every name, and an ECH key.
func newIdentity() (*identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: "recording laboratory"},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, h := range zone() {
		template.DNSNames = append(template.DNSNames, h.name)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("making a certificate: %w", err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate back: %w", err)
	}
	sum := sha256.Sum256(parsed.RawSubjectPublicKeyInfo)
	id := &identity{
		cert: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: parsed},
		spki: base64.StdEncoding.EncodeToString(sum[:]),
	}
	return id, id.addECH()
}

// addECH makes the key for Encrypted Client Hello (RFC 9849 §4).
func (id *identity) addECH() error {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("making the ECH key: %w", err)
	}
	config, err := echConfig(key.PublicKey().Bytes())
	if err != nil {
		return err
	}
	var list cryptobyte.Builder
	list.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(config) })
	raw, err := list.Bytes()
	if err != nil {
		return fmt.Errorf("writing the ECHConfigList: %w", err)
	}
	id.echKeys = []tls.EncryptedClientHelloKey{{Config: config, PrivateKey: key.Bytes(), SendAsRetry: true}}
	id.ech = base64.StdEncoding.EncodeToString(raw)
	return nil
}

// echConfig writes one ECHConfig for X25519, HKDF-SHA256 and AES-128-GCM (RFC 9849 §4).
func echConfig(public []byte) ([]byte, error) {
	const (
		version, configID     = 0xfe0d, 7
		x25519, sha256, aes   = 0x0020, 0x0001, 0x0001
		maximumNameLengthHint = 32
	)
	var b cryptobyte.Builder
	b.AddUint16(version)
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		b.AddUint8(configID)
		b.AddUint16(x25519)
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(public) })
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			b.AddUint16(sha256)
			b.AddUint16(aes)
		})
		b.AddUint8(maximumNameLengthHint)
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(echPublicName)) })
		b.AddUint16(0) // no extensions
	})
	raw, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("writing the ECHConfig: %w", err)
	}
	return raw, nil
}
