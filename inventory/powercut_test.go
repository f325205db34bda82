//go:build linux

package inventory

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var powerCuts = flag.Int("power-cuts", 0, "rounds of the power cut test; 0 leaves it out (make power-cut)")

const (
	// goingDown is EXT4_IOC_SHUTDOWN, noFlush its argument EXT4_GOING_FLAGS_NOLOGFLUSH:
	// from then on nothing reaches the disk, not even the journal.
	goingDown = 0x8004587d
	noFlush   = 2

	ownMounts = "TELLTALE_TEST_NAMESPACE"
)

func TestMain(m *testing.M) {
	for child, raise := range map[string]func(string) error{powerChild: writeForever, syncChild: raiseUntilSyncFails} {
		dir := os.Getenv(child)
		if dir == "" {
			continue
		}
		if err := raise(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestPowerCut: what was acknowledged is there after the power was cut. Without waiting
// for the disk something is lost, else this proves nothing.
//
// A process outlives this cut, and ext4 lets an fsync that is under way return 0 without
// the data (the bare rounds show it with nothing but write and fsync). No process lives to
// say so when power goes; what it says once the cut has begun is counted apart.
func TestPowerCut(t *testing.T) {
	if *powerCuts == 0 {
		t.Skip("NOT TESTED: power cuts: run 'make power-cut' as root")
	}
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: cutting the power of a file system takes root")
	}
	if os.Getenv(ownMounts) == "" {
		ownNamespace(t)
		return
	}
	for _, c := range []struct {
		name, process string
		lossy         bool
	}{
		{"synchronous=FULL", "full", false},
		{"synchronous=NORMAL", "normal", true},
		{"write and fsync", "bare", false},
	} {
		r := cutPower(t, *powerCuts, c.process)
		t.Logf("%s: %d power cuts, %d acknowledged before the cut began, %d of them lost; %d while it was cut, %d of them lost",
			c.name, *powerCuts, r.acked, r.lost, r.late, r.lateLost)
		switch {
		case r.acked == 0:
			t.Errorf("%s: nothing was acknowledged", c.name)
		case r.lost > 0 && !c.lossy:
			t.Errorf("%s: %d of %d acknowledged alerts are lost", c.name, r.lost, r.acked)
		case r.lost == 0 && c.lossy:
			t.Error("nothing was lost without waiting for the disk: the test does not see losses")
		}
	}
}

// ownNamespace runs the test again where no other process holds its mounts.
func ownNamespace(t *testing.T) {
	t.Helper()
	args := append([]string{"--mount", "--propagation", "private", os.Args[0]}, os.Args[1:]...)
	c := exec.Command("unshare", append(args, "-test.run=^"+t.Name()+"$", "-test.v")...)
	c.Env = append(os.Environ(), ownMounts+"=1")
	out, err := c.CombinedOutput()
	t.Logf("in a mount namespace of its own:\n%s", out)
	if err != nil {
		t.Errorf("failed: %v", err)
	}
}

// outage counts what was acknowledged before and during power cuts, and what of it was not
// there afterwards.
type outage struct{ acked, lost, late, lateLost uint64 }

// cutPower does so many rounds on one file system.
func cutPower(t *testing.T, rounds int, process string) (r outage) {
	image, dir := filepath.Join(t.TempDir(), "disk"), t.TempDir()
	f, err := os.Create(image)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(int64(rounds+4)<<24), f.Close()); err != nil { // no round needs 16 MiB
		t.Fatal(err)
	}
	run(t, "mkfs.ext4", "-q", "-F", image)
	t.Cleanup(func() { _ = exec.Command("umount", "-q", dir).Run() }) // where a round failed
	have := uint64(0)
	for range rounds {
		before := have
		if process == "bare" {
			before = 0 // it begins a file each time
		}
		run(t, "mount", "-o", "loop", image, dir)
		acked, last := powerRound(t, dir, process)
		run(t, "umount", dir)
		run(t, "mount", "-o", "loop", image, dir)
		if process == "bare" {
			have = reachedBare(t, dir)
		} else {
			have = reachedIn(t, filepath.Join(dir, "state"))
		}
		run(t, "umount", dir)
		if acked <= before {
			t.Fatal("nothing was acknowledged before the cut")
		}
		r.acked += acked - before
		r.late += last - acked
		r.lost += acked - min(acked, have)
		r.lateLost += last - max(acked, min(last, have))
	}
	return r
}

// powerRound has a process write, cuts the power, and returns the last number that was
// acknowledged when the cut began, and the last of all.
func powerRound(t *testing.T, dir, process string) (acked, last uint64) {
	said, err := os.Create(filepath.Join(t.TempDir(), "acknowledged"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), powerChild+"="+dir, powerProcess+"="+process)
	var errs bytes.Buffer
	c.Stderr = &errs
	c.ExtraFiles = []*os.File{said}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	for begun := false; !begun; begun = acknowledged(t, said) > 0 {
		select {
		case err := <-ended:
			t.Fatalf("it ended before the cut: %v\n%s", err, &errs)
		case <-time.After(5 * time.Millisecond):
		}
	}
	time.Sleep(300 * time.Millisecond)
	acked = acknowledged(t, said)
	if err := shutdown(dir); err != nil {
		t.Skipf("SKIPPED: this kernel cannot cut the power of a file system: %v", err)
	}
	select {
	case <-ended: // it could not write
	case <-time.After(10 * time.Second):
		t.Error("it goes on without a disk")
		_ = c.Process.Kill()
		<-ended
	}
	return acked, acknowledged(t, said)
}

// shutdown stops a file system as a power cut would.
func shutdown(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return unix.IoctlSetPointerInt(int(d.Fd()), goingDown, noFlush)
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}
