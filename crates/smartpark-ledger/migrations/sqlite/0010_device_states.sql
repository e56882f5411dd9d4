-- What an adapter of a device keeps between two messages: the readings of a counter, the side of
-- the line on which a tracked object was last. A state is opaque here. It changes only in the
-- transaction that records the events of the same message.
-- keep_until: from then on the state may be deleted; NULL means never. checksum: of the row.
CREATE TABLE device_states (
    camera_id  TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    state      BLOB    NOT NULL CONSTRAINT ck_device_state CHECK (length(state) <= 4096),
    keep_until INTEGER,
    checksum   INTEGER NOT NULL,
    PRIMARY KEY (camera_id, key)
) STRICT;
CREATE INDEX ix_device_states_key ON device_states (key);
CREATE INDEX ix_device_states_keep_until ON device_states (keep_until)
    WHERE keep_until IS NOT NULL;

-- What devices sent and SmartPark did not count, by hour, camera, reason and the sentence for a
-- person. These are no facts: a crash may lose the last seconds of them.
-- camera_id is empty for a message that belongs to no camera.
CREATE TABLE not_counted (
    hour      INTEGER NOT NULL,
    camera_id TEXT    NOT NULL,
    reason    TEXT    NOT NULL,
    detail    TEXT    NOT NULL,
    times     INTEGER NOT NULL,
    last_at   INTEGER NOT NULL,
    PRIMARY KEY (hour, camera_id, reason, detail)
) STRICT, WITHOUT ROWID;
