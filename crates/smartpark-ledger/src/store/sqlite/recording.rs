//! Recording a group of events: load the twins and the floors, have the group decided, store.

use std::collections::{BTreeSet, HashMap};

use rusqlite::{Connection, OptionalExtension};

use super::{
    rows::{self, Code, event_columns},
    session::Session,
    states,
};
use crate::{
    Event, NewEvent, Recorded, Result, StateChange,
    decide::{Group, Row, seam},
};

const TWIN: &str = concat!(
    "-- record_event: duplicate\nSELECT ",
    event_columns!(),
    " FROM events WHERE camera_id = ?1 AND track_id = ?2 AND direction = ?3 AND timestamp = ?4"
);

const TWIN_NEAR: &str = concat!(
    "-- record_event: duplicate without a timestamp\nSELECT ",
    event_columns!(),
    " FROM events WHERE camera_id = ?1 AND track_id = ?2 AND direction = ?3",
    " AND timestamp BETWEEN ?4 AND ?5 ORDER BY timestamp DESC LIMIT 1"
);

const INSERT: &str = concat!(
    "-- record_event: insert\nINSERT INTO events (",
    event_columns!(),
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
);

/// Records the batches of a group; answers row by row.
pub(super) fn record_group(
    session: &mut Session<'_>,
    batches: Vec<Vec<Result<NewEvent>>>,
    states: Vec<Vec<StateChange>>,
) -> Result<Vec<Vec<Result<Recorded>>>> {
    let mut group = Group::new(batches, session.options).with_states(states);
    let twins = twins(session, &group)?;
    let named = twins.values().map(|event| event.floor_id).chain(group.floors()).collect();
    let floor_ids: BTreeSet<i64> = named;
    let mut draft = session.draft(floor_ids)?;
    draft.next_event_id = Some(session.next_event_id()?);
    let stored = states::load(session.connection, &group.state_names())?;
    let states = group.decide_states(stored, &draft, &twins);
    session.decide(&mut draft, |draft| group.decide(draft, &twins, usize::MAX))?;
    let mut writes = draft.into_writes();
    writes.states = states;
    seam::distort(&mut writes, &mut group);
    session.store(writes)?;
    Ok(group.into_answers())
}

/// The stored events that rows of the group repeat, by the place of the row.
fn twins(session: &Session<'_>, group: &Group) -> Result<HashMap<usize, Event>> {
    let mut twins = HashMap::new();
    for (place, row) in group.rows.iter().enumerate() {
        if let Some(event) = find_twin(session, row, group.window)? {
            twins.insert(place, event);
        }
    }
    Ok(twins)
}

/// Stores an event.
pub(super) fn insert(connection: &Connection, event: &Event) -> Result<()> {
    connection.prepare_cached(INSERT)?.execute((
        event.id,
        &event.camera_id,
        event.floor_id,
        &event.track_id,
        Code(event.vehicle_type),
        Code(event.direction),
        event.confidence,
        event.timestamp.as_microsecond(),
        event.created_at.as_microsecond(),
        event.count_delta,
        event.at_limit.is_some(),
    ))?;
    Ok(())
}

/// The latest stored event of a row's vehicle within the row's reach.
fn find_twin(session: &Session<'_>, row: &Row, window: i64) -> Result<Option<Event>> {
    let (camera, track, direction) = row.vehicle();
    let (from, to) = row.reach(window);
    let connection = session.connection;
    let found = if from == to {
        let key = (camera, track, Code(direction), from);
        connection.prepare_cached(TWIN)?.query_row(key, rows::event)
    } else {
        let key = (camera, track, Code(direction), from, to);
        connection.prepare_cached(TWIN_NEAR)?.query_row(key, rows::event)
    };
    Ok(found.optional()?)
}
