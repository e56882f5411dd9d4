-- For the live stream and the screen. The events at the limit are few among many: listing them
-- must not read the others.
CREATE INDEX ix_event_at_limit ON events (timestamp, id) WHERE at_limit;

-- Which transaction recorded an event. Ids are given before a commit and may become visible in
-- another order; all of a transaction before the oldest that still runs can be seen for good.
ALTER TABLE events ADD COLUMN change xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX ix_event_change ON events (change, id);

-- The transaction that recorded the last of the events that are gone (last_event_id is that event):
-- whoever read no further may have missed some.
ALTER TABLE retention ADD COLUMN last_change bigint NOT NULL DEFAULT 0;
