package bundle

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"
)

// New returns an unsigned Bundle of files by name. It refuses names and sizes that
// cannot be read again.
func New(files map[string][]byte, version uint64, created time.Time) (*Bundle, error) {
	m := Manifest{Format: Format, Version: version, Created: created.UTC().Truncate(time.Second)}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		sum := sha256.Sum256(files[name])
		m.Files = append(m.Files, File{Name: name, Size: int64(len(files[name])), SHA256: hex.EncodeToString(sum[:])})
	}
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the manifest: %w", err)
	}
	if _, err := parseManifest(raw); err != nil {
		return nil, err
	}
	return &Bundle{Manifest: m, raw: raw, Files: files}, nil
}

// Sign signs the manifest, and with it every file.
func (b *Bundle) Sign(k SecretKey) {
	b.signature = k.Sign(b.raw, fmt.Sprintf("version:%d created:%s", b.Manifest.Version, b.Manifest.Created.Format(time.RFC3339)))
}

// Write writes the bundle. The same content gives the same bytes.
func (b *Bundle) Write(w io.Writer) error {
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedBetterCompression))
	if err != nil {
		return fmt.Errorf("packing: %w", err)
	}
	t := tar.NewWriter(z)
	member := func(name string, data []byte) {
		if err == nil {
			err = t.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data)), Typeflag: tar.TypeReg, Format: tar.FormatUSTAR})
		}
		if err == nil {
			_, err = t.Write(data)
		}
	}
	member(manifestName, b.raw)
	if b.signature != nil {
		member(signatureName, b.signature)
	}
	for _, f := range b.Manifest.Files {
		member(f.Name, b.Files[f.Name])
	}
	for _, end := range []func() error{t.Close, z.Close} {
		if err == nil {
			err = end()
		}
	}
	if err != nil {
		return fmt.Errorf("writing the bundle: %w", err)
	}
	return nil
}
