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
	Sink      string `json:"sink"`
	Cursor    uint64 `json:"cursor"`              // all up to this number is settled
	Waiting   uint64 `json:"waiting"`             // alerts it has not settled
	Dead      uint64 `json:"dead"`                // dead letters
	Retry     uint64 `json:"retry"`               // of those, to be sent again
	Forgotten bool   `json:"forgotten,omitempty"` // it is not waited for; only its dead letters are left
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
			return nil, noState(dir)
		}
		return nil, advise(fmt.Errorf("opening the state: %w", err), dir)
	}
	db, err := open(dir, false, "full")
	if err != nil {
		return nil, err
	}
	if err := present(ctx, db, dir); err != nil {
		return nil, errors.Join(advise(err, dir), db.Close())
	}
	return &Desk{dir: dir, db: db}, nil
}

func noState(dir string) error {
	return fmt.Errorf("%s holds no state: give the directory that replay or run was given with --state", dir)
}

// present says that a file is of this release's schema.
func present(ctx context.Context, db *sql.DB, dir string) error {
	list, err := steps()
	if err != nil {
		return err
	}
	switch have, err := version(ctx, db); {
	case err != nil:
		return err
	case have == 0:
		return noState(dir)
	case have > len(list):
		return newer(have, len(list))
	case have < len(list):
		return fmt.Errorf("the state was written by an older telltale (schema %d, this one knows %d): start this release's run or replay on it once, which brings it up to date", have, len(list))
	}
	return nil
}

// Close closes the Desk.
func (d *Desk) Close() error { return d.db.Close() }

// Status returns how the outbox is.
func (d *Desk) Status(ctx context.Context) (s Status, err error) {
	defer func() { err = advise(err, d.dir) }()
	const waits = "FROM outbox WHERE seq > (SELECT coalesce(min(seq), 0) FROM cursor)" // what all have is deleted later
	err = d.db.QueryRowContext(ctx, `SELECT epoch, seq, dropped, (SELECT count(*) `+waits+`),
		(SELECT coalesce(sum(length(body)), 0) `+waits+`), (SELECT count(*) FROM finding) FROM sensor`).
		Scan(&s.Epoch, &s.LastSeq, &s.Dropped, &s.Waiting, &s.Bytes, &s.Findings)
	if err != nil {
		return s, fmt.Errorf("reading the state: %w", err)
	}
	if s.Sinks, err = d.sinks(ctx); err != nil {
		return s, fmt.Errorf("reading the state: %w", err)
	}
	l, err := lock(d.dir)
	if err != nil {
		s.InUse = errors.Is(err, errInUse)
		return s, nil
	}
	return s, l.Close()
}

// sinks returns how far each sink is, those forgotten that left dead letters too.
func (d *Desk) sinks(ctx context.Context) ([]SinkStatus, error) {
	rows, err := d.db.QueryContext(ctx, `SELECT sink, max(seq), (SELECT count(*) FROM outbox o WHERE NOT min(k.gone) AND o.seq > max(k.seq)),
		(SELECT count(*) FROM dead d WHERE d.sink = k.sink), (SELECT count(*) FROM dead d WHERE d.sink = k.sink AND retry = 1), min(gone)
		FROM (SELECT sink, seq, 0 AS gone FROM cursor UNION SELECT sink, 0, 1 FROM dead WHERE tries > 0) k GROUP BY sink ORDER BY sink`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := []SinkStatus{}
	for rows.Next() {
		var k SinkStatus
		if err := rows.Scan(&k.Sink, &k.Cursor, &k.Waiting, &k.Dead, &k.Retry, &k.Forgotten); err != nil {
			return nil, err
		}
		list = append(list, k)
	}
	return list, rows.Err()
}

// Peek returns up to n Alerts that wait for a sink, the next first; for all sinks if it
// is empty.
func (d *Desk) Peek(ctx context.Context, sink string, n int) (list []alert.Entry, err error) {
	defer func() { err = advise(err, d.dir) }()
	after := uint64(0)
	if sink != "" {
		if err := d.known(ctx, sink, &after); err != nil {
			return nil, err
		}
	} else if err := d.db.QueryRowContext(ctx, "SELECT coalesce(min(seq), 0) FROM cursor").Scan(&after); err != nil {
		return nil, fmt.Errorf("reading the state: %w", err)
	}
	return (&Store{read: d.db}).entries(ctx, "SELECT seq, body, 0 FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?", after, n)
}

// known reads where a sink is.
func (d *Desk) known(ctx context.Context, sink string, seq *uint64) error {
	err := d.db.QueryRowContext(ctx, "SELECT seq FROM cursor WHERE sink = ?", sink).Scan(seq)
	if errors.Is(err, sql.ErrNoRows) {
		return unknownSink(sink)
	}
	return err
}

// letters says that there is such a sink, and a dead letter of that number unless it is 0.
func (d *Desk) letters(ctx context.Context, sink string, number int64) error {
	var known, there bool
	err := d.db.QueryRowContext(ctx, `SELECT ?1 = '' OR EXISTS (SELECT 1 FROM cursor WHERE sink = ?1) OR EXISTS (SELECT 1 FROM dead WHERE sink = ?1),
		?2 = 0 OR EXISTS (SELECT 1 FROM dead WHERE number = ?2 AND (?1 = '' OR sink = ?1))`, sink, number).Scan(&known, &there)
	switch {
	case err != nil:
		return fmt.Errorf("reading the dead letters: %w", err)
	case !known:
		return unknownSink(sink)
	case !there:
		return fmt.Errorf("there is no dead letter %d: 'telltale outbox peek --dead' shows the numbers", number)
	}
	return nil
}

func unknownSink(sink string) error {
	return fmt.Errorf("the outbox knows no sink %q: 'telltale outbox status' lists them", sink)
}

// Dead returns up to n dead letters of a sink, or of all if it is empty.
func (d *Desk) Dead(ctx context.Context, sink string, n int) (list []Letter, err error) {
	defer func() { err = advise(err, d.dir) }()
	if err := d.letters(ctx, sink, 0); err != nil {
		return nil, err
	}
	rows, err := d.db.QueryContext(ctx, `SELECT number, sink, seq, tries, retry, at, reason, body FROM dead
		WHERE ?1 = '' OR sink = ?1 ORDER BY number LIMIT ?2`, sink, n)
	if err != nil {
		return nil, fmt.Errorf("reading the dead letters: %w", err)
	}
	defer rows.Close()
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
func (d *Desk) Retry(ctx context.Context, sink string, number int64) (n int64, err error) {
	defer func() { err = advise(err, d.dir) }()
	if err := d.letters(ctx, sink, number); err != nil {
		return 0, err
	}
	r, err := d.db.ExecContext(ctx, "UPDATE dead SET retry = 1 WHERE (?1 = '' OR sink = ?1) AND (?2 = 0 OR number = ?2)", sink, number)
	if err != nil {
		return 0, fmt.Errorf("changing the dead letters: %w", err)
	}
	return r.RowsAffected()
}
