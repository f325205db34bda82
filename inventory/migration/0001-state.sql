-- Times are packet times in nanoseconds since 1970 UTC unless the name says otherwise.

-- The one row that names this memory and counts its alerts.
CREATE TABLE sensor (
	one     INTEGER PRIMARY KEY CHECK (one = 1),
	epoch   INTEGER NOT NULL, -- when this was made, ms since 1970 UTC; names the sequence
	seq     INTEGER NOT NULL, -- last sequence number given
	dropped INTEGER NOT NULL  -- alerts dropped on purpose in this epoch
) STRICT;

-- One row for each host x vendor x product, or host x foreign range. The columns are
-- for questions, state is what the engine goes on from (detect.State as JSON).
CREATE TABLE finding (
	id         TEXT PRIMARY KEY,
	topic      TEXT NOT NULL,
	host       TEXT NOT NULL,
	vendor     TEXT NOT NULL,
	product    TEXT NOT NULL,
	class      TEXT NOT NULL,
	attempts   INTEGER NOT NULL,
	exchanges  INTEGER NOT NULL,
	bytes_out  INTEGER NOT NULL,
	bytes_in   INTEGER NOT NULL,
	first_seen INTEGER NOT NULL,
	last_seen  INTEGER NOT NULL,
	cleared    INTEGER NOT NULL,
	state      BLOB NOT NULL
) STRICT;
CREATE INDEX finding_last_seen ON finding (last_seen);

-- Captures that were judged to their end, by content and by the part of it.
CREATE TABLE capture (
	hash        TEXT NOT NULL, -- SHA-256 of the file
	part        TEXT NOT NULL, -- the limits of time it was judged within, '' if none
	path        TEXT NOT NULL,
	replayed_at INTEGER NOT NULL, -- s since 1970 UTC, by the clock of the machine
	PRIMARY KEY (hash, part)
) STRICT, WITHOUT ROWID;

-- A replay that was begun and did not end: which captures, how each finding was before
-- (state NULL: not there), and which alerts it raised. It is taken back before the next.
CREATE TABLE replay (
	hash TEXT NOT NULL,
	part TEXT NOT NULL,
	PRIMARY KEY (hash, part)
) STRICT, WITHOUT ROWID;
CREATE TABLE replay_before (
	id    TEXT PRIMARY KEY,
	state BLOB
) STRICT, WITHOUT ROWID;
CREATE TABLE replay_alert (
	id TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Alerts on their way (alert.Marshal). A row is deleted when every sink is past it.
CREATE TABLE outbox (
	seq   INTEGER PRIMARY KEY,
	first INTEGER NOT NULL, -- where the gap that this row stands for begins; 0 if it is an alert
	body  BLOB NOT NULL
) STRICT;

-- How far each sink has come.
CREATE TABLE cursor (
	sink TEXT PRIMARY KEY,
	seq  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Alerts that a sink refused for good.
CREATE TABLE dead (
	number INTEGER PRIMARY KEY AUTOINCREMENT,
	sink   TEXT NOT NULL,
	seq    INTEGER NOT NULL,
	tries  INTEGER NOT NULL, -- how often it was refused
	retry  INTEGER NOT NULL, -- 1: to be sent again
	at     INTEGER NOT NULL, -- s since 1970 UTC, by the clock of the machine
	reason TEXT NOT NULL,
	body   BLOB NOT NULL,
	UNIQUE (sink, seq)
) STRICT;
CREATE INDEX dead_retry ON dead (sink, number) WHERE retry = 1;
