package proto

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// captured returns the TCP payloads of real captures, of those that are there.
func captured(tb testing.TB, names ...string) (payloads [][]byte) {
	tb.Helper()
	if dir, err := os.Stat(filepath.Join("..", "..", "..", "shared", "captures")); err != nil || !dir.IsDir() {
		return nil
	}
	for _, name := range names {
		for _, s := range tlsReadCapture(tb, name) {
			if len(s.payload) > 0 {
				payloads = append(payloads, slices.Clone(s.payload))
			}
		}
	}
	return payloads
}
