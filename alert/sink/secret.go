package sink

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// maxSecret bounds a file that holds a password, a token or a key.
const maxSecret = 64 << 10

// credential is what a name begins with that systemd passes (LoadCredential=).
const credential = "credential:"

// readSecret returns the content of a file that holds a secret, without the line end.
// A name "credential:NAME" is one that systemd passed. What the group or others may read
// is no secret and is refused.
func readSecret(name string) (string, error) {
	path, err := secretPath(name)
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("reading a secret: %w: write it into that file, readable by the sensor's user alone", err)
	}
	defer func() { _ = f.Close() }()
	st, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("reading a secret: %w", err)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s can be read by others than its owner: run chmod 600 %s", path, path)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", fmt.Errorf("reading a secret: %w", err)
	}
	s := strings.TrimRight(string(b), "\r\n")
	if s == "" || len(b) > maxSecret {
		return "", fmt.Errorf("%s holds no secret of 1 byte to 64 KiB: write it as its only line", path)
	}
	return s, nil
}

// secretLine is readSecret for what goes into a header: one line of printable ASCII.
func secretLine(name string) (string, error) {
	s, err := readSecret(name)
	if err != nil {
		return "", err
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", fmt.Errorf("%s holds more than one line of printable ASCII: write the secret as its only line", name)
	}
	return s, nil
}

func secretPath(name string) (string, error) {
	id, ok := strings.CutPrefix(name, credential)
	if !ok {
		return name, nil
	}
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if dir == "" {
		return "", fmt.Errorf("%s: systemd passed no credentials: add LoadCredential=%s:FILE to the unit", name, id)
	}
	if id == "" || id != filepath.Base(id) {
		return "", errors.New("the name of a credential holds no slash")
	}
	return filepath.Join(dir, id), nil
}
