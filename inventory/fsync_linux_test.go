package inventory

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"telltale/alert"
)

const syncChild = "TELLTALE_TEST_SYNC_CHILD" // the process whose waits for the disk fail

// failSync has every fsync and fdatasync of this process fail with EIO from now on, as
// the kernel answers when a disk could not write.
func failSync() error {
	const load, number, equal, ret = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, 0, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	program := []unix.SockFilter{
		{Code: load, K: number},
		{Code: equal, K: unix.SYS_FSYNC, Jt: 1},
		{Code: equal, K: unix.SYS_FDATASYNC, Jf: 1},
		{Code: ret, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EIO)},
		{Code: ret, K: unix.SECCOMP_RET_ALLOW},
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	f := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&f)))
	runtime.KeepAlive(program)
	if errno != 0 {
		return errno
	}
	return nil
}

// raiseUntilSyncFails puts alerts, prints the number of each that is acknowledged, has
// waits for the disk fail in the middle, and prints what it is told then.
func raiseUntilSyncFails(dir string) error {
	out := bufio.NewWriter(os.Stdout)
	conf := Config{Dir: dir, Maker: alert.Maker{Sensor: "s"}, Committed: func(list []*alert.Alert) {
		for _, a := range list {
			fmt.Fprintln(out, "acked", a.Seq)
		}
		_ = out.Flush()
	}}
	ctx := context.Background()
	s, err := begun(ctx, conf)
	if err != nil {
		return err
	}
	for n := int(s.Seq()); ; n++ {
		if n == 50 {
			if err := failSync(); err != nil {
				return fmt.Errorf("no filter: %w", err)
			}
		}
		a, state := nth(n)
		err := s.Put(ctx, a, state)
		if err == nil {
			err = s.Sync(ctx)
		}
		if err != nil {
			a, state := nth(n + 1)
			fmt.Fprintf(out, "failed at %d: %v; then %v; at the end %v\n", n+1, err, s.Put(ctx, a, state), s.Close())
			return out.Flush()
		}
	}
}

// TestSyncFails: where the disk answers that it could not write, nothing counts as
// written, the Store says so and takes nothing more; the next life has all that was
// acknowledged before, and writes anew what it finds beyond.
func TestSyncFails(t *testing.T) {
	dir := t.TempDir()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), syncChild+"="+dir)
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		if strings.Contains(errs.String(), "no filter") {
			t.Skipf("SKIPPED: this system does not let system calls fail: %s", errs.String())
		}
		t.Fatal(errors.Join(err, errors.New(errs.String())))
	}
	if n := strings.Count(string(out), "acked"); n != 50 {
		t.Errorf("%d alerts were acknowledged, 50 were written", n)
	}
	last := out[bytes.LastIndex(bytes.TrimSpace(out), []byte("\n"))+1:]
	if text := string(last); !strings.HasPrefix(text, "failed at 51:") || strings.Count(text, "disk I/O error") != 3 {
		t.Errorf("the Store says %q", text)
	}
	left, err := os.Stat(filepath.Join(dir, logName))
	if err != nil || left.Size() == 0 {
		t.Fatalf("nothing is left in the log to be doubted: %v", err)
	}
	s := opened(t, Config{Dir: dir, Maker: alert.Maker{Sensor: "s"}})
	if c := filesOf(t, s); len(c.log) != 0 {
		t.Errorf("a log of %d bytes is gone on with, of which the disk may have nothing", len(c.log))
	}
	closed(t, s)
	if n := reachedIn(t, dir); n < 50 {
		t.Errorf("%d alerts in the next life, 50 were acknowledged", n)
	}
}
