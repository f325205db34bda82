package bundle

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Bundle is a bundle whose files are those of its manifest.
type Bundle struct {
	Manifest Manifest
	Files    map[string][]byte

	raw       []byte // the manifest as it was signed
	signature []byte // nil if there is none
}

// Errors of reading and verifying.
var (
	ErrUnsigned = errors.New("the bundle is not signed: sign it, or say that it need not be")
	ErrOlder    = errors.New("an older version")
)

// IsBundle reports whether a file that begins so can be a bundle.
func IsBundle(begin []byte) bool { return bytes.HasPrefix(begin, []byte{0x28, 0xb5, 0x2f, 0xfd}) }

// Read reads a bundle and holds its files against the manifest. It does not say who
// made it: see Verify.
func Read(r io.Reader) (*Bundle, error) {
	z, err := zstd.NewReader(io.LimitReader(r, MaxSize+1), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return nil, fmt.Errorf("unpacking the bundle: %w", err)
	}
	defer z.Close()
	b := &Bundle{Files: make(map[string][]byte)}
	t, left := tar.NewReader(z), int64(maxUnpacked)
	for n := 0; ; n++ {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading the bundle: %w: it is cut or damaged; fetch it again", err)
		}
		left -= h.Size
		if n > maxMembers || left < 0 || h.Size > maxFile || h.Typeflag != tar.TypeReg {
			return nil, fmt.Errorf("the bundle holds too much, or no plain file: %.80q of %d bytes", h.Name, h.Size)
		}
		data, err := io.ReadAll(t)
		if err != nil {
			return nil, fmt.Errorf("reading %.80q from the bundle: %w: it is cut or damaged; fetch it again", h.Name, err)
		}
		if err := b.member(n, h.Name, data); err != nil {
			return nil, err
		}
	}
	return b, b.complete()
}

// member takes the n-th member of the archive.
func (b *Bundle) member(n int, name string, data []byte) (err error) {
	switch {
	case n == 0 && name != manifestName:
		return fmt.Errorf("no bundle of packs: it begins with %.80q and not with %s", name, manifestName)
	case n == 0 && len(data) > maxManifest:
		return fmt.Errorf("the manifest has %d bytes: more than %d cannot be", len(data), maxManifest)
	case n == 0:
		b.raw = data
		b.Manifest, err = parseManifest(data)
		return err
	case n == 1 && name == signatureName:
		b.signature = data
		return nil
	}
	for _, f := range b.Manifest.Files {
		if f.Name != name {
			continue
		}
		sum := sha256.Sum256(data)
		if _, twice := b.Files[name]; twice || int64(len(data)) != f.Size || hex.EncodeToString(sum[:]) != f.SHA256 {
			return fmt.Errorf("%.80q is not what the manifest says: the bundle has been changed", name)
		}
		b.Files[name] = data
		return nil
	}
	return fmt.Errorf("%.80q is not in the manifest: the bundle has been changed", name)
}

// complete reports whether every file of the manifest was there.
func (b *Bundle) complete() error {
	if b.raw == nil {
		return errors.New("no bundle of packs: it is empty")
	}
	for _, f := range b.Manifest.Files {
		if _, ok := b.Files[f.Name]; !ok {
			return fmt.Errorf("%q is missing: the bundle is cut; fetch it again", f.Name)
		}
	}
	return nil
}

// Signed reports whether there is a signature, by whomever.
func (b *Bundle) Signed() bool { return b.signature != nil }

// Verify reports why the bundle is not one signed with key.
func (b *Bundle) Verify(key PublicKey) error {
	if b.signature == nil {
		return ErrUnsigned
	}
	return key.Verify(b.raw, b.signature)
}

// Follows reports why b must not take the place of a bundle of that version: it is
// older, or another bundle of the same version.
func (b *Bundle) Follows(version uint64) error {
	if b.Manifest.Version < version {
		return fmt.Errorf("version %d is %w than %d, which is in use: refused", b.Manifest.Version, ErrOlder, version)
	}
	return nil
}

// Same reports whether two bundles say the same.
func (b *Bundle) Same(o *Bundle) bool { return o != nil && bytes.Equal(b.raw, o.raw) }
