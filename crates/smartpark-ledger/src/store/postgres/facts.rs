//! Facts in the order in which they were committed: by the transaction that recorded each. Ids are
//! given before a commit and may become visible in another order; all of a transaction before the
//! oldest that still runs can be seen, and for good. No transaction records events and changes, so
//! (transaction, id) orders both together.

use deadpool_postgres::ClientWrapper;

use super::{
    Postgres,
    connect::query,
    events::kept,
    rows::{self, damaged, event_columns},
    transaction::patiently,
};
use crate::{
    Event, PlacedFact, Position, Result, SiteFact,
    store::facts::{self, Known},
};

/// The oldest transaction that still runs and may have recorded facts, or the next to come: all
/// before it can be seen, and for good. Transactions are numbered for all databases of a server
/// together, but one in another database (a dump that is read in there, a long job) has no facts
/// here, and is not waited for.
macro_rules! settled {
    () => {
        "coalesce((SELECT x FROM pg_snapshot_xip(pg_current_snapshot()) x
    WHERE x::xid <> ALL (ARRAY(
        SELECT backend_xid FROM pg_stat_get_activity(NULL) WHERE backend_xid IS NOT NULL
            AND datid <> (SELECT oid FROM pg_database WHERE datname = current_database())
        UNION ALL SELECT transaction FROM pg_prepared_xacts WHERE database <> current_database()))
    ORDER BY x LIMIT 1), pg_snapshot_xmax(pg_current_snapshot()))"
    };
}
pub(super) use settled;

const EVENTS: &str = concat!(
    "-- facts_after: events\nSELECT ",
    event_columns!(),
    ", change::text::bigint FROM events
WHERE (change, id) > ($1::bigint::text::xid8, $2)
AND change < $3::bigint::text::xid8 AND ",
    kept!(),
    " ORDER BY change, id LIMIT $4"
);

const CHANGES: &str = "-- facts_after: changes
SELECT id, floor_id, kind, delta, current_vehicles, total_slots, reason, author, timestamp,
       created_at, place, is_dated, change::text::bigint
FROM adjustments
WHERE (change, id) > ($1::bigint::text::xid8, $2) AND change < $3::bigint::text::xid8
ORDER BY change, id LIMIT $4";

const BOUNDS: &str = concat!(
    "-- facts_after: what is gone, settled, yet to come, which copy it is
SELECT last_change, last_event_id, ",
    settled!(),
    "::text::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint, lineage
FROM retention JOIN site ON site.id = retention.id WHERE retention.id = 1"
);

impl Postgres {
    pub(in crate::store) async fn position(&self) -> Result<Position> {
        let bounds = patiently!(async { bounds(&*self.inner.readers.get().await?).await })?;
        let change = bounds.settled - 1;
        Ok(Position { change, offset: i64::MAX, ..bounds.known.gone })
    }

    /// The position of the last event that was deleted.
    pub(in crate::store) async fn last_gone(&self) -> Result<Position> {
        let bounds = patiently!(async { bounds(&*self.inner.readers.get().await?).await })?;
        Ok(bounds.known.gone)
    }

    pub(in crate::store) async fn events_after(
        &self,
        position: Position,
        limit: u32,
    ) -> Result<Option<Vec<(Position, Event)>>> {
        patiently!(async {
            let client = self.inner.readers.get().await?;
            let settled = bounds(&client).await?.settled;
            let events = events(&client, (position, settled), limit).await?;
            let is_known = bounds(&client).await?.known.holds(position);
            Ok(is_known.then_some(events))
        })
    }

    pub(in crate::store) async fn facts_after(
        &self,
        position: Position,
        limit: u32,
    ) -> Result<Option<Vec<PlacedFact>>> {
        patiently!(async {
            let client = self.inner.readers.get().await?;
            // Both kinds are told up to the same transaction, or some would be left out.
            let range = (position, bounds(&client).await?.settled);
            let (events, changes) = tokio::try_join!(
                biased;
                events(&client, range, limit),
                changes(&client, range, limit),
            )?;
            // Asked after the events: what went in between is noticed.
            let is_known = bounds(&client).await?.known.holds(position);
            Ok(is_known.then(|| facts::merged(events, changes, limit)))
        })
    }
}

/// The events after a position whose transactions are settled.
async fn events(
    client: &ClientWrapper,
    (position, settled): (Position, i64),
    limit: u32,
) -> Result<Vec<(Position, Event)>> {
    let (after, limit) = (&position, i64::from(limit));
    let rows = query(client, EVENTS, &[&after.change, &after.offset, &settled, &limit]).await?;
    let told = rows.iter().map(|row| {
        let event = rows::event(row, 0)?;
        Ok((Position { change: row.try_get(11)?, offset: event.id, ..position }, event))
    });
    told.collect()
}

/// The changes after a position whose transactions are settled.
async fn changes(
    client: &ClientWrapper,
    (position, settled): (Position, i64),
    limit: u32,
) -> Result<Vec<PlacedFact>> {
    let (after, limit) = (&position, i64::from(limit));
    let rows = query(client, CHANGES, &[&after.change, &after.offset, &settled, &limit]).await?;
    let told = rows.iter().map(|row| {
        let change = rows::adjustment(row)?;
        let at = Position { change: row.try_get(12)?, offset: change.id, ..position };
        Ok((at, SiteFact::Change(change.into())))
    });
    told.collect()
}

/// Where the order of commits can be told.
struct Bounds {
    known: Known,
    /// The oldest transaction that still runs: what is older can be seen.
    settled: i64,
}

async fn bounds(client: &ClientWrapper) -> Result<Bounds> {
    let rows = query(client, BOUNDS, &[]).await?;
    let row = rows.first().ok_or_else(|| damaged("a retention"))?;
    let lineage = row.try_get(4)?;
    let gone = Position { change: row.try_get(0)?, offset: row.try_get(1)?, lineage };
    let coming: i64 = row.try_get(3)?;
    let last = Position { change: coming - 1, offset: i64::MAX, lineage };
    Ok(Bounds { known: Known { gone, last }, settled: row.try_get(2)? })
}
