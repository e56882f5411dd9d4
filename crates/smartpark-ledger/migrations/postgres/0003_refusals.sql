-- Events that were refused, by hour of the refusal, camera and reason: so that a camera with a
-- wrong clock or floor shows. They are no facts: a crash may lose the last seconds of them.
-- camera_id is empty where it is not known, or one of too many to be named.
-- reason: 0 unknown floor, 1 from the future, 2 too old, 3 invalid, 4 a repeat that differs.
CREATE TABLE refusals (
    hour      timestamptz NOT NULL,
    camera_id text        COLLATE "C" NOT NULL,
    reason    smallint    NOT NULL CONSTRAINT ck_refusal_reason CHECK (reason BETWEEN 0 AND 4),
    events    bigint      NOT NULL,
    last_at   timestamptz NOT NULL,
    PRIMARY KEY (hour, camera_id, reason)
);
