-- Events that were refused, by hour of the refusal, camera and reason: so that a camera with a
-- wrong clock or floor shows. They are no facts: a crash may lose the last seconds of them.
-- camera_id is empty where it is not known, or one of too many to be named.
-- reason: 0 unknown floor, 1 from the future, 2 too old, 3 invalid, 4 a repeat that differs.
CREATE TABLE refusals (
    hour      INTEGER NOT NULL,
    camera_id TEXT    NOT NULL,
    reason    INTEGER NOT NULL CONSTRAINT ck_refusal_reason CHECK (reason BETWEEN 0 AND 4),
    events    INTEGER NOT NULL,
    last_at   INTEGER NOT NULL,
    PRIMARY KEY (hour, camera_id, reason)
) STRICT, WITHOUT ROWID;
