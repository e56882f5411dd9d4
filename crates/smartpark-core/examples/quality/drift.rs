//! Answers for the drift scorer: what the floor says at each full hour, having seen nothing later.

use std::{collections::BTreeMap, fs, path::Path};

use jiff::{Timestamp, tz::TimeZone};
use smartpark_core::estimate::drift::{Fact, FactKind, Floor, State, UsualNight, hours};

use super::Failure;

/// Los Angeles: the car parks behind the simulations stand near it.
const ZONE: &str = "PST8PDT,M3.2.0,M11.1.0";

/// Reads the simulations, answers each hour of `scenarios` (all if empty), writes the answers.
/// `mode`: "plain", or "usual" to say what is expected at night.
pub(crate) fn answer(sims: &str, out: &str, mode: &str, scenarios: &[&str]) -> Result<(), Failure> {
    let mut file = csv::Writer::from_path(out)?;
    let columns = ["scenario", "floor", "hour_utc", "count", "estimate", "low", "high", "net_loss"];
    file.write_record(columns)?;
    for entry in fs::read_dir(sims)? {
        let folder = entry?.path();
        let name = folder.file_name().unwrap_or_default().to_string_lossy().to_string();
        if !folder.is_dir() || !(scenarios.is_empty() || scenarios.contains(&name.as_str())) {
            continue;
        }
        for (id, slots, facts, asked) in floors(&folder)? {
            let usual = (mode == "usual").then_some(if id == "homes" {
                UsualNight { vehicles: first_recount(&facts), plus_minus: 10.0 }
            } else {
                UsualNight { vehicles: 0.0, plus_minus: 10.0 }
            });
            let first = asked.first().ok_or("no hours")?.0.as_second() - 3600;
            let begin = Timestamp::from_second(first)?;
            let floor = Floor {
                zone: TimeZone::posix(ZONE)?,
                begin,
                slots,
                hours: hours(begin, slots, asked.len(), &facts),
                usual_night: usual,
            };
            let mut state = State::begin(&floor);
            for (number, (hour, _)) in asked.iter().enumerate() {
                state.advance(&floor, number + 1);
                let told = state.answer(&floor);
                file.write_record([
                    &name,
                    &id,
                    &hour.to_string(),
                    &floor.hours[number].count.to_string(),
                    &told.estimate.to_string(),
                    &told.low.to_string(),
                    &told.high.to_string(),
                    &format!("{:.5}", told.net_loss_per_1000.estimate / 1000.0),
                ])?;
            }
        }
    }
    file.flush()?;
    Ok(())
}

fn first_recount(facts: &[Fact]) -> f64 {
    let found = |fact: &Fact| match fact.kind {
        FactKind::Recount(found) => Some(found as f64),
        _ => None,
    };
    facts.iter().filter_map(found).next().unwrap_or(0.0)
}

type Asked = Vec<(Timestamp, i64)>;

type Simulated = (String, i64, Vec<Fact>, Asked);

/// Id, slots, facts, and the hours that are asked for with the true count.
fn floors(folder: &Path) -> Result<Vec<Simulated>, Failure> {
    let mut facts: BTreeMap<String, Vec<Fact>> = BTreeMap::new();
    for row in csv::Reader::from_path(folder.join("recounts.csv"))?.deserialize() {
        let (floor, at, found): (String, Timestamp, i64) = row?;
        facts.entry(floor).or_default().push(Fact { at, kind: FactKind::Recount(found) });
    }
    for row in csv::Reader::from_path(folder.join("events.csv"))?.records() {
        let row = row?;
        let camera: usize = row[0].rsplit('c').next().unwrap_or("0").parse()?;
        let kind = match &row[4] {
            "entry" => FactKind::Entry(camera),
            _ => FactKind::Exit(camera),
        };
        facts.entry(row[1].to_string()).or_default().push(Fact { at: row[6].parse()?, kind });
    }
    let mut asked: BTreeMap<String, Asked> = BTreeMap::new();
    for row in csv::Reader::from_path(folder.join("truth.csv"))?.deserialize() {
        let (hour, floor, count): (Timestamp, String, i64) = row?;
        asked.entry(floor).or_default().push((hour, count));
    }
    let mut all = Vec::new();
    for row in csv::Reader::from_path(folder.join("floors.csv"))?.deserialize() {
        let (floor, slots): (String, i64) = row?;
        let facts = facts.remove(&floor).unwrap_or_default();
        let asked = asked.remove(&floor).unwrap_or_default();
        all.push((floor, slots, facts, asked));
    }
    Ok(all)
}
