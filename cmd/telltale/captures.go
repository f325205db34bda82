package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"telltale/inventory"
)

// unseen leaves in f.Captures those that were not judged before into this state, and
// returns them by content. What comes by standard input cannot be recognised.
func (f *inputFlags) unseen(e *env, m *memory, only filterFlags) ([]inventory.Capture, error) {
	stream := slices.Contains(f.Captures, "-")
	named := *f
	named.Captures = slices.DeleteFunc(slices.Clone(f.Captures), func(p string) bool { return p == "-" })
	f.Captures = nil
	if stream {
		f.Captures = []string{"-"}
	}
	if len(named.Captures) == 0 {
		return nil, nil
	}
	src, err := named.open(e, filterFlags{})
	if err != nil {
		return nil, err
	}
	files := src.Files()
	for _, bad := range src.Errs() { // to be named again when the rest is read
		f.Captures = append(f.Captures, bad.Path)
	}
	if err := src.Close(); err != nil {
		return nil, fmt.Errorf("closing captures: %w", err)
	}
	var list []inventory.Capture
	for _, file := range files {
		hash, err := hashFile(file.Path)
		if err != nil {
			return nil, err
		}
		list = append(list, inventory.Capture{Hash: hash, Part: f.part(only), Path: absolute(file.Path)})
	}
	seen, err := m.store.Replayed(e.ctx, list)
	if err != nil {
		return nil, err
	}
	var fresh []inventory.Capture
	for i, c := range list {
		if seen[i] {
			e.log.Warn(printable(files[i].Path) + ": was judged before into this state: left out")
			continue
		}
		fresh = append(fresh, c)
		f.Captures = append(f.Captures, files[i].Path)
	}
	return fresh, nil
}

// part names the stretch of time and the packets that are judged, empty if it is all.
func (f *inputFlags) part(only filterFlags) string {
	part := ""
	if start, end, err := f.times(); err == nil && (start != 0 || end != 0) {
		part = fmt.Sprintf("%d-%d", start, end)
	}
	if only != (filterFlags{}) {
		part += fmt.Sprintf(" -f %q -F %q", only.Filter, only.FilterFile)
	}
	return part
}

func absolute(path string) string {
	if a, err := filepath.Abs(path); err == nil {
		return a
	}
	return path
}

// hashFile returns the SHA-256 of a file.
func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("reading a capture: %w", err)
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("reading %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
