//! Loads what histories ask for: the questions of many floors at once, in one round trip.

use std::{
    collections::{BTreeMap, HashSet},
    ops::Range,
};

use deadpool_postgres::ClientWrapper;
use jiff::Timestamp;
use tokio_postgres::Row;

use super::{
    Postgres,
    connect::query,
    floors,
    rows::{Micros, damaged, direction, maybe_micros, micros},
    transaction::patiently,
};
use crate::{
    Error, Floor, FloorCount, Result,
    count::{Act, Clamp, Fact, History, Level, Missing, NodeRow, Source, Span, Start, Walk},
    limits::POSTGRES_AHEAD_FACTS,
    store::codes::Kind,
};

pub(super) const HORIZON: &str =
    "-- retention: horizon\nSELECT horizon FROM retention WHERE id = 1";

/// The latest fact is looked for in the latest day alone: with one partition a month, an index
/// scan of every partition would cost more than all else that an event does.
pub(super) const ORIGINS: &str = "-- history: where it begins and what its latest fact is
SELECT o.floor_id, o.base_count, e.timestamp, a.timestamp
FROM floor_origins o
LEFT JOIN LATERAL (
    SELECT start FROM floor_stretches WHERE floor_id = o.floor_id AND level = 0
    ORDER BY start DESC LIMIT 1) d ON true
LEFT JOIN LATERAL (
    SELECT timestamp FROM events WHERE floor_id = o.floor_id
    AND timestamp >= d.start AND timestamp < d.start + interval '24 hours'
    ORDER BY timestamp DESC LIMIT 1) e ON true
LEFT JOIN LATERAL (
    SELECT timestamp FROM adjustments WHERE floor_id = o.floor_id
    ORDER BY timestamp DESC LIMIT 1) a ON true
WHERE o.floor_id = ANY ($1)";

pub(super) const NODES: &str = "-- history: stretches of one level
SELECT w.place, s.level, s.start, s.facts, s.divided, s.shift, s.low, s.high, s.opening
FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::timestamptz[], $5::timestamptz[])
    AS w (place, floor_id, level, first, past)
CROSS JOIN LATERAL (
    SELECT * FROM floor_stretches
    WHERE floor_id = w.floor_id AND level = w.level AND start >= w.first AND start < w.past
    ORDER BY start) s";

const DAYS_BEFORE: &str = "-- history: the latest day up to one
SELECT w.place, s.level, s.start, s.facts, s.divided, s.shift, s.low, s.high, s.opening
FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[]) AS w (place, floor_id, at)
CROSS JOIN LATERAL (
    SELECT * FROM floor_stretches
    WHERE floor_id = w.floor_id AND level = 0 AND start <= w.at
    ORDER BY start DESC LIMIT 1) s";

const EVENTS: &str = "-- history: events of a stretch
SELECT w.place, e.timestamp, e.camera_id, e.track_id, e.direction, e.id
FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::timestamptz[])
    AS w (place, floor_id, first, past)
CROSS JOIN LATERAL (
    SELECT * FROM events
    WHERE floor_id = w.floor_id AND timestamp >= w.first AND timestamp < w.past OFFSET 0) e";

const ADJUSTMENTS: &str = "-- history: adjustments of a stretch
SELECT w.place, a.timestamp, a.id, a.kind, a.current_vehicles, a.total_slots
FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::timestamptz[])
    AS w (place, floor_id, first, past)
JOIN adjustments a
    ON a.floor_id = w.floor_id AND a.timestamp >= w.first AND a.timestamp < w.past";

const SLOTS_BEFORE: &str = "-- history: the capacity before an instant
SELECT w.place, coalesce(
    (SELECT total_slots FROM adjustments
     WHERE floor_id = w.floor_id AND timestamp < w.at ORDER BY timestamp DESC LIMIT 1),
    (SELECT initial_slots FROM floor_origins WHERE floor_id = w.floor_id))
FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[]) AS w (place, floor_id, at)";

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

/// A floor with its history, as far as that has been loaded.
pub(super) struct OpenFloor {
    pub(super) floor: Floor,
    pub(super) history: History,
    /// Whether the floor's row changed.
    pub(super) changed: bool,
    horizon: Option<i64>,
    base: i64,
    /// Facts of this transaction that are not in the database yet.
    pending: Vec<Fact>,
    /// How many facts may be read with those of the next stretch that are missing.
    ahead: u32,
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
        let base: i64 = row.try_get(1)?;
        let latest = maybe_micros(row, 2)?.max(maybe_micros(row, 3)?).max(horizon);
        let (count, slots) = (floor.current_vehicles, floor.total_slots);
        let history = History::new(Start { count, slots, latest, base });
        let (changed, pending, ahead) = (false, Vec::new(), 0);
        let floor_id = floor.id;
        let new = OpenFloor { floor, history, changed, horizon, base, pending, ahead };
        open.insert(floor_id, new);
    }
    if floors.is_empty() { Ok(open) } else { Err(damaged("a floor without an origin")) }
}

impl OpenFloor {
    /// Remembers a fact that the history has taken in, until the database has it.
    pub(super) fn keep_pending(&mut self, fact: Fact) {
        self.pending.push(fact);
    }

    /// Answers `question`, loading what it misses. Once the facts of a stretch were missing, those
    /// beside the next are read with it: a lone event reads no more than it needs.
    pub(super) async fn resolve<T>(
        &mut self,
        client: &ClientWrapper,
        mut question: impl FnMut(&mut History) -> Result<T, Missing>,
    ) -> Result<T> {
        loop {
            match question(&mut self.history) {
                Ok(answer) => return Ok(answer),
                Err(Missing::Facts(leaf)) => {
                    let run = self.history.runs([leaf], self.ahead).concat();
                    self.ahead = POSTGRES_AHEAD_FACTS;
                    let mut wants = Wants::default();
                    wants.facts_of(self, &run);
                    self.learn_run(&run, wants.load_one(client).await?);
                }
                Err(missing) => {
                    let mut wants = Wants::default();
                    wants.add(self, missing);
                    self.learn(missing, wants.load_one(client).await?);
                }
            }
        }
    }

    /// Takes in what was loaded.
    pub(super) fn learn(&mut self, missing: Missing, found: Found) {
        match missing {
            Missing::Facts(leaf) => self.learn_run(&[leaf], found),
            other => self.history.learn_nodes(other, found.nodes),
        }
    }

    /// Takes in the facts from the first of these leaves to the end of the last.
    fn learn_run(&mut self, leaves: &[Span], found: Found) {
        let range = range(leaves);
        let mut facts = found.facts;
        facts.extend(self.pending.iter().filter(|fact| range.contains(&fact.at)).cloned());
        if let Some(at) = self.horizon.filter(|at| range.contains(at)) {
            facts.push(Fact { at, source: Source::Base, act: Act::Base(self.base), id: 0 });
        }
        facts.sort_by(Fact::place);
        self.history.learn_leaves(leaves, found.slots, facts);
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
                Some(open) if run.is_empty() => open.learn(missing, found),
                Some(open) => open.learn_run(&run, found),
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
    let mut walks = Vec::with_capacity(floors.len());
    for ((floor_id, open), found) in floors.iter_mut().zip(slots) {
        let count = open.resolve(client, |history| history.count_before(at)).await?;
        walks.push((*floor_id, Walk { count, slots: found.slots }));
    }
    Ok(walks)
}

/// What was found for one question.
#[derive(Default)]
pub(super) struct Found {
    pub(super) nodes: Vec<NodeRow>,
    pub(super) facts: Vec<Fact>,
    pub(super) slots: i64,
}

/// A list of ranges of time on floors, as columns.
#[derive(Default)]
struct Ranges {
    places: Vec<i64>,
    floors: Vec<i64>,
    levels: Vec<i16>,
    from: Vec<Micros>,
    to: Vec<Micros>,
}

impl Ranges {
    fn push(&mut self, place: i64, floor_id: i64, level: i16, from: i64, to: i64) {
        self.places.push(place);
        self.floors.push(floor_id);
        self.levels.push(level);
        self.from.push(Micros(from));
        self.to.push(Micros(to));
    }
}

/// Questions that are asked together.
#[derive(Default)]
pub(super) struct Wants {
    asked: usize,
    /// The stretches of paths among the nodes.
    paths: HashSet<(i64, Span)>,
    nodes: Ranges,
    days_before: Ranges,
    facts: Ranges,
}

impl Wants {
    fn add(&mut self, open: &OpenFloor, missing: Missing) {
        let id = open.floor.id;
        match missing {
            Missing::DaysFrom(from) => {
                self.day_before(id, from - 1);
                self.level(id, Level::DAY, from, i64::MAX);
            }
            Missing::DayBefore(at) => self.day_before(id, at),
            Missing::Path(at) => {
                // What several paths share is asked for once: one floor learns all answers.
                let path = Span::path(at).filter(|span| open.history.may_exist(*span));
                for span in path {
                    if self.paths.insert((id, span)) {
                        self.level(id, span.level, span.start, span.end());
                    }
                }
            }
            Missing::Children(span) => {
                if let Some(level) = span.level.below() {
                    self.level(id, level, span.start, span.end());
                }
            }
            Missing::Facts(leaf) => return self.facts_of(open, &[leaf]),
        }
        self.asked += 1;
    }

    /// The facts from the first of these leaves to the end of the last, and the capacity before.
    fn facts_of(&mut self, open: &OpenFloor, leaves: &[Span]) {
        let range = range(leaves);
        let horizon = open.horizon.filter(|at| range.contains(at));
        self.facts_in(open.floor.id, horizon.unwrap_or(range.start), range.end);
        self.asked += 1;
    }

    /// All stretches of a day.
    pub(super) fn whole_day(&mut self, floor_id: i64, day: Span) {
        for level in Level::all() {
            self.level(floor_id, level, day.start, day.end());
        }
        self.asked += 1;
    }

    /// The capacity of a floor before an instant.
    pub(super) fn slots_before(&mut self, floor_id: i64, at: i64) {
        self.facts_in(floor_id, at, at);
        self.asked += 1;
    }

    fn place(&self) -> i64 {
        i64::try_from(self.asked).unwrap_or(i64::MAX)
    }

    fn level(&mut self, floor_id: i64, level: Level, from: i64, to: i64) {
        self.nodes.push(self.place(), floor_id, level.number().into(), from, to);
    }

    fn day_before(&mut self, floor_id: i64, at: i64) {
        self.days_before.push(self.place(), floor_id, 0, at, at);
    }

    fn facts_in(&mut self, floor_id: i64, from: i64, to: i64) {
        self.facts.push(self.place(), floor_id, 0, from, to);
    }

    /// Asks the only question.
    async fn load_one(self, client: &ClientWrapper) -> Result<Found> {
        Ok(self.load(client).await?.into_iter().next().unwrap_or_default())
    }

    /// Asks; the answers stand in the order of the questions.
    pub(super) async fn load(self, client: &ClientWrapper) -> Result<Vec<Found>> {
        let Self { asked, nodes: n, days_before: d, facts: f, .. } = self;
        let none = async || Ok(Vec::new());
        let (nodes, days, events, adjustments, slots) = tokio::try_join!(
            biased;
            async {
                if n.places.is_empty() { return none().await; }
                query(client, NODES, &[&n.places, &n.floors, &n.levels, &n.from, &n.to]).await
            },
            async {
                if d.places.is_empty() { return none().await; }
                query(client, DAYS_BEFORE, &[&d.places, &d.floors, &d.from]).await
            },
            async {
                if f.places.is_empty() { return none().await; }
                query(client, EVENTS, &[&f.places, &f.floors, &f.from, &f.to]).await
            },
            async {
                if f.places.is_empty() { return none().await; }
                query(client, ADJUSTMENTS, &[&f.places, &f.floors, &f.from, &f.to]).await
            },
            async {
                if f.places.is_empty() { return none().await; }
                query(client, SLOTS_BEFORE, &[&f.places, &f.floors, &f.from]).await
            },
        )?;
        let mut found: Vec<Found> = (0..asked).map(|_| Found::default()).collect();
        for row in nodes.iter().chain(&days) {
            at_place(&mut found, row)?.nodes.push(node(row)?);
        }
        for row in &events {
            at_place(&mut found, row)?.facts.push(event_fact(row)?);
        }
        for row in &adjustments {
            at_place(&mut found, row)?.facts.push(adjustment_fact(row)?);
        }
        for row in &slots {
            at_place(&mut found, row)?.slots = row.try_get(1)?;
        }
        for found in &mut found {
            found.facts.sort_by(Fact::place);
        }
        Ok(found)
    }
}

/// From the first of some leaves to the end of the last.
fn range(leaves: &[Span]) -> Range<i64> {
    leaves.first().zip(leaves.last()).map_or(0..0, |(first, last)| first.start..last.end())
}

/// The answer that a row belongs to.
fn at_place<'f>(found: &'f mut [Found], row: &Row) -> Result<&'f mut Found> {
    let place = usize::try_from(row.try_get::<_, i64>(0)?).ok();
    let found = place.and_then(|place| found.get_mut(place));
    found.ok_or_else(|| Error::Internal("an answer to no question".into()))
}

fn node(row: &Row) -> Result<NodeRow> {
    let number = u8::try_from(row.try_get::<_, i16>(1)?).ok();
    let level = number.and_then(Level::from_number).ok_or_else(|| damaged("a stretch"))?;
    Ok(NodeRow {
        span: Span { level, start: micros(row, 2)? },
        facts: u32::try_from(row.try_get::<_, i64>(3)?).map_err(|_| damaged("a stretch"))?,
        divided: row.try_get(4)?,
        clamp: Clamp { shift: row.try_get(5)?, low: row.try_get(6)?, high: row.try_get(7)? },
        opening: row.try_get(8)?,
    })
}

/// An event as a fact: its floor, timestamp, camera, track, direction and id.
pub(super) fn event_fact(row: &Row) -> Result<Fact> {
    let direction = direction(row, 4)?;
    let (camera_id, track_id) = (row.try_get(2)?, row.try_get(3)?);
    Ok(Fact {
        at: micros(row, 1)?,
        source: Source::Event { camera_id, track_id, direction },
        act: direction.into(),
        id: row.try_get(5)?,
    })
}

/// An adjustment as a fact: its floor, timestamp, id, kind, count and slots.
pub(super) fn adjustment_fact(row: &Row) -> Result<Fact> {
    let kind = Kind::from_number(row.try_get::<_, i16>(3)?.into());
    let kind = kind.ok_or_else(|| damaged("an adjustment"))?;
    Ok(Fact {
        at: micros(row, 1)?,
        source: Source::Adjustment(row.try_get(2)?),
        act: kind.act(row.try_get(4)?, row.try_get(5)?),
        id: 0,
    })
}
