//go:build unix

package inventory

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lock makes this process the only one that writes to dir. The system ends the lock with
// the process, however that ends.
func lock(dir string) (*os.File, error) {
	f, err := os.OpenFile(dir+"/lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock of the state: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s is %w: stop it, or give this one a state of its own with --state", dir, errInUse)
		}
		return nil, fmt.Errorf("locking the state: %w", err)
	}
	return f, nil
}
