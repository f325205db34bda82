package main

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"telltale/feeds/bundle"
)

func addrPort(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// publisher is a server of lists and bundles, and a sensor that fetches them.
type publisher struct {
	t      *testing.T
	server *httptest.Server
	files  map[string]string
	asked  []string // status and path
	dir    string
	pub    string
	secret bundle.SecretKey
}

func newPublisher(t *testing.T) *publisher {
	t.Helper()
	p := &publisher{t: t, files: map[string]string{}, dir: t.TempDir()}
	p.server = httptest.NewTLSServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.server.Certificate().Raw})
	p.put("ca.pem", string(ca))
	pub, sec, err := bundle.GenerateKey("")
	if err != nil {
		t.Fatal(err)
	}
	p.put("ours.pub", string(pub))
	p.pub = p.path("ours.pub")
	if p.secret, err = bundle.ParseSecretKey(sec, ""); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *publisher) serve(w http.ResponseWriter, r *http.Request) {
	text, ok := p.files[r.URL.Path]
	if !ok {
		p.asked = append(p.asked, "404 "+r.URL.Path)
		http.NotFound(w, r)
		return
	}
	tag := fmt.Sprintf("%q", digest([]byte(text))[:8])
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		p.asked = append(p.asked, "304 "+r.URL.Path)
		w.WriteHeader(http.StatusNotModified)
		return
	}
	p.asked = append(p.asked, "200 "+r.URL.Path)
	_, _ = w.Write([]byte(text))
}

func (p *publisher) path(name string) string { return filepath.Join(p.dir, name) }

func (p *publisher) put(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(p.path(name), []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p *publisher) read(name string) string {
	p.t.Helper()
	b, err := os.ReadFile(p.path(name))
	if err != nil {
		return ""
	}
	return string(b)
}

// update runs the command on a configuration.
func (p *publisher) update(config string, args ...string) (status int, out string) {
	p.t.Helper()
	p.asked = nil
	p.put("config.yaml", "update:\n  ca_file: "+p.path("ca.pem")+"\n"+config)
	status, stdout, stderr := call(p.t, append([]string{"feeds", "update", "-c", p.path("config.yaml")}, args...)...)
	return status, stdout + stderr
}

func (p *publisher) list() string {
	return fmt.Sprintf("feeds:\n  - {path: %s, url: %s/list.txt}\n", p.path("list.txt"), p.server.URL)
}

func TestUpdateOfAList(t *testing.T) {
	p := newPublisher(t)
	full := strings.Join(generated(100), "\n")
	p.files["/list.txt"] = full
	expect := func(what string, wantStatus int, wantOut, wantFile string, args ...string) {
		t.Helper()
		status, out := p.update(p.list(), args...)
		if status != wantStatus || !strings.Contains(out, wantOut) || p.read("list.txt") != wantFile {
			t.Errorf("%s: status %d, file of %d bytes\n%s", what, status, len(p.read("list.txt")), out)
		}
	}
	expect("looked at only", exitOK, "would be taken: 100 entries", "", "--dry-run")
	expect("new", exitOK, "updated: 100 entries", full)
	expect("again", exitOK, "not changed", full)
	if len(p.asked) != 1 || p.asked[0] != "304 /list.txt" {
		t.Errorf("asked %v", p.asked)
	}
	p.files["/list.txt"] = ""
	expect("empty", exitFailed, "cannot tell the format", full)
	p.files["/list.txt"] = strings.Join(generated(49), "\n")
	expect("shrunk", exitFailed, "it holds 49 entries where there were 100: less than half", full)
	p.files["/list.txt"] = strings.Repeat("no name here\n", 200)
	expect("bad lines", exitFailed, "200 bad lines", full)
	delete(p.files, "/list.txt")
	expect("gone", exitFailed, "404 Not Found", full)
	less := strings.Join(generated(49), "\n")
	p.files["/list.txt"] = less
	expect("shrunk on purpose", exitOK, "updated: 49 entries", less, "--shrink")
	p.put("list.txt", full) // by hand: what is remembered of the server's file no longer counts
	expect("replaced by hand", exitFailed, "less than half", full)
}

func TestUpdateChecksSignatures(t *testing.T) {
	p := newPublisher(t)
	text := strings.Join(generated(10), "\n")
	p.files["/list.txt"] = text
	config := strings.Replace(p.list(), "}", ", key: "+p.pub+"}", 1)
	for _, c := range []struct{ name, signature, want string }{
		{"none", "", "fetching the signature"},
		{"malformed", "x", "no minisign signature"},
		{"of something else", string(p.secret.Sign([]byte("other"), "")), "does not fit"},
	} {
		if p.files["/list.txt.minisig"] = c.signature; c.signature == "" {
			delete(p.files, "/list.txt.minisig")
		}
		if status, out := p.update(config); status != exitFailed || !strings.Contains(out, c.want) || p.read("list.txt") != "" {
			t.Errorf("%s: status %d\n%s", c.name, status, out)
		}
	}
	p.files["/list.txt.minisig"] = string(p.secret.Sign([]byte(text), ""))
	if status, out := p.update(config); status != exitOK || p.read("list.txt") != text {
		t.Errorf("signed: status %d\n%s", status, out)
	}
}

// bundleOf returns a bundle of a pack with n names.
func (p *publisher) bundleOf(version uint64, n int, sign bool) string {
	p.t.Helper()
	names := strings.ReplaceAll(strings.Join(generated(n), ", "), "example.com", "acmesecurity.com")
	b, err := bundle.New(map[string][]byte{"acme.yaml": fmt.Appendf(nil, workshopPack, names)}, version, time.Unix(1_800_000_000, 0))
	if err != nil {
		p.t.Fatal(err)
	}
	if sign {
		b.Sign(p.secret)
	}
	var out bytes.Buffer
	if err := b.Write(&out); err != nil {
		p.t.Fatal(err)
	}
	return out.String()
}

func TestUpdateOfABundle(t *testing.T) {
	p := newPublisher(t)
	config := fmt.Sprintf("  bundles:\n    - {url: %s/packs, path: %s}\npack_key: %s\n", p.server.URL, p.path("packs.bundle"), p.pub)
	two := p.bundleOf(2, 10, true)
	for _, c := range []struct {
		name, served, config string
		status               int
		want, file           string
	}{
		{"no key", two, strings.Replace(config, "pack_key", "sensor", 1), exitFailed, "no key to verify it with", ""},
		{"unsigned", p.bundleOf(2, 10, false), config, exitFailed, "not signed", ""},
		{"good", two, config, exitOK, "updated: 10 entries", two},
		{"older", p.bundleOf(1, 10, true), config, exitFailed, "version 1 is an older version than 2", two},
		{"the same version again", p.bundleOf(2, 11, true), config, exitFailed, "another bundle of the same version", two},
		{"cut", two[:len(two)-40], config, exitFailed, "cut", two},
		{"shrunk", p.bundleOf(3, 4, true), config, exitFailed, "less than half", two},
		{"newer", p.bundleOf(3, 12, true), config, exitOK, "updated: 12 entries", p.bundleOf(3, 12, true)},
	} {
		p.files["/packs"] = c.served
		status, out := p.update(c.config)
		if file := p.read("packs.bundle"); status != c.status || !strings.Contains(out, c.want) || file != c.file && c.name != "newer" {
			t.Errorf("%s: status %d, a file of %d bytes\n%s", c.name, status, len(file), out)
		}
	}
	if err := os.Remove(p.path("packs.bundle")); err != nil {
		t.Fatal(err)
	}
	p.files["/packs"] = two
	if status, out := p.update(config); status != exitFailed || !strings.Contains(out, "older version than 3") {
		t.Errorf("older, after the file was removed: status %d\n%s", status, out)
	}
}

func TestUpdateOnlyOverHTTPS(t *testing.T) {
	p := newPublisher(t)
	plain := httptest.NewServer(http.HandlerFunc(p.serve))
	defer plain.Close()
	p.files["/list.txt"] = "a.example.com\n"
	away := httptest.NewTLSServer(http.RedirectHandler(plain.URL+"/list.txt", http.StatusFound))
	defer away.Close()
	for url, want := range map[string]string{plain.URL: "over HTTPS only", away.URL: "over HTTPS only", "file:///etc": "over HTTPS only"} {
		config := strings.ReplaceAll(p.list(), p.server.URL, url)
		if status, out := p.update(config); status != exitFailed || !strings.Contains(out, want) {
			t.Errorf("%s: status %d\n%s", url, status, out)
		}
	}
	p.files["/list.txt"] = strings.Repeat("a.example.com\n", 100_000)
	config := strings.Replace(p.list(), "}", ", max_mib: 1}", 1)
	if status, out := p.update(config); status != exitFailed || !strings.Contains(out, "1048576") {
		t.Errorf("too large: status %d\n%s", status, out)
	}
	if status, out := p.update("feeds: []\n"); status != exitUsage || !strings.Contains(out, "nothing to fetch") {
		t.Errorf("nothing: status %d\n%s", status, out)
	}
	if status, out := p.update("  proxy: nowhere\n" + p.list()); status != exitUsage || !strings.Contains(out, "proxy") {
		t.Errorf("bad proxy: status %d\n%s", status, out)
	}
}
