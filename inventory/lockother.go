//go:build !unix

package inventory

import (
	"errors"
	"os"
)

// lock cannot keep a second process away on this system, so there is no state on it.
func lock(string) (*os.File, error) {
	return nil, errors.New("a state directory needs file locks, which this system does not have: leave --state out")
}
