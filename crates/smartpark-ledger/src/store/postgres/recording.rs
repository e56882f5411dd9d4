//! Recording a group of events: lock the floors, look the keys up, decide in memory, write with
//! one statement a table. Whatever cuts an attempt off, the next one begins anew, and remembers
//! the ids and the times of those before: an event that is found under the id that its row had in
//! an attempt, with the time of that attempt, was recorded by it, and its answer was lost.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Instant,
};

use deadpool_postgres::{ClientWrapper, Pool};
use jiff::Timestamp;

use super::{
    connect::{prepare, query},
    past::{self, prefetch},
    row::{News, Row},
    rows,
    session::{Busy, Session},
    terms::{Done, Terms, bound},
    transaction::Transaction,
    twins::{Keys, TWINS, TWINS_NEAR},
    waits::Wait,
    wants::NODES,
    writes::Writes,
};
use crate::{
    Error, Event, NewEvent, Options, Recorded, Result,
    count::{Fact, Missing, Source},
    limits::{POSTGRES_HELD_LOOKUP, POSTGRES_LARGE_ROWS, POSTGRES_SIGN_OF_LIFE},
    planted::{planted, planted_once},
    store::{codes::direction_number, repeat::differs},
};

const IDS: &str = "-- record_event: ids
SELECT nextval('events_id_seq') FROM generate_series(1, $1::bigint)";

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
    /// The batches that the attempt under way leaves out; empty if there are none.
    apart: Vec<bool>,
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
        Self { rows, answers, now, attempted: i64::MIN, window, apart: Vec::new() }
    }

    /// The instants of the events.
    pub(super) fn instants(&self) -> impl Iterator<Item = i64> {
        self.rows.iter().map(|row| row.at)
    }

    /// The answers, batch by batch.
    pub(super) fn into_answers(self) -> Vec<Vec<Result<Recorded>>> {
        self.answers
    }

    /// Records the group in one transaction, as far as nothing that it needs is held by others for
    /// longer than the terms say. It is `now`, in microseconds since 1970 UTC.
    pub(super) async fn record(
        &mut self,
        pool: &Pool,
        now: i64,
        terms: &Terms,
        wait: &Wait,
    ) -> Result<Done> {
        self.apart.clear();
        if self.rows.is_empty() {
            return Ok(Done::All);
        }
        self.attempted = now.max(self.attempted.saturating_add(1));
        let (floors, tracks) = (self.first_instants(), self.tracks());
        let floor_ids: Vec<i64> = floors.keys().copied().collect();
        let transaction = Transaction::connect(pool).await?;
        // Prepared before, so that nothing waits below and all is sent in this order, in one round
        // trip: the server answers each with what the statements before it have locked.
        Session::prepare(&transaction).await?;
        prepare(&transaction, &[IDS, TWINS, TWINS_NEAR, NODES]).await?;
        let is_large = self.rows.len() >= POSTGRES_LARGE_ROWS;
        if is_large && terms.attempt > 0 {
            // Without the floors: the look-up below finds what this one has read in memory.
            self.twins(&transaction).await?;
        }
        let (begin, held) = (terms.begin(self.rows.len()), terms.lock.held());
        // Of a large group the look-ups alone are to hurry: what is written takes its time.
        let hurries = is_large && terms.attempt == 0;
        let (hurry, calm) = (bound(POSTGRES_HELD_LOOKUP.min(terms.remaining)), terms.bound());
        wait.begin();
        let (locked, hurried, twins, paths, calmed) = tokio::join!(
            biased;
            Session::lock(&transaction, &begin, held, &floor_ids, &tracks),
            run_if(hurries, &transaction, &hurry),
            self.look_up(&transaction),
            past::paths(&transaction, &floors),
            run_if(hurries, &transaction, &calm),
        );
        // Where the locks fail, so does what comes after them, and for no reason of its own.
        let Some(locked) = locked? else {
            transaction.rollback().await?;
            return Ok(Done::Nothing);
        };
        wait.end();
        hurried?;
        let (mut twins, paths) = (twins?, paths?);
        calmed?;
        self.set_apart(&locked.busy);
        if !self.apart.is_empty() && self.apart.iter().all(|apart| *apart) {
            transaction.rollback().await?;
            return Ok(Done::Part(std::mem::take(&mut self.apart)));
        }
        let mut session = locked.open(transaction, self.attempted)?;
        for ((floor_id, at), path) in floors.into_iter().zip(paths) {
            if let Some(open) = session.floors.get_mut(&floor_id) {
                open.learn(Missing::Path(at), path);
            }
        }
        self.prefetch(&mut session, &twins).await?;
        let mut writes = Writes::default();
        let mut news = News::default();
        let mut told = Instant::now();
        for (place, row) in self.rows.iter().enumerate() {
            if self.is_apart(row) {
                continue;
            }
            sign_of_life(&session.transaction, &mut told).await?;
            let twin = twins.remove(&place).filter(|first| row.finds(first, session.horizon));
            let first = twin.or_else(|| news.twin(row, self.window));
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
        sign_of_life(&session.transaction, &mut told).await?;
        session.commit(writes).await?;
        let apart = std::mem::take(&mut self.apart);
        Ok(if apart.is_empty() { Done::All } else { Done::Part(apart) })
    }

    /// Marks the batches that need what others hold.
    fn set_apart(&mut self, busy: &Busy) {
        for row in &self.rows {
            let event = &row.event;
            let needs_track = event.timestamp.is_none() && busy.tracks.contains(&row.track());
            if needs_track || busy.floors.contains(&event.floor_id) {
                self.apart.resize(self.answers.len(), false);
                self.apart[row.place.0] = true;
            }
        }
    }

    fn is_apart(&self, row: &Row) -> bool {
        self.apart.get(row.place.0).is_some_and(|apart| *apart)
    }

    /// Moves the batches into another group that are marked, one mark a batch.
    pub(super) fn split(&mut self, marks: &[bool]) -> Self {
        // Where each batch goes: its place among those that go to the same group.
        let (mut places, mut next) = (Vec::with_capacity(marks.len()), [0, 0]);
        for mark in marks {
            places.push(next[usize::from(*mark)]);
            next[usize::from(*mark)] += 1;
        }
        let mut split = Self { rows: Vec::new(), answers: Vec::new(), apart: Vec::new(), ..*self };
        split.rows = self.rows.extract_if(.., |row| marks[row.place.0]).collect();
        for row in self.rows.iter_mut().chain(&mut split.rows) {
            row.place.0 = places[row.place.0];
        }
        let mut marks = marks.iter().copied();
        split.answers = self.answers.extract_if(.., |_| marks.next().unwrap_or(false)).collect();
        split
    }

    /// The floors that the group names.
    pub(super) fn floors(&self) -> BTreeSet<i64> {
        self.rows.iter().map(|row| row.event.floor_id).collect()
    }

    /// The floors of the group, each with the instant of its first event: the stretches that hold
    /// it are all that events on time ask for, mostly.
    fn first_instants(&self) -> BTreeMap<i64, i64> {
        self.rows.iter().rev().map(|row| (row.event.floor_id, row.at)).collect()
    }

    /// What names the vehicles of events without a timestamp, each once, in order.
    fn tracks(&self) -> Vec<String> {
        let without = self.rows.iter().filter(|row| row.event.timestamp.is_none());
        let mut tracks: Vec<String> = without.map(Row::track).collect();
        tracks.sort_unstable();
        tracks.dedup();
        tracks
    }

    /// The events that were recorded before under the keys of the group, by the place of the
    /// row; and new ids for all rows.
    async fn look_up(&mut self, client: &ClientWrapper) -> Result<HashMap<usize, Event>> {
        let count = i64::try_from(self.rows.len()).unwrap_or(i64::MAX);
        let (ids, twins) = tokio::try_join!(
            biased;
            async { query(client, IDS, &[&count]).await },
            self.twins(client),
        )?;
        for (row, id) in self.rows.iter_mut().zip(&ids) {
            row.drawn.push((id.try_get(0)?, self.attempted));
        }
        Ok(twins)
    }

    async fn twins(&self, client: &ClientWrapper) -> Result<HashMap<usize, Event>> {
        let (mut exact, mut near) = (Keys::default(), Keys::default());
        for (place, row) in self.rows.iter().enumerate() {
            let (camera, track, direction) = row.key();
            let key = (camera, track, direction_number(direction).into());
            let keys = if row.event.timestamp.is_some() { &mut exact } else { &mut near };
            keys.push(place, key, row.at);
        }
        let window = (self.now - self.window, self.now + self.window);
        let (mut twins, near) = tokio::try_join!(
            biased;
            exact.exact(client),
            near.near(client, window),
        )?;
        twins.extend(near);
        Ok(twins)
    }

    /// Loads what the histories will ask for, all at once.
    async fn prefetch(&self, session: &mut Session, twins: &HashMap<usize, Event>) -> Result<()> {
        let mut facts: BTreeMap<i64, Vec<(i64, bool)>> = BTreeMap::new();
        let rows = self.rows.iter().enumerate().filter(|(_, row)| !self.is_apart(row));
        let new = rows.filter(|(place, _)| !twins.contains_key(place));
        for (_, row) in new {
            let of_floor = facts.entry(row.event.floor_id).or_default();
            let late = of_floor.last().is_some_and(|(before, _)| *before == row.at);
            of_floor.push((row.at, late));
        }
        prefetch(&session.transaction, &mut session.floors, &facts).await
    }
}

/// Says that this process is alive, if it has said nothing for long: PostgreSQL ends the
/// transaction of one that is frozen.
async fn sign_of_life(client: &ClientWrapper, told: &mut Instant) -> Result<()> {
    if told.elapsed() >= POSTGRES_SIGN_OF_LIFE {
        client.batch_execute("").await?;
        *told = Instant::now();
    }
    Ok(())
}

/// Runs a statement if that is wanted.
async fn run_if(wanted: bool, client: &ClientWrapper, sql: &str) -> Result<()> {
    if wanted { Ok(client.batch_execute(sql).await?) } else { Ok(()) }
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
    let own = row.recorded(&first);
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
