//! Walks along the facts of a window: in their order, one by one, however many there are.

use rusqlite::{Connection, Row};

use super::{floors, past, rows::Code};
use crate::{
    Direction, Error, Floor, Result,
    count::{Fullness, Moment, Occupancy, Step, Walk, Walker},
    decide::AdjustmentKind,
};

/// The order of history, of each floor and of all: those of one floor at one instant stand in the
/// order of [`Source`](crate::count::Source).
const EVENTS: &str = "-- get_history: events
SELECT floor_id, timestamp, direction FROM events INDEXED BY ix_event_timestamp
WHERE timestamp >= ?1 AND timestamp < ?2 AND ?3 IS NULL
ORDER BY timestamp, floor_id, camera_id, track_id, direction";

const FLOOR_EVENTS: &str = "-- get_history: events of a floor
SELECT floor_id, timestamp, direction FROM events INDEXED BY ix_event_floor_timestamp
WHERE timestamp >= ?1 AND timestamp < ?2 AND floor_id = ?3
ORDER BY timestamp, camera_id, track_id, direction";

const ADJUSTMENTS: &str = "-- get_history: adjustments
SELECT floor_id, timestamp, kind, current_vehicles, total_slots FROM adjustments
WHERE timestamp >= ?1 AND timestamp < ?2 AND (?3 IS NULL OR floor_id = ?3)
ORDER BY timestamp, floor_id";

/// The steps of a window, of one floor or of all that are active.
pub(super) fn history(
    connection: &Connection,
    floor_id: Option<i64>,
    window: (i64, i64),
    width: i64,
) -> Result<Vec<Step>> {
    let walks = past::walks_at(connection, &chosen(connection, floor_id)?, window.0)?;
    let mut occupancy = Occupancy::begin(walks, window, width);
    walk(connection, floor_id, window, &mut occupancy)?;
    Ok(occupancy.finish())
}

/// Since when a floor is full or nearly full, as far as a window tells.
pub(super) fn fullness(
    connection: &Connection,
    floor_id: i64,
    window: (i64, i64),
) -> Result<Fullness> {
    let floors = chosen(connection, Some(floor_id))?;
    let walks = past::walks_at(connection, &floors, window.0)?;
    let begin = walks.first().map_or(Walk { count: 0, slots: 0 }, |(_, walk)| *walk);
    let mut fullness = Fullness::begin(begin);
    walk(connection, Some(floor_id), window, &mut fullness)?;
    Ok(fullness)
}

fn chosen(connection: &Connection, floor_id: Option<i64>) -> Result<Vec<Floor>> {
    let Some(id) = floor_id else {
        let mut floors = floors::all(connection)?;
        floors.retain(|floor| floor.is_active);
        return Ok(floors);
    };
    let floor = floors::by_id(connection, id)?;
    floor.map(|floor| vec![floor]).ok_or(Error::NotFound("the floor"))
}

/// Gives `walker` every fact in `from..to`.
fn walk(
    connection: &Connection,
    floor_id: Option<i64>,
    (from, to): (i64, i64),
    walker: &mut impl Walker,
) -> Result<()> {
    let range = (from, to, floor_id);
    let sql = if floor_id.is_some() { FLOOR_EVENTS } else { EVENTS };
    let (mut events, mut adjustments) =
        (connection.prepare_cached(sql)?, connection.prepare_cached(ADJUSTMENTS)?);
    let mut adjustments = adjustments.query_map(range, adjustment)?.peekable();
    for event in events.query_map(range, event)? {
        let event = event?;
        // An adjustment stands after the events of its instant.
        let is_earlier = |adjustment: &rusqlite::Result<Moment>| {
            adjustment.as_ref().map_or(true, |adjustment| adjustment.at < event.at)
        };
        while let Some(adjustment) = adjustments.next_if(is_earlier) {
            walker.take(adjustment?);
        }
        walker.take(event);
    }
    for adjustment in adjustments {
        walker.take(adjustment?);
    }
    Ok(())
}

fn event(row: &Row<'_>) -> rusqlite::Result<Moment> {
    let Code::<Direction>(direction) = row.get(2)?;
    Ok(Moment { floor_id: row.get(0)?, at: row.get(1)?, act: direction.into(), is_event: true })
}

fn adjustment(row: &Row<'_>) -> rusqlite::Result<Moment> {
    let Code::<AdjustmentKind>(kind) = row.get(2)?;
    let act = kind.act(row.get(3)?, row.get(4)?);
    Ok(Moment { floor_id: row.get(0)?, at: row.get(1)?, act, is_event: false })
}
