//! What one write transaction has read and is about to write: floors, locked in the order of
//! their ids, with their histories; the sums of hours; the events that change sides. It is begun
//! anew with every attempt, and written with one set-based statement a table.

use std::collections::{BTreeMap, HashMap};

use deadpool_postgres::{ClientWrapper, Pool};
use jiff::Timestamp;
use tokio_postgres::{Row, types::ToSql};

use super::{
    connect::{prepare, query},
    past::{self, HORIZON, ORIGINS, OpenFloor},
    rows::{self, floor_columns},
    transaction::Transaction,
    writes::Writes,
};
use crate::{
    Error, Event, Floor, Result,
    count::{Effect, Fact, Flip},
    store::sums::{AT_LIMIT, HourKey, HourSum, column, hour_of},
};

/// The statements of a group are the same every time, and read single keys and short ranges: a
/// plan for whatever values is as good as one for these, and making one takes a look at every
/// month's partition.
const BEGIN: &str = "BEGIN; SET LOCAL plan_cache_mode = force_generic_plan";

/// The rows are locked in the order of their ids, so that no two transactions wait for each other.
/// Whoever puts a row that refers to a floor, as cleanup does for minutes, is not waited for.
const LOCK: &str = concat!(
    "-- record_event: floors\nSELECT ",
    floor_columns!(),
    " FROM floors WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE"
);

/// Whoever records an event without a timestamp must see those that others record of the same
/// vehicle at the same time, though they may name another floor.
const LOCK_TRACKS: &str = "-- record_event: one at a time without a timestamp
SELECT pg_advisory_xact_lock(hashtextextended(track, 0))
FROM unnest($1::text[]) WITH ORDINALITY AS w (track, place) ORDER BY place";

/// Floors that a transaction has locked, and what they stand on.
pub(super) struct Locked {
    floors: Vec<Floor>,
    horizon: Option<i64>,
    origins: Vec<Row>,
}

impl Locked {
    /// The session of the transaction that has locked them.
    pub(super) fn open(self, transaction: Transaction, now: i64) -> Result<Session> {
        let floors = past::opened(self.floors, &self.origins, self.horizon)?;
        Ok(Session::new(transaction, floors, self.horizon, now))
    }
}

/// A write transaction on some floors, which it has locked.
pub(super) struct Session {
    pub(super) transaction: Transaction,
    /// The time of the transaction, in microseconds since 1970 UTC.
    pub(super) now: i64,
    pub(super) horizon: Option<i64>,
    pub(super) floors: BTreeMap<i64, OpenFloor>,
    hours: HashMap<HourKey, HourSum>,
    /// Events by id that change sides, as they stand in the end.
    flips: BTreeMap<i64, (i64, Flip)>,
}

impl Session {
    /// Begins a transaction and locks these floors, as far as they exist.
    pub(super) async fn begin(pool: &Pool, floor_ids: &[i64], now: i64) -> Result<Self> {
        let transaction = Transaction::connect(pool).await?;
        Self::prepare(&transaction).await?;
        let locked = Self::lock(&transaction, floor_ids, &[]).await?;
        locked.open(transaction, now)
    }

    /// Prepares what [`Session::lock`] sends, so that it sends all at once.
    pub(super) async fn prepare(client: &ClientWrapper) -> Result<()> {
        prepare(client, &[LOCK, LOCK_TRACKS, HORIZON, ORIGINS]).await
    }

    /// Begins a transaction, locks these tracks and floors, as far as they exist, and reads what
    /// the floors stand on. All goes out in one round trip; as every statement sees what is
    /// committed when it begins, those after the locks see what those left who held them before.
    pub(super) async fn lock(
        client: &ClientWrapper,
        floor_ids: &[i64],
        tracks: &[String],
    ) -> Result<Locked> {
        let ids: [&(dyn ToSql + Sync); 1] = [&floor_ids];
        let (begun, tracks, floors, horizon, origins) = tokio::join!(
            biased;
            client.batch_execute(BEGIN),
            async {
                if tracks.is_empty() {
                    return Ok(Vec::new());
                }
                query(client, LOCK_TRACKS, &[&tracks]).await
            },
            query(client, LOCK, &ids),
            past::horizon(client),
            query(client, ORIGINS, &ids),
        );
        begun?;
        tracks?;
        let floors = floors?.iter().map(|row| rows::floor(row, 0)).collect::<Result<_>>()?;
        Ok(Locked { floors, horizon: horizon?, origins: origins? })
    }

    /// Goes on in a transaction that has locked `floors`. What they stand on is read by later
    /// statements, so it is as the transactions left it that held the locks before.
    pub(super) async fn open(
        transaction: Transaction,
        floors: Vec<Floor>,
        now: i64,
    ) -> Result<Self> {
        let horizon = past::horizon(&transaction).await?;
        let floors = past::open(&transaction, floors, horizon).await?;
        Ok(Self::new(transaction, floors, horizon, now))
    }

    fn new(
        transaction: Transaction,
        floors: BTreeMap<i64, OpenFloor>,
        horizon: Option<i64>,
        now: i64,
    ) -> Self {
        let (hours, flips) = (HashMap::new(), BTreeMap::new());
        Self { transaction, now, horizon, floors, hours, flips }
    }

    /// A floor of this transaction.
    pub(super) fn floor(&self, id: i64) -> Result<&OpenFloor> {
        self.floors.get(&id).ok_or(Error::NotFound("the floor"))
    }

    /// Puts a new fact into a floor's history and moves its count.
    pub(super) async fn record_fact(&mut self, floor_id: i64, fact: &Fact) -> Result<Effect> {
        let now = self.now;
        let open = self.floors.get_mut(&floor_id).ok_or(Error::UnknownFloor)?;
        let effect =
            open.resolve(&self.transaction, |history| history.record(fact.clone())).await?;
        open.keep_pending(fact.clone());
        let (count, slots) = (open.history.count(), open.history.slots());
        if (count, slots) != (open.floor.current_vehicles, open.floor.total_slots) {
            (open.floor.current_vehicles, open.floor.total_slots) = (count, slots);
            open.floor.updated_at = moved(&open.floor, now);
            open.changed = true;
        }
        if let Some(flip) = &effect.flip {
            self.flip(floor_id, flip.clone());
        }
        Ok(effect)
    }

    /// Counts an event in the sums of its hour.
    pub(super) fn count_event(&mut self, event: &Event) {
        let at = event.timestamp.as_microsecond();
        let kind = column(event.vehicle_type, event.direction);
        self.hour(at, event.floor_id, &event.camera_id)[kind] += 1;
        if event.at_limit.is_some() {
            let camera_id = event.camera_id.clone();
            let flip = Flip { event_id: event.id, camera_id, at, at_limit: true };
            self.flip(event.floor_id, flip);
        }
    }

    /// An event is now at the limit, or no longer.
    fn flip(&mut self, floor_id: i64, flip: Flip) {
        let sum = self.hour(flip.at, floor_id, &flip.camera_id);
        sum[AT_LIMIT] += if flip.at_limit { 1 } else { -1 };
        self.flips.insert(flip.event_id, (floor_id, flip));
    }

    fn hour(&mut self, at: i64, floor_id: i64, camera_id: &str) -> &mut HourSum {
        self.hours.entry((hour_of(at), floor_id, camera_id.to_owned())).or_default()
    }

    /// Whether a floor has a fact after this instant already: for a defect on purpose.
    pub(super) fn is_late(&self, floor_id: i64, at: i64) -> bool {
        let latest = self.floors.get(&floor_id).and_then(|open| open.history.latest());
        latest.is_some_and(|latest| at < latest)
    }

    /// Moves a count without a fact: for a defect on purpose.
    pub(super) fn count_again(&mut self, floor_id: i64) {
        let open = self.floors.get_mut(&floor_id);
        if let Some(open) = open.filter(|open| open.floor.available_slots() > 0) {
            open.floor.current_vehicles += 1;
            open.changed = true;
        }
    }

    /// Writes what changed and commits, in one round trip. `writes` holds what only the caller
    /// knows of.
    pub(super) async fn commit(self, mut writes: Writes) -> Result<()> {
        for (id, open) in self.floors {
            writes.stretches.extend(open.history.changed().map(|node| (id, *node)));
            if open.changed {
                writes.floors.push(open.floor);
            }
        }
        writes.hours.extend(self.hours);
        // Rows that several transactions may hold are taken in one order.
        writes.hours.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        for (floor_id, flip) in self.flips.into_values() {
            if flip.at_limit {
                writes.at_limit.push((floor_id, flip));
            } else {
                writes.no_longer.push(flip.event_id);
            }
        }
        writes.commit(self.transaction).await
    }

    /// Reads a floor that this transaction has not locked.
    pub(super) async fn unlocked_floor(&self, id: i64) -> Result<Option<Floor>> {
        let rows = query(&self.transaction, super::floors::BY_ID, &[&id]).await?;
        rows.first().map(|row| rows::floor(row, 0)).transpose()
    }
}

/// When a floor changed that changes now: later than the last time in any case.
pub(super) fn moved(floor: &Floor, now: i64) -> Timestamp {
    let moved = now.max(floor.updated_at.as_microsecond() + 1);
    Timestamp::from_microsecond(moved).unwrap_or(Timestamp::MAX)
}
