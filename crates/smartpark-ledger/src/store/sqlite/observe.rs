//! Reads a floor's facts for the estimates.

use rusqlite::Connection;

use super::{Sqlite, floors, past, rows::Code};
use crate::{
    Direction, Error, Floor, Result,
    count::{Act, Level, Walk},
    decide::AdjustmentKind,
    estimate::observed::Observer,
    store::observation::{Ask, Known, Observation},
};

const EVENTS: &str = "-- estimates: events of a floor
SELECT timestamp AS at, direction, camera_id, track_id FROM events e
    INDEXED BY ix_event_floor_timestamp
WHERE floor_id = ?1 AND timestamp >= ?2 AND timestamp < ?3
    AND NOT EXISTS (SELECT 1 FROM event_places p WHERE p.event_id = e.id)
UNION ALL
SELECT place, direction, camera_id, track_id FROM event_places
WHERE floor_id = ?1 AND place >= ?2 AND place < ?3
ORDER BY at, camera_id, track_id, direction";

const ADJUSTMENTS: &str = "-- estimates: adjustments of a floor
SELECT place, kind, current_vehicles, total_slots FROM adjustments
WHERE floor_id = ?1 AND place >= ?2 AND place < ?3 ORDER BY place, id";

impl Sqlite {
    /// What the estimates need of a floor.
    pub(in crate::store) async fn observe(&self, ask: Ask) -> Result<Observation> {
        self.read(move |connection| observe(connection, &ask)).await
    }
}

fn observe(connection: &Connection, ask: &Ask) -> Result<Observation> {
    let floor = floors::by_id(connection, ask.floor_id)?;
    let floor = floor.ok_or(Error::NotFound("the floor"))?;
    let horizon = past::horizon(connection)?;
    let marks = past::Past::of(connection, ask.floor_id).between(Level::DAY, ask.from, i64::MAX)?;
    let known = Known { horizon, marks };
    let days = match ask.changed(&known) {
        Some(window) => Some(walk(connection, &floor, window)?),
        None => None,
    };
    let hour = walk(connection, &floor, ask.hour(horizon))?;
    Ok(ask.answer(floor, known, days, hour))
}

fn walk(connection: &Connection, floor: &Floor, (from, to): (i64, i64)) -> Result<Observer> {
    let walks = past::walks_at(connection, std::slice::from_ref(floor), from)?;
    let begin = walks.first().map_or(Walk { count: 0, slots: 0 }, |(_, walk)| *walk);
    let mut observer = Observer::begin(begin);
    let range = (floor.id, from, to);
    let mut adjustments = connection.prepare_cached(ADJUSTMENTS)?;
    let mut adjustments = adjustments
        .query_map(range, |row| {
            let Code::<AdjustmentKind>(kind) = row.get(1)?;
            Ok((row.get(0)?, kind.act(row.get(2)?, row.get(3)?)))
        })?
        .collect::<rusqlite::Result<Vec<(i64, Act)>>>()?
        .into_iter()
        .peekable();
    let mut events = connection.prepare_cached(EVENTS)?;
    let mut events = events.query(range)?;
    while let Some(row) = events.next()? {
        let at: i64 = row.get(0)?;
        let Code::<Direction>(direction) = row.get(1)?;
        // An adjustment stands after the events of its instant.
        while let Some((earlier, act)) = adjustments.next_if(|(earlier, _)| *earlier < at) {
            observer.take(earlier, act, None);
        }
        let camera = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
        observer.take(at, direction.into(), Some(camera));
    }
    for (at, act) in adjustments {
        observer.take(at, act, None);
    }
    Ok(observer)
}
