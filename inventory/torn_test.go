package inventory

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"telltale/alert"
)

const logName = fileName + "-wal"

// crashed is what a Store had on the disk when it was killed: its file and its log.
type crashed struct {
	file, log []byte
	acked     int // bytes of the log when so many alerts were acknowledged
}

const (
	earlier     = 5  // alerts that were acknowledged in the life before
	ackedBefore = 20 // alerts that were acknowledged before the last one
)

// crash copies the files of a Store in use, as a kill leaves them: one alert was just
// written after others. The life before ended by a kill too.
func crash(t *testing.T) (c crashed) {
	t.Helper()
	first := opened(t, Config{Dir: t.TempDir(), Maker: alert.Maker{Sensor: "s"}})
	defer closed(t, first)
	if _, err := first.Cursor(context.Background(), "siem"); err != nil {
		t.Fatal(err)
	}
	put(t, first, 0, earlier)
	dir := killed(t, filesOf(t, first))
	s := opened(t, Config{Dir: dir, Maker: alert.Maker{Sensor: "s"}})
	defer closed(t, s)
	put(t, s, earlier, ackedBefore)
	c.acked = len(filesOf(t, s).log)
	put(t, s, ackedBefore, ackedBefore+1)
	acked := c.acked
	c = filesOf(t, s)
	if c.acked = acked; len(c.log) <= c.acked {
		t.Fatalf("the log did not grow beyond %d bytes", c.acked)
	}
	return c
}

// filesOf reads the files of a Store in use.
func filesOf(t *testing.T, s *Store) (c crashed) {
	t.Helper()
	for name, b := range map[string]*[]byte{fileName: &c.file, logName: &c.log} {
		var err error
		if *b, err = os.ReadFile(filepath.Join(s.conf.Dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// killed writes what a kill left into a directory.
func killed(t *testing.T, c crashed) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, b := range map[string][]byte{fileName: c.file, logName: c.log} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// recovered opens a Store from a file and a log, tests that it is whole and works, and
// returns how many alerts it has.
func recovered(t *testing.T, file, log []byte) uint64 {
	t.Helper()
	dir := killed(t, crashed{file: file, log: log})
	have := reachedIn(t, dir)
	s := opened(t, Config{Dir: dir, Maker: alert.Maker{Sensor: "s"}})
	put(t, s, 100, 101)
	closed(t, s)
	if after := reachedIn(t, dir); after != have+1 {
		t.Errorf("%d alerts after one more than %d", after, have)
	}
	return have
}

// reachedIn returns the last number that a Store holds, and tests that Findings and
// alerts are those of whole transactions.
func reachedIn(t *testing.T, dir string) uint64 {
	t.Helper()
	s := opened(t, Config{Dir: dir, Maker: alert.Maker{Sensor: "s"}})
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

// TestTornWrite: whatever a crash leaves of the transaction that was being written, what
// was acknowledged before is there, and what was not is there whole or not at all.
func TestTornWrite(t *testing.T) {
	c := crash(t)
	r := rand.New(rand.NewPCG(1, 2))
	cuts := []int{c.acked, c.acked + 1, c.acked + 23, c.acked + 24, c.acked + 25, len(c.log) - 1}
	for range 5 {
		cuts = append(cuts, c.acked+r.IntN(len(c.log)-c.acked))
	}
	for _, cut := range cuts {
		short := c.log[:cut]
		garbled := bytes.Clone(c.log)
		for i := cut; i < len(garbled); i++ {
			garbled[i] = byte(r.Uint32())
		}
		zeros := append(bytes.Clone(short), make([]byte, len(c.log)-cut)...)
		for name, log := range map[string][]byte{"short": short, "garbled": garbled, "zeros": zeros} {
			if n := recovered(t, c.file, log); n != ackedBefore {
				t.Errorf("%s at byte %d of %d to %d: %d alerts, %d were acknowledged before", name, cut, c.acked, len(c.log), n, ackedBefore)
			}
		}
	}
	junk := append(bytes.Clone(c.log), bytes.Repeat([]byte{0xa5}, 5000)...)
	for name, log := range map[string][]byte{"whole": c.log, "junk after it": junk} {
		if n := recovered(t, c.file, log); n != ackedBefore+1 {
			t.Errorf("%s: %d alerts, want %d", name, n, ackedBefore+1)
		}
	}
}

// TestRottenLog: a disk that changes what it had acknowledged costs transactions from
// there on, never more, never half of one, and never what was written before the last
// start.
func TestRottenLog(t *testing.T) {
	c := crash(t)
	r := rand.New(rand.NewPCG(3, 4))
	before, least := uint64(ackedBefore+1), uint64(ackedBefore+1)
	for range 30 {
		log := bytes.Clone(c.log)
		log[r.IntN(len(log))] ^= 1 << r.IntN(8)
		n := recovered(t, c.file, log)
		if n > before || n < earlier {
			t.Errorf("%d alerts; %d were written before the last start, %d in all", n, earlier, before)
		}
		least = min(least, n)
	}
	if least >= ackedBefore {
		t.Error("no damage did any harm: the test does not test that")
	}
	if n := recovered(t, c.file, nil); n != earlier {
		t.Errorf("%d alerts without a log, want the %d before the last start", n, earlier)
	}
}
