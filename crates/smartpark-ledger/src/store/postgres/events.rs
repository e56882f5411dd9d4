//! Reading events: one by its id, or page by page by (timestamp, id), newest first. Events before
//! the horizon are gone for every reader, though their month may not have been dropped yet.

use deadpool_postgres::ClientWrapper;
use jiff::Timestamp;
use tokio_postgres::types::ToSql;

use super::{
    connect::query,
    rows::{self, Micros, event_columns},
};
use crate::{
    Cursor, Event, EventFilter, EventPage, Result,
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
