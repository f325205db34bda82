package bundle

import (
	"archive/tar"
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

var created = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// keys returns a pair of keys.
func keys(t testing.TB, password string) (PublicKey, SecretKey) {
	t.Helper()
	pub, sec, err := GenerateKey(password)
	if err != nil {
		t.Fatal(err)
	}
	p, err := ParsePublicKey(string(pub))
	if err != nil {
		t.Fatal(err)
	}
	if NeedsPassword(sec) != (password != "") {
		t.Errorf("needs a password: %v", NeedsPassword(sec))
	}
	s, err := ParseSecretKey(sec, password)
	if err != nil {
		t.Fatal(err)
	}
	if s.Public().String() != p.String() {
		t.Errorf("the public key of the secret one is %s, want %s", s.Public(), p)
	}
	return p, s
}

// files are what a small bundle holds.
func files() map[string][]byte {
	return map[string][]byte{"acme.yaml": []byte("id: acme\n"), "policies.yaml": []byte("policies: []\n")}
}

func signed(t testing.TB, k SecretKey, version uint64) (*Bundle, []byte) {
	t.Helper()
	b, err := New(files(), version, created)
	if err != nil {
		t.Fatal(err)
	}
	b.Sign(k)
	return b, written(t, b)
}

func written(t testing.TB, b *Bundle) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := b.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRoundTrip(t *testing.T) {
	pub, sec := keys(t, "")
	b, data := signed(t, sec, 7)
	got, err := Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Verify(pub); err != nil {
		t.Error(err)
	}
	if !got.Same(b) || string(got.Files["acme.yaml"]) != "id: acme\n" || got.Manifest.Version != 7 || !got.Manifest.Created.Equal(created) {
		t.Errorf("read %+v", got.Manifest)
	}
	if !bytes.Equal(written(t, got), data) {
		t.Error("written again, and other bytes")
	}
	if !IsBundle(data) || IsBundle([]byte("id: acme")) {
		t.Error("a bundle is not told from a pack")
	}
}

func TestWrongKeyIsRefused(t *testing.T) {
	_, sec := keys(t, "")
	other, _ := keys(t, "")
	b, _ := signed(t, sec, 7)
	if err := b.Verify(other); err == nil || !strings.Contains(err.Error(), "wrong key") {
		t.Errorf("error %v", err)
	}
}

func TestUnsignedIsRefused(t *testing.T) {
	pub, _ := keys(t, "")
	b, err := New(files(), 7, created)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Verify(pub); !errors.Is(err, ErrUnsigned) || b.Signed() {
		t.Errorf("error %v", err)
	}
}

func TestOlderIsRefused(t *testing.T) {
	_, sec := keys(t, "")
	b, _ := signed(t, sec, 7)
	if err := b.Follows(8); !errors.Is(err, ErrOlder) {
		t.Errorf("error %v", err)
	}
	if b.Follows(7) != nil || b.Follows(0) != nil {
		t.Error("a version that is not older is refused")
	}
}

func TestTruncationIsRefused(t *testing.T) {
	_, sec := keys(t, "")
	_, data := signed(t, sec, 7)
	for n := range data {
		if _, err := Read(bytes.NewReader(data[:n])); err == nil {
			t.Fatalf("%d of %d bytes are taken for a bundle", n, len(data))
		}
	}
}

// member is a file of an archive made by hand.
type member struct{ name, text string }

func archive(t testing.TB, list ...member) []byte {
	t.Helper()
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	for _, m := range list {
		if err := w.WriteHeader(&tar.Header{Name: m.name, Size: int64(len(m.text)), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(m.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestChangesAreRefused(t *testing.T) {
	pub, sec := keys(t, "")
	b, _ := signed(t, sec, 7)
	m, sig := member{manifestName, string(b.raw)}, member{signatureName, string(b.signature)}
	one, two := member{"acme.yaml", "id: acme\n"}, member{"policies.yaml", "policies: []\n"}
	if _, err := Read(bytes.NewReader(archive(t, m, sig, one, two))); err != nil {
		t.Fatalf("unchanged: %v", err)
	}
	for name, c := range map[string]struct {
		want string
		data []byte
	}{
		"a file changed":    {"not what the manifest says", archive(t, m, sig, member{"acme.yaml", "id: evil\n"}, two)},
		"a file more":       {"not in the manifest", archive(t, m, sig, one, two, member{"evil.yaml", "id: evil\n"})},
		"a file less":       {"is missing", archive(t, m, sig, one)},
		"a file twice":      {"not what the manifest says", archive(t, m, sig, one, one, two)},
		"another archive":   {"begins with", archive(t, one, two)},
		"nothing":           {"it is empty", archive(t)},
		"no zstd":           {"cut or damaged", []byte("id: acme\n")},
		"an escape":         {"no plain name", archive(t, member{manifestName, strings.ReplaceAll(m.text, "acme.yaml", "../acme.yaml")})},
		"another format":    {"use a newer telltale", archive(t, member{manifestName, strings.ReplaceAll(m.text, "packs/1", "packs/9")})},
		"an unknown member": {"unknown field", archive(t, member{manifestName, strings.Replace(m.text, "{", `{"x": 1,`, 1)})},
	} {
		if _, err := Read(bytes.NewReader(c.data)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	changed := strings.Replace(m.text, `"version": 7`, `"version": 9`, 1)
	got, err := Read(bytes.NewReader(archive(t, member{manifestName, changed}, sig, one, two)))
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Verify(pub); err == nil || !strings.Contains(err.Error(), "has been changed") {
		t.Errorf("a manifest changed after it was signed: error %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, list := range map[string]map[string][]byte{
		"nothing":      {},
		"another file": {"README.md": nil},
		"a path":       {"a/b.yaml": nil},
		"a large file": {"a.yaml": make([]byte, maxFile+1)},
	} {
		if _, err := New(list, 1, created); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := New(files(), 0, created); err == nil {
		t.Error("version 0 is taken")
	}
}

func TestPasswordLocksTheKey(t *testing.T) {
	if os.Getenv("TELLTALE_SLOW") == "" {
		t.Skip("minisign's password hash takes a gigabyte and many seconds: set TELLTALE_SLOW=1")
	}
	keys(t, "correct horse")
}

// TestKeysAreRefused tries what is no key.
func TestKeysAreRefused(t *testing.T) {
	for _, text := range []string{"", "RWQ", "untrusted comment: x\nnot base64", strings.Repeat("A", 56)} {
		if _, err := ParsePublicKey(text); err == nil {
			t.Errorf("%q is taken for a public key", text)
		}
		if _, err := ParseSecretKey([]byte(text), ""); err == nil {
			t.Errorf("%q is taken for a secret key", text)
		}
	}
	pub, _ := keys(t, "")
	if err := pub.Verify([]byte("x"), []byte("no signature")); err == nil {
		t.Error("a malformed signature verifies")
	}
}

func FuzzRead(f *testing.F) {
	_, sec := keys(f, "")
	_, data := signed(f, sec, 7)
	f.Add(data)
	f.Add(archive(f, member{manifestName, "{}"}))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		for _, m := range b.Manifest.Files {
			if int64(len(b.Files[m.Name])) != m.Size {
				t.Errorf("%s has %d bytes, the manifest says %d", m.Name, len(b.Files[m.Name]), m.Size)
			}
		}
	})
}
