//! The comparison of the stored history with a file of known counts.

use std::{
    collections::{HashMap, VecDeque},
    path::Path,
};

use serde::Serialize;
use smartpark_formats::file::{Cells, Columns, FloorNames, Header, Mapping, Wanted};

use super::{
    Usage,
    input::{Format, Records, Source, shown},
    output::table,
};
use crate::{SmartPark, Timestamp, intake::parse_instant, limits::SHOWN_FAULTS};

/// The fields of a known count, in the order in which [`known_count`] takes them.
const FIELDS: [Wanted; 3] = [
    wanted("timestamp", &["timestamp", "hour_utc"]),
    wanted("floor", &["floor_id", "floor", "floor_name", "floor_id_or_name"]),
    wanted("count", &["count", "occupied_at_start", "occupied", "current_vehicles"]),
];

const fn wanted(field: &'static str, names: &'static [&'static str]) -> Wanted {
    Wanted { field, names, is_required: true, or: None }
}

/// How many instants are remembered: files are sorted by time or by floor and time.
const REMEMBERED_INSTANTS: usize = 10_000;

/// How the stored history compares with known counts.
#[derive(Debug, Default, Serialize)]
pub(super) struct Comparison {
    rows: u64,
    matches: u64,
    pub(super) mismatches: u64,
    /// The first of the mismatches.
    shown: Vec<Mismatch>,
}

/// A known count that the history does not have.
#[derive(Debug, Serialize)]
struct Mismatch {
    line: u64,
    timestamp: Option<Timestamp>,
    floor_id: Option<i64>,
    known: Option<i64>,
    stored: Option<i64>,
    reason: String,
}

impl Comparison {
    /// In words.
    pub(super) fn text(&self) -> String {
        let Self { rows, mismatches, .. } = self;
        if *mismatches == 0 {
            return format!("Truth: all {rows} counts are met");
        }
        let show = |number: Option<i64>| number.map_or_else(|| "-".into(), |n| n.to_string());
        let lines = self.shown.iter().map(|it| {
            let at = it.timestamp.map_or_else(|| "-".into(), |at| at.to_string());
            let line = it.line.to_string();
            [line, at, show(it.floor_id), show(it.known), show(it.stored), it.reason.clone()]
        });
        let titles = [">Line", "Timestamp", ">Floor", ">Known", ">Stored", ""];
        let more = mismatches - self.shown.len() as u64;
        let more = if more > 0 { format!("\nand {more} more") } else { String::new() };
        format!(
            "Truth: {mismatches} of {rows} counts are not met\n\n{}{more}",
            table(&titles, lines)
        )
    }
}

/// Compares every row of a file with the stored history.
pub(super) async fn compare(
    park: &SmartPark,
    file: &Path,
    maps: &[Mapping],
) -> anyhow::Result<Comparison> {
    let columns = Columns::new(&FIELDS, maps, &[]).map_err(Usage)?;
    let source = Source::open(file, Some(Format::Csv), None)?;
    let floors = park.floors().get_all_floors().await?;
    let names = FloorNames::of(floors.into_iter().map(|floor| (floor.name, floor.id)));
    let mut comparison = Comparison::default();
    let Some((mut records, header)) = Records::open(source.lines, &columns)? else {
        return Err(Usage(format!("{} is empty", shown(file))).into());
    };
    let mut history = History::default();
    while let Some((line, cells)) = records.next()? {
        comparison.rows += 1;
        let known = cells.map_err(str::to_owned);
        let known = known.and_then(|cells| known_count(&cells, &header, &names));
        match met(park, known, &mut history).await? {
            None => comparison.matches += 1,
            Some(mismatch) => {
                comparison.mismatches += 1;
                if comparison.shown.len() < SHOWN_FAULTS {
                    comparison.shown.push(Mismatch { line, ..mismatch });
                }
            }
        }
    }
    Ok(comparison)
}

/// A count that is known: when, on which floor, how many.
type Known = (Timestamp, i64, i64);

fn known_count(cells: &Cells, header: &Header<3>, names: &FloorNames) -> Result<Known, String> {
    let place = |field: usize| header.places[field].map(|place| place.cell);
    let cell = |field: usize| place(field).and_then(|it| cells.get(it)).unwrap_or_default();
    let at = parse_instant(cell(0).trim()).map_err(|fault| format!("timestamp {fault}"))?;
    let floor = names.id(header.name(1), cell(1)).ok_or("floor names no floor")?;
    let count = cell(2).trim().parse().map_err(|_| "count must be a whole number")?;
    Ok((at, floor, count))
}

/// The counts of all floors at instants that were asked for lately.
#[derive(Default)]
struct History {
    counts: HashMap<Timestamp, HashMap<i64, i64>>,
    order: VecDeque<Timestamp>,
}

impl History {
    async fn at(&mut self, park: &SmartPark, at: Timestamp) -> crate::Result<&HashMap<i64, i64>> {
        if !self.counts.contains_key(&at) {
            if self.order.len() == REMEMBERED_INSTANTS
                && let Some(oldest) = self.order.pop_front()
            {
                self.counts.remove(&oldest);
            }
            let counts = park.floors().get_counts_at(at).await?;
            let counts = counts.into_iter().map(|count| (count.floor_id, count.current_vehicles));
            self.counts.insert(at, counts.collect());
            self.order.push_back(at);
        }
        Ok(self.counts.entry(at).or_default())
    }
}

/// `None` where the history has this count.
async fn met(
    park: &SmartPark,
    known: Result<Known, String>,
    history: &mut History,
) -> anyhow::Result<Option<Mismatch>> {
    let unread = |reason: String| Mismatch {
        line: 0,
        timestamp: None,
        floor_id: None,
        known: None,
        stored: None,
        reason,
    };
    let (at, floor_id, count) = match known {
        Ok(known) => known,
        Err(reason) => return Ok(Some(unread(reason))),
    };
    let (stored, reason) = match history.at(park, at).await {
        Ok(counts) => (counts.get(&floor_id).copied(), String::new()),
        Err(fault @ crate::Error::TooOld { .. }) => (None, fault.to_string()),
        Err(other) => return Err(other.into()),
    };
    if stored == Some(count) {
        return Ok(None);
    }
    let reason =
        if stored.is_none() && reason.is_empty() { "no such floor".into() } else { reason };
    Ok(Some(Mismatch {
        timestamp: Some(at),
        floor_id: Some(floor_id),
        known: Some(count),
        stored,
        ..unread(reason)
    }))
}
