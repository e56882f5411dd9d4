-- The place of a fact in the history of its floor (contract §3): min(timestamp, receipt, place of the
-- floor's next adjustment in the order of commits). It is stored only if it differs from the
-- timestamp. Facts that were recorded before this version keep the place that they had.
CREATE TABLE event_places (
    event_id  INTEGER PRIMARY KEY,
    floor_id  INTEGER NOT NULL,
    place     INTEGER NOT NULL,
    camera_id TEXT    NOT NULL,
    track_id  TEXT    NOT NULL,
    direction INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    CONSTRAINT ck_event_place CHECK (place < timestamp)
) STRICT;
CREATE INDEX ix_event_place_floor ON event_places (floor_id, place);
CREATE INDEX ix_event_place_timestamp ON event_places (timestamp);

-- Adjustments always have their place, and several may have one: they stand there in the order of
-- their ids. Kinds 4 and 5 open and close a floor; kind 6 tells what new rules of counting changed;
-- a dated one (a recount) says when somebody counted.
DROP VIEW adjustments_readable;
DROP TRIGGER keep_adjustment_id;
ALTER TABLE adjustments RENAME TO adjustments_before;
CREATE TABLE adjustments (
    id               INTEGER PRIMARY KEY,
    floor_id         INTEGER NOT NULL CONSTRAINT fk_adjustment_floor REFERENCES floors (id) ON DELETE CASCADE,
    kind             INTEGER NOT NULL CONSTRAINT ck_adjustment_kind CHECK (kind BETWEEN 0 AND 6),
    delta            INTEGER NOT NULL,
    current_vehicles INTEGER NOT NULL,
    total_slots      INTEGER NOT NULL,
    reason           TEXT,
    author           TEXT,
    timestamp        INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    place            INTEGER NOT NULL,
    is_dated         INTEGER NOT NULL DEFAULT 0 CONSTRAINT ck_adjustment_is_dated CHECK (is_dated IN (0, 1)),
    CONSTRAINT ck_adjustment_place CHECK (place <= timestamp)
) STRICT;
INSERT INTO adjustments SELECT *, timestamp, 0 FROM adjustments_before;
DROP TABLE adjustments_before;
CREATE INDEX ix_adjustment_floor_timestamp ON adjustments (floor_id, timestamp);
CREATE INDEX ix_adjustment_floor_place ON adjustments (floor_id, place, id);
CREATE UNIQUE INDEX uq_adjustment_dated ON adjustments (floor_id, timestamp) WHERE is_dated = 1;
CREATE TRIGGER keep_adjustment_id AFTER DELETE ON adjustments BEGIN
    UPDATE retention SET last_adjustment_id = old.id WHERE last_adjustment_id < old.id;
END;
CREATE VIEW adjustments_readable AS
SELECT a.id, f.name AS floor,
       CASE a.kind WHEN 0 THEN 'recount' WHEN 1 THEN 'capacity' WHEN 2 THEN 'entry' WHEN 3 THEN 'exit'
            WHEN 4 THEN 'opened' WHEN 5 THEN 'closed' ELSE 'rules' END AS kind,
       a.delta, a.current_vehicles, a.total_slots, a.reason, a.author,
       strftime('%Y-%m-%dT%H:%M:%fZ', a.timestamp / 1e6, 'unixepoch') AS timestamp,
       strftime('%Y-%m-%dT%H:%M:%fZ', a.created_at / 1e6, 'unixepoch') AS created_at
FROM adjustments a JOIN floors f ON f.id = a.floor_id;

-- When a person said last that the clock of this machine is right, by that clock.
ALTER TABLE site ADD COLUMN clock_accepted_at INTEGER;
