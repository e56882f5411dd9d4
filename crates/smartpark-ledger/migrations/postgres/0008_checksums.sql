-- Checksums by which `smartpark check` notices that a row was changed behind SmartPark's back
-- (src/store/checksum.rs says how they are computed). Rows that exist already are given theirs by the
-- migration, except the hours: theirs stays NULL, which means unknown, until `check --repair`.

-- Of the events of this hour, floor and camera, and of the digests of those that cleanup deleted.
ALTER TABLE event_hours ADD COLUMN checksum bigint;

-- Of the floor's name, description, state and creation; and of all its adjustments.
ALTER TABLE floors ADD COLUMN checksum bigint NOT NULL DEFAULT 0;
ALTER TABLE floors ADD COLUMN adjustments_checksum bigint NOT NULL DEFAULT 0;

-- Of the row.
ALTER TABLE floor_origins ADD COLUMN checksum bigint NOT NULL DEFAULT 0;
ALTER TABLE retention ADD COLUMN checksum bigint NOT NULL DEFAULT 0;

-- Of the row and of all API keys.
ALTER TABLE site ADD COLUMN checksum bigint NOT NULL DEFAULT 0;
