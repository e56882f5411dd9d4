//! A car park's parts: floors that ramps join, with the days of which anything is known.

use std::collections::BTreeMap;

use super::judge::{Line, Window};

/// Most balances of one part that are weighed against one another: floors times days. Beyond it
/// the earliest days are left out. The work grows with the cube of this number.
const MOST_BALANCES: usize = 600;

/// The parts of a window that no ramp joins, each from its first day with a crossing on. The order
/// of lines changes nothing.
pub(super) fn split(window: &Window) -> Vec<Window> {
    let mut roots: BTreeMap<i64, i64> = BTreeMap::new();
    for line in &window.lines {
        roots.entry(line.to).or_insert(line.to);
        if let Some(from) = line.from {
            roots.entry(from).or_insert(from);
            let (one, other) = (root(&roots, from), root(&roots, line.to));
            roots.insert(one.max(other), one.min(other));
        }
    }
    let mut parts: BTreeMap<i64, Vec<&Line>> = BTreeMap::new();
    for line in &window.lines {
        parts.entry(root(&roots, line.to)).or_default().push(line);
    }
    let part = |(of, lines): (&i64, &Vec<&Line>)| {
        let floors = roots.keys().filter(|floor| root(&roots, **floor) == *of).count();
        let recounts = window
            .recounts
            .iter()
            .filter(|(floor, ..)| roots.contains_key(floor) && root(&roots, *floor) == *of);
        let seen = |day: usize| lines.iter().any(|line| crossings(line, day) > 0);
        let first = (0..window.days).find(|day| seen(*day)).unwrap_or(window.days);
        let first = first.max(window.days.saturating_sub(MOST_BALANCES / floors.max(1)));
        cut(lines, recounts, first, window.days)
    };
    parts.iter().map(part).collect()
}

fn root(roots: &BTreeMap<i64, i64>, mut floor: i64) -> i64 {
    while let Some(above) = roots.get(&floor).filter(|above| **above != floor) {
        floor = *above;
    }
    floor
}

fn crossings(line: &Line, day: usize) -> u32 {
    let of = |seen: &[u32]| seen.get(day).copied().unwrap_or(0);
    of(&line.entries).saturating_add(of(&line.exits))
}

/// The window from one of its days on.
fn cut<'r>(
    lines: &[&Line],
    recounts: impl Iterator<Item = &'r (i64, usize, i64)>,
    first: usize,
    days: usize,
) -> Window {
    let later = |seen: &[u32]| seen.get(first..).unwrap_or_default().to_vec();
    let line = |line: &&Line| Line {
        entries: later(&line.entries),
        exits: later(&line.exits),
        ..(*line).clone()
    };
    let recounts = recounts
        .filter_map(|(floor, day, found)| day.checked_sub(first).map(|day| (*floor, day, *found)));
    Window {
        days: days - first,
        lines: lines.iter().map(line).collect(),
        recounts: recounts.collect(),
    }
}
