-- All facts in one order: a change stands behind the last event that was recorded before it.
-- after_event is the id of that event; changes behind one event stand in the order of their ids.
-- Changes that were recorded before this version stand before all events.
-- Kinds 7 and 8: a floor was added, or got another name. Kinds 9 and 10: facts of the floor were
-- withdrawn, or count again.
DROP VIEW adjustments_readable;
DROP TRIGGER keep_adjustment_id;
ALTER TABLE adjustments RENAME TO adjustments_before;
CREATE TABLE adjustments (
    id               INTEGER PRIMARY KEY,
    floor_id         INTEGER NOT NULL CONSTRAINT fk_adjustment_floor REFERENCES floors (id) ON DELETE CASCADE,
    kind             INTEGER NOT NULL CONSTRAINT ck_adjustment_kind CHECK (kind BETWEEN 0 AND 10),
    delta            INTEGER NOT NULL,
    current_vehicles INTEGER NOT NULL,
    total_slots      INTEGER NOT NULL,
    reason           TEXT,
    author           TEXT,
    timestamp        INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    place            INTEGER NOT NULL,
    is_dated         INTEGER NOT NULL DEFAULT 0 CONSTRAINT ck_adjustment_is_dated CHECK (is_dated IN (0, 1)),
    after_event      INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT ck_adjustment_place CHECK (place <= timestamp)
) STRICT;
INSERT INTO adjustments SELECT *, 0 FROM adjustments_before;
DROP TABLE adjustments_before;
CREATE INDEX ix_adjustment_floor_timestamp ON adjustments (floor_id, timestamp);
CREATE INDEX ix_adjustment_floor_place ON adjustments (floor_id, place, id);
CREATE UNIQUE INDEX uq_adjustment_dated ON adjustments (floor_id, timestamp) WHERE is_dated = 1;
CREATE INDEX ix_adjustment_after_event ON adjustments (after_event, id);
CREATE TRIGGER keep_adjustment_id AFTER DELETE ON adjustments BEGIN
    UPDATE retention SET last_adjustment_id = old.id WHERE last_adjustment_id < old.id;
END;
CREATE VIEW adjustments_readable AS
SELECT a.id, f.name AS floor,
       CASE a.kind WHEN 0 THEN 'recount' WHEN 1 THEN 'capacity' WHEN 2 THEN 'entry' WHEN 3 THEN 'exit'
            WHEN 4 THEN 'opened' WHEN 5 THEN 'closed' WHEN 6 THEN 'rules' WHEN 7 THEN 'added'
            WHEN 8 THEN 'renamed' WHEN 9 THEN 'withdrawn' ELSE 'restored' END AS kind,
       a.delta, a.current_vehicles, a.total_slots, a.reason, a.author,
       strftime('%Y-%m-%dT%H:%M:%fZ', a.timestamp / 1e6, 'unixepoch') AS timestamp,
       strftime('%Y-%m-%dT%H:%M:%fZ', a.created_at / 1e6, 'unixepoch') AS created_at
FROM adjustments a JOIN floors f ON f.id = a.floor_id;
