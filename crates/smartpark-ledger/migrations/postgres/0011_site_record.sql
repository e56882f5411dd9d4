-- What is known of the car park: its name in paths, its name, the time zone of its days, and as JSON
-- what else may be known. The checksum of the row covers them.
ALTER TABLE site ADD COLUMN slug text NOT NULL DEFAULT 'default';
ALTER TABLE site ADD COLUMN name text NOT NULL DEFAULT 'SmartPark';
ALTER TABLE site ADD COLUMN time_zone text NOT NULL DEFAULT 'UTC';
ALTER TABLE site ADD COLUMN details text NOT NULL DEFAULT '{}';
