-- A finished copy remembers the identity of its source, and a fingerprint of what it held then: as
-- long as it still holds exactly that, a further copy of the same source may go on with it.
-- (Ids that were given stay given by the sequences.)
ALTER TABLE site ADD COLUMN copied_from bigint;
ALTER TABLE site ADD COLUMN copied_sum text;
