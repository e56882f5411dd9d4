//! Loads what a [`History`] asks for, and writes back what changed in it.

use jiff::Timestamp;
use rusqlite::{CachedStatement, Connection, Row};

use super::{floors, rows::Code};
use crate::{
    Direction, Error, Floor, FloorCount, Result,
    count::{Clamp, Erased, Fact, Level, Missing, NodeRow, Source, Span, Walk},
    decide::{AdjustmentKind, OpenFloor, Origin},
};

const HORIZON: &str = "-- retention: horizon\nSELECT horizon FROM retention WHERE id = 1";

/// Events that stand elsewhere than at their timestamps may lie years ahead. So the latest one is
/// looked for in the latest day of the history and before it.
const ORIGIN: &str = "-- history: where it begins and what its latest fact is
SELECT initial_slots, base_count,
       (SELECT timestamp FROM events e INDEXED BY ix_event_floor_timestamp
        WHERE floor_id = ?1 AND timestamp < 86400000000 + (
            SELECT max(start) FROM floor_stretches WHERE floor_id = ?1 AND level = 0)
        AND NOT EXISTS (SELECT 1 FROM event_places p WHERE p.event_id = e.id)
        ORDER BY timestamp DESC LIMIT 1),
       (SELECT max(place) FROM event_places WHERE floor_id = ?1),
       (SELECT max(place) FROM adjustments WHERE floor_id = ?1)
FROM floor_origins WHERE floor_id = ?1";

const DAY_BEFORE: &str = "-- history: the latest day up to one
SELECT level, start, facts, divided, shift, low, high, opening FROM floor_stretches
WHERE floor_id = ?1 AND level = 0 AND start <= ?2 ORDER BY start DESC LIMIT 1";

const BETWEEN: &str = "-- history: stretches of one level
SELECT level, start, facts, divided, shift, low, high, opening FROM floor_stretches
WHERE floor_id = ?1 AND level = ?2 AND start >= ?3 AND start < ?4 ORDER BY start";

const EVENTS: &str = "-- history: events of a stretch
SELECT timestamp, camera_id, track_id, direction, id, timestamp FROM events e
WHERE floor_id = ?1 AND timestamp >= ?2 AND timestamp < ?3
    AND NOT EXISTS (SELECT 1 FROM event_places p WHERE p.event_id = e.id)
UNION ALL
SELECT place, camera_id, track_id, direction, event_id, timestamp FROM event_places
WHERE floor_id = ?1 AND place >= ?2 AND place < ?3";

const ADJUSTMENTS: &str = "-- history: adjustments of a stretch
SELECT place, id, kind, current_vehicles, total_slots FROM adjustments
WHERE floor_id = ?1 AND place >= ?2 AND place < ?3";

const SLOTS_BEFORE: &str = "-- history: the capacity before an instant
SELECT coalesce(
    (SELECT total_slots FROM adjustments WHERE floor_id = ?1 AND place < ?2
     ORDER BY place DESC, id DESC LIMIT 1),
    (SELECT initial_slots FROM floor_origins WHERE floor_id = ?1))";

const NEXT_FACT: &str = "-- history: the next fact of a floor
SELECT min(at) FROM (
    SELECT * FROM (
        SELECT timestamp AS at FROM events e INDEXED BY ix_event_floor_timestamp
        WHERE floor_id = ?1 AND timestamp >= ?2
            AND NOT EXISTS (SELECT 1 FROM event_places p WHERE p.event_id = e.id)
        ORDER BY timestamp LIMIT 1)
    UNION ALL SELECT min(place) FROM event_places WHERE floor_id = ?1 AND place >= ?2
    UNION ALL SELECT min(place) FROM adjustments WHERE floor_id = ?1 AND place >= ?2)";

const ERASE: &str = "-- history: stretches that no longer exist
DELETE FROM floor_stretches WHERE floor_id = ?1 AND level = ?2 AND start >= ?3 AND start < ?4";

const UPSERT: &str = "-- history: keep a stretch
INSERT INTO floor_stretches (floor_id, level, start, facts, divided, shift, low, high, opening)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
ON CONFLICT (floor_id, level, start) DO UPDATE SET
    facts = excluded.facts, divided = excluded.divided, shift = excluded.shift,
    low = excluded.low, high = excluded.high, opening = excluded.opening";

/// The retention horizon: events before it are gone.
pub(super) fn horizon(connection: &Connection) -> Result<Option<i64>> {
    Ok(connection.prepare_cached(HORIZON)?.query_row([], |row| row.get(0))?)
}

/// The past of one floor, as the database has it.
pub(super) struct Past<'c> {
    connection: &'c Connection,
    floor_id: i64,
}

impl<'c> Past<'c> {
    /// The past of a floor.
    pub(super) fn of(connection: &'c Connection, floor_id: i64) -> Self {
        Self { connection, floor_id }
    }

    /// The past of a floor, and the floor with a history of which nothing is loaded yet.
    pub(super) fn open(
        connection: &'c Connection,
        floor: Floor,
        horizon: Option<i64>,
    ) -> Result<(Self, OpenFloor)> {
        let mut statement = connection.prepare_cached(ORIGIN)?;
        let origin = statement.query_row([floor.id], |row| {
            let latest: [Option<i64>; 3] = [row.get(2)?, row.get(3)?, row.get(4)?];
            Ok(Origin { base: row.get(1)?, latest: latest.into_iter().flatten().max() })
        })?;
        Ok((Self::of(connection, floor.id), OpenFloor::new(floor, origin, horizon)))
    }

    /// Asks `question` until it is answered, loading what it misses.
    pub(super) fn resolve<T>(
        &self,
        open: &mut OpenFloor,
        mut question: impl FnMut(&mut OpenFloor) -> Result<T, Missing>,
    ) -> Result<T> {
        loop {
            match question(open) {
                Ok(answer) => return Ok(answer),
                Err(missing) => self.load(open, missing)?,
            }
        }
    }

    /// Loads what a decision or a question misses.
    pub(super) fn load(&self, open: &mut OpenFloor, missing: Missing) -> Result<()> {
        match missing {
            Missing::DaysFrom(from) => {
                let mut days = self.day_before(from - 1)?;
                days.extend(self.between(Level::DAY, from, i64::MAX)?);
                open.learn_nodes(missing, days);
            }
            Missing::DayBefore(at) => open.learn_nodes(missing, self.day_before(at)?),
            Missing::Path(at) => {
                let mut path = Vec::new();
                for span in Span::path(at) {
                    let found = self.between(span.level, span.start, span.end())?;
                    let divided = found.first().is_some_and(|node| node.divided);
                    path.extend(found);
                    if !divided {
                        break;
                    }
                }
                open.learn_nodes(missing, path);
            }
            Missing::Children(span) => {
                let level = Level::from_number(span.level.number() + 1)
                    .ok_or_else(|| Error::Internal("the smallest stretch is divided".into()))?;
                open.learn_nodes(missing, self.between(level, span.start, span.end())?);
            }
            Missing::Behind(at) => {
                open.learn_behind(at, self.facts_between(at + 1, i64::MAX)?);
            }
            Missing::Facts(span) | Missing::Whole(span) => {
                let kept = open.kept(span.start..span.end());
                let facts = self.facts_between(kept.start, kept.end)?;
                open.learn_facts(&[span], self.slots_before(kept.start)?, facts);
            }
        }
        Ok(())
    }

    fn day_before(&self, at: i64) -> Result<Vec<NodeRow>> {
        let statement = self.connection.prepare_cached(DAY_BEFORE)?;
        nodes(statement, (self.floor_id, at))
    }

    /// The stretches of one level that begin in `from..to`.
    pub(super) fn between(&self, level: Level, from: i64, to: i64) -> Result<Vec<NodeRow>> {
        let statement = self.connection.prepare_cached(BETWEEN)?;
        nodes(statement, (self.floor_id, level.number(), from, to))
    }

    /// The facts of the floor in `from..to` in their order.
    pub(super) fn facts_between(&self, from: i64, to: i64) -> Result<Vec<Fact>> {
        let range = (self.floor_id, from, to);
        let mut events = self.connection.prepare_cached(EVENTS)?;
        let mut facts =
            events.query_map(range, event_fact)?.collect::<rusqlite::Result<Vec<Fact>>>()?;
        let mut adjustments = self.connection.prepare_cached(ADJUSTMENTS)?;
        for fact in adjustments.query_map(range, adjustment_fact)? {
            facts.push(fact?);
        }
        facts.sort_by(Fact::place);
        Ok(facts)
    }

    /// The first instant from `from` on at which the floor has a fact.
    pub(super) fn next_fact(&self, from: i64) -> Result<Option<i64>> {
        let mut statement = self.connection.prepare_cached(NEXT_FACT)?;
        Ok(statement.query_row((self.floor_id, from), |row| row.get(0))?)
    }

    /// All stored stretches of a day.
    pub(super) fn day(&self, day: Span) -> Result<Vec<NodeRow>> {
        let mut nodes = Vec::new();
        for level in Level::all() {
            nodes.extend(self.between(level, day.start, day.end())?);
        }
        Ok(nodes)
    }

    /// The capacity before the instant `at`.
    pub(super) fn slots_before(&self, at: i64) -> Result<i64> {
        let mut statement = self.connection.prepare_cached(SLOTS_BEFORE)?;
        Ok(statement.query_row((self.floor_id, at), |row| row.get(0))?)
    }
}

fn nodes(
    mut statement: CachedStatement<'_>,
    parameters: impl rusqlite::Params,
) -> Result<Vec<NodeRow>> {
    let rows = statement.query_map(parameters, node)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn node(row: &Row<'_>) -> rusqlite::Result<NodeRow> {
    let number: u8 = row.get(0)?;
    let level = Level::from_number(number)
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(0, number.into()))?;
    Ok(NodeRow {
        span: Span { level, start: row.get(1)? },
        facts: row.get(2)?,
        divided: row.get(3)?,
        clamp: Clamp { shift: row.get(4)?, low: row.get(5)?, high: row.get(6)? },
        opening: row.get(7)?,
    })
}

fn event_fact(row: &Row<'_>) -> rusqlite::Result<Fact> {
    let Code::<Direction>(direction) = row.get(3)?;
    Ok(Fact {
        at: row.get(0)?,
        source: Source::Event {
            camera_id: row.get(1)?,
            track_id: row.get(2)?,
            direction,
            timestamp: row.get(5)?,
        },
        act: direction.into(),
        id: row.get(4)?,
    })
}

fn adjustment_fact(row: &Row<'_>) -> rusqlite::Result<Fact> {
    let Code::<AdjustmentKind>(kind) = row.get(2)?;
    Ok(Fact {
        at: row.get(0)?,
        source: Source::Adjustment(row.get(1)?),
        act: kind.act(row.get(3)?, row.get(4)?),
        id: 0,
    })
}

/// Takes stretches of a floor's history out that no longer exist.
pub(super) fn erase(connection: &Connection, floor_id: i64, erased: &Erased) -> Result<()> {
    let mut statement = connection.prepare_cached(ERASE)?;
    let levels = Level::all().filter(|level| *level >= erased.from_level);
    for level in levels {
        statement.execute((floor_id, level.number(), erased.start, erased.end))?;
    }
    Ok(())
}

/// Stores a stretch of a floor's history.
pub(super) fn store(connection: &Connection, floor_id: i64, node: &NodeRow) -> Result<()> {
    connection.prepare_cached(UPSERT)?.execute((
        floor_id,
        node.span.level.number(),
        node.span.start,
        node.facts,
        node.divided,
        node.clamp.shift,
        node.clamp.low,
        node.clamp.high,
        node.opening,
    ))?;
    Ok(())
}

/// The count of every floor before the instant `at`.
pub(super) fn counts_at(connection: &Connection, at: Timestamp) -> Result<Vec<FloorCount>> {
    let floors = floors::all(connection)?;
    let walks = walks_at(connection, &floors, at.as_microsecond())?;
    let count = |(floor, (floor_id, walk)): (Floor, (i64, Walk))| FloorCount {
        floor_id,
        name: floor.name,
        total_slots: walk.slots,
        current_vehicles: walk.count,
    };
    Ok(floors.into_iter().zip(walks).map(count).collect())
}

/// How floors stood before the instant `at`, by their ids.
pub(super) fn walks_at(
    connection: &Connection,
    floors: &[Floor],
    at: i64,
) -> Result<Vec<(i64, Walk)>> {
    let horizon = horizon(connection)?;
    if let Some(horizon) = horizon.filter(|horizon| at < *horizon) {
        let horizon = Timestamp::from_microsecond(horizon).unwrap_or(Timestamp::MIN);
        return Err(Error::TooOld { horizon });
    }
    let walk = |floor: &Floor| {
        let (past, mut open) = Past::open(connection, floor.clone(), horizon)?;
        let count = past.resolve(&mut open, |open| open.history.count_before(at))?;
        Ok((floor.id, Walk { count, slots: past.slots_before(at)? }))
    };
    floors.iter().map(walk).collect()
}
