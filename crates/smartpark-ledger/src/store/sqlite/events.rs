//! Reading events: one by its id, or page by page by (timestamp, id), newest first.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, ToSql};

use super::{
    floors,
    rows::{self, Code, event_columns},
};
use crate::{Cursor, Event, EventFilter, EventPage, Result, store::Order};

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
    order: Order,
) -> Result<EventPage> {
    let limit = limit as usize;
    // One row more than asked for tells whether there is another page.
    let mut events = if needs_merge(filter) {
        merged(connection, filter, limit + 1, cursor, order)?
    } else {
        select(connection, filter, limit + 1, cursor, order)?
    };
    let more = events.len() > limit;
    events.truncate(limit);
    let last = events.last().filter(|_| more);
    let next_cursor =
        last.map(|event| Cursor { timestamp: event.timestamp.as_microsecond(), id: event.id });
    Ok(EventPage { events, next_cursor })
}

/// The events of one camera have no index in the order of time, those of one camera on one floor
/// have: take the first of each floor and of these the first.
fn needs_merge(filter: &EventFilter) -> bool {
    let one_camera = filter.camera_id.is_some() && filter.floor_id.is_none();
    one_camera && filter.track_id.is_none() && filter.at_limit != Some(true)
}

fn merged(
    connection: &Connection,
    filter: &EventFilter,
    limit: usize,
    cursor: Option<Cursor>,
    order: Order,
) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    for floor in floors::all(connection)? {
        let of_floor = EventFilter { floor_id: Some(floor.id), ..filter.clone() };
        events.extend(select(connection, &of_floor, limit, cursor, order)?);
    }
    events.sort_by_key(|event| (event.timestamp, event.id));
    if order == Order::NewestFirst {
        events.reverse();
    }
    events.truncate(limit);
    Ok(events)
}

fn select(
    connection: &Connection,
    filter: &EventFilter,
    limit: usize,
    cursor: Option<Cursor>,
    order: Order,
) -> Result<Vec<Event>> {
    let index = match filter {
        EventFilter { track_id: Some(_), camera_id: Some(_), .. } => "uq_event_idempotency",
        EventFilter { track_id: Some(_), .. } => "ix_event_track_id",
        EventFilter { at_limit: Some(true), .. } => "ix_event_at_limit",
        EventFilter { camera_id: Some(_), .. } => "ix_event_camera_floor_timestamp",
        EventFilter { floor_id: Some(_), .. } => "ix_event_floor_timestamp",
        _ => "ix_event_timestamp",
    };
    let start = filter.start.map_or(i64::MIN, Timestamp::as_microsecond);
    let end = filter.end.map_or(i64::MAX, Timestamp::as_microsecond);
    let place = cursor.map(|cursor| (cursor.timestamp, cursor.id));
    // One bound only where the page begins, so that the index is entered there: the end of the
    // window or the cursor.
    let (bounds, last, from, way) = match order {
        Order::NewestFirst => {
            let from = place.map_or((end, i64::MIN), |place| place.min((end, i64::MIN)));
            (" WHERE timestamp >= ? AND (timestamp, id) < (?, ?)", start, from, "DESC")
        }
        Order::OldestFirst => {
            let from = place.map_or((start, i64::MIN), |place| place.max((start, i64::MIN)));
            (" WHERE timestamp < ? AND (timestamp, id) > (?, ?)", end, from, "ASC")
        }
    };
    let mut sql = format!("{SELECT} INDEXED BY {index}{bounds}");
    let (vehicle_type, direction) = (filter.vehicle_type.map(Code), filter.direction.map(Code));
    let mut values: Vec<&dyn ToSql> = vec![&last, &from.0, &from.1];
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
    if let Some(value) = &vehicle_type {
        require(" AND vehicle_type = ?", value);
    }
    if let Some(value) = &direction {
        require(" AND direction = ?", value);
    }
    // Spelled out, since only so does it fit the index of those events.
    match filter.at_limit {
        Some(true) => sql.push_str(" AND at_limit = 1"),
        Some(false) => sql.push_str(" AND at_limit = 0"),
        None => {}
    }
    sql.push_str(&format!(" ORDER BY timestamp {way}, id {way} LIMIT ?"));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    values.push(&limit);
    let mut statement = connection.prepare_cached(&sql)?;
    let events = statement.query_map(values.as_slice(), rows::event)?;
    Ok(events.collect::<rusqlite::Result<_>>()?)
}
