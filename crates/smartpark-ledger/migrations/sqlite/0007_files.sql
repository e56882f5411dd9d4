-- Ids that were given stay given: floors and adjustments that are deleted leave theirs here.
ALTER TABLE retention ADD COLUMN last_floor_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE retention ADD COLUMN last_adjustment_id INTEGER NOT NULL DEFAULT 0;
CREATE TRIGGER keep_floor_id AFTER DELETE ON floors BEGIN
    UPDATE retention SET last_floor_id = old.id WHERE last_floor_id < old.id;
END;
CREATE TRIGGER keep_adjustment_id AFTER DELETE ON adjustments BEGIN
    UPDATE retention SET last_adjustment_id = old.id WHERE last_adjustment_id < old.id;
END;
-- A finished copy remembers the identity of its source, and a fingerprint of what it held then: as
-- long as it still holds exactly that, a further copy of the same source may go on with it.
ALTER TABLE site ADD COLUMN copied_from INTEGER;
ALTER TABLE site ADD COLUMN copied_sum TEXT;
