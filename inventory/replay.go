package inventory

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"telltale/detect"
)

// Capture is a capture file by its content.
type Capture struct {
	Hash string // SHA-256, hexadecimal
	Part string // the limits of time it is judged within, empty if all of it
	Path string // for people
}

// Replayed says which of the captures were judged to their end before.
func (s *Store) Replayed(ctx context.Context, list []Capture) ([]bool, error) {
	seen := make([]bool, len(list))
	for i, c := range list {
		const query = "SELECT count(*) FROM capture WHERE hash = ? AND part = ?"
		if err := s.read.QueryRowContext(ctx, query, c.Hash, c.Part).Scan(&seen[i]); err != nil {
			return nil, fmt.Errorf("looking for captures judged before: %w", err)
		}
	}
	return seen, nil
}

// BeginReplay notes that captures are going to be judged. What a replay that was broken
// off left behind is taken back first: the Findings are as before it, and the Alerts it
// raised are not raised again when its captures raise them. It must be called before
// Findings and Put.
func (s *Store) BeginReplay(ctx context.Context, list []Capture) (broken bool, err error) {
	err = s.transaction(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, "SELECT count(*) > 0 FROM replay").Scan(&broken); err != nil {
			return err
		}
		if err := takeBack(ctx, tx); err != nil {
			return err
		}
		for _, c := range list {
			if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO replay VALUES (?, ?)", c.Hash, c.Part); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return broken, fmt.Errorf("beginning a replay: %w", err)
	}
	s.replayed.Store(true)
	return broken, nil
}

// takeBack makes the Findings what they were before a replay.
func takeBack(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM finding WHERE id IN (SELECT id FROM replay_before)"); err != nil {
		return err
	}
	rows, err := tx.QueryContext(ctx, "SELECT state FROM replay_before WHERE state IS NOT NULL")
	if err != nil {
		return err
	}
	defer rows.Close()
	t := &transaction{ctx: ctx, tx: tx}
	for rows.Next() {
		var b []byte
		var state detect.State
		if err := rows.Scan(&b); err != nil {
			return err
		}
		if err := json.Unmarshal(b, &state); err != nil {
			return err
		}
		if err := t.finding(&state); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM replay_before")
	return err
}

// EndReplay notes that the captures were judged to their end, after all that was put
// before.
func (s *Store) EndReplay(ctx context.Context, list []Capture) error {
	if err := s.Sync(ctx); err != nil {
		return err
	}
	err := s.transaction(ctx, func(tx *sql.Tx) error {
		for _, c := range list {
			if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO capture VALUES (?, ?, ?, ?)", c.Hash, c.Part, c.Path, time.Now().Unix()); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "DELETE FROM replay WHERE hash = ? AND part = ?", c.Hash, c.Part); err != nil {
				return err
			}
		}
		for _, q := range []string{
			"DELETE FROM replay_before",
			"DELETE FROM replay_alert WHERE NOT EXISTS (SELECT 1 FROM replay)", // else one broken off may still need them
		} {
			if _, err := tx.ExecContext(ctx, q); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("ending a replay: %w", err)
	}
	s.replayed.Store(false)
	return nil
}

// transaction runs f in a transaction of the writing connection.
func (s *Store) transaction(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}
