//! The sessions of people who signed in: of their cookies only the sums.

use std::collections::HashSet;

use rusqlite::Connection;

use super::{Sqlite, session::Session};
use crate::{
    Result,
    keys::{SealedSession, Sha256Sum},
    limits::{MAX_SESSIONS_PER_KEY, SESSION_RENEWAL},
};

const HOLDING: &str = "-- sessions: those that have not ended
SELECT sha256 FROM sessions WHERE ends_at > ?1";

const ENDED: &str =
    "-- sessions: those that have ended go\nDELETE FROM sessions WHERE ends_at <= ?1";

const CROWDED: &str = "-- sessions: of too many with one key the first to end go
DELETE FROM sessions WHERE sha256 IN (
    SELECT sha256 FROM sessions WHERE key_prefix = ?1 ORDER BY ends_at DESC LIMIT -1 OFFSET ?2)";

const INSERT: &str = "-- sessions: begin one
INSERT INTO sessions (sha256, key_prefix, ends_at) VALUES (?1, ?2, ?3)";

const RENEWED: &str = "-- sessions: another takes its place
UPDATE sessions SET renewed_at = ?2
WHERE sha256 = ?1 AND ends_at > ?2 AND coalesce(renewed_at <= ?3, TRUE)";

const DELETE: &str = "-- sessions: end one\nDELETE FROM sessions WHERE sha256 = ?1";

impl Sqlite {
    pub(in crate::store) async fn begin_session(&self, new: SealedSession) -> Result<()> {
        self.write(move |session| begin(session, &new)).await
    }

    pub(in crate::store) async fn renew_session(
        &self,
        old: Sha256Sum,
        new: SealedSession,
    ) -> Result<bool> {
        self.write(move |session| renew(session, old, &new)).await
    }

    pub(in crate::store) async fn end_session(&self, sum: Sha256Sum) -> Result<()> {
        self.write(move |session| {
            session.connection.prepare_cached(DELETE)?.execute([sum.0])?;
            Ok(())
        })
        .await
    }
}

/// The sums of the sessions that end after an instant, in microseconds since 1970 UTC.
pub(super) fn holding(connection: &Connection, now: i64) -> Result<HashSet<[u8; 32]>> {
    let mut statement = connection.prepare_cached(HOLDING)?;
    let sums = statement.query_map([now], |row| row.get(0))?;
    Ok(sums.collect::<rusqlite::Result<_>>()?)
}

fn begin(session: &Session<'_>, new: &SealedSession) -> Result<()> {
    let connection = session.connection;
    connection.prepare_cached(ENDED)?.execute([session.now])?;
    let others = MAX_SESSIONS_PER_KEY - 1;
    connection.prepare_cached(CROWDED)?.execute((&new.key_prefix, others as i64))?;
    connection.prepare_cached(INSERT)?.execute((new.sum.0, &new.key_prefix, new.ends_at))?;
    Ok(())
}

fn renew(session: &Session<'_>, old: Sha256Sum, new: &SealedSession) -> Result<bool> {
    let recent = session.now.saturating_sub(SESSION_RENEWAL.as_micros() as i64);
    let mut statement = session.connection.prepare_cached(RENEWED)?;
    let is_renewed = statement.execute((old.0, session.now, recent))? > 0;
    if is_renewed {
        begin(session, new)?;
    }
    Ok(is_renewed)
}
