//! Reading events: one by its id, or page by page by (timestamp, id), newest first.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, ToSql};

use super::{
    floors,
    rows::{self, event_columns},
};
use crate::{Cursor, Event, EventFilter, EventPage, Result};

const BY_ID: &str =
    concat!("-- get_event_by_id\nSELECT ", event_columns!(), " FROM events WHERE id = ?1");

/// A page: the index that has the order, or finds few rows; then the conditions.
const SELECT: &str = concat!("-- get_events: page\nSELECT ", event_columns!(), " FROM events");

pub(super) fn by_id(connection: &Connection, id: i64) -> Result<Option<Event>> {
    Ok(connection.prepare_cached(BY_ID)?.query_row([id], rows::event).optional()?)
}

pub(super) fn page(
    connection: &Connection,
    filter: &EventFilter,
    limit: u32,
    cursor: Option<Cursor>,
) -> Result<EventPage> {
    let limit = limit as usize;
    // One row more than asked for tells whether there is another page.
    let mut events = if needs_merge(filter) {
        merged(connection, filter, limit + 1, cursor)?
    } else {
        select(connection, filter, limit + 1, cursor)?
    };
    let more = events.len() > limit;
    events.truncate(limit);
    let last = events.last().filter(|_| more);
    let next_cursor =
        last.map(|event| Cursor { timestamp: event.timestamp.as_microsecond(), id: event.id });
    Ok(EventPage { events, next_cursor })
}

/// The events of one camera have no index in the order of time, those of one camera on one floor
/// have: take the latest of each floor and of these the latest.
fn needs_merge(filter: &EventFilter) -> bool {
    filter.camera_id.is_some() && filter.floor_id.is_none() && filter.track_id.is_none()
}

fn merged(
    connection: &Connection,
    filter: &EventFilter,
    limit: usize,
    cursor: Option<Cursor>,
) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    for floor in floors::all(connection)? {
        let of_floor = EventFilter { floor_id: Some(floor.id), ..filter.clone() };
        events.extend(select(connection, &of_floor, limit, cursor)?);
    }
    events.sort_by_key(|event| std::cmp::Reverse((event.timestamp, event.id)));
    events.truncate(limit);
    Ok(events)
}

fn select(
    connection: &Connection,
    filter: &EventFilter,
    limit: usize,
    cursor: Option<Cursor>,
) -> Result<Vec<Event>> {
    let index = match filter {
        EventFilter { track_id: Some(_), camera_id: Some(_), .. } => "uq_event_idempotency",
        EventFilter { track_id: Some(_), .. } => "ix_event_track_id",
        EventFilter { camera_id: Some(_), .. } => "ix_event_camera_floor_timestamp",
        EventFilter { floor_id: Some(_), .. } => "ix_event_floor_timestamp",
        _ => "ix_event_timestamp",
    };
    let start = filter.start.map_or(i64::MIN, Timestamp::as_microsecond);
    // One upper bound only, so that the index is entered there: the end or the cursor.
    let end = (filter.end.map_or(i64::MAX, Timestamp::as_microsecond), i64::MIN);
    let after = cursor.map_or(end, |cursor| end.min((cursor.timestamp, cursor.id)));
    let mut sql = format!("{SELECT} INDEXED BY {index} WHERE timestamp >= ?");
    sql.push_str(" AND (timestamp, id) < (?, ?)");
    let mut values: Vec<&dyn ToSql> = vec![&start, &after.0, &after.1];
    let mut require = |condition: &str, value| {
        sql.push_str(condition);
        values.push(value);
    };
    if let Some(value) = &filter.floor_id {
        require(" AND floor_id = ?", value);
    }
    if let Some(value) = &filter.camera_id {
        require(" AND camera_id = ?", value);
    }
    if let Some(value) = &filter.track_id {
        require(" AND track_id = ?", value);
    }
    if let Some(value) = &filter.vehicle_type {
        require(" AND vehicle_type = ?", value);
    }
    if let Some(value) = &filter.direction {
        require(" AND direction = ?", value);
    }
    sql.push_str(" ORDER BY timestamp DESC, id DESC LIMIT ?");
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    values.push(&limit);
    let mut statement = connection.prepare_cached(&sql)?;
    let events = statement.query_map(values.as_slice(), rows::event)?;
    Ok(events.collect::<rusqlite::Result<_>>()?)
}
