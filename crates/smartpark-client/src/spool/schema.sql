-- The tables of a spool, version 1. The Python package reads and writes the same file.

-- An event, from the moment it is reported until long after it was delivered. The id gives the
-- order in which events are sent.
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    camera_id TEXT NOT NULL,
    track_id TEXT NOT NULL,
    direction TEXT NOT NULL,
    -- Microseconds since 1970 UTC, like every time here.
    timestamp INTEGER NOT NULL,
    -- The floor's name while its id is not known. Then floor_id in the body is null.
    floor TEXT,
    -- The line that is sent, byte for byte, however often.
    body TEXT NOT NULL,
    -- 0 waiting, 1 held, 2 dead letter, 3 delivered, 4 to be sent again (once delivered).
    state INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 4),
    spooled_at INTEGER NOT NULL,
    settled_at INTEGER,
    -- The last refusal.
    status INTEGER,
    reason TEXT,
    UNIQUE (camera_id, track_id, direction, timestamp)
);
CREATE INDEX events_to_send ON events (id) WHERE state = 0 OR state = 4;
CREATE INDEX events_by_state ON events (state, id);
CREATE INDEX events_without_floor ON events (floor) WHERE floor IS NOT NULL;

-- Events that were not kept, by camera and reason ('full' or 'dead_letters').
CREATE TABLE losses (
    camera_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    events INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (camera_id, reason)
);

-- Slices of time in which the server's events differ from ours, and how often ours were sent again
-- for that. Others may report for the same camera, or a person may have withdrawn events.
CREATE TABLE differing_slices (
    camera_id TEXT NOT NULL,
    start INTEGER NOT NULL,
    theirs TEXT NOT NULL,
    ours TEXT NOT NULL,
    sent INTEGER NOT NULL,
    PRIMARY KEY (camera_id, start)
);

-- What the sender last did, for other processes: last_success (a time) and last_error (a time, a
-- blank and the text).
CREATE TABLE notes (name TEXT PRIMARY KEY, value TEXT NOT NULL);
