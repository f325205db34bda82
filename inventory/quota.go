package inventory

import (
	"errors"
	"fmt"
	"slices"

	"telltale/alert"
)

const overQuota = "the outbox was at its quota"

var errQuota = errors.New("the outbox is at its quota, and the policy is to stop: see 'telltale outbox status' for the sink that is behind, then mend it, or raise max_alerts or max_mib, or drop what waits for it with 'telltale outbox drop'")

// over says that the outbox holds more than it may.
func (t *transaction) over() bool {
	return t.place.alerts > t.store.conf.MaxAlerts || t.place.bytes > t.store.conf.MaxBytes
}

// quota keeps the outbox within its bounds.
func (t *transaction) quota(w *work) error {
	if !t.over() {
		return nil
	}
	if err := t.prune(w); err != nil || !t.over() { // what all sinks have is not counted
		return err
	}
	switch t.store.conf.Policy {
	case Stop:
		return errQuota
	case DropNewest:
		return t.dropNewest()
	}
	return t.dropOldest()
}

// row is one of the outbox.
type row struct {
	seq, first uint64
	size       int64
}

// dropOldest deletes the Alerts that wait longest and puts one gap in their place. It
// makes some room at a time.
func (t *transaction) dropOldest() error {
	c := &t.store.conf
	var gone []row
	alerts, bytes := t.place.alerts, t.place.bytes
	rows, err := t.tx.QueryContext(t.ctx, "SELECT seq, first, length(body) FROM outbox ORDER BY seq")
	if err != nil {
		return fmt.Errorf("reading the outbox: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if alerts <= c.MaxAlerts-c.MaxAlerts/16 && bytes <= c.MaxBytes-c.MaxBytes/16 {
			break
		}
		var r row
		if err := rows.Scan(&r.seq, &r.first, &r.size); err != nil {
			return fmt.Errorf("reading the outbox: %w", err)
		}
		gone = append(gone, r)
		alerts--
		bytes -= r.size
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return fmt.Errorf("reading the outbox: %w", err)
	}
	return t.replace(gone)
}

// dropNewest takes the Alerts of this transaction out again, as far as they do not fit,
// and puts one gap in their place. A gap at the end grows: a sink that has it already is
// given the larger one as well.
func (t *transaction) dropNewest() error {
	c := &t.store.conf
	alerts, bytes := t.place.alerts, t.place.bytes
	var gone []row
	rows, err := t.tx.QueryContext(t.ctx, "SELECT seq, first, length(body) FROM outbox ORDER BY seq DESC")
	if err != nil {
		return fmt.Errorf("reading the outbox: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.seq, &r.first, &r.size); err != nil {
			return fmt.Errorf("reading the outbox: %w", err)
		}
		if r.seq <= t.begun.seq { // not of this transaction
			if len(gone) > 0 && r.first != 0 {
				gone = append(gone, r)
			}
			break
		}
		if alerts < c.MaxAlerts && bytes < c.MaxBytes {
			break
		}
		gone = append(gone, r)
		alerts--
		bytes -= r.size
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return fmt.Errorf("reading the outbox: %w", err)
	}
	slices.Reverse(gone)
	return t.replace(gone)
}

// replace deletes neighbouring rows and puts one gap in their place, which has the number
// of the last.
func (t *transaction) replace(gone []row) error {
	if len(gone) == 0 {
		return nil
	}
	first, last := gone[0], gone[len(gone)-1]
	g := alert.Gap{First: first.seq, Last: last.seq, Reason: overQuota}
	if first.first != 0 {
		g.First = first.first
	}
	g.Count = g.Last - g.First + 1
	for _, r := range gone {
		t.place.alerts--
		t.place.bytes -= r.size
		if r.first == 0 {
			t.place.dropped++
		}
	}
	if err := t.exec("dropping alerts", "DELETE FROM outbox WHERE seq BETWEEN ? AND ?", first.seq, last.seq); err != nil {
		return err
	}
	kept := t.entries[:0]
	for _, a := range t.entries {
		if a.Seq < first.seq || a.Seq > last.seq {
			kept = append(kept, a)
		}
	}
	t.entries = kept
	t.lost = max(t.lost, last.seq)
	return t.enqueue(t.store.maker.Gap(t.now(t.told), t.place.epoch, g), g.First)
}

// pruneAt is the number of rows that all sinks have from which on they are deleted.
const pruneAt = 512

// prune deletes what every sink has.
func (t *transaction) prune(*work) error {
	least, found := uint64(0), false
	for _, c := range t.place.cursors {
		if !found || c < least {
			least, found = c, true
		}
	}
	if !found || t.place.alerts == 0 {
		return nil
	}
	var n, size int64
	const count = "SELECT count(*), coalesce(sum(length(body)), 0) FROM outbox WHERE seq <= ?"
	if err := t.tx.QueryRowContext(t.ctx, count, least).Scan(&n, &size); err != nil {
		return fmt.Errorf("counting what was delivered: %w", err)
	}
	if n == 0 || n < pruneAt && n < t.place.alerts {
		return nil
	}
	t.place.alerts -= n
	t.place.bytes -= size
	if err := t.exec("deleting what was delivered", "DELETE FROM outbox WHERE seq <= ?", least); err != nil {
		return err
	}
	return t.exec("giving space back", "PRAGMA incremental_vacuum(256)")
}
