-- The tables of the contract (§2). Instants are microseconds since 1970 UTC; vehicle_type is
-- 0 car, 1 motorcycle, 2 bus, 3 truck; direction is 0 entry, 1 exit. The views at the end speak
-- the words of the interfaces.

CREATE TABLE floors (
    id               INTEGER PRIMARY KEY,
    name             TEXT    NOT NULL CONSTRAINT ck_floor_name CHECK (length(name) BETWEEN 1 AND 100),
    description      TEXT,
    total_slots      INTEGER NOT NULL CONSTRAINT ck_floor_total_slots CHECK (total_slots >= 0),
    current_vehicles INTEGER NOT NULL DEFAULT 0
                     CONSTRAINT ck_floor_current_vehicles CHECK (current_vehicles >= 0),
    is_active        INTEGER NOT NULL DEFAULT 1 CONSTRAINT ck_floor_is_active CHECK (is_active IN (0, 1)),
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    CONSTRAINT ck_floor_capacity CHECK (current_vehicles <= total_slots)
) STRICT;
CREATE UNIQUE INDEX ix_floor_name ON floors (name);
CREATE INDEX ix_floor_updated_at ON floors (updated_at);
CREATE INDEX ix_floor_is_active ON floors (is_active);

CREATE TABLE events (
    id           INTEGER PRIMARY KEY,
    camera_id    TEXT    NOT NULL CONSTRAINT ck_event_camera_id CHECK (length(camera_id) BETWEEN 1 AND 100),
    floor_id     INTEGER NOT NULL CONSTRAINT fk_event_floor REFERENCES floors (id) ON DELETE RESTRICT,
    track_id     TEXT    NOT NULL CONSTRAINT ck_event_track_id CHECK (length(track_id) BETWEEN 1 AND 100),
    vehicle_type INTEGER NOT NULL CONSTRAINT ck_event_vehicle_type CHECK (vehicle_type BETWEEN 0 AND 3),
    direction    INTEGER NOT NULL CONSTRAINT ck_event_direction CHECK (direction IN (0, 1)),
    confidence   REAL    NOT NULL DEFAULT 0.8 CONSTRAINT ck_event_confidence CHECK (confidence BETWEEN 0 AND 1),
    timestamp    INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    -- What recording the event did to the count, and whether it found the floor at its limit: the
    -- answer it was given, which never changes.
    count_delta  INTEGER NOT NULL
                 CONSTRAINT ck_event_count_delta CHECK (count_delta IN (0, 1 - 2 * direction)),
    at_limit     INTEGER NOT NULL DEFAULT 0
                 CONSTRAINT ck_event_at_limit CHECK (at_limit IN (0, 1) AND at_limit * count_delta = 0)
) STRICT;
CREATE UNIQUE INDEX uq_event_idempotency ON events (camera_id, track_id, direction, timestamp);
CREATE INDEX ix_event_camera_id ON events (camera_id);
CREATE INDEX ix_event_floor_id ON events (floor_id);
CREATE INDEX ix_event_track_id ON events (track_id);
CREATE INDEX ix_event_timestamp ON events (timestamp);
CREATE INDEX ix_event_camera_floor_timestamp ON events (camera_id, floor_id, timestamp);
CREATE INDEX ix_event_track_direction ON events (track_id, direction);
CREATE INDEX ix_event_floor_timestamp ON events (floor_id, timestamp);

-- Every change of a count that no event made, and every change of a capacity.
-- kind: 0 recount, 1 capacity, 2 entry, 3 exit (the last two from update_vehicle_count).
CREATE TABLE adjustments (
    id               INTEGER PRIMARY KEY,
    floor_id         INTEGER NOT NULL CONSTRAINT fk_adjustment_floor REFERENCES floors (id) ON DELETE CASCADE,
    kind             INTEGER NOT NULL CONSTRAINT ck_adjustment_kind CHECK (kind BETWEEN 0 AND 3),
    delta            INTEGER NOT NULL,
    current_vehicles INTEGER NOT NULL,
    total_slots      INTEGER NOT NULL,
    reason           TEXT,
    author           TEXT,
    timestamp        INTEGER NOT NULL,
    created_at       INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX ix_adjustment_floor_timestamp ON adjustments (floor_id, timestamp);

-- Where a floor's kept history begins: its first capacity, its count at the retention horizon,
-- and the sum of the count_delta of the events that cleanup deleted.
CREATE TABLE floor_origins (
    floor_id      INTEGER PRIMARY KEY REFERENCES floors (id) ON DELETE CASCADE,
    initial_slots INTEGER NOT NULL,
    base_count    INTEGER NOT NULL DEFAULT 0,
    removed_delta INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Derived: the folds of stretches of history (src/count/history.rs).
-- level: 0 day, 1 hour, 2 minute, 3 second, 4 hundredth of a second.
CREATE TABLE floor_stretches (
    floor_id INTEGER NOT NULL REFERENCES floors (id) ON DELETE CASCADE,
    level    INTEGER NOT NULL,
    start    INTEGER NOT NULL,
    facts    INTEGER NOT NULL,
    divided  INTEGER NOT NULL,
    shift    INTEGER NOT NULL,
    low      INTEGER NOT NULL,
    high     INTEGER NOT NULL,
    opening  INTEGER NOT NULL,
    PRIMARY KEY (floor_id, level, start)
) STRICT, WITHOUT ROWID;

-- Derived: what happened in each hour of UTC. Outlives the events it sums.
CREATE TABLE event_hours (
    hour               INTEGER NOT NULL,
    floor_id           INTEGER NOT NULL REFERENCES floors (id) ON DELETE RESTRICT,
    camera_id          TEXT    NOT NULL,
    car_entries        INTEGER NOT NULL,
    car_exits          INTEGER NOT NULL,
    motorcycle_entries INTEGER NOT NULL,
    motorcycle_exits   INTEGER NOT NULL,
    bus_entries        INTEGER NOT NULL,
    bus_exits          INTEGER NOT NULL,
    truck_entries      INTEGER NOT NULL,
    truck_exits        INTEGER NOT NULL,
    at_limit           INTEGER NOT NULL,
    PRIMARY KEY (hour, floor_id, camera_id)
) STRICT, WITHOUT ROWID;

-- Derived: the events that, as history is known now, found their floor at its limit.
CREATE TABLE events_at_limit (
    event_id  INTEGER PRIMARY KEY,
    floor_id  INTEGER NOT NULL,
    camera_id TEXT    NOT NULL,
    timestamp INTEGER NOT NULL
) STRICT;
CREATE INDEX ix_event_at_limit_timestamp ON events_at_limit (timestamp);

-- What statistics need of events that cleanup deleted, a few bytes each, without their tracks:
-- windows stay exact to the event (src/store/sqlite/digest.rs has the format).
CREATE TABLE event_digests (
    hour     INTEGER NOT NULL,
    floor_id INTEGER NOT NULL REFERENCES floors (id) ON DELETE RESTRICT,
    data     BLOB    NOT NULL,
    PRIMARY KEY (hour, floor_id)
) STRICT;

-- One row: events before the horizon are gone and refused; ids up to last_event_id were given.
CREATE TABLE retention (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    horizon       INTEGER,
    last_event_id INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO retention (id) VALUES (1);

CREATE VIEW floors_readable AS
SELECT id, name, description, total_slots, current_vehicles,
       total_slots - current_vehicles AS available_slots,
       CASE WHEN total_slots = 0 THEN 0.0 ELSE current_vehicles * 100.0 / total_slots END
           AS occupancy_percentage,
       CASE is_active WHEN 1 THEN 'true' ELSE 'false' END AS is_active,
       strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1e6, 'unixepoch') AS created_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', updated_at / 1e6, 'unixepoch') AS updated_at
FROM floors;

CREATE VIEW events_readable AS
SELECT e.id, e.camera_id, f.name AS floor, e.track_id,
       CASE e.vehicle_type WHEN 0 THEN 'car' WHEN 1 THEN 'motorcycle' WHEN 2 THEN 'bus' ELSE 'truck' END
           AS vehicle_type,
       CASE e.direction WHEN 0 THEN 'entry' ELSE 'exit' END AS direction,
       e.confidence,
       strftime('%Y-%m-%dT%H:%M:%fZ', e.timestamp / 1e6, 'unixepoch') AS timestamp,
       strftime('%Y-%m-%dT%H:%M:%fZ', e.created_at / 1e6, 'unixepoch') AS created_at,
       e.count_delta,
       CASE WHEN e.at_limit = 0 THEN NULL WHEN e.direction = 0 THEN 'full' ELSE 'empty' END AS at_limit
FROM events e JOIN floors f ON f.id = e.floor_id;

CREATE VIEW adjustments_readable AS
SELECT a.id, f.name AS floor,
       CASE a.kind WHEN 0 THEN 'recount' WHEN 1 THEN 'capacity' WHEN 2 THEN 'entry' ELSE 'exit' END AS kind,
       a.delta, a.current_vehicles, a.total_slots, a.reason, a.author,
       strftime('%Y-%m-%dT%H:%M:%fZ', a.timestamp / 1e6, 'unixepoch') AS timestamp,
       strftime('%Y-%m-%dT%H:%M:%fZ', a.created_at / 1e6, 'unixepoch') AS created_at
FROM adjustments a JOIN floors f ON f.id = a.floor_id;
