package inventory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"telltale/alert"
)

// Desk is a Store looked at from outside, while a sensor may be using it.
type Desk struct {
	dir string
	db  *sql.DB
}

// Status is how the outbox is.
type Status struct {
	Epoch    uint64       `json:"epoch"`
	LastSeq  uint64       `json:"last_seq"`
	Dropped  uint64       `json:"dropped"`  // alerts dropped on purpose in this epoch
	Waiting  uint64       `json:"waiting"`  // alerts in the outbox
	Bytes    int64        `json:"bytes"`    // of those
	Findings uint64       `json:"findings"` // remembered
	InUse    bool         `json:"in_use"`   // a sensor runs on it
	Sinks    []SinkStatus `json:"sinks"`
}

// SinkStatus is how far a sink has come.
type SinkStatus struct {
	Sink    string `json:"sink"`
	Cursor  uint64 `json:"cursor"`  // all up to this number is settled
	Waiting uint64 `json:"waiting"` // alerts it has not settled
	Dead    uint64 `json:"dead"`    // dead letters
	Retry   uint64 `json:"retry"`   // of those, to be sent again
}

// Letter is a dead letter.
type Letter struct {
	Number int64
	Sink   string
	Seq    uint64
	Tries  uint64
	Retry  bool
	At     int64 // when it was refused last, seconds since 1970 UTC
	Reason string
	Alert  *alert.Alert // nil if it cannot be read
}

// OpenDesk opens the Store in dir, which must exist and be of this release's schema.
func OpenDesk(ctx context.Context, dir string) (*Desk, error) {
	if _, err := os.Stat(filepath.Join(dir, fileName)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s holds no state: give the directory that replay or run was given with --state", dir)
		}
		return nil, fmt.Errorf("opening the state: %w", err)
	}
	db, err := open(dir, false, "full")
	if err != nil {
		return nil, err
	}
	list, err := steps()
	have := 0
	if err == nil {
		have, err = version(ctx, db)
	}
	if err == nil && have != len(list) {
		err = fmt.Errorf("the state has schema %d and this release knows %d: use the release that writes it", have, len(list))
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Desk{dir: dir, db: db}, nil
}

// Close closes the Desk.
func (d *Desk) Close() error { return d.db.Close() }

// Status returns how the outbox is.
func (d *Desk) Status(ctx context.Context) (Status, error) {
	s := Status{Sinks: []SinkStatus{}}
	err := d.db.QueryRowContext(ctx, `SELECT epoch, seq, dropped, (SELECT count(*) FROM outbox),
		(SELECT coalesce(sum(length(body)), 0) FROM outbox), (SELECT count(*) FROM finding) FROM sensor`).
		Scan(&s.Epoch, &s.LastSeq, &s.Dropped, &s.Waiting, &s.Bytes, &s.Findings)
	if err != nil {
		return s, fmt.Errorf("reading the state: %w", err)
	}
	rows, err := d.db.QueryContext(ctx, `SELECT sink, seq, (SELECT count(*) FROM outbox o WHERE o.seq > c.seq),
		(SELECT count(*) FROM dead d WHERE d.sink = c.sink), (SELECT count(*) FROM dead d WHERE d.sink = c.sink AND retry = 1)
		FROM cursor c ORDER BY sink`)
	if err != nil {
		return s, fmt.Errorf("reading the state: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var k SinkStatus
		if err := rows.Scan(&k.Sink, &k.Cursor, &k.Waiting, &k.Dead, &k.Retry); err != nil {
			return s, fmt.Errorf("reading the state: %w", err)
		}
		s.Sinks = append(s.Sinks, k)
	}
	if l, err := lock(d.dir); err != nil {
		s.InUse = true
	} else {
		_ = l.Close()
	}
	return s, rows.Err()
}

// Peek returns up to n Alerts that wait for a sink, the next first; for all sinks if it
// is empty.
func (d *Desk) Peek(ctx context.Context, sink string, n int) ([]alert.Entry, error) {
	after := uint64(0)
	if sink != "" {
		if err := d.known(ctx, sink, &after); err != nil {
			return nil, err
		}
	}
	return (&Store{read: d.db}).entries(ctx, "SELECT seq, body, 0 FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?", after, n)
}

// known reads where a sink is.
func (d *Desk) known(ctx context.Context, sink string, seq *uint64) error {
	err := d.db.QueryRowContext(ctx, "SELECT seq FROM cursor WHERE sink = ?", sink).Scan(seq)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("the outbox knows no sink %q: 'telltale outbox status' lists them", sink)
	}
	return err
}

// Dead returns up to n dead letters of a sink, or of all if it is empty.
func (d *Desk) Dead(ctx context.Context, sink string, n int) ([]Letter, error) {
	rows, err := d.db.QueryContext(ctx, `SELECT number, sink, seq, tries, retry, at, reason, body FROM dead
		WHERE ?1 = '' OR sink = ?1 ORDER BY number LIMIT ?2`, sink, n)
	if err != nil {
		return nil, fmt.Errorf("reading the dead letters: %w", err)
	}
	defer rows.Close()
	var list []Letter
	for rows.Next() {
		var l Letter
		var body []byte
		if err := rows.Scan(&l.Number, &l.Sink, &l.Seq, &l.Tries, &l.Retry, &l.At, &l.Reason, &body); err != nil {
			return nil, fmt.Errorf("reading the dead letters: %w", err)
		}
		l.Alert, _ = alert.Unmarshal(body)
		list = append(list, l)
	}
	return list, rows.Err()
}

// Retry has dead letters of a sink sent again, of all sinks if it is empty; number is
// one of them, 0 for all. A sensor that runs does so within seconds.
func (d *Desk) Retry(ctx context.Context, sink string, number int64) (int64, error) {
	r, err := d.db.ExecContext(ctx, "UPDATE dead SET retry = 1 WHERE (?1 = '' OR sink = ?1) AND (?2 = 0 OR number = ?2)", sink, number)
	if err != nil {
		return 0, fmt.Errorf("changing the dead letters: %w", err)
	}
	return r.RowsAffected()
}
