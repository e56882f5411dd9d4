//! Recording events: look the key up, decide, insert, move the count. Decide, then do: a row that
//! is refused has written nothing.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};

use super::{
    rows::{self, Code, event_columns},
    session::Session,
};
use crate::{
    Error, Event, NewEvent, Recorded, Result,
    count::{Fact, Source},
    planted::{planted, planted_once},
    store::repeat::differs,
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

/// Records the batches of a group; answers row by row. Events are taken in the order of their
/// times, whatever batch they came in: what is on time stays on time.
pub(super) fn record_group(
    session: &mut Session<'_>,
    batches: Vec<Vec<Result<NewEvent>>>,
) -> Result<Vec<Vec<Result<Recorded>>>> {
    let mut places: Vec<(usize, usize)> = Vec::new();
    for (batch, rows) in batches.iter().enumerate() {
        places.extend((0..rows.len()).map(|row| (batch, row)));
    }
    let now = session.now;
    places.sort_by_key(|&(batch, row)| match &batches[batch][row] {
        Ok(event) => event.timestamp.map_or(now, Timestamp::as_microsecond),
        Err(_) => i64::MIN,
    });
    // Every row is answered below; until then its answer is that it was not.
    let unanswered = || Err(Error::Internal("a row was not answered".into()));
    let mut answers: Vec<Vec<Result<Recorded>>> =
        batches.iter().map(|rows| rows.iter().map(|_| unanswered()).collect()).collect();
    for (batch, row) in places {
        answers[batch][row] = match &batches[batch][row] {
            Ok(event) => record_one(session, event)?,
            Err(refused) => Err(refused.clone()),
        };
    }
    let alone = answers.iter().map(Vec::len).sum::<usize>() == 1;
    assert!(!alone || !planted_once("panic-in-a-group"), "on purpose");
    Ok(answers)
}

/// Records one event. The inner result is the answer; an outer error ends the transaction.
fn record_one(session: &mut Session<'_>, event: &NewEvent) -> Result<Result<Recorded>> {
    if let Some(first) = find_twin(session, event)? {
        return duplicate(session, event, first).map(Ok);
    }
    let at = event.timestamp.map_or(session.now, Timestamp::as_microsecond);
    if let Some(horizon) = session.horizon()?.filter(|horizon| at < *horizon) {
        let horizon = Timestamp::from_microsecond(horizon).unwrap_or(Timestamp::MIN);
        return Ok(Err(Error::TooOld { horizon }));
    }
    let Some(open) = session.floor(event.floor_id)? else {
        return Ok(Err(Error::UnknownFloor));
    };
    let lost = planted("lose-late-event") && open.latest().is_some_and(|latest| at < latest);
    let id = session.next_event_id()?;
    let source = Source::Event {
        camera_id: event.camera_id.clone(),
        track_id: event.track_id.clone(),
        direction: event.direction,
    };
    let fact = Fact { at, source, act: event.direction.into(), id };
    let effect = session.record_fact(event.floor_id, &fact)?;
    let event = Event {
        id,
        camera_id: event.camera_id.clone(),
        floor_id: event.floor_id,
        track_id: event.track_id.clone(),
        vehicle_type: event.vehicle_type,
        direction: event.direction,
        confidence: event.confidence,
        timestamp: instant(at),
        created_at: instant(session.now),
        count_delta: effect.delta,
        at_limit: effect.at_limit,
    };
    if !lost {
        insert(session.connection, &event)?;
    }
    if !planted("forget-roll-up") || id % 50 != 0 {
        session.count_event(&event)?;
    }
    if planted("store-refused") && id % 100 == 0 {
        return Ok(Err(Error::UnknownFloor));
    }
    let floor = session.floor(event.floor_id)?.ok_or(Error::UnknownFloor)?.floor.clone();
    Ok(Ok(Recorded { event, floor, duplicate: false, differs: Vec::new() }))
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
        if planted("change-payload") { 0.5 } else { event.confidence },
        event.timestamp.as_microsecond(),
        event.created_at.as_microsecond(),
        if planted("forget-delta") { 0 } else { event.count_delta },
        event.at_limit.is_some(),
    ))?;
    Ok(())
}

/// The event that was recorded under the same key before, if there is one.
fn find_twin(session: &Session<'_>, event: &NewEvent) -> Result<Option<Event>> {
    if planted("forget-twins") {
        return Ok(None);
    }
    let (camera, track, direction) = (&event.camera_id, &event.track_id, Code(event.direction));
    let found = match event.timestamp {
        Some(at) => session
            .connection
            .prepare_cached(TWIN)?
            .query_row((camera, track, direction, at.as_microsecond()), rows::event),
        None => {
            let window = i64::try_from(session.options.dedup_window.as_micros());
            let window = window.unwrap_or(i64::MAX / 4);
            let (from, to) = (session.now - window, session.now + window);
            session
                .connection
                .prepare_cached(TWIN_NEAR)?
                .query_row((camera, track, direction, from, to), rows::event)
        }
    };
    Ok(found.optional()?)
}

fn duplicate(session: &mut Session<'_>, event: &NewEvent, first: Event) -> Result<Recorded> {
    let differs = differs(event, &first);
    let open = session.floor(first.floor_id)?;
    let floor = open.ok_or_else(|| Error::Internal("an event without its floor".into()))?;
    if planted("count-duplicate") && floor.floor.available_slots() > 0 {
        floor.floor.current_vehicles += 1;
        floor.changed = true;
    }
    let id = if planted("another-id") { first.id + 1 } else { first.id };
    let first = Event { id, ..first };
    Ok(Recorded { floor: floor.floor.clone(), event: first, duplicate: true, differs })
}

fn instant(at: i64) -> Timestamp {
    Timestamp::from_microsecond(at).unwrap_or(Timestamp::MAX)
}
