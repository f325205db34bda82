package inventory

import (
	"context"
	"fmt"

	"telltale/alert"
)

// Cursor implements alert.Outbox.
func (s *Store) Cursor(ctx context.Context, sink string) (uint64, error) {
	s.queue.do(func(t *transaction) error { return t.register(sink) })
	if err := s.Sync(ctx); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.place.cursors[sink], nil
}

// Next implements alert.Outbox.
func (s *Store) Next(ctx context.Context, sink string, after uint64, n int) ([]alert.Entry, error) {
	const letters = "SELECT seq, body, number FROM dead WHERE sink = ? AND retry = 1 ORDER BY number LIMIT ?"
	if list, err := s.entries(ctx, letters, sink, n); err != nil || len(list) > 0 {
		return list, err
	}
	s.mu.Lock()
	list, ok := s.recent.after(after, n)
	s.mu.Unlock()
	if !ok {
		return s.entries(ctx, "SELECT seq, body, 0 FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?", after, n)
	}
	entries := make([]alert.Entry, len(list))
	for i, a := range list {
		entries[i] = alert.Entry{Seq: a.Seq, Alert: a}
	}
	return entries, nil
}

func (s *Store) entries(ctx context.Context, query string, args ...any) ([]alert.Entry, error) {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("reading the outbox: %w", err)
	}
	defer rows.Close()
	var list []alert.Entry
	for rows.Next() {
		var e alert.Entry
		var body []byte
		if err := rows.Scan(&e.Seq, &body, &e.Retry); err != nil {
			return nil, fmt.Errorf("reading the outbox: %w", err)
		}
		e.Alert, e.Err = alert.Unmarshal(body)
		list = append(list, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading the outbox: %w", err)
	}
	return list, nil
}

// Settle implements alert.Outbox.
func (s *Store) Settle(ctx context.Context, sink string, set alert.Settlement) error {
	if len(set.Dead)+len(set.Retried) == 0 {
		return s.queue.settle(sink, set.UpTo)
	}
	s.queue.do(func(t *transaction) error { return t.settle(sink, &set) })
	return s.Sync(ctx)
}
