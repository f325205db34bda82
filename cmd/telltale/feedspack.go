package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"telltale/feeds"
	"telltale/feeds/bundle"
)

// signFlags name the secret key.
type signFlags struct {
	Key          string `help:"Secret key (minisign) to sign with." placeholder:"FILE"`
	PasswordFile string `help:"File with the password of the key; default: asked for on a terminal." placeholder:"FILE"`
}

// secret reads the secret key.
func (f *signFlags) secret() (bundle.SecretKey, error) {
	text, err := os.ReadFile(f.Key)
	if err != nil {
		return bundle.SecretKey{}, fmt.Errorf("reading the secret key: %w", err)
	}
	password := ""
	if bundle.NeedsPassword(text) {
		if password, err = readPassword(f.PasswordFile); err != nil {
			return bundle.SecretKey{}, err
		}
	}
	return bundle.ParseSecretKey(text, password)
}

// readPassword reads a password from a file, or from the terminal.
func readPassword(file string) (string, error) {
	if file != "" {
		b, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("reading the password: %w", err)
		}
		return strings.TrimRight(string(b), "\r\n"), nil
	}
	in := int(os.Stdin.Fd())
	if !term.IsTerminal(in) {
		return "", errors.New("the secret key has a password and there is no terminal: give --password-file")
	}
	_, _ = os.Stderr.WriteString("password of the secret key: ")
	b, err := term.ReadPassword(in)
	_, _ = os.Stderr.WriteString("\n")
	if err != nil {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	return string(b), nil
}

type feedsPackCmd struct {
	signFlags
	Dir     string `arg:"" help:"Directory of packs."`
	Output  string `short:"o" required:"" help:"Write the bundle to FILE." placeholder:"FILE"`
	Version uint64 `name:"bundle-version" help:"Version, which must rise from bundle to bundle; default: the time as YYYYMMDDhhmmss." placeholder:"N"`
}

// Run makes a bundle of packs that are without error.
func (c *feedsPackCmd) Run(e *env) error {
	files, err := packFiles(c.Dir)
	if err != nil {
		return err
	}
	if _, err := soundPacks(files, c.Dir); err != nil {
		return err
	}
	created := time.Now().UTC()
	if c.Version == 0 {
		if c.Version, err = strconv.ParseUint(created.Format("20060102150405"), 10, 64); err != nil {
			return fmt.Errorf("making a version: %w", err)
		}
	}
	b, err := bundle.New(files, c.Version, created)
	if err != nil {
		return err
	}
	if c.Key != "" {
		k, err := c.secret()
		if err != nil {
			return err
		}
		b.Sign(k)
	}
	if err := writeBundle(c.Output, b); err != nil {
		return err
	}
	return e.print(describeBundle(c.Output, b))
}

// packFiles reads the YAML files of a directory.
func packFiles(dir string) (map[string][]byte, error) {
	list, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(list) == 0 {
		return nil, usage(fmt.Errorf("%s: no pack in it: name a directory with *.yaml files", dir))
	}
	files := make(map[string][]byte)
	for _, p := range list {
		data, err := os.ReadFile(p)
		if err != nil {
			return nil, fmt.Errorf("reading a pack: %w", err)
		}
		files[filepath.Base(p)] = data
	}
	return files, nil
}

// soundPacks loads files beside the embedded packs, and reports errors of the linter.
func soundPacks(files map[string][]byte, label string) (*feeds.Library, error) {
	lib, err := feeds.Load(nil)
	if err != nil {
		return nil, err
	}
	if err := lib.AddFiles(files, label); err != nil {
		return nil, err
	}
	if err := lintErrors(lib); err != nil {
		return nil, err
	}
	_, err = feeds.Compile(lib, feeds.Options{})
	return lib, err
}

// lintErrors returns the errors of the linter as one.
func lintErrors(lib *feeds.Library) error {
	var errs []error
	for _, p := range feeds.Lint(lib) {
		if p.Severity == feeds.SeverityError {
			errs = append(errs, errors.New(p.String()))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("%d problems: mend the packs\n%w", len(errs), errors.Join(errs[:min(len(errs), 20)]...))
}

func writeBundle(path string, b *bundle.Bundle) error {
	var out bytes.Buffer
	if err := b.Write(&out); err != nil {
		return err
	}
	return replaceFile(path, out.Bytes(), 0o644)
}

// replaceFile writes data beside path and puts it in its place at once, so that there
// is the old file or the new one and nothing else.
func replaceFile(path string, data []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// describeBundle says what a bundle holds.
func describeBundle(path string, b *bundle.Bundle) *strings.Builder {
	w := &strings.Builder{}
	how := "not signed"
	if b.Signed() {
		how = "signed"
	}
	m := b.Manifest
	fmt.Fprintf(w, "%s: version %d, created %s, %d files, %s\n", path, m.Version, m.Created.Format(time.RFC3339), len(m.Files), how)
	return w
}

type feedsSignCmd struct {
	signFlags
	Bundle string `arg:"" help:"Bundle to sign in place."`
}

// Run signs a bundle in place.
func (c *feedsSignCmd) Run(e *env) error {
	if c.Key == "" {
		return usage(errors.New("no key: give --key with the secret key"))
	}
	b, err := readBundle(c.Bundle, "")
	if err != nil {
		return err
	}
	k, err := c.secret()
	if err != nil {
		return err
	}
	b.Sign(k)
	if err := writeBundle(c.Bundle, b); err != nil {
		return err
	}
	return e.print(describeBundle(c.Bundle, b))
}

type feedsVerifyCmd struct {
	Bundle string `arg:"" help:"Bundle to check."`
	Key    string `required:"" help:"Public key (minisign): its text, or a file." placeholder:"KEY"`
	After  string `help:"Refuse it if it is older than this bundle." placeholder:"FILE"`
}

// Run checks signature, content, and on demand that the bundle is no older one.
func (c *feedsVerifyCmd) Run(e *env) error {
	b, err := readBundle(c.Bundle, c.Key)
	if err != nil {
		return err
	}
	if c.After != "" {
		old, err := readBundle(c.After, c.Key)
		if err != nil {
			return err
		}
		if err := b.Follows(old.Manifest.Version); err != nil {
			return fmt.Errorf("%s: %w", c.Bundle, err)
		}
	}
	if _, err := soundPacks(b.Files, c.Bundle); err != nil {
		return err
	}
	w := describeBundle(c.Bundle, b)
	for _, f := range b.Manifest.Files {
		fmt.Fprintf(w, "  %s %8d %s\n", f.SHA256, f.Size, f.Name)
	}
	return e.print(w)
}

type feedsKeygenCmd struct {
	Name         string `arg:"" optional:"" default:"telltale" help:"Name of the files: NAME.pub and NAME.key."`
	PasswordFile string `help:"Lock the secret key with the password in FILE." placeholder:"FILE"`
}

// Run makes a pair of keys; files that are there are never overwritten.
func (c *feedsKeygenCmd) Run(e *env) error {
	password := ""
	if c.PasswordFile != "" {
		var err error
		if password, err = readPassword(c.PasswordFile); err != nil {
			return err
		}
		if password == "" {
			return usage(errors.New("the password is empty: write one, or leave --password-file out"))
		}
	}
	public, secret, err := bundle.GenerateKey(password)
	if err != nil {
		return err
	}
	if err := createFile(c.Name+".key", secret, 0o600); err != nil {
		return err
	}
	if err := createFile(c.Name+".pub", public, 0o644); err != nil {
		return err
	}
	b := &strings.Builder{}
	lines := strings.Split(strings.TrimSpace(string(public)), "\n")
	fmt.Fprintf(b, "secret key: %s.key (keep it off the sensors)\npublic key: %s.pub\npack_key: %s\n", c.Name, c.Name, lines[len(lines)-1])
	return e.print(b)
}

// createFile writes a file that is not there yet.
func createFile(path string, data []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("making %s: %w", path, err)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}
