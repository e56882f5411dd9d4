//! The questions that histories ask, of many floors at once, and their answers.

use std::collections::HashSet;

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::{
    connect::query,
    rows::{Micros, damaged, direction, micros},
};
use crate::{
    Error, Result,
    count::{Clamp, Fact, Level, Missing, NodeRow, Source, Span},
    decide::{OpenFloor, range},
    store::codes::adjustment_of,
};

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
SELECT w.place, e.at, e.camera_id, e.track_id, e.direction, e.id, e.timestamp
FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::timestamptz[])
    AS w (place, floor_id, first, past)
CROSS JOIN LATERAL (
    (SELECT timestamp AS at, camera_id, track_id, direction, id, timestamp FROM events e
    WHERE (floor_id, timestamp) >= (w.floor_id, w.first)
    AND (floor_id, timestamp) < (w.floor_id, w.past)
    AND timestamp >= w.first AND timestamp < w.past
    AND timestamp >= $5 AND timestamp < $6
    AND NOT EXISTS (SELECT 1 FROM event_places p WHERE p.event_id = e.id)
    ORDER BY floor_id, timestamp)
    UNION ALL
    SELECT place, camera_id, track_id, direction, event_id, timestamp FROM event_places
    WHERE floor_id = w.floor_id AND place >= w.first AND place < w.past) e";

const ADJUSTMENTS: &str = "-- history: adjustments of a stretch
SELECT w.place, a.place, a.id, a.kind, a.current_vehicles, a.total_slots
FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::timestamptz[])
    AS w (place, floor_id, first, past)
JOIN adjustments a
    ON a.floor_id = w.floor_id AND a.place >= w.first AND a.place < w.past";

const SLOTS_BEFORE: &str = "-- history: the capacity before an instant
SELECT w.place, coalesce(
    (SELECT total_slots FROM adjustments
     WHERE floor_id = w.floor_id AND place < w.at ORDER BY place DESC, id DESC LIMIT 1),
    (SELECT initial_slots FROM floor_origins WHERE floor_id = w.floor_id))
FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[]) AS w (place, floor_id, at)";

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

    /// From the first instant of all to the last. Months beyond are not even opened.
    fn bounds(&self) -> (Micros, Micros) {
        let first = self.from.iter().map(|at| at.0).min();
        let last = self.to.iter().map(|at| at.0).max();
        (Micros(first.unwrap_or(0)), Micros(last.unwrap_or(0)))
    }
}

/// Questions that are asked together.
#[derive(Default)]
pub(super) struct Wants {
    pub(super) asked: usize,
    /// The stretches of paths among the nodes.
    paths: HashSet<(i64, Span)>,
    nodes: Ranges,
    days_before: Ranges,
    facts: Ranges,
}

impl Wants {
    pub(super) fn add(&mut self, open: &OpenFloor, missing: Missing) {
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
            Missing::Behind(at) => self.facts_in(id, at + 1, i64::MAX),
            Missing::Facts(span) | Missing::Whole(span) => return self.facts_of(open, &[span]),
        }
        self.asked += 1;
    }

    /// The facts from the first of these leaves to the end of the last, and the capacity before.
    pub(super) fn facts_of(&mut self, open: &OpenFloor, leaves: &[Span]) {
        let kept = open.kept(range(leaves));
        self.facts_in(open.floor.id, kept.start, kept.end);
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

    pub(super) fn level(&mut self, floor_id: i64, level: Level, from: i64, to: i64) {
        self.nodes.push(self.place(), floor_id, level.number().into(), from, to);
    }

    fn day_before(&mut self, floor_id: i64, at: i64) {
        self.days_before.push(self.place(), floor_id, 0, at, at);
    }

    fn facts_in(&mut self, floor_id: i64, from: i64, to: i64) {
        self.facts.push(self.place(), floor_id, 0, from, to);
    }

    /// Asks the only question.
    pub(super) async fn load_one(self, client: &ClientWrapper) -> Result<Found> {
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
                let (first, past) = f.bounds();
                query(client, EVENTS, &[&f.places, &f.floors, &f.from, &f.to, &first, &past]).await
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

/// An event as a fact: its floor, place, camera, track, direction, id and timestamp.
pub(super) fn event_fact(row: &Row) -> Result<Fact> {
    let direction = direction(row, 4)?;
    let (camera_id, track_id) = (row.try_get(2)?, row.try_get(3)?);
    Ok(Fact {
        at: micros(row, 1)?,
        source: Source::Event { camera_id, track_id, direction, timestamp: micros(row, 6)? },
        act: direction.into(),
        id: row.try_get(5)?,
    })
}

/// An adjustment as a fact: its floor, place, id, kind, count and slots.
pub(super) fn adjustment_fact(row: &Row) -> Result<Fact> {
    let kind = adjustment_of(row.try_get::<_, i16>(3)?.into());
    let kind = kind.ok_or_else(|| damaged("an adjustment"))?;
    Ok(Fact {
        at: micros(row, 1)?,
        source: Source::Adjustment(row.try_get(2)?),
        act: kind.act(row.try_get(4)?, row.try_get(5)?),
        id: 0,
    })
}
