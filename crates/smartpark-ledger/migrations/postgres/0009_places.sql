-- The place of a fact in the history of its floor (contract §3): min(timestamp, receipt, place of the
-- floor's next adjustment in the order of commits). It is stored only if it differs from the
-- timestamp. Facts that were recorded before this version keep the place that they had.
CREATE TABLE event_places (
    event_id  bigint      PRIMARY KEY,
    floor_id  bigint      NOT NULL,
    place     timestamptz NOT NULL,
    camera_id text        COLLATE "C" NOT NULL,
    track_id  text        COLLATE "C" NOT NULL,
    direction smallint    NOT NULL,
    timestamp timestamptz NOT NULL,
    CONSTRAINT ck_event_place CHECK (place < timestamp)
);
CREATE INDEX ix_event_place_floor ON event_places (floor_id, place);
CREATE INDEX ix_event_place_timestamp ON event_places (timestamp);

-- Adjustments always have their place, and several may have one: they stand there in the order of
-- their ids. Kinds 4 and 5 open and close a floor; kind 6 tells what new rules of counting changed;
-- a dated one (a recount) says when somebody counted.
ALTER TABLE adjustments DROP CONSTRAINT ck_adjustment_kind,
    ADD CONSTRAINT ck_adjustment_kind CHECK (kind BETWEEN 0 AND 6),
    ADD COLUMN place timestamptz,
    ADD COLUMN is_dated boolean NOT NULL DEFAULT false;
UPDATE adjustments SET place = timestamp;
ALTER TABLE adjustments ALTER COLUMN place SET NOT NULL,
    ADD CONSTRAINT ck_adjustment_place CHECK (place <= timestamp);
DROP INDEX ix_adjustment_floor_timestamp;
CREATE INDEX ix_adjustment_floor_timestamp ON adjustments (floor_id, timestamp);
CREATE INDEX ix_adjustment_floor_place ON adjustments (floor_id, place, id);
CREATE UNIQUE INDEX uq_adjustment_dated ON adjustments (floor_id, timestamp) WHERE is_dated;

-- When a person said last that the clock of this machine is right, by that clock.
ALTER TABLE site ADD COLUMN clock_accepted_at timestamptz;
