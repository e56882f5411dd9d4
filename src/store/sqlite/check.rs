//! Proves what the stored data can show of the invariants. The count is folded again from
//! scratch, event by event, without the clamp functions that recording uses.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rusqlite::Connection;

use super::{floors, hours, past, past::Past};
use crate::{
    Floor, Result,
    check::{Report, Violation},
    count::{Act, Fact, History, Level, NodeRow, Source, Span},
};

/// Checks that are one statement each: it selects what does not hold, as text.
const STATEMENTS: [(&str, &str, &str); 6] = [
    (
        "I3",
        "the file",
        "-- check: integrity\nSELECT integrity_check FROM pragma_integrity_check \
      WHERE integrity_check <> 'ok'",
    ),
    (
        "I3",
        "a row whose floor is not there",
        "-- check: foreign keys
SELECT \"table\" || ' ' || coalesce(rowid, '') FROM pragma_foreign_key_check",
    ),
    (
        "I3",
        "events with one key",
        "-- check: keys, without their index
SELECT group_concat(id) FROM events NOT INDEXED
GROUP BY camera_id, track_id, direction, timestamp HAVING count(*) > 1",
    ),
    (
        "I6",
        "current_vehicles is not the sum of what moved it, floor",
        "-- check: sums
SELECT f.id || ': ' || f.current_vehicles || ' instead of ' || s.sum FROM floors f JOIN (
    SELECT o.floor_id, o.removed_delta
        + (SELECT coalesce(sum(count_delta), 0) FROM events WHERE floor_id = o.floor_id)
        + (SELECT coalesce(sum(delta), 0) FROM adjustments WHERE floor_id = o.floor_id) AS sum
    FROM floor_origins o) s ON s.floor_id = f.id
WHERE f.current_vehicles <> s.sum",
    ),
    (
        "I7",
        "current_vehicles outside 0 to total_slots, floor",
        "-- check: range
SELECT id FROM floors WHERE current_vehicles < 0 OR current_vehicles > total_slots",
    ),
    (
        "I8",
        "count_delta against its direction, event",
        "-- check: directions
SELECT id FROM events WHERE count_delta NOT IN (0, 1 - 2 * direction)",
    ),
];

const AT_LIMIT: &str = "-- check: events at the limit
SELECT event_id FROM events_at_limit WHERE timestamp >= ?1 AND timestamp < ?2 AND floor_id = ?3";

/// Most violations that are listed; a damaged database has more than anyone reads.
const MOST: usize = 100;

/// Checks everything.
pub(super) fn run(connection: &Connection) -> Result<Report> {
    let mut report = Report::default();
    for (invariant, what, sql) in STATEMENTS {
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let value = match row.get_ref(0)? {
                rusqlite::types::ValueRef::Integer(id) => id.to_string(),
                other => String::from_utf8_lossy(other.as_bytes().unwrap_or_default()).into_owned(),
            };
            violate(&mut report, invariant, format!("{what} {value}"));
        }
    }
    let horizon = past::horizon(connection)?;
    for floor in floors::all(connection)? {
        report.floors += 1;
        FloorCheck { connection, floor: &floor, horizon, report: &mut report }.run()?;
    }
    check_hours(connection, &mut report)?;
    Ok(report)
}

fn violate(report: &mut Report, invariant: &'static str, detail: String) {
    if report.violations.len() < MOST {
        report.violations.push(Violation { invariant, detail });
    }
}

struct FloorCheck<'a> {
    connection: &'a Connection,
    floor: &'a Floor,
    horizon: Option<i64>,
    report: &'a mut Report,
}

/// The count and the slots as they stand, moved fact by fact as the contract says it in words.
struct Naive {
    count: i64,
    slots: i64,
}

impl Naive {
    /// Takes a fact in; tells whether it is an event that found the floor at its limit.
    fn step(&mut self, fact: &Fact) -> bool {
        let before = self.count;
        match fact.act {
            Act::Base(count) | Act::Recount(count) => self.count = count,
            Act::Entry if self.count < self.slots => self.count += 1,
            Act::Exit if self.count > 0 => self.count -= 1,
            Act::Entry | Act::Exit => {}
            Act::Capacity(slots) => {
                self.slots = slots;
                self.count = self.count.min(slots);
            }
        }
        matches!(fact.source, Source::Event { .. }) && self.count == before
    }
}

impl FloorCheck<'_> {
    /// Folds the floor's history again, day by day, and compares what is stored with it.
    fn run(mut self) -> Result<()> {
        let (past, history) = Past::open(self.connection, self.floor, self.horizon)?;
        let mut from = self.horizon.unwrap_or(i64::MIN);
        let slots = past.slots_before(from)?;
        let mut naive = Naive { count: history.base(), slots };
        while let Some(next) = past.next_fact(from)? {
            let day = Span::of(next, Level::DAY);
            let facts = past.facts_between(from.max(day.start), day.end())?;
            let opening = Naive { ..naive };
            let at_limit: BTreeSet<i64> =
                facts.iter().filter(|fact| naive.step(fact)).map(|fact| fact.id).collect();
            let events = facts.iter().filter(|f| matches!(f.source, Source::Event { .. })).count();
            self.report.events += events as u64;
            self.compare_at_limit(from.max(day.start), day, &at_limit)?;
            self.compare_stretches(&past, day, &opening, naive.count, facts)?;
            from = day.end();
        }
        let (id, count) = (self.floor.id, self.floor.current_vehicles);
        if count != naive.count {
            let folded = naive.count;
            self.violate("I9", format!("floor {id}: {count} vehicles instead of {folded}"));
        }
        if self.floor.total_slots != naive.slots {
            self.violate("I9", format!("floor {id}: its slots are not those of its history"));
        }
        Ok(())
    }

    fn violate(&mut self, invariant: &'static str, detail: String) {
        violate(self.report, invariant, detail);
    }

    fn compare_at_limit(&mut self, from: i64, day: Span, folded: &BTreeSet<i64>) -> Result<()> {
        let mut statement = self.connection.prepare_cached(AT_LIMIT)?;
        let rows = statement.query_map((from, day.end(), self.floor.id), |row| row.get(0))?;
        let stored = rows.collect::<rusqlite::Result<BTreeSet<i64>>>()?;
        if stored != *folded {
            let ids: Vec<_> = stored.symmetric_difference(folded).take(5).collect();
            self.violate("I13", format!("events at the limit are not those of the fold: {ids:?}"));
        }
        Ok(())
    }

    /// Compares the stretches of a day; of the day in which the horizon lies only what they lead
    /// to, as the stored ones still fold what was deleted.
    fn compare_stretches(
        &mut self,
        past: &Past<'_>,
        day: Span,
        opening: &Naive,
        closing: i64,
        facts: Vec<Fact>,
    ) -> Result<()> {
        let by_span = |nodes: Vec<NodeRow>| -> BTreeMap<Span, NodeRow> {
            nodes.into_iter().map(|node| (node.span, node)).collect()
        };
        let stored = by_span(past.day(day)?);
        let whole = self.horizon.is_none_or(|horizon| horizon <= day.start);
        let holds = if whole {
            let folded = History::of_day(day, opening.count, opening.slots, facts);
            stored == by_span(folded.changed().copied().collect())
        } else {
            stored.get(&day).is_some_and(|node| node.clamp.apply(node.opening) == closing)
        };
        if !holds {
            let start = Timestamp::from_microsecond(day.start).unwrap_or(Timestamp::MIN);
            let id = self.floor.id;
            self.violate("I9", format!("floor {id}: the stored folds of {start} are not right"));
        }
        Ok(())
    }
}

/// Compares the sums of all hours.
fn check_hours(connection: &Connection, report: &mut Report) -> Result<()> {
    let mut from = i64::MIN;
    while let Some(day) = hours::next_day(connection, from)? {
        let mut stored = hours::stored(connection, day)?;
        let recomputed = hours::recomputed(connection, day)?;
        stored.retain(|_, sum| sum.iter().any(|n| *n != 0));
        if stored != recomputed {
            let start = Timestamp::from_microsecond(day).unwrap_or(Timestamp::MIN);
            violate(report, "I13", format!("the sums of {start} are not those of its events"));
        }
        from = hours::day_after(day);
    }
    Ok(())
}
