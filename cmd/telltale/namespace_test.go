package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// namespaced marks a test that was started again with mounts of its own.
const namespaced = "TELLTALE_TEST_NAMESPACE"

func inNamespace() bool { return os.Getenv(namespaced) != "" }

// again runs the test anew in a mount namespace of its own, so that what it mounts is
// seen and held by no other process.
func again(t *testing.T) {
	t.Helper()
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		t.Skip("SKIPPED: no unshare(1): install util-linux")
	}
	args := append([]string{"--mount", "--propagation", "private", os.Args[0]}, os.Args[1:]...)
	args = append(args, "-test.run=^"+t.Name()+"$", "-test.v", "-test.count=1")
	c := exec.Command(unshare, args...)
	c.Env = append(os.Environ(), namespaced+"=1")
	out, err := c.CombinedOutput()
	t.Logf("in a mount namespace of its own:\n%s", out)
	if err != nil {
		t.Errorf("failed: %v", err)
	}
}

// smallDisk mounts so many MiB of memory at dir, nil if that is not allowed.
func smallDisk(t *testing.T, dir string, size int) *fillable {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if !inNamespace() {
		t.Log("NOT TESTED: a full disk, which takes root")
		return nil
	}
	mount(t, "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm", size), "tmpfs", dir)
	return &fillable{dir: dir}
}

// mount mounts something at the last argument until the end of the test.
func mount(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("mount", args...).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: mount: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", "-l", filepath.Clean(args[len(args)-1])).Run() })
}
