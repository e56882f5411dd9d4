//! Recording a group of events: lock the floors, look the keys up, decide in memory, write with
//! one statement a table. Whatever cuts an attempt off, the next one begins anew, and remembers
//! the ids and the times of those before: an event that is found under the id that its row had in
//! an attempt, with the time of that attempt, was recorded by it, and its answer was lost.

use std::collections::{BTreeMap, HashMap};

use deadpool_postgres::{ClientWrapper, Pool};
use jiff::Timestamp;
use tokio_postgres::types::ToSql;

use super::{
    connect::{prepare, query},
    past::{self, prefetch},
    rows::{self, Micros, event_columns},
    session::Session,
    transaction::Transaction,
    writes::Writes,
};
use crate::{
    Direction, Error, Event, NewEvent, Options, Recorded, Result,
    count::{Fact, Missing, Source},
    planted::{planted, planted_once},
    store::{codes::direction_number, repeat::differs},
};

const TWINS: &str = concat!(
    "-- record_event: duplicates\nSELECT w.place, e.*
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::smallint[], $5::timestamptz[])
    AS w (place, camera_id, track_id, direction, timestamp)
CROSS JOIN LATERAL (SELECT ",
    event_columns!(),
    " FROM events
    WHERE camera_id = w.camera_id AND track_id = w.track_id AND direction = w.direction
      AND timestamp = w.timestamp LIMIT 1) e"
);

const TWINS_NEAR: &str = concat!(
    "-- record_event: duplicates without a timestamp\nSELECT w.place, e.*
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::smallint[])
    AS w (place, camera_id, track_id, direction)
CROSS JOIN LATERAL (SELECT ",
    event_columns!(),
    " FROM events
    WHERE camera_id = w.camera_id AND track_id = w.track_id AND direction = w.direction
      AND timestamp BETWEEN $5 AND $6 ORDER BY timestamp DESC LIMIT 1) e"
);

const IDS: &str = "-- record_event: ids
SELECT nextval('events_id_seq') FROM generate_series(1, $1::bigint)";

/// An event of a group.
struct Row {
    /// Its batch and its place there.
    place: (usize, usize),
    event: NewEvent,
    at: i64,
    /// The ids drawn for it, one an attempt, each with the time of its attempt; the last is its
    /// own if it is new. An earlier one is not used again: after a crash it may not be known any
    /// more that it was drawn, and it is drawn again, for another event or for another row of this
    /// group.
    drawn: Vec<(i64, i64)>,
}

impl Row {
    /// The id that it will have if it is new.
    fn id(&self) -> Result<i64> {
        let last = self.drawn.last().map(|(id, _)| *id);
        last.ok_or_else(|| Error::Internal("an event without an id".into()))
    }

    fn key(&self) -> (&str, &str, Direction) {
        (&self.event.camera_id, &self.event.track_id, self.event.direction)
    }
}

/// The events of a group in the order of their times: what is on time stays on time, whatever
/// batch it came in.
pub(super) struct Group {
    rows: Vec<Row>,
    /// The answers; until a row is judged its answer is that it was not.
    answers: Vec<Vec<Result<Recorded>>>,
    now: i64,
    /// The time of the last attempt: no two have the same.
    attempted: i64,
    window: i64,
}

impl Group {
    /// A group of batches at this time.
    pub(super) fn new(batches: Vec<Vec<Result<NewEvent>>>, options: &Options) -> Self {
        let now = options.clock.now().as_microsecond();
        let window = i64::try_from(options.dedup_window.as_micros()).unwrap_or(i64::MAX / 4);
        let mut rows = Vec::new();
        let mut answers = Vec::with_capacity(batches.len());
        for (batch, events) in batches.into_iter().enumerate() {
            let mut of_batch = Vec::with_capacity(events.len());
            for (row, event) in events.into_iter().enumerate() {
                let place = (batch, row);
                of_batch.push(Err(match event {
                    Ok(event) => {
                        let at = event.timestamp.map_or(now, Timestamp::as_microsecond);
                        rows.push(Row { place, event, at, drawn: Vec::with_capacity(1) });
                        Error::Internal("a row was not answered".into())
                    }
                    Err(refused) => refused,
                }));
            }
            answers.push(of_batch);
        }
        rows.sort_by_key(|row| row.at);
        Self { rows, answers, now, attempted: i64::MIN, window }
    }

    /// The instants of the events.
    pub(super) fn instants(&self) -> impl Iterator<Item = i64> {
        self.rows.iter().map(|row| row.at)
    }

    /// The answers, batch by batch.
    pub(super) fn into_answers(self) -> Vec<Vec<Result<Recorded>>> {
        self.answers
    }

    /// Records the group in one transaction. It is `now`, in microseconds since 1970 UTC.
    pub(super) async fn record(&mut self, pool: &Pool, now: i64) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        self.attempted = now.max(self.attempted.saturating_add(1));
        let (floors, tracks) = (self.first_instants(), self.tracks());
        let floor_ids: Vec<i64> = floors.keys().copied().collect();
        let transaction = Transaction::connect(pool).await?;
        // Prepared before, so that nothing waits below and all is sent in this order, in one round
        // trip: the server answers each with what the statements before it have locked.
        Session::prepare(&transaction).await?;
        prepare(&transaction, &[IDS, TWINS, TWINS_NEAR, past::NODES]).await?;
        let (locked, twins, paths) = tokio::join!(
            biased;
            Session::lock(&transaction, &floor_ids, &tracks),
            self.look_up(&transaction),
            past::paths(&transaction, &floors),
        );
        // Where the locks fail, so does what comes after them, and for no reason of its own.
        let mut session = locked?.open(transaction, self.attempted)?;
        let mut twins = twins?;
        for ((floor_id, at), path) in floors.into_iter().zip(paths?) {
            if let Some(open) = session.floors.get_mut(&floor_id) {
                open.learn(Missing::Path(at), path);
            }
        }
        self.prefetch(&mut session, &twins).await?;
        let mut writes = Writes::default();
        let mut news = News::default();
        for (place, row) in self.rows.iter().enumerate() {
            let first = twins.remove(&place).or_else(|| news.twin(row, self.window));
            let answer = match first {
                Some(first) => {
                    if planted("count-duplicate") {
                        session.count_again(first.floor_id);
                    }
                    Ok(repeated(&session, row, first).await?)
                }
                None => {
                    let lost =
                        planted("lose-late-event") && session.is_late(row.event.floor_id, row.at);
                    record_one(&mut session, row).await?.inspect(|recorded| {
                        news.add(&recorded.event);
                        writes.events.extend((!lost).then(|| recorded.event.clone()));
                    })
                }
            };
            self.answers[row.place.0][row.place.1] = answer;
        }
        assert!(self.rows.len() > 1 || !planted_once("panic-in-a-group"), "on purpose");
        session.commit(writes).await
    }

    /// The floors of the group, each with the instant of its first event: the stretches that hold
    /// it are all that events on time ask for, mostly.
    fn first_instants(&self) -> BTreeMap<i64, i64> {
        self.rows.iter().rev().map(|row| (row.event.floor_id, row.at)).collect()
    }

    /// What names the vehicles of events without a timestamp, each once, in order.
    fn tracks(&self) -> Vec<String> {
        let without = self.rows.iter().filter(|row| row.event.timestamp.is_none());
        let mut tracks: Vec<String> = without
            .map(|row| {
                let (camera, track, direction) = row.key();
                // No name holds a line break.
                format!("{camera}\n{track}\n{}", direction_number(direction))
            })
            .collect();
        tracks.sort_unstable();
        tracks.dedup();
        tracks
    }

    /// The events that were recorded before under the keys of the group, by the place of the
    /// row; and new ids for all rows.
    async fn look_up(&mut self, client: &ClientWrapper) -> Result<HashMap<usize, Event>> {
        let count = i64::try_from(self.rows.len()).unwrap_or(i64::MAX);
        let (exact, near) = (Keys::of(&self.rows, true), Keys::of(&self.rows, false));
        let (from, to) = (Micros(self.now - self.window), Micros(self.now + self.window));
        let (ids, exact, near) = tokio::try_join!(
            biased;
            async { query(client, IDS, &[&count]).await },
            async {
                if exact.places.is_empty() {
                    return Ok(Vec::new());
                }
                let Keys { places, cameras, tracks, directions, at } = &exact;
                query(client, TWINS, &[places, cameras, tracks, directions, at]).await
            },
            async {
                if near.places.is_empty() {
                    return Ok(Vec::new());
                }
                let Keys { places, cameras, tracks, directions, .. } = &near;
                let keys: [&(dyn ToSql + Sync); 6] =
                    [places, cameras, tracks, directions, &from, &to];
                query(client, TWINS_NEAR, &keys).await
            },
        )?;
        for (row, id) in self.rows.iter_mut().zip(&ids) {
            row.drawn.push((id.try_get(0)?, self.attempted));
        }
        let found = exact.iter().chain(&near).map(|row| {
            let place: i64 = row.try_get(0)?;
            let place = usize::try_from(place).map_err(|_| rows::damaged("a place"))?;
            Ok((place, rows::event(row, 1)?))
        });
        found.collect()
    }

    /// Loads what the histories will ask for, all at once.
    async fn prefetch(&self, session: &mut Session, twins: &HashMap<usize, Event>) -> Result<()> {
        let mut facts: BTreeMap<i64, Vec<(i64, bool)>> = BTreeMap::new();
        let new = self.rows.iter().enumerate().filter(|(place, _)| !twins.contains_key(place));
        for (_, row) in new {
            let of_floor = facts.entry(row.event.floor_id).or_default();
            let late = of_floor.last().is_some_and(|(before, _)| *before == row.at);
            of_floor.push((row.at, late));
        }
        prefetch(&session.transaction, &mut session.floors, &facts).await
    }
}

/// Keys as columns.
#[derive(Default)]
struct Keys<'g> {
    places: Vec<i64>,
    cameras: Vec<&'g str>,
    tracks: Vec<&'g str>,
    directions: Vec<i16>,
    at: Vec<Micros>,
}

impl<'g> Keys<'g> {
    /// The keys of the rows with a timestamp, or of those without.
    fn of(rows: &'g [Row], with_timestamp: bool) -> Self {
        let mut keys = Self::default();
        for (place, row) in rows.iter().enumerate() {
            if row.event.timestamp.is_some() == with_timestamp {
                let (camera, track, direction) = row.key();
                keys.places.push(i64::try_from(place).unwrap_or(i64::MAX));
                keys.cameras.push(camera);
                keys.tracks.push(track);
                keys.directions.push(direction_number(direction).into());
                keys.at.push(Micros(row.at));
            }
        }
        keys
    }
}

/// The events that this attempt records, by vehicle.
#[derive(Default)]
struct News {
    by_track: HashMap<(String, String, Direction), Vec<Event>>,
}

impl News {
    fn add(&mut self, event: &Event) {
        let key = (event.camera_id.clone(), event.track_id.clone(), event.direction);
        self.by_track.entry(key).or_default().push(event.clone());
    }

    /// The one that `row` repeats: at the same instant, or, for a row without a timestamp, the
    /// latest within the window.
    fn twin(&self, row: &Row, window: i64) -> Option<Event> {
        let (camera, track, direction) = row.key();
        let key = (camera.to_owned(), track.to_owned(), direction);
        let reach = if row.event.timestamp.is_some() { 0 } else { window };
        let events = self.by_track.get(&key)?.iter();
        let near = events.filter(|e| (e.timestamp.as_microsecond() - row.at).abs() <= reach);
        near.max_by_key(|event| event.timestamp).cloned()
    }
}

/// The answer to a row whose key was recorded before.
async fn repeated(session: &Session, row: &Row, first: Event) -> Result<Recorded> {
    let floor = match session.floors.get(&first.floor_id) {
        Some(open) => open.floor.clone(),
        None => {
            let floor = session.unlocked_floor(first.floor_id).await?;
            floor.ok_or_else(|| rows::damaged("an event without its floor"))?
        }
    };
    // Found under the id that it had in an attempt and with the time of that, the row was recorded
    // by it. The id alone may since have been given to another's event, or to a repeat of this one
    // in its own group.
    let own = row.drawn.contains(&(first.id, first.created_at.as_microsecond()));
    let duplicate = !own;
    let differs = if duplicate { differs(&row.event, &first) } else { Vec::new() };
    Ok(Recorded { event: first, floor, duplicate, differs })
}

/// Records a row whose key is new. The inner result is the answer; an outer error ends the
/// transaction.
async fn record_one(session: &mut Session, row: &Row) -> Result<Result<Recorded>> {
    let Row { event, at, .. } = row;
    let id = row.id()?;
    if let Some(horizon) = session.horizon.filter(|horizon| at < horizon) {
        let horizon = Timestamp::from_microsecond(horizon).unwrap_or(Timestamp::MIN);
        return Ok(Err(Error::TooOld { horizon }));
    }
    if !session.floors.contains_key(&event.floor_id) {
        return Ok(Err(Error::UnknownFloor));
    }
    let source = Source::Event {
        camera_id: event.camera_id.clone(),
        track_id: event.track_id.clone(),
        direction: event.direction,
    };
    let fact = Fact { at: *at, source, act: event.direction.into(), id };
    let effect = session.record_fact(event.floor_id, &fact).await?;
    let recorded = Event {
        id,
        camera_id: event.camera_id.clone(),
        floor_id: event.floor_id,
        track_id: event.track_id.clone(),
        vehicle_type: event.vehicle_type,
        direction: event.direction,
        confidence: event.confidence,
        timestamp: instant(*at),
        created_at: instant(session.now),
        count_delta: effect.delta,
        at_limit: effect.at_limit,
    };
    if !planted("forget-roll-up") || id % 50 != 0 {
        session.count_event(&recorded);
    }
    let floor = session.floor(event.floor_id)?.floor.clone();
    Ok(Ok(Recorded { event: recorded, floor, duplicate: false, differs: Vec::new() }))
}

fn instant(at: i64) -> Timestamp {
    Timestamp::from_microsecond(at).unwrap_or(Timestamp::MAX)
}
