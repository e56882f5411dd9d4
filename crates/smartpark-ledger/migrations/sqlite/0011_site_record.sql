-- What is known of the car park: its name in paths, its name, the time zone of its days, and as JSON
-- what else may be known. The checksum of the row covers them.
ALTER TABLE site ADD COLUMN slug TEXT NOT NULL DEFAULT 'default';
ALTER TABLE site ADD COLUMN name TEXT NOT NULL DEFAULT 'SmartPark';
ALTER TABLE site ADD COLUMN time_zone TEXT NOT NULL DEFAULT 'UTC';
ALTER TABLE site ADD COLUMN details TEXT NOT NULL DEFAULT '{}';
