//! The sessions of people who signed in: of their cookies only the sums. Each change is one
//! statement, and the same statement may be sent again.

use std::collections::HashSet;

use deadpool_postgres::ClientWrapper;

use super::{
    Postgres,
    connect::query,
    rows::{Micros, damaged},
    transaction::patiently,
};
use crate::{
    Result,
    keys::{SealedSession, Sha256Sum},
    limits::{MAX_SESSIONS_PER_KEY, SESSION_RENEWAL},
};

const HOLDING: &str = "-- sessions: those that have not ended
SELECT sha256 FROM sessions WHERE ends_at > $1";

/// Takes out those that have ended, and of too many with one key the first to end.
macro_rules! make_room {
    () => {
        "ended AS (DELETE FROM sessions WHERE ends_at <= $4),
crowded AS (DELETE FROM sessions WHERE sha256 IN (
    SELECT sha256 FROM sessions WHERE key_prefix = $2 ORDER BY ends_at DESC OFFSET $5))
INSERT INTO sessions (sha256, key_prefix, ends_at)"
    };
}

const BEGIN: &str = concat!(
    "-- sessions: begin one\nWITH ",
    make_room!(),
    " VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
);

const RENEW: &str = concat!(
    "-- sessions: one takes the place of another\nWITH old AS (
    UPDATE sessions SET renewed_at = $4
    WHERE sha256 = $6 AND ends_at > $4 AND coalesce(renewed_at <= $7, TRUE) RETURNING TRUE),
",
    make_room!(),
    " SELECT $1, $2, $3 FROM old RETURNING TRUE"
);

const DELETE: &str = "-- sessions: end one\nDELETE FROM sessions WHERE sha256 = $1";

/// How many others one key may have beside a new one.
const OTHERS: i64 = MAX_SESSIONS_PER_KEY as i64 - 1;

impl Postgres {
    pub(in crate::store) async fn begin_session(&self, new: SealedSession) -> Result<()> {
        let (sum, end) = (&new.sum.0[..], Micros(new.ends_at));
        let now = Micros(self.now());
        patiently!(async {
            let client = self.inner.writers.get().await?;
            query(&client, BEGIN, &[&sum, &new.key_prefix, &end, &now, &OTHERS]).await.map(drop)
        })
    }

    pub(in crate::store) async fn renew_session(
        &self,
        old: Sha256Sum,
        new: SealedSession,
    ) -> Result<bool> {
        let (sum, end) = (&new.sum.0[..], Micros(new.ends_at));
        let (old, now) = (&old.0[..], self.now());
        let recent = Micros(now.saturating_sub(SESSION_RENEWAL.as_micros() as i64));
        let now = Micros(now);
        patiently!(async {
            let client = self.inner.writers.get().await?;
            let values: [&(dyn tokio_postgres::types::ToSql + Sync); 7] =
                [&sum, &new.key_prefix, &end, &now, &OTHERS, &old, &recent];
            Ok(!query(&client, RENEW, &values).await?.is_empty())
        })
    }

    pub(in crate::store) async fn end_session(&self, sum: Sha256Sum) -> Result<()> {
        let sum = &sum.0[..];
        patiently!(async {
            let client = self.inner.writers.get().await?;
            query(&client, DELETE, &[&sum]).await.map(drop)
        })
    }
}

/// The sums of the sessions that end after an instant, in microseconds since 1970 UTC.
pub(super) async fn holding(client: &ClientWrapper, now: i64) -> Result<HashSet<[u8; 32]>> {
    let rows = query(client, HOLDING, &[&Micros(now)]).await?;
    let sum = |row: &tokio_postgres::Row| {
        row.try_get::<_, &[u8]>(0)?.try_into().map_err(|_| damaged("a session"))
    };
    rows.iter().map(sum).collect()
}
