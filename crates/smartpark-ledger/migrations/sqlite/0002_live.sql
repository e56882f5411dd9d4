-- For the live stream and the screen. The events at the limit are few among many: listing them
-- must not read the others. Their order of commits is that of their ids here: there is one writer.
CREATE INDEX ix_event_at_limit ON events (timestamp, id) WHERE at_limit = 1;
