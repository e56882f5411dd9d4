//! Facts in the order in which they were committed. There is one writer at a time, so that is the
//! order of the ids of events; a change stands behind the last event that was recorded before it.

use rusqlite::Connection;

use super::{
    Sqlite,
    rows::{self, event_columns},
    transfer,
};
use crate::{
    Event, PlacedFact, Position, Result, SiteFact,
    store::facts::{self, Known},
};

const EVENTS: &str = concat!(
    "-- facts_after: events\nSELECT ",
    event_columns!(),
    " FROM events WHERE id > ?1 ORDER BY id LIMIT ?2"
);

const CHANGES: &str = "-- facts_after: changes
SELECT id, floor_id, kind, delta, current_vehicles, total_slots, reason, author, timestamp,
       created_at, place, is_dated, after_event
FROM adjustments WHERE (after_event, id) > (?1, ?2) ORDER BY after_event, id LIMIT ?3";

const KNOWN: &str = "-- facts_after: the last event that is gone, the last facts, which copy it is
SELECT last_event_id, max(last_event_id, (SELECT coalesce(max(id), 0) FROM events),
           (SELECT coalesce(max(id), 0) FROM withdrawn_facts WHERE is_event = 1)),
       max(last_adjustment_id, (SELECT coalesce(max(id), 0) FROM adjustments)),
       (SELECT lineage FROM site WHERE id = 1)
FROM retention WHERE id = 1";

impl Sqlite {
    pub(in crate::store) async fn position(&self) -> Result<Position> {
        self.read(|connection| Ok(known(connection)?.last)).await
    }

    /// The position of the last event that was deleted.
    pub(in crate::store) async fn last_gone(&self) -> Result<Position> {
        self.read(|connection| Ok(known(connection)?.gone)).await
    }

    pub(in crate::store) async fn events_after(
        &self,
        position: Position,
        limit: u32,
    ) -> Result<Option<Vec<(Position, Event)>>> {
        self.read(move |connection| {
            if !known(connection)?.holds(position) {
                return Ok(None);
            }
            events(connection, position, limit).map(Some)
        })
        .await
    }

    pub(in crate::store) async fn facts_after(
        &self,
        position: Position,
        limit: u32,
    ) -> Result<Option<Vec<PlacedFact>>> {
        self.read(move |connection| {
            if !known(connection)?.holds(position) {
                return Ok(None);
            }
            let events = events(connection, position, limit)?;
            let changes = changes(connection, position, limit)?;
            Ok(Some(facts::merged(events, changes, limit)))
        })
        .await
    }
}

/// Where facts can be told. `connection` stands in a snapshot.
fn known(connection: &Connection) -> Result<Known> {
    Ok(connection.prepare_cached(KNOWN)?.query_row([], |row| {
        let lineage = row.get(3)?;
        Ok(Known {
            gone: Position { change: row.get(0)?, offset: 0, lineage },
            last: Position { change: row.get(1)?, offset: row.get(2)?, lineage },
        })
    })?)
}

fn events(
    connection: &Connection,
    position: Position,
    limit: u32,
) -> Result<Vec<(Position, Event)>> {
    let mut statement = connection.prepare_cached(EVENTS)?;
    let told = statement.query_map((position.change, limit), |row| {
        let event = rows::event(row)?;
        Ok((Position { change: event.id, offset: 0, ..position }, event))
    })?;
    Ok(told.collect::<rusqlite::Result<_>>()?)
}

fn changes(connection: &Connection, position: Position, limit: u32) -> Result<Vec<PlacedFact>> {
    let mut statement = connection.prepare_cached(CHANGES)?;
    let told = statement.query_map((position.change, position.offset, limit), |row| {
        let change = transfer::adjustment(row)?;
        let at = Position { change: row.get(12)?, offset: change.id, ..position };
        Ok((at, SiteFact::Change(change.into())))
    })?;
    Ok(told.collect::<rusqlite::Result<_>>()?)
}
