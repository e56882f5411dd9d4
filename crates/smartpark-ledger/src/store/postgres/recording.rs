//! Recording a group of events: lock the floors, look the keys up, decide in memory, write with
//! one statement a table. Whatever cuts an attempt off, the next one begins anew, and remembers
//! the ids and the times of those before: an event that is found under the id that its row had in
//! an attempt, with the time of that attempt, was recorded by it, and its answer was lost.

use std::{collections::HashMap, time::Instant};

use deadpool_postgres::{ClientWrapper, Pool};

use super::{
    connect::{prepare, query},
    past::{self, prefetch},
    session::{Busy, Session},
    states,
    terms::{Done, Terms, bound},
    transaction::Transaction,
    twins::{Keys, TWINS, TWINS_NEAR},
    waits::Wait,
    wants::NODES,
    writes,
};
use crate::{
    Event, Result,
    count::Missing,
    decide::{self, Group, Row},
    limits::{POSTGRES_HELD_LOOKUP, POSTGRES_LARGE_ROWS, POSTGRES_SIGN_OF_LIFE},
    store::codes::direction_number,
};

/// Rows that are decided between two looks at the time.
const DECIDED_AT_ONCE: usize = 64;

const IDS: &str = "-- record_event: ids
SELECT nextval('events_id_seq') FROM generate_series(1, $1::bigint)";

/// Records a group in one transaction, as far as nothing that it needs is held by others for longer
/// than the terms say. It is `now`, in microseconds since 1970 UTC.
pub(super) async fn record(
    group: &mut Group,
    pool: &Pool,
    now: i64,
    terms: &Terms,
    wait: &Wait,
) -> Result<Done> {
    let attempted = group.begin_attempt(now);
    let names = group.state_names();
    if group.rows.is_empty() && names.is_empty() {
        return Ok(Done::All);
    }
    let (floors, mut tracks) = (group.first_instants(), tracks(group));
    tracks.extend(names.iter().map(states::lock));
    tracks.sort_unstable();
    let floor_ids: Vec<i64> = floors.keys().copied().collect();
    let transaction = Transaction::connect(pool).await?;
    // Prepared before, so that nothing waits below and all is sent in this order, in one round
    // trip: the server answers each with what the statements before it have locked.
    Session::prepare(&transaction).await?;
    prepare(&transaction, &[IDS, TWINS, TWINS_NEAR, NODES, states::LOAD]).await?;
    let is_large = group.rows.len() >= POSTGRES_LARGE_ROWS;
    if is_large && terms.attempt > 0 {
        // Without the floors: the look-up below finds what this one has read in memory.
        twins_of(group, &transaction).await?;
    }
    let (begin, held) = (terms.begin(group.rows.len()), terms.lock.held());
    // Of a large group the look-ups alone are to hurry: what is written takes its time.
    let hurries = is_large && terms.attempt == 0;
    let (hurry, calm) = (bound(POSTGRES_HELD_LOOKUP.min(terms.remaining)), terms.bound());
    wait.begin();
    let (locked, hurried, twins, paths, stored, calmed) = tokio::join!(
        biased;
        Session::lock(&transaction, &begin, held, &floor_ids, &tracks),
        run_if(hurries, &transaction, &hurry),
        look_up(group, attempted, &transaction),
        past::paths(&transaction, &floors),
        states::load(&transaction, &names),
        run_if(hurries, &transaction, &calm),
    );
    // Where the locks fail, so does what comes after them, and for no reason of its own.
    let Some(locked) = locked? else {
        transaction.rollback().await?;
        return Ok(Done::Nothing);
    };
    wait.end();
    hurried?;
    let (twins, paths, stored) = (twins?, paths?, stored?);
    calmed?;
    group.set_apart(|row| is_held(row, &locked.busy));
    if !locked.busy.tracks.is_empty() {
        group.set_apart_states(|change| locked.busy.tracks.contains(&states::lock_of(change)));
    }
    if !group.apart.is_empty() && group.apart.iter().all(|apart| *apart) {
        transaction.rollback().await?;
        return Ok(Done::Part(std::mem::take(&mut group.apart)));
    }
    let mut session = locked.open(transaction, attempted)?;
    for ((floor_id, at), path) in floors.into_iter().zip(paths) {
        if let Some(open) = session.draft.floors.get_mut(&floor_id) {
            past::learn(open, Missing::Path(at), path);
        }
    }
    let facts = group.news_by_floor(&twins);
    prefetch(&session.transaction, &mut session.draft.floors, &facts).await?;
    let states = group.decide_states(stored, &session.draft, &twins);
    decide(group, &mut session, &twins).await?;
    let mut writes = session.draft.into_writes();
    writes.states = states;
    decide::seam::distort(&mut writes, group);
    writes::commit(writes, session.transaction).await?;
    let apart = std::mem::take(&mut group.apart);
    Ok(if apart.is_empty() { Done::All } else { Done::Part(apart) })
}

/// Has the group decided, loading what the decision lacks. A large group takes a while: the server
/// hears a sign of life meanwhile, or it would end the transaction.
async fn decide(
    group: &mut Group,
    session: &mut Session,
    twins: &HashMap<usize, Event>,
) -> Result<()> {
    for first in twins.values() {
        if !session.draft.floors.contains_key(&first.floor_id)
            && !session.draft.others.contains_key(&first.floor_id)
            && let Some(floor) = session.unlocked_floor(first.floor_id).await?
        {
            session.draft.others.insert(floor.id, floor);
        }
    }
    let mut told = Instant::now();
    let mut is_decided = false;
    while !is_decided {
        match group.decide(&mut session.draft, twins, DECIDED_AT_ONCE) {
            Ok(done) => is_decided = done,
            Err(lack) => session.load(lack).await?,
        }
        sign_of_life(&session.transaction, &mut told).await?;
    }
    Ok(())
}

/// Says that this process is alive, if it has said nothing for long: PostgreSQL ends the
/// transaction of a process that is frozen.
async fn sign_of_life(client: &ClientWrapper, told: &mut Instant) -> Result<()> {
    if told.elapsed() >= POSTGRES_SIGN_OF_LIFE {
        client.batch_execute("").await?;
        *told = Instant::now();
    }
    Ok(())
}

/// Whether a row needs what other transactions hold.
fn is_held(row: &Row, busy: &Busy) -> bool {
    let needs_track = row.event.timestamp.is_none() && busy.tracks.contains(&track(row));
    needs_track || busy.floors.contains(&row.event.floor_id)
}

/// What names the vehicle of an event without a timestamp. No name holds a line break.
fn track(row: &Row) -> String {
    let (camera, track, direction) = row.vehicle();
    format!("{camera}\n{track}\n{}", direction_number(direction))
}

/// What names the vehicles of events without a timestamp, each once, in order.
fn tracks(group: &Group) -> Vec<String> {
    let without = group.rows.iter().filter(|row| row.event.timestamp.is_none());
    let mut tracks: Vec<String> = without.map(track).collect();
    tracks.sort_unstable();
    tracks.dedup();
    tracks
}

/// The events that were recorded before under the keys of the group, by the place of the row; and
/// new ids for all rows.
async fn look_up(
    group: &mut Group,
    attempted: i64,
    client: &ClientWrapper,
) -> Result<HashMap<usize, Event>> {
    let count = i64::try_from(group.rows.len()).unwrap_or(i64::MAX);
    let (ids, twins) = tokio::try_join!(
        biased;
        async { query(client, IDS, &[&count]).await },
        twins_of(group, client),
    )?;
    for (row, id) in group.rows.iter_mut().zip(&ids) {
        row.drawn.push((id.try_get(0)?, attempted));
    }
    Ok(twins)
}

async fn twins_of(group: &Group, client: &ClientWrapper) -> Result<HashMap<usize, Event>> {
    let (mut exact, mut near) = (Keys::default(), Keys::default());
    for (place, row) in group.rows.iter().enumerate() {
        let (camera, track, direction) = row.vehicle();
        let key = (camera, track, direction_number(direction).into());
        let keys = if row.event.timestamp.is_some() { &mut exact } else { &mut near };
        keys.push(place, key, row.at);
    }
    let window = (group.now - group.window, group.now + group.window);
    let (mut twins, near) = tokio::try_join!(
        biased;
        exact.exact(client),
        near.near(client, window),
    )?;
    twins.extend(near);
    Ok(twins)
}

/// Runs a statement if that is wanted.
async fn run_if(wanted: bool, client: &ClientWrapper, sql: &str) -> Result<()> {
    if wanted { Ok(client.batch_execute(sql).await?) } else { Ok(()) }
}
