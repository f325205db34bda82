package inventory

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver called "sqlite"
)

// migrations lead from an empty file to the present schema, one after the other; the
// n-th brings it to version n. They are never changed once released.
//
//go:embed migration/*.sql
var migrations embed.FS

// application marks the file as ours (PRAGMA application_id): "TTal".
const application = 0x5454616c

// fileName is the store within its directory.
const fileName = "telltale.db"

// open connects to the file in dir, which must exist, for reading only or for writing too.
func open(dir string, reads bool, synchronous string) (*sql.DB, error) {
	q := url.Values{"mode": {"rw"}, "_txlock": {"immediate"}}
	q["_pragma"] = []string{"busy_timeout(10000)", "temp_store(memory)"}
	if reads {
		q.Add("_pragma", "query_only(1)")
	} else {
		q["_pragma"] = append(q["_pragma"], "auto_vacuum(incremental)", "journal_mode(wal)", "synchronous("+synchronous+")", "journal_size_limit(67108864)")
	}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.Join(dir, fileName)}).EscapedPath(), RawQuery: q.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, fmt.Errorf("opening the state: %w", err)
	}
	return db, nil
}

// version returns the schema version of a file, 0 if it is new.
func version(ctx context.Context, db *sql.DB) (int, error) {
	var app, v int
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&app); err != nil {
		return 0, fmt.Errorf("reading the state: %w", err)
	}
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&v); err != nil {
		return 0, fmt.Errorf("reading the state: %w", err)
	}
	if app != application && (app != 0 || v != 0) {
		return 0, fmt.Errorf("%s was not made by telltale: give --state another directory", fileName)
	}
	return v, nil
}

// steps returns the migrations in order.
func steps() ([]string, error) {
	list, err := fs.Glob(migrations, "migration/*.sql")
	if err != nil {
		return nil, fmt.Errorf("listing migrations: %w", err)
	}
	texts := make([]string, len(list))
	for i, name := range list {
		b, err := migrations.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("reading a migration: %w", err)
		}
		texts[i] = string(b)
	}
	return texts, nil
}

// migrate brings the file to the present schema, each step in a transaction.
func migrate(ctx context.Context, db *sql.DB, now time.Time) error {
	have, err := version(ctx, db)
	if err != nil {
		return err
	}
	list, err := steps()
	if err != nil {
		return err
	}
	if have > len(list) {
		return newer(have, len(list))
	}
	for i, text := range list[have:] {
		if err := step(ctx, db, have+i+1, text, now); err != nil {
			return fmt.Errorf("bringing the state to schema %d: %w", have+i+1, err)
		}
	}
	return nil
}

// newer says that a file is of a schema after the one known.
func newer(have, known int) error {
	return fmt.Errorf("the state was written by a newer telltale (schema %d, this one knows %d): install that release, or give --state another directory", have, known)
}

func step(ctx context.Context, db *sql.DB, v int, text string, now time.Time) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, q := range []string{text, fmt.Sprintf("PRAGMA user_version = %d", v), fmt.Sprintf("PRAGMA application_id = %d", application)} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	if v == 1 {
		if _, err := tx.ExecContext(ctx, "INSERT INTO sensor VALUES (1, ?, 0, 0)", now.UnixMilli()); err != nil {
			return err
		}
	}
	return tx.Commit()
}
