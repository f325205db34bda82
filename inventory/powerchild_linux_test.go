package inventory

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"telltale/alert"
)

const (
	powerChild   = "TELLTALE_TEST_POWER_CHILD"   // the process whose power is cut: where it writes
	powerProcess = "TELLTALE_TEST_POWER_PROCESS" // full, normal or bare
)

// writeForever writes below dir until it cannot, and keeps the last number that was
// acknowledged in its file descriptor 3, which lies on another file system.
func writeForever(dir string) error {
	said := os.NewFile(3, "acknowledged")
	say := func(n uint64) error {
		_, err := said.WriteAt(binary.BigEndian.AppendUint64(nil, n), 0)
		return err
	}
	process := os.Getenv(powerProcess)
	if process == "bare" {
		return writeBare(dir, say)
	}
	return raiseForever(filepath.Join(dir, "state"), process == "normal", say)
}

// begun opens a state that is told of one sink.
func begun(ctx context.Context, conf Config) (*Store, error) {
	s, err := Open(ctx, conf)
	if err != nil {
		return nil, err
	}
	_, err = s.Cursor(ctx, "siem")
	return s, err
}

func raiseForever(dir string, unsafe bool, say func(uint64) error) error {
	var failed error
	conf := Config{Dir: dir, Maker: alert.Maker{Sensor: "s"}, Wait: true, Queue: 64, unsafe: unsafe, Committed: func(list []*alert.Alert) {
		failed = errors.Join(failed, say(list[len(list)-1].Seq))
	}}
	ctx := context.Background()
	s, err := begun(ctx, conf)
	if err != nil {
		return err
	}
	for n := int(s.Seq()); ; n++ {
		a, state := nth(n)
		if err := s.Put(ctx, a, state); err != nil {
			return errors.Join(err, failed)
		}
	}
}

// writeBare begins a file, appends records to it and waits for the disk after each.
func writeBare(dir string, say func(uint64) error) error {
	f, err := os.Create(filepath.Join(dir, "bare"))
	if err != nil {
		return err
	}
	if err := syncDir(dir); err != nil {
		return err
	}
	for n := uint64(1); ; n++ {
		if _, err := f.Write(bareRecord(n)); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		if err := say(n); err != nil {
			return err
		}
	}
}

// bareRecord is what the bare process writes at once.
func bareRecord(n uint64) []byte {
	return bytes.Repeat(binary.BigEndian.AppendUint64(nil, n), 8<<10)
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// acknowledged reads what a process said last, 0 if nothing.
func acknowledged(t *testing.T, said *os.File) uint64 {
	t.Helper()
	var b [8]byte
	if _, err := said.ReadAt(b[:], 0); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return binary.BigEndian.Uint64(b[:])
}

// reachedBare returns how many records of the bare process are whole.
func reachedBare(t *testing.T, dir string) (n uint64) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "bare"))
	if err != nil {
		t.Fatal(err)
	}
	for whole := true; whole; n++ {
		b, whole = bytes.CutPrefix(b, bareRecord(n+1))
	}
	return n - 1
}
