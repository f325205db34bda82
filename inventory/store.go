package inventory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"telltale/alert"
	"telltale/detect"
)

// Store is the memory of a sensor, opened for writing. Its methods are safe for use by
// several goroutines. It implements alert.Outbox.
type Store struct {
	conf  Config
	lock  *os.File
	db    *sql.DB // one connection, the writer's
	read  *sql.DB
	maker alert.Maker // of gaps
	queue *queue
	done  chan struct{} // the writer has ended

	trimmed time.Time // when the bounds were last looked after; the writer's

	ready func() // tells the dispatcher of new entries

	merged   atomic.Uint64 // Alerts told with another
	replayed atomic.Bool   // a replay is going on: an Alert raised before is not raised again

	mu     sync.Mutex // guards what follows; the writer changes it after each transaction
	place  place
	recent recent
}

// place is how far a Store is.
type place struct {
	epoch, seq, dropped uint64
	alerts, bytes       int64 // in the outbox
	cursors             map[string]uint64
}

// Open opens the Store in conf.Dir, makes it if there is none, and keeps other writers
// away until Close.
func Open(ctx context.Context, conf Config) (*Store, error) {
	if err := conf.Validate(); err != nil {
		return nil, err
	}
	conf = conf.withDefaults()
	if err := os.MkdirAll(conf.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the state directory: %w", err)
	}
	l, err := waitLock(ctx, conf.Dir)
	if err != nil {
		return nil, advise(err, conf.Dir)
	}
	s := &Store{
		conf: conf, lock: l, queue: newQueue(conf.Queue, conf.Wait), done: make(chan struct{}), ready: func() {}, maker: conf.Maker,
	}
	if err := s.connect(ctx); err != nil {
		err = advise(err, conf.Dir)
		return nil, errors.Join(err, s.disconnect())
	}
	go s.write()
	return s, nil
}

// errInUse is why a state cannot be written.
var errInUse = errors.New("in use by another instance of telltale")

// lockTries and lockPause wait for those that hold the lock only to look who has it.
const (
	lockTries = 10
	lockPause = 20 * time.Millisecond
)

func waitLock(ctx context.Context, dir string) (f *os.File, err error) {
	for range lockTries {
		if f, err = lock(dir); !errors.Is(err, errInUse) {
			break
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the lock of the state: %w", ctx.Err())
		case <-time.After(lockPause):
		}
	}
	return f, err
}

// advise adds what to do about an error of the file.
func advise(err error, dir string) error {
	if why := passing(err); why != "" {
		return fmt.Errorf("%w: %s: see to it and start again", err, why)
	}
	if locked(err) {
		return fmt.Errorf("%w: %s cannot be written, which even looking at it takes: run this as the user of the sensor, where the disk is writable", err, dir)
	}
	if damaged(err) {
		return fmt.Errorf("%w: %s is damaged: put a backup in its place, or move it away to begin anew without what waited in it", err, filepath.Join(dir, fileName))
	}
	return err
}

// connect opens the file, brings it to the present schema and reads where it is.
func (s *Store) connect(ctx context.Context) error {
	synchronous := "full"
	if s.conf.unsafe {
		synchronous = "normal"
	}
	f, err := os.OpenFile(filepath.Join(s.conf.Dir, fileName), os.O_RDWR|os.O_CREATE, 0o600) // SQLite would let all read it
	if err != nil {
		return fmt.Errorf("opening the state: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("opening the state: %w", err)
	}
	if s.db, err = open(s.conf.Dir, false, synchronous); err != nil {
		return err
	}
	s.db.SetMaxOpenConns(1)
	if err := migrate(ctx, s.db, time.Now()); err != nil {
		return err
	}
	if err := settleLog(ctx, s.db); err != nil {
		return err
	}
	if s.read, err = open(s.conf.Dir, true, synchronous); err != nil {
		return err
	}
	if err := s.trim(ctx, s.db); err != nil {
		return err
	}
	s.trimmed = time.Now()
	s.place, err = readPlace(ctx, s.db)
	s.recent.floor = s.place.seq
	return err
}

// settleLog brings what a life that ended badly left in the log into the file, and begins
// the log anew: after a wait for the disk that failed nobody knows what the disk has of it,
// and damage to a log costs all behind it. A full disk puts it off.
func settleLog(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	if err != nil && passing(err) == "" {
		return fmt.Errorf("settling the log of the state: %w", err)
	}
	return nil
}

func (s *Store) disconnect() error {
	var errs []error
	for _, db := range []*sql.DB{s.read, s.db} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(append(errs, s.lock.Close())...)
}

// readPlace reads how far the store is.
func readPlace(ctx context.Context, db *sql.DB) (place, error) {
	p := place{cursors: map[string]uint64{}}
	err := db.QueryRowContext(ctx, "SELECT epoch, seq, dropped FROM sensor").Scan(&p.epoch, &p.seq, &p.dropped)
	if err == nil {
		err = db.QueryRowContext(ctx, "SELECT count(*), coalesce(sum(length(body)), 0) FROM outbox").Scan(&p.alerts, &p.bytes)
	}
	if err != nil {
		return p, fmt.Errorf("reading the state: %w", err)
	}
	rows, err := db.QueryContext(ctx, "SELECT sink, seq FROM cursor")
	if err != nil {
		return p, fmt.Errorf("reading the state: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var sink string
		var seq uint64
		if err := rows.Scan(&sink, &seq); err != nil {
			return p, fmt.Errorf("reading the state: %w", err)
		}
		p.cursors[sink] = seq
	}
	return p, rows.Err()
}

// OnReady sets what is called when the outbox has new entries. It must be called before
// the first Put.
func (s *Store) OnReady(f func()) { s.ready = f }

// Put writes an Alert and, in the same transaction, the Finding it tells of; state is
// nil if it tells of none. Unless the Store was told to wait, Put never does. The Alert
// belongs to the Store from then on; it is numbered when it is written. An error means
// that nothing is written any more.
func (s *Store) Put(ctx context.Context, a *alert.Alert, state *detect.State) error {
	coalesced, err := s.queue.put(ctx, a, state)
	if coalesced {
		s.merged.Add(1)
	}
	return err
}

// Keep writes a Finding of which there is nothing to tell. It never waits.
func (s *Store) Keep(state detect.State) error { return s.queue.keep(state) }

// Sync waits until all that was put before is durable.
func (s *Store) Sync(ctx context.Context) error {
	c := make(chan struct{})
	s.queue.sync(func() { close(c) })
	select {
	case <-ctx.Done():
		return fmt.Errorf("waiting for the state to be written: %w", ctx.Err())
	case <-c:
		return s.queue.failure()
	}
}

// Heartbeat returns the counters of a heartbeat; the caller adds those of packets.
func (s *Store) Heartbeat() alert.Heartbeat {
	s.mu.Lock()
	defer s.mu.Unlock()
	return alert.Heartbeat{AlertsDropped: s.place.dropped, AlertsCoalesced: s.merged.Load()}
}

// Seq returns the last sequence number that is durable.
func (s *Store) Seq() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.place.seq
}

var errClosed = errors.New("the state is closed")

// closeWait is how long Close waits for a disk that cannot be written.
const closeWait = 10 * time.Second

// Close writes what was put and closes the Store.
func (s *Store) Close() error {
	ctx, done := context.WithTimeout(context.Background(), closeWait)
	defer done()
	err := s.Sync(ctx)
	s.queue.fail(errClosed)
	<-s.done
	if errors.Is(err, errClosed) {
		err = nil
	}
	return errors.Join(err, s.disconnect())
}
