//! Judges the cameras of simulated car parks after 3, 5, 7 … days.

use std::collections::BTreeMap;

use smartpark_core::estimate::cameras::{Line, Verdict, Window, judge};

use super::Failure;

const DAYS: [usize; 8] = [3, 5, 7, 10, 14, 21, 28, 42];

/// Case, run, camera, from (0: outside), to, day, entries, exits.
type Row = (String, u32, u32, i64, i64, usize, u32, u32);

/// Case, run, floor, day, vehicles that a person found.
type Found = (String, u32, i64, usize, i64);

/// Floor, day and vehicles that a person found, by case and run.
type FoundByRun = BTreeMap<(String, u32), Vec<(i64, usize, i64)>>;

/// Reads what the cameras of each run saw and what people found, and writes what is known of each
/// camera.
pub(crate) fn answer(seen: &str, recounts: &str, out: &str) -> Result<(), Failure> {
    let mut found = FoundByRun::new();
    for row in csv::Reader::from_path(recounts)?.deserialize() {
        let (case, run, floor, day, vehicles): Found = row?;
        found.entry((case, run)).or_default().push((floor, day, vehicles));
    }
    let mut runs: BTreeMap<(String, u32), BTreeMap<u32, Line>> = BTreeMap::new();
    for row in csv::Reader::from_path(seen)?.deserialize() {
        let (case, run, camera, from, to, _, entries, exits): Row = row?;
        let line = runs.entry((case, run)).or_default().entry(camera).or_insert_with(|| Line {
            camera_id: format!("{camera:03}"),
            from: (from > 0).then_some(from),
            to,
            entries: Vec::new(),
            exits: Vec::new(),
        });
        line.entries.push(entries);
        line.exits.push(exits);
    }
    let mut file = csv::Writer::from_path(out)?;
    let columns = ["case", "run", "days", "camera", "probability", "named", "nothing_wrong"];
    file.write_record(columns)?;
    for ((case, run), lines) in runs {
        for days in DAYS {
            let cut = |line: &Line| Line {
                entries: line.entries.iter().take(days).copied().collect(),
                exits: line.exits.iter().take(days).copied().collect(),
                ..line.clone()
            };
            let lines: Vec<Line> = lines.values().map(cut).collect();
            let recounts = found.get(&(case.clone(), run)).into_iter().flatten();
            let recounts = recounts.filter(|(_, day, _)| *day < days).copied().collect();
            let told = judge(&Window { days, lines, recounts });
            for camera in &told.cameras {
                file.write_record([
                    case.clone(),
                    run.to_string(),
                    days.to_string(),
                    camera.camera_id.parse::<u32>()?.to_string(),
                    format!("{:.4}", camera.probability),
                    u8::from(camera.verdict == Verdict::Named).to_string(),
                    format!("{:.4}", told.nothing_wrong),
                ])?;
            }
        }
    }
    file.flush()?;
    Ok(())
}
