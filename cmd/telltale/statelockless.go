//go:build !unix

package main

import (
	"fmt"
	"os"
)

// lockState makes the state directory; there is no lock on this system.
func lockState(dir string) (unlock func(), err error) {
	if dir == "" {
		return func() {}, nil
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("making the state directory: %w", err)
	}
	return func() {}, nil
}
