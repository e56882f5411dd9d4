//! Reading events: one by its id, or page by page by (timestamp, id), newest first. Events before
//! the horizon are gone for every reader, though their month may not have been dropped yet.

use deadpool_postgres::ClientWrapper;
use jiff::Timestamp;
use tokio_postgres::types::ToSql;

use super::{
    connect::query,
    rows::{self, Micros, damaged, event_columns},
};
use crate::{
    Cursor, Event, EventFilter, EventPage, Position, Result,
    store::{
        Order,
        codes::{direction_number, type_number},
    },
};

/// After the horizon, if there is one.
macro_rules! kept {
    () => {
        "timestamp >= coalesce((SELECT horizon FROM retention WHERE id = 1), '-infinity')"
    };
}
pub(super) use kept;

const BY_ID: &str = concat!(
    "-- get_event_by_id\nSELECT ",
    event_columns!(),
    " FROM events WHERE id = $1 AND ",
    kept!()
);

/// The oldest transaction that still runs and may have recorded events, or the next to come: all
/// before it can be seen, and for good. Transactions are numbered for all databases of a server
/// together, but one in another database (a dump that is read in there, a long job) has no events
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

/// All of a transaction before the oldest that still runs can be seen, and for good.
const AFTER: &str = concat!(
    "-- get_events_after\nSELECT ",
    event_columns!(),
    ", change::text::bigint FROM events
WHERE (change, id) > ($1::bigint::text::xid8, $2)
AND change < ",
    settled!(),
    " AND ",
    kept!(),
    " ORDER BY change, id LIMIT $3"
);

const BOUNDS: &str = concat!(
    "-- get_events_after: what is gone, settled, yet to come, which copy it is
SELECT last_change, last_event_id, ",
    settled!(),
    "::text::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint, lineage
FROM retention JOIN site ON site.id = retention.id WHERE retention.id = 1"
);

/// The bound where a page begins stands there twice: once for the order of pages, once for the
/// partitions.
const NEWEST_FIRST: (&str, &str) = (
    concat!(
        " WHERE timestamp >= $1 AND timestamp <= $2 AND (timestamp, id) < ($2, $3) AND ",
        kept!()
    ),
    " ORDER BY timestamp DESC, id DESC LIMIT $4",
);

const OLDEST_FIRST: (&str, &str) = (
    concat!(
        " WHERE timestamp < $1 AND timestamp >= $2 AND (timestamp, id) > ($2, $3) AND ",
        kept!()
    ),
    " ORDER BY timestamp, id LIMIT $4",
);

pub(super) async fn by_id(client: &ClientWrapper, id: i64) -> Result<Option<Event>> {
    let found = query(client, BY_ID, &[&id]).await?;
    found.first().map(|row| rows::event(row, 0)).transpose()
}

pub(super) async fn position(client: &ClientWrapper) -> Result<Position> {
    let Bounds { settled, gone, .. } = bounds(client).await?;
    Ok(Position { change: settled - 1, offset: i64::MAX, ..gone })
}

/// The position of the last event that was deleted.
pub(super) async fn last_gone(client: &ClientWrapper) -> Result<Position> {
    Ok(bounds(client).await?.gone)
}

/// The events after a position; none where some of them may be gone, or it never was.
pub(super) async fn after(
    client: &ClientWrapper,
    position: Position,
    limit: u32,
) -> Result<Option<Vec<(Position, Event)>>> {
    let limit = i64::from(limit);
    let rows = query(client, AFTER, &[&position.change, &position.offset, &limit]).await?;
    // Asked after the events: what went in between is noticed.
    let Bounds { gone, coming, .. } = bounds(client).await?;
    if position.lineage != gone.lineage || position < gone || position.change >= coming {
        return Ok(None);
    }
    let told = rows.iter().map(|row| {
        let event = rows::event(row, 0)?;
        Ok((Position { change: row.try_get(11)?, offset: event.id, ..position }, event))
    });
    told.collect::<Result<_>>().map(Some)
}

/// Where the order of commits can be told.
struct Bounds {
    /// The last that is gone.
    gone: Position,
    /// The oldest transaction that still runs: what is older can be seen.
    settled: i64,
    /// The next transaction to come.
    coming: i64,
}

async fn bounds(client: &ClientWrapper) -> Result<Bounds> {
    let rows = query(client, BOUNDS, &[]).await?;
    let row = rows.first().ok_or_else(|| damaged("a retention"))?;
    Ok(Bounds {
        gone: Position {
            change: row.try_get(0)?,
            offset: row.try_get(1)?,
            lineage: row.try_get(4)?,
        },
        settled: row.try_get(2)?,
        coming: row.try_get(3)?,
    })
}

pub(super) async fn page(
    client: &ClientWrapper,
    filter: &EventFilter,
    limit: u32,
    cursor: Option<Cursor>,
    order: Order,
) -> Result<EventPage> {
    let names = [&filter.camera_id, &filter.track_id];
    if names.into_iter().flatten().any(|name| name.contains('\0')) {
        // PostgreSQL has no text with it.
        return Ok(EventPage { events: Vec::new(), next_cursor: None });
    }
    let limit = limit as usize;
    // One row more than asked for tells whether there is another page.
    let mut events = select(client, filter, limit + 1, cursor, order).await?;
    let more = events.len() > limit;
    events.truncate(limit);
    let last = events.last().filter(|_| more);
    let next_cursor =
        last.map(|event| Cursor { timestamp: event.timestamp.as_microsecond(), id: event.id });
    Ok(EventPage { events, next_cursor })
}

async fn select(
    client: &ClientWrapper,
    filter: &EventFilter,
    limit: usize,
    cursor: Option<Cursor>,
    order: Order,
) -> Result<Vec<Event>> {
    let start = filter.start.map_or(i64::MIN, Timestamp::as_microsecond);
    let end = filter.end.map_or(i64::MAX, Timestamp::as_microsecond);
    let place = cursor.map(|cursor| (cursor.timestamp, cursor.id));
    // One bound only where the page begins, so that the index is entered there: the end of the
    // window or the cursor.
    let ((bounds, sorted), last, (from, after)) = match order {
        Order::NewestFirst => {
            let from = place.map_or((end, i64::MIN), |place| place.min((end, i64::MIN)));
            (NEWEST_FIRST, start, from)
        }
        Order::OldestFirst => {
            let from = place.map_or((start, i64::MIN), |place| place.max((start, i64::MIN)));
            (OLDEST_FIRST, end, from)
        }
    };
    let (last, from, limit) =
        (Micros(last), Micros(from), i64::try_from(limit).unwrap_or(i64::MAX));
    let vehicle_type = filter.vehicle_type.map(|kind| i16::from(type_number(kind)));
    let direction = filter.direction.map(|direction| i16::from(direction_number(direction)));
    let mut conditions = String::from(bounds);
    let mut values: Vec<&(dyn ToSql + Sync)> = vec![&last, &from, &after, &limit];
    let mut require = |column: &str, value| {
        values.push(value);
        conditions.push_str(&format!(" AND {column} = ${}", values.len()));
    };
    if let Some(value) = &filter.floor_id {
        require("floor_id", value);
    }
    if let Some(value) = &filter.camera_id {
        require("camera_id", value);
    }
    if let Some(value) = &filter.track_id {
        require("track_id", value);
    }
    if let Some(value) = &vehicle_type {
        require("vehicle_type", value);
    }
    if let Some(value) = &direction {
        require("direction", value);
    }
    // Spelled out, since only so does it fit the index of those events.
    match filter.at_limit {
        Some(true) => conditions.push_str(" AND at_limit"),
        Some(false) => conditions.push_str(" AND NOT at_limit"),
        None => {}
    }
    let columns = event_columns!();
    let sql = if needs_merge(filter) {
        // The events of one camera have no index in the order of time, those of one camera on
        // one floor have: the first of each floor, and of these the first.
        format!(
            "-- get_events: page of a camera\nSELECT e.* FROM floors f CROSS JOIN LATERAL \
             (SELECT {columns} FROM events{conditions} AND floor_id = f.id{sorted}) e{sorted}"
        )
    } else {
        format!("-- get_events: page\nSELECT {columns} FROM events{conditions}{sorted}")
    };
    query(client, &sql, &values).await?.iter().map(|row| rows::event(row, 0)).collect()
}

fn needs_merge(filter: &EventFilter) -> bool {
    let one_camera = filter.camera_id.is_some() && filter.floor_id.is_none();
    one_camera && filter.track_id.is_none() && filter.at_limit != Some(true)
}
