-- Facts that a person took back. The tables of facts hold exactly what counts; what was withdrawn
-- is kept here, so that it can count again. data is JSON.

-- id is that of the change that tells of the withdrawal on its first floor. checksum: of the row,
-- and of all facts that are still withdrawn by it.
CREATE TABLE withdrawals (
    id              INTEGER PRIMARY KEY,
    idempotency_key TEXT    NOT NULL,
    restores        INTEGER,
    data            TEXT    NOT NULL,
    checksum        INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX uq_withdrawal_key ON withdrawals (idempotency_key);
CREATE UNIQUE INDEX uq_withdrawal_restores ON withdrawals (restores) WHERE restores IS NOT NULL;

-- is_event: whether it is an event (1) or a change (0). delta: how far recording it moved the count.
CREATE TABLE withdrawn_facts (
    is_event      INTEGER NOT NULL CONSTRAINT ck_withdrawn_is_event CHECK (is_event IN (0, 1)),
    id            INTEGER NOT NULL,
    withdrawal_id INTEGER NOT NULL,
    floor_id      INTEGER NOT NULL CONSTRAINT fk_withdrawn_floor REFERENCES floors (id) ON DELETE RESTRICT,
    timestamp     INTEGER NOT NULL,
    delta         INTEGER NOT NULL,
    data          TEXT    NOT NULL,
    checksum      INTEGER NOT NULL,
    PRIMARY KEY (is_event, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX ix_withdrawn_withdrawal ON withdrawn_facts (withdrawal_id);
CREATE INDEX ix_withdrawn_floor ON withdrawn_facts (floor_id);
CREATE INDEX ix_withdrawn_timestamp ON withdrawn_facts (timestamp);
