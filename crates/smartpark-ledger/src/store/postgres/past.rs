//! Loads what histories ask for: the questions of many floors at once, in one round trip.

use std::collections::BTreeMap;

use deadpool_postgres::ClientWrapper;
use jiff::Timestamp;
use tokio_postgres::Row;

use super::{
    Postgres,
    connect::query,
    floors,
    rows::{damaged, maybe_micros},
    transaction::patiently,
    wants::{Found, Wants},
};
use crate::{
    Error, Floor, FloorCount, Result,
    count::{Missing, Span, Walk},
    decide::{OpenFloor, Origin},
    limits::POSTGRES_AHEAD_FACTS,
};

pub(super) const HORIZON: &str =
    "-- retention: horizon\nSELECT horizon FROM retention WHERE id = 1";

/// The latest fact is looked for in the latest day alone: with one partition a month, an index
/// scan of every partition would cost more than all else that an event does. Events are read by the
/// index whose order is asked for, see `planning!`.
pub(super) const ORIGINS: &str = "-- history: where it begins and what its latest fact is
SELECT o.floor_id, o.base_count, e.timestamp, a.place, p.place
FROM floor_origins o
LEFT JOIN LATERAL (
    SELECT start FROM floor_stretches WHERE floor_id = o.floor_id AND level = 0
    ORDER BY start DESC LIMIT 1) d ON true
LEFT JOIN LATERAL (
    SELECT timestamp FROM events e
    WHERE (floor_id, timestamp) >= (o.floor_id, d.start)
    AND (floor_id, timestamp) < (o.floor_id, d.start + interval '24 hours')
    AND timestamp >= d.start AND timestamp < d.start + interval '24 hours'
    AND NOT EXISTS (SELECT 1 FROM event_places p WHERE p.event_id = e.id)
    ORDER BY floor_id DESC, timestamp DESC LIMIT 1) e ON true
LEFT JOIN LATERAL (
    SELECT place FROM adjustments WHERE floor_id = o.floor_id
    ORDER BY place DESC LIMIT 1) a ON true
LEFT JOIN LATERAL (
    SELECT place FROM event_places WHERE floor_id = o.floor_id
    ORDER BY place DESC LIMIT 1) p ON true
WHERE o.floor_id = ANY ($1)";

impl Postgres {
    /// The retention horizon, for whoever has no connection.
    pub(in crate::store) async fn horizon(&self) -> Result<Option<i64>> {
        patiently!(async { horizon(&*self.inner.readers.get().await?).await })
    }
}

/// The retention horizon: events before it are gone.
pub(super) async fn horizon(client: &ClientWrapper) -> Result<Option<i64>> {
    let rows = query(client, HORIZON, &[]).await?;
    maybe_micros(rows.first().ok_or_else(|| damaged("a retention"))?, 0)
}

/// Opens the histories of floors of which nothing is loaded yet.
pub(super) async fn open(
    client: &ClientWrapper,
    floors: Vec<Floor>,
    horizon: Option<i64>,
) -> Result<BTreeMap<i64, OpenFloor>> {
    let ids: Vec<i64> = floors.iter().map(|floor| floor.id).collect();
    opened(floors, &query(client, ORIGINS, &[&ids]).await?, horizon)
}

/// The histories of floors, given where they begin.
pub(super) fn opened(
    floors: Vec<Floor>,
    origins: &[Row],
    horizon: Option<i64>,
) -> Result<BTreeMap<i64, OpenFloor>> {
    let mut floors: BTreeMap<i64, Floor> =
        floors.into_iter().map(|floor| (floor.id, floor)).collect();
    let mut open = BTreeMap::new();
    for row in origins {
        let Some(floor) = floors.remove(&row.try_get(0)?) else { continue };
        let event = maybe_micros(row, 2)?.max(maybe_micros(row, 4)?);
        let latest = event.max(maybe_micros(row, 3)?);
        let origin = Origin { base: row.try_get(1)?, latest };
        open.insert(floor.id, OpenFloor::new(floor, origin, horizon));
    }
    if floors.is_empty() { Ok(open) } else { Err(damaged("a floor without an origin")) }
}

/// Loads what a decision or a question misses. Once the facts of a stretch were missing, those
/// beside the next are read with it: a lone event reads no more than it needs.
pub(super) async fn load(
    client: &ClientWrapper,
    open: &mut OpenFloor,
    missing: Missing,
) -> Result<()> {
    let mut wants = Wants::default();
    if let Missing::Facts(leaf) = missing {
        let run = open.history.runs([leaf], open.ahead).concat();
        open.ahead = POSTGRES_AHEAD_FACTS;
        wants.facts_of(open, &run);
        let found = wants.load_one(client).await?;
        open.learn_facts(&run, found.slots, found.facts);
    } else {
        wants.add(open, missing);
        learn(open, missing, wants.load_one(client).await?);
    }
    Ok(())
}

/// Takes in what was loaded.
pub(super) fn learn(open: &mut OpenFloor, missing: Missing, found: Found) {
    match missing {
        Missing::Facts(span) | Missing::Whole(span) => {
            open.learn_facts(&[span], found.slots, found.facts);
        }
        Missing::Behind(at) => open.learn_behind(at, found.facts),
        other => open.learn_nodes(other, found.nodes),
    }
}

/// Loads all that the floors of a group miss, in as few round trips as the depth of the tree.
/// `facts` holds for each floor the instants of its facts in their order, and whether others stand
/// behind it.
pub(super) async fn prefetch(
    client: &ClientWrapper,
    floors: &mut BTreeMap<i64, OpenFloor>,
    facts: &BTreeMap<i64, Vec<(i64, bool)>>,
) -> Result<()> {
    loop {
        let (mut wants, mut asked) = (Wants::default(), Vec::new());
        for (floor_id, facts) in facts {
            let Some(open) = floors.get_mut(floor_id) else { continue };
            let mut leaves = Vec::new();
            for missing in open.history.wants(facts.iter().copied()) {
                if let Missing::Facts(leaf) = missing {
                    leaves.push(leaf);
                } else {
                    wants.add(open, missing);
                    asked.push((floor_id, missing, Vec::new()));
                }
            }
            if leaves.len() > 1 {
                open.ahead = POSTGRES_AHEAD_FACTS;
            }
            for run in open.history.runs(leaves, open.ahead) {
                wants.facts_of(open, &run);
                asked.push((floor_id, Missing::Facts(run[0]), run));
            }
        }
        if asked.is_empty() {
            return Ok(());
        }
        let found = wants.load(client).await?;
        for ((floor_id, missing, run), found) in asked.into_iter().zip(found) {
            match floors.get_mut(floor_id) {
                Some(open) if run.is_empty() => learn(open, missing, found),
                Some(open) => open.learn_facts(&run, found.slots, found.facts),
                None => {}
            }
        }
    }
}

/// The stretches that hold an instant of each of these floors, asked for before anything is known
/// of the floors. Sends one statement, [`NODES`].
pub(super) async fn paths(
    client: &ClientWrapper,
    instants: &BTreeMap<i64, i64>,
) -> Result<Vec<Found>> {
    let mut wants = Wants::default();
    for (floor_id, at) in instants {
        Span::path(*at).for_each(|span| wants.level(*floor_id, span.level, span.start, span.end()));
        wants.asked += 1;
    }
    wants.load(client).await
}

/// The count of every floor before the instant `at`. `client` stands in a snapshot.
pub(super) async fn counts_at(client: &ClientWrapper, at: Timestamp) -> Result<Vec<FloorCount>> {
    let floors = floors::all(client).await?;
    let walks = walks_at(client, floors.clone(), at.as_microsecond()).await?;
    let count = |(floor, (floor_id, walk)): (Floor, (i64, Walk))| FloorCount {
        floor_id,
        name: floor.name,
        total_slots: walk.slots,
        current_vehicles: walk.count,
    };
    Ok(floors.into_iter().zip(walks).map(count).collect())
}

/// How floors stood before the instant `at`, by their ids, in the order of those. `client` stands
/// in a snapshot.
pub(super) async fn walks_at(
    client: &ClientWrapper,
    floors: Vec<Floor>,
    at: i64,
) -> Result<Vec<(i64, Walk)>> {
    let horizon = horizon(client).await?;
    if let Some(horizon) = horizon.filter(|horizon| at < *horizon) {
        let horizon = Timestamp::from_microsecond(horizon).unwrap_or(Timestamp::MIN);
        return Err(Error::TooOld { horizon });
    }
    let mut floors = open(client, floors, horizon).await?;
    let mut wants = Wants::default();
    floors.keys().for_each(|id| wants.slots_before(*id, at));
    let slots = wants.load(client).await?;
    let counts = counts_before(client, &mut floors, at).await?;
    let walks = counts.into_iter().zip(slots);
    Ok(walks
        .map(|((floor_id, count), found)| (floor_id, Walk { count, slots: found.slots }))
        .collect())
}

/// The counts of these floors before the instant `at`, in the order of their ids. What they all
/// miss is loaded together.
pub(super) async fn counts_before(
    client: &ClientWrapper,
    floors: &mut BTreeMap<i64, OpenFloor>,
    at: i64,
) -> Result<BTreeMap<i64, i64>> {
    let mut counts = BTreeMap::new();
    loop {
        let (mut wants, mut asked) = (Wants::default(), Vec::new());
        for (floor_id, open) in &*floors {
            if counts.contains_key(floor_id) {
                continue;
            }
            match open.history.count_before(at) {
                Ok(count) => drop(counts.insert(*floor_id, count)),
                Err(missing) => {
                    wants.add(open, missing);
                    asked.push((*floor_id, missing));
                }
            }
        }
        if asked.is_empty() {
            return Ok(counts);
        }
        for ((floor_id, missing), found) in asked.into_iter().zip(wants.load(client).await?) {
            if let Some(open) = floors.get_mut(&floor_id) {
                learn(open, missing, found);
            }
        }
    }
}
