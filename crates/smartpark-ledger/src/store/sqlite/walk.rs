//! Walks along the facts of a window: in their order, one by one, however many there are.

use rusqlite::{Connection, Row};

use super::{floors, past, rows::Code};
use crate::{
    Direction, Error, Floor, Result,
    count::{Fullness, Instants, Moment, Occupancy, Step, Walk, Walker},
    decide::AdjustmentKind,
};

/// Those of one floor at one place stand side by side.
const EVENTS: &str = "-- get_history: events
SELECT floor_id, timestamp, direction FROM events e INDEXED BY ix_event_timestamp
WHERE timestamp >= ?1 AND timestamp < ?2 AND ?3 IS NULL
    AND NOT EXISTS (SELECT 1 FROM event_places p WHERE p.event_id = e.id)
ORDER BY timestamp, floor_id";

const FLOOR_EVENTS: &str = "-- get_history: events of a floor
SELECT floor_id, timestamp, direction FROM events e INDEXED BY ix_event_floor_timestamp
WHERE timestamp >= ?1 AND timestamp < ?2 AND floor_id = ?3
    AND NOT EXISTS (SELECT 1 FROM event_places p WHERE p.event_id = e.id)
ORDER BY timestamp";

const PLACED: &str = "-- get_history: events that stand elsewhere than at their timestamps
SELECT floor_id, place, direction FROM event_places
WHERE place >= ?1 AND place < ?2 AND (?3 IS NULL OR floor_id = ?3)
ORDER BY place, floor_id";

const ADJUSTMENTS: &str = "-- get_history: adjustments
SELECT floor_id, place, kind, current_vehicles, total_slots FROM adjustments
WHERE place >= ?1 AND place < ?2 AND (?3 IS NULL OR floor_id = ?3)
ORDER BY place, floor_id, id";

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
    let (mut events, mut placed, mut adjustments) = (
        connection.prepare_cached(sql)?,
        connection.prepare_cached(PLACED)?,
        connection.prepare_cached(ADJUSTMENTS)?,
    );
    let mut events = events.query_map(range, event)?.peekable();
    let mut placed = placed.query_map(range, event)?.peekable();
    let mut adjustments = adjustments.query_map(range, adjustment)?.peekable();
    let mut walker = Instants::of(walker);
    loop {
        let next = [rank(events.peek()), rank(placed.peek()), rank(adjustments.peek())];
        let Some(first) = next.into_iter().flatten().min() else { break };
        let taken = if next[0] == Some(first) {
            events.next()
        } else if next[1] == Some(first) {
            placed.next()
        } else {
            adjustments.next()
        };
        if let Some(moment) = taken {
            walker.take(moment?);
        }
    }
    walker.finish();
    Ok(())
}

/// Where the next fact of a list stands among those of all; one that cannot be read comes first.
fn rank(next: Option<&rusqlite::Result<Moment>>) -> Option<(i64, bool, i64)> {
    next.map(|moment| moment.as_ref().map_or((i64::MIN, false, 0), Moment::rank))
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
