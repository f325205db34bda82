package inventory

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"telltale/detect"
)

// Findings returns all that is remembered, in the order it was first seen.
func (s *Store) Findings(ctx context.Context) ([]detect.State, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT id, state FROM finding ORDER BY first_seen, id")
	if err != nil {
		return nil, fmt.Errorf("reading the findings: %w", err)
	}
	defer rows.Close()
	var list []detect.State
	for rows.Next() {
		var id string
		var b []byte
		var state detect.State
		if err := rows.Scan(&id, &b); err != nil {
			return nil, fmt.Errorf("reading the findings: %w", err)
		}
		if err := json.Unmarshal(b, &state); err != nil {
			return nil, fmt.Errorf("reading finding %s: %w", id, err)
		}
		list = append(list, state)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading the findings: %w", err)
	}
	return list, nil
}

// trim takes away what is beyond the bounds: Findings not seen for long, and the oldest
// captures.
func (s *Store) trim(ctx context.Context, db execer) error {
	for _, q := range []struct {
		text string
		arg  int64
	}{
		{"DELETE FROM finding WHERE last_seen < (SELECT max(last_seen) FROM finding) - ?", int64(s.conf.Retention)},
		{"DELETE FROM finding WHERE id IN (SELECT id FROM finding ORDER BY last_seen DESC, id LIMIT -1 OFFSET ?)", s.conf.MaxFindings},
		{"DELETE FROM capture WHERE (hash, part) IN (SELECT hash, part FROM capture ORDER BY replayed_at DESC, hash LIMIT -1 OFFSET ?)", maxCaptures},
	} {
		if _, err := db.ExecContext(ctx, q.text, q.arg); err != nil {
			return fmt.Errorf("keeping the state within its bounds: %w", err)
		}
	}
	return nil
}

// execer is a database or a transaction.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}
