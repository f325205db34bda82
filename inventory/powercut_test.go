//go:build linux

package inventory

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"telltale/alert"
)

var powerCuts = flag.Int("power-cuts", 0, "rounds of the power cut test; 0 leaves it out (make power-cut)")

const (
	// goingDown is EXT4_IOC_SHUTDOWN, noFlush its argument EXT4_GOING_FLAGS_NOLOGFLUSH:
	// from then on nothing reaches the disk, not even the journal.
	goingDown = 0x8004587d
	noFlush   = 2

	powerChild  = "TELLTALE_TEST_POWER_CHILD"  // the process whose power is cut
	powerUnsafe = "TELLTALE_TEST_POWER_UNSAFE" // with synchronous=NORMAL
	ownMounts   = "TELLTALE_TEST_NAMESPACE"
)

func TestMain(m *testing.M) {
	for child, raise := range map[string]func(string) error{powerChild: raiseForever, syncChild: raiseUntilSyncFails} {
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

// raiseForever puts alerts and prints the sequence number of each that is acknowledged.
func raiseForever(dir string) error {
	out := bufio.NewWriter(os.Stdout)
	conf := Config{Dir: dir, Wait: true, Queue: 64, unsafe: os.Getenv(powerUnsafe) != "", Committed: func(list []*alert.Alert) {
		for _, a := range list {
			fmt.Fprintln(out, a.Seq)
		}
		_ = out.Flush()
	}}
	ctx := context.Background()
	s, err := Open(ctx, conf)
	if err != nil {
		return err
	}
	if _, err := s.Cursor(ctx, "siem"); err != nil {
		return err
	}
	for n := int(s.Seq()); ; n++ {
		a, state := nth(n)
		if err := s.Put(ctx, a, state); err != nil {
			return err
		}
	}
}

// TestPowerCut: what was acknowledged is there after the power was cut. Without waiting
// for the disk something is lost, else this proves nothing.
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
	lost, acked := cutPower(t, *powerCuts, false)
	t.Logf("synchronous=FULL: %d power cuts, %d alerts acknowledged, %d lost", *powerCuts, acked, lost)
	if lost > 0 || acked == 0 {
		t.Errorf("%d of %d acknowledged alerts are lost", lost, acked)
	}
	lost, acked = cutPower(t, *powerCuts, true)
	t.Logf("synchronous=NORMAL: %d power cuts, %d alerts acknowledged, %d lost", *powerCuts, acked, lost)
	if lost == 0 {
		t.Error("nothing was lost without waiting for the disk: the test does not see losses")
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

// cutPower does so many rounds on one file system and counts acknowledged alerts that
// were not there afterwards.
func cutPower(t *testing.T, rounds int, unsafe bool) (lost, acked uint64) {
	image, dir := filepath.Join(t.TempDir(), "disk"), t.TempDir()
	f, err := os.Create(image)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(256<<20), f.Close()); err != nil {
		t.Fatal(err)
	}
	run(t, "mkfs.ext4", "-q", "-F", image)
	state := filepath.Join(dir, "state")
	before := uint64(0)
	for range rounds {
		run(t, "mount", "-o", "loop", image, dir)
		last := powerRound(t, dir, state, unsafe)
		run(t, "umount", dir)
		run(t, "mount", "-o", "loop", image, dir)
		have := reached(t, state)
		run(t, "umount", dir)
		if last > have {
			lost += last - have
		}
		acked += last - min(last, before) // of this round
		before = have
	}
	return lost, acked
}

// powerRound raises alerts, cuts the power, and returns the last number acknowledged.
func powerRound(t *testing.T, dir, state string, unsafe bool) (last uint64) {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), powerChild+"="+state)
	if unsafe {
		c.Env = append(c.Env, powerUnsafe+"=1")
	}
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	cut := make(chan error, 1)
	var once bool
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, err := fmt.Sscan(lines.Text(), &last); err != nil {
			t.Fatal(err)
		}
		if !once {
			once = true
			time.AfterFunc(300*time.Millisecond, func() {
				cut <- shutdown(dir)
				_ = c.Process.Kill()
			})
		}
	}
	_ = c.Wait() // killed
	if err := <-cut; err != nil {
		t.Skipf("SKIPPED: this kernel cannot cut the power of a file system: %v", err)
	}
	return last
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

// reached returns the last number that a state holds.
func reached(t *testing.T, state string) uint64 {
	t.Helper()
	s, err := Open(context.Background(), Config{Dir: state})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	list, err := s.Findings(context.Background())
	if err != nil || uint64(len(list)) != s.Seq() {
		t.Errorf("%d findings and %d alerts were written together, %v", len(list), s.Seq(), err)
	}
	var check string
	if err := s.db.QueryRow("PRAGMA quick_check").Scan(&check); err != nil || check != "ok" {
		t.Errorf("the file is damaged: %s %v", check, err)
	}
	if got := seqs(t, s, "siem", 0); uint64(len(got)) != s.Seq() {
		t.Errorf("%d alerts in the outbox, %d were numbered", len(got), s.Seq())
	}
	return s.Seq()
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}
