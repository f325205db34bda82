package inventory

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"telltale/alert"
	"telltale/detect"
)

// transaction writes what waited. Nothing it does counts before it is committed.
type transaction struct {
	ctx   context.Context
	tx    *sql.Tx
	store *Store
	begun place // as it was before
	place place

	told    []*alert.Alert // numbered and raised
	entries []*alert.Alert // of those and of gaps, in the outbox
	lost    uint64         // the outbox lost all up to here
}

// write writes w.
func (t *transaction) write(w *work) error {
	steps := []func(*work) error{t.findings, t.alerts, t.gap, t.orders, t.cursors, t.quota, t.prune, t.sensor}
	for _, step := range steps {
		if err := step(w); err != nil {
			return err
		}
	}
	return nil
}

const upsertFinding = `INSERT INTO finding VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET class = excluded.class, attempts = excluded.attempts, exchanges = excluded.exchanges,
	bytes_out = excluded.bytes_out, bytes_in = excluded.bytes_in, last_seen = excluded.last_seen,
	cleared = excluded.cleared, state = excluded.state`

// findings writes the Findings that changed. During a replay it keeps how they were.
func (t *transaction) findings(w *work) error {
	ids := make([]string, 0, len(w.states))
	for id := range w.states {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		if t.store.replayed.Load() {
			const keep = "INSERT OR IGNORE INTO replay_before SELECT ?1, (SELECT state FROM finding WHERE id = ?1)"
			if err := t.exec("keeping a finding as it was", keep, id); err != nil {
				return err
			}
		}
		s := w.states[id]
		if err := t.finding(&s); err != nil {
			return err
		}
	}
	return nil
}

func (t *transaction) finding(s *detect.State) error {
	b, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("storing a finding: %w", err)
	}
	return t.exec("writing a finding", upsertFinding,
		s.ID, s.Topic.String(), s.Host.Addr.String(), s.Vendor, s.Product, s.Class.String(), s.Attempts, s.Exchanges,
		s.BytesOut, s.BytesIn, s.FirstSeen, s.LastSeen, s.Cleared, b)
}

// alerts numbers the Alerts and puts them into the outbox.
func (t *transaction) alerts(w *work) error {
	for _, a := range w.alerts {
		if t.store.replayed.Load() && a.Heartbeat == nil {
			r, err := t.tx.ExecContext(t.ctx, "INSERT OR IGNORE INTO replay_alert VALUES (?)", a.ID)
			if err != nil {
				return fmt.Errorf("noting an alert: %w", err)
			}
			if n, err := r.RowsAffected(); err == nil && n == 0 {
				continue // it was raised before the replay was broken off
			}
		}
		t.place.seq++
		a.Number(t.place.epoch, t.place.seq)
		t.told = append(t.told, a)
		if err := t.enqueue(a, 0); err != nil {
			return err
		}
	}
	return nil
}

// enqueue puts an Alert into the outbox, if there is anybody to send it to. A gap begins
// at first, which is 0 for others.
func (t *transaction) enqueue(a *alert.Alert, first uint64) error {
	if len(t.place.cursors) == 0 {
		return nil
	}
	b, err := alert.Marshal(a)
	if err != nil {
		return err
	}
	t.place.alerts++
	t.place.bytes += int64(len(b))
	t.entries = append(t.entries, a)
	return t.exec("writing an alert", "INSERT INTO outbox VALUES (?, ?, ?)", a.Seq, first, b)
}

// gap makes the Alerts that found no place in the queue a gap in the sequence.
func (t *transaction) gap(w *work) error {
	if w.dropped == 0 {
		return nil
	}
	g := alert.Gap{First: t.place.seq + 1, Last: t.place.seq + w.dropped, Count: w.dropped, Reason: w.reason}
	t.place.seq = g.Last
	t.place.dropped += w.dropped
	a := t.store.maker.Gap(t.now(w.alerts), t.place.epoch, g)
	t.told = append(t.told, a)
	return t.enqueue(a, g.First)
}

// now is the time of a gap: that of the last Alert, since the store has no packets.
func (t *transaction) now(alerts []*alert.Alert) int64 {
	if n := len(alerts); n > 0 {
		return alerts[n-1].Time
	}
	return time.Now().UnixNano()
}

// orders does what else is to be done.
func (t *transaction) orders(w *work) error {
	for _, o := range w.orders {
		if err := o(t); err != nil {
			return err
		}
	}
	return nil
}

// settle writes what a sink refused, takes away what it took at last, and moves it on.
func (t *transaction) settle(sink string, set *alert.Settlement) error {
	for _, l := range set.Dead {
		if err := t.deadLetter(sink, l); err != nil {
			return err
		}
	}
	for _, n := range set.Retried {
		if err := t.exec("removing a dead letter", "DELETE FROM dead WHERE number = ?", n); err != nil {
			return err
		}
	}
	return t.move(sink, set.UpTo)
}

const writeDead = `INSERT INTO dead (sink, seq, tries, retry, at, reason, body) VALUES (?, ?, 1, 0, ?, ?, ?)
ON CONFLICT (sink, seq) DO UPDATE SET tries = tries + 1, retry = 0, at = excluded.at, reason = excluded.reason`

func (t *transaction) deadLetter(sink string, l alert.DeadLetter) error {
	now := time.Now().Unix()
	if l.Retry != 0 {
		return t.exec("writing a dead letter",
			"UPDATE dead SET tries = tries + 1, retry = 0, at = ?, reason = ? WHERE number = ?", now, l.Reason, l.Retry)
	}
	body := []byte{}
	if l.Alert != nil {
		var err error
		if body, err = alert.Marshal(l.Alert); err != nil {
			return err
		}
	} else if err := t.tx.QueryRowContext(t.ctx, "SELECT body FROM outbox WHERE seq = ?", l.Seq).Scan(&body); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("reading what cannot be sent: %w", err)
	}
	if err := t.exec("writing a dead letter", writeDead, sink, l.Seq, now, l.Reason, body); err != nil {
		return err
	}
	return t.exec("bounding the dead letters", "DELETE FROM dead WHERE number <= (SELECT max(number) FROM dead) - ?", maxDead)
}

// cursors moves the sinks on.
func (t *transaction) cursors(w *work) error {
	for sink, seq := range w.cursors {
		if err := t.move(sink, seq); err != nil {
			return err
		}
	}
	return nil
}

func (t *transaction) move(sink string, seq uint64) error {
	if have, known := t.place.cursors[sink]; !known || seq <= have {
		return nil
	}
	t.place.cursors[sink] = seq
	return t.exec("moving a sink on", "UPDATE cursor SET seq = ? WHERE sink = ?", seq, sink)
}

// register makes a sink known, if it is not: what comes from now on is for it.
func (t *transaction) register(sink string) error {
	if _, known := t.place.cursors[sink]; known {
		return nil
	}
	t.place.cursors[sink] = t.place.seq
	return t.exec("noting a sink", "INSERT INTO cursor VALUES (?, ?)", sink, t.place.seq)
}

// sensor notes how far the sequence is.
func (t *transaction) sensor(*work) error {
	if t.place.seq == t.begun.seq && t.place.dropped == t.begun.dropped {
		return nil
	}
	return t.exec("counting", "UPDATE sensor SET seq = ?, dropped = ?", t.place.seq, t.place.dropped)
}

func (t *transaction) exec(what, query string, args ...any) error {
	if _, err := t.tx.ExecContext(t.ctx, query, args...); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
