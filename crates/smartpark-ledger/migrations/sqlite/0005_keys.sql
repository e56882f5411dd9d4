-- API keys (contract §5). Of a key only its SHA-256 is kept: whoever reads the database cannot send
-- it. role is 0 viewer, 1 camera, 2 admin. cameras and floors are JSON arrays of those that a camera's
-- key may speak for; NULL means all. A key that is revoked stays as a row: its name stands in
-- adjustments, and a server that ever had a key never opens by itself again.
CREATE TABLE api_keys (
    id         INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL CONSTRAINT ck_api_key_name CHECK (length(name) BETWEEN 1 AND 100),
    prefix     TEXT    NOT NULL,
    sha256     BLOB    NOT NULL CONSTRAINT ck_api_key_sha256 CHECK (length(sha256) = 32),
    role       INTEGER NOT NULL CONSTRAINT ck_api_key_role CHECK (role BETWEEN 0 AND 2),
    cameras    TEXT,
    floors     TEXT,
    created_at INTEGER NOT NULL,
    rotated_at INTEGER,
    revoked_at INTEGER
) STRICT;
CREATE UNIQUE INDEX ix_api_key_prefix ON api_keys (prefix);
CREATE UNIQUE INDEX ix_api_key_name ON api_keys (name) WHERE revoked_at IS NULL;
