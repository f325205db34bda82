//go:build unix

package sink

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFileWaitsForTheDisk: nothing counts as delivered before the disk has it. A pipe takes
// what is written and has no disk.
func TestFileWaitsForTheDisk(t *testing.T) {
	for sync, fine := range map[string]bool{"batch": false, "never": true} {
		path := filepath.Join(t.TempDir(), "pipe")
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
		s := one(t, "- {type: file, path: "+path+", sync: "+sync+"}")
		out := s.Send(t.Context(), numbered(1, 1))
		if fine && (out.Done != 1 || out.Err != nil) {
			t.Errorf("sync %s: %+v", sync, out)
		}
		if !fine && (out.Done != 0 || out.Err == nil || !strings.Contains(out.Err.Error(), "waiting for the disk")) {
			t.Errorf("sync %s: %+v", sync, out)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
