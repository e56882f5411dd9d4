-- Facts that a person took back. The tables of facts hold exactly what counts; what was withdrawn
-- is kept here, so that it can count again. data is JSON.

-- id is that of the change that tells of the withdrawal on its first floor. checksum: of the row,
-- and of all facts that are still withdrawn by it.
CREATE TABLE withdrawals (
    id              bigint PRIMARY KEY,
    idempotency_key text   COLLATE "C" NOT NULL,
    restores        bigint,
    data            text   NOT NULL,
    checksum        bigint NOT NULL
);
CREATE UNIQUE INDEX uq_withdrawal_key ON withdrawals (idempotency_key);
CREATE UNIQUE INDEX uq_withdrawal_restores ON withdrawals (restores) WHERE restores IS NOT NULL;

-- is_event: whether it is an event (1) or a change (0). delta: how far recording it moved the count.
CREATE TABLE withdrawn_facts (
    is_event      smallint NOT NULL CONSTRAINT ck_withdrawn_is_event CHECK (is_event IN (0, 1)),
    id            bigint   NOT NULL,
    withdrawal_id bigint   NOT NULL,
    floor_id      bigint   NOT NULL CONSTRAINT fk_withdrawn_floor REFERENCES floors (id) ON DELETE RESTRICT,
    timestamp     timestamptz NOT NULL,
    delta         bigint   NOT NULL,
    data          text     NOT NULL,
    checksum      bigint   NOT NULL,
    PRIMARY KEY (is_event, id)
);
CREATE INDEX ix_withdrawn_withdrawal ON withdrawn_facts (withdrawal_id);
CREATE INDEX ix_withdrawn_floor ON withdrawn_facts (floor_id);
CREATE INDEX ix_withdrawn_timestamp ON withdrawn_facts (timestamp);
