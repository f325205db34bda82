package inventory

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"telltale/alert"
)

const (
	lazyEvery = 100 * time.Millisecond // moves of cursors alone are written this often
	fullEvery = 250 * time.Millisecond // a full disk is tried again this often
	trimEvery = time.Hour              // the bounds of what is remembered are looked after this often
)

// write is the only goroutine that writes: it takes all that waits and writes it in one
// transaction, so that many changes share one wait for the disk.
func (s *Store) write() {
	defer close(s.done)
	for range s.queue.some {
		w := s.queue.take()
		if w.lazy() && !w.empty() && s.queue.failure() == nil {
			s.linger(&w)
		}
		if !w.empty() {
			if err := s.commit(&w); err != nil {
				s.queue.fail(err)
			}
			for _, durable := range w.syncs {
				durable()
			}
		}
		if s.queue.failure() != nil {
			return
		}
	}
}

// linger lets moves of cursors gather, until there is something more to write.
func (s *Store) linger(w *work) {
	late := time.After(lazyEvery)
	for waiting := true; waiting; {
		select {
		case <-late:
			waiting = false
		case <-s.queue.some:
			waiting = !s.queue.pressing()
		}
	}
	more := s.queue.take()
	for sink, seq := range w.cursors {
		more.cursors[sink] = max(more.cursors[sink], seq)
	}
	*w = more
}

// commit writes w, for as long as it takes a full disk to be freed.
func (s *Store) commit(w *work) error {
	troubled := false
	for {
		t, err := s.transact(w)
		if err == nil {
			if troubled {
				s.conf.Trouble(nil)
			}
			s.committed(t)
			return nil
		}
		why := passing(err)
		if why == "" || s.conf.Policy == Stop {
			return fmt.Errorf("writing the state: %w", err)
		}
		if !troubled {
			troubled = true
			s.conf.Trouble(fmt.Errorf("the state in %s cannot be written, %s: alerts wait in memory, and are dropped and counted when there are too many", s.conf.Dir, why))
		}
		if s.queue.pause(fullEvery, why) != nil {
			return fmt.Errorf("writing the state: %w", err)
		}
	}
}

// passing names a reason for err that may go away, "" if it does not.
func passing(err error) string {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return ""
	}
	switch e.Code() {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE:
		return "the disk is full"
	}
	if e.Code()&0xff == sqlite3.SQLITE_BUSY {
		return "another program holds it"
	}
	return ""
}

// locked says that this user may not write the file, or nobody may.
func locked(err error) bool {
	var e *sqlite.Error
	if errors.As(err, &e) {
		code := e.Code() & 0xff
		return code == sqlite3.SQLITE_READONLY || code == sqlite3.SQLITE_CANTOPEN || code == sqlite3.SQLITE_PERM
	}
	return errors.Is(err, fs.ErrPermission)
}

// damaged says that the file is not what it should be.
func damaged(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	code := e.Code() & 0xff
	return code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB
}

// transact writes w in one transaction.
func (s *Store) transact(w *work) (*transaction, error) {
	ctx := context.Background()
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	t := &transaction{ctx: ctx, tx: tx, store: s, begun: s.snapshot(), place: s.snapshot()}
	if err := t.write(w); err != nil {
		return nil, err
	}
	if now := time.Now(); now.Sub(s.trimmed) > trimEvery {
		if err := s.trim(ctx, tx); err != nil {
			return nil, err
		}
		s.trimmed = now
	}
	return t, tx.Commit()
}

// snapshot copies the place; only the writer changes it.
func (s *Store) snapshot() place {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.place
	p.cursors = make(map[string]uint64, len(s.place.cursors))
	for k, v := range s.place.cursors {
		p.cursors[k] = v
	}
	return p
}

// committed makes known what a transaction wrote.
func (s *Store) committed(t *transaction) {
	s.mu.Lock()
	s.place = t.place
	s.recent.drop(t.lost)
	for _, a := range t.entries {
		if a.Seq > t.lost {
			s.recent.add(a)
		}
	}
	s.mu.Unlock()
	if len(t.told) > 0 {
		s.conf.Committed(t.told)
		s.ready()
	}
}

// recent keeps the last Alerts in memory, so that sinks that keep up read no disk.
type recent struct {
	list  []*alert.Alert
	floor uint64 // all after this sequence number is in list
}

// maxRecent bounds the Alerts kept in memory.
const maxRecent = 2048

func (r *recent) add(a *alert.Alert) {
	r.list = append(r.list, a)
	if n := len(r.list) - maxRecent; n > 0 {
		r.floor = r.list[n-1].Seq
		r.list = r.list[n:]
	}
}

// drop forgets what lies at or before seq.
func (r *recent) drop(seq uint64) {
	n := 0
	for n < len(r.list) && r.list[n].Seq <= seq {
		n++
	}
	r.list, r.floor = r.list[n:], max(r.floor, seq)
}

// after returns up to n Alerts after seq, false if some may be on disk only.
func (r *recent) after(seq uint64, n int) ([]*alert.Alert, bool) {
	if seq < r.floor {
		return nil, false
	}
	from := 0
	for lo, hi := 0, len(r.list); lo < hi; {
		if mid := (lo + hi) / 2; r.list[mid].Seq <= seq {
			lo, from = mid+1, mid+1
		} else {
			hi = mid
		}
	}
	return r.list[from:min(from+n, len(r.list))], true
}
