package inventory

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"telltale/alert"
)

// givenUp is the reason of a gap that an operator made.
const givenUp = "given up by the operator with 'telltale outbox drop'"

// Drop gives up what waits for a sink, and returns the numbers before and of the last of
// it. A gap stands in its place, for this sink alone. With forget the sink is no longer
// waited for at all; the gap waits for its return. No sensor may be running.
func (d *Desk) Drop(ctx context.Context, sink string, forget bool) (after, last uint64, err error) {
	defer func() { err = advise(err, d.dir) }()
	l, err := lock(d.dir)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = l.Close() }()
	if err := d.known(ctx, sink, &after); err != nil {
		return 0, 0, err
	}
	err = d.change(ctx, func(t *transaction) error {
		last = t.place.seq
		like, err := t.latest()
		if err == nil {
			err = t.giveUp(sink, after+1, last, like)
		}
		if err != nil {
			return err
		}
		if forget {
			return t.exec("forgetting a sink", "DELETE FROM cursor WHERE sink = ?", sink)
		}
		return t.exec("dropping what waits", "UPDATE cursor SET seq = ? WHERE sink = ?", last, sink)
	})
	return after, last, err
}

// DropDead deletes dead letters, chosen as for Retry, and returns how many. A gap stands
// in the place of each stretch of neighbours. Gaps among the letters go without another,
// and those that wait to be sent stay unless one is named.
func (d *Desk) DropDead(ctx context.Context, sink string, number int64) (n int64, err error) {
	defer func() { err = advise(err, d.dir) }()
	if err := d.letters(ctx, sink, number); err != nil {
		return 0, err
	}
	list, err := d.Dead(ctx, sink, maxDead+1)
	if err != nil {
		return 0, err
	}
	slices.SortStableFunc(list, func(a, b Letter) int { return cmp.Compare(a.Seq, b.Seq) })
	numbers := map[string]*stretches{}
	var gone []int64
	for i := range list {
		l := &list[i]
		gap := l.Alert != nil && l.Alert.Gap != nil
		if number != 0 && number != l.Number || gap && l.Retry && number == 0 {
			continue
		}
		gone = append(gone, l.Number)
		if gap {
			continue
		}
		if numbers[l.Sink] == nil {
			numbers[l.Sink] = &stretches{}
		}
		numbers[l.Sink].add(l.Seq)
	}
	err = d.change(ctx, func(t *transaction) error {
		for _, g := range gone {
			if err := t.exec("deleting a dead letter", "DELETE FROM dead WHERE number = ?", g); err != nil {
				return err
			}
		}
		return t.giveUpAll(numbers)
	})
	return int64(len(gone)), err
}

// change does f in one transaction, which knows the epoch and the last number.
func (d *Desk) change(ctx context.Context, f func(*transaction) error) error {
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("writing the state: %w", err)
	}
	defer tx.Rollback()
	t := &transaction{ctx: ctx, tx: tx}
	if err := tx.QueryRowContext(ctx, "SELECT epoch, seq FROM sensor").Scan(&t.place.epoch, &t.place.seq); err != nil {
		return fmt.Errorf("reading the state: %w", err)
	}
	if err := f(t); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("writing the state: %w", err)
	}
	return nil
}

// latest returns the last Alert that is still there: its sensor and time are those of a
// gap, since neither is known here otherwise.
func (t *transaction) latest() (*alert.Alert, error) {
	for _, query := range []string{"SELECT body FROM outbox ORDER BY seq DESC LIMIT 1", "SELECT body FROM dead ORDER BY number DESC LIMIT 1"} {
		var body []byte
		err := t.tx.QueryRowContext(t.ctx, query).Scan(&body)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, fmt.Errorf("reading the outbox: %w", err)
		}
		if a, err := alert.Unmarshal(body); err == nil {
			return a, nil
		}
	}
	return &alert.Alert{Time: time.Now().UnixNano()}, nil
}

// giveUpAll puts a gap in the place of every stretch, for sinks that are waited for.
func (t *transaction) giveUpAll(numbers map[string]*stretches) error {
	like, err := t.latest()
	if err != nil {
		return err
	}
	for sink, s := range numbers {
		var at uint64
		err := t.tx.QueryRowContext(t.ctx, "SELECT seq FROM cursor WHERE sink = ?", sink).Scan(&at)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return fmt.Errorf("reading where a sink is: %w", err)
		}
		for _, x := range *s {
			if err := t.giveUp(sink, x.first, x.last, like); err != nil {
				return err
			}
		}
	}
	return nil
}

// giveUp has a sink told that the numbers first to last were given up. Others are sent what
// has these numbers, so it goes the way of a dead letter that is tried again.
func (t *transaction) giveUp(sink string, first, last uint64, like *alert.Alert) error {
	if first > last {
		return nil
	}
	m := alert.Maker{Sensor: like.Sensor, Packs: like.Packs, Program: like.Program}
	g := alert.Gap{First: first, Last: last, Count: last - first + 1, Reason: givenUp}
	body, err := alert.Marshal(m.Gap(like.Time, t.place.epoch, g))
	if err != nil {
		return err
	}
	return t.exec("writing a gap", `INSERT INTO dead (sink, seq, tries, retry, at, reason, body) VALUES (?, ?, 0, 1, ?, ?, ?)
		ON CONFLICT (sink, seq) DO UPDATE SET tries = 0, retry = 1, at = excluded.at, reason = excluded.reason, body = excluded.body`,
		sink, last, time.Now().Unix(), givenUp, body)
}

// stretches are runs of neighbouring numbers.
type stretches []struct{ first, last uint64 }

// add adds a number that is larger than those before.
func (s *stretches) add(n uint64) {
	if k := len(*s); k > 0 && (*s)[k-1].last == n-1 {
		(*s)[k-1].last = n
		return
	}
	*s = append(*s, struct{ first, last uint64 }{n, n})
}
