-- All facts in one order: as with events, change is the transaction that recorded a change of a
-- floor. No transaction records events and changes. Changes that were recorded before this version
-- stand before all events.
-- Kinds 7 and 8: a floor was added, or got another name. Kinds 9 and 10: facts of the floor were
-- withdrawn, or count again.
ALTER TABLE adjustments DROP CONSTRAINT ck_adjustment_kind,
    ADD CONSTRAINT ck_adjustment_kind CHECK (kind BETWEEN 0 AND 10),
    ADD COLUMN change xid8 NOT NULL DEFAULT '0';
ALTER TABLE adjustments ALTER COLUMN change SET DEFAULT pg_current_xact_id();
CREATE INDEX ix_adjustment_change ON adjustments (change, id);
