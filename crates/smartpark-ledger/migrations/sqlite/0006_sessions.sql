-- Sessions of people who signed in on the page (contract §5). A cookie holds 32 random bytes; only
-- the SHA-256 of the cookie is kept. So nobody can make a session from what the database, a backup
-- or the sums of keys say, and there is no secret that servers would have to share.
-- key_prefix is the public part of the key that it was begun with: a key that is rotated or revoked
-- no longer has it, which ends the session.
CREATE TABLE sessions (
    sha256     BLOB    PRIMARY KEY CONSTRAINT ck_session_sha256 CHECK (length(sha256) = 32),
    key_prefix TEXT    NOT NULL,
    ends_at    INTEGER NOT NULL,
    renewed_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX ix_session_key ON sessions (key_prefix, ends_at);
CREATE INDEX ix_session_end ON sessions (ends_at);
