//! What the cameras saw as balances of floors, and what a sound car park's balances look like.

use std::collections::BTreeMap;

use super::{
    judge::{Direction, Line, Window},
    linear::Symmetric,
};

/// The variance of the difference of two recounts, in vehicles².
const RECOUNT_NOISE: f64 = 2.0;
/// Up to so many nights say nothing about how nights differ: then by this many vehicles.
const FEW_NIGHTS: (usize, f64) = (3, 5.0);
/// A balance that jumps by more than this many spreads and this share of the day's crossings tells
/// of an outage.
const OUTAGE: (f64, f64) = (8.0, 0.1);
/// Jumps on this many days in a row are a lasting change, not an outage.
const LASTING: usize = 3;

/// One direction of one camera, in numbers.
pub(super) struct Column {
    pub(super) camera: usize,
    pub(super) direction: Direction,
    /// Crossings seen before each day, and before the day after the last.
    sums: Vec<f64>,
    /// Sign by zone.
    signs: Vec<f64>,
    /// How each row answers to a loss of everything.
    pub(super) effect: Vec<f64>,
}

/// A balance of one zone from the end of one night to the end of another.
pub(super) struct Row {
    zone: usize,
    /// Days before it.
    from: usize,
    /// Days up to its end.
    to: usize,
    /// Vehicles seen to come minus vehicles seen to go; less what recounts say if they stand at
    /// both ends.
    pub(super) value: f64,
    recounts: bool,
}

/// The balances of a window.
pub(super) struct Balance<'w> {
    /// Sorted by camera.
    pub(super) lines: Vec<&'w Line>,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Row>,
    /// How much the nights of each zone differ, in vehicles.
    spreads: Vec<f64>,
}

impl<'w> Balance<'w> {
    pub(super) fn of(window: &'w Window) -> Self {
        let mut lines: Vec<&Line> = window.lines.iter().collect();
        lines.sort_by(|a, b| a.order().cmp(&b.order()));
        let zones = zones(&lines);
        let columns = columns(&lines, &zones, window.days);
        let mut balance = Self { lines, columns, rows: Vec::new(), spreads: Vec::new() };
        for (floor, zone) in &zones {
            let mut found: BTreeMap<usize, i64> = BTreeMap::new();
            let mut recounts = window.recounts.clone();
            recounts.sort_unstable();
            for (_, day, vehicles) in recounts.iter().filter(|(of, ..)| of == floor) {
                found.insert((day + 1).min(window.days), *vehicles);
            }
            balance.add_zone(*zone, window.days, &found);
        }
        for number in 0..balance.columns.len() {
            let effect = balance.rows.iter().map(|row| balance.effect(number, row)).collect();
            balance.columns[number].effect = effect;
        }
        balance
    }

    /// The nights of a zone, each since the last recount or outage; and each recount since the one
    /// before, unless an outage lies between.
    fn add_zone(&mut self, zone: usize, days: usize, found: &BTreeMap<usize, i64>) {
        let sum = |weight: fn(f64) -> f64, from: usize, to: usize| -> f64 {
            let of = |column: &Column| {
                weight(column.signs[zone]) * (column.sums[to] - column.sums[from])
            };
            self.columns.iter().map(of).sum()
        };
        let net = |from: usize, to: usize| sum(|sign| sign, from, to);
        let moves: Vec<f64> = (0..days).map(|day| net(day, day + 1)).collect();
        let crossings: Vec<f64> = (0..days).map(|day| sum(f64::abs, day, day + 1)).collect();
        let spread = spread(moves.get(1..).unwrap_or_default());
        let outages = outages(&moves, &crossings, spread);
        let mut rows = Vec::new();
        let mut base = (0, None);
        for to in 1..=days {
            if outages[to - 1] {
                base = (to, found.get(&to).copied());
                continue;
            }
            let value = net(base.0, to);
            rows.push(Row { zone, from: base.0, to, value, recounts: false });
            let Some(&vehicles) = found.get(&to) else { continue };
            if let Some(before) = base.1 {
                let value = value - (vehicles - before) as f64;
                rows.push(Row { zone, from: base.0, to, value, recounts: true });
            }
            base = (to, Some(vehicles));
        }
        self.rows.extend(rows);
        self.spreads.push(spread);
    }

    fn effect(&self, column: usize, row: &Row) -> f64 {
        let column = &self.columns[column];
        -column.signs[row.zone] * (column.sums[row.to] - column.sums[row.from])
    }

    /// The noise of the rows if every camera misses this share of crossings at random and loses
    /// a share of about `loss` steadily.
    pub(super) fn noise(&self, misses: f64, loss: f64) -> Symmetric {
        let mut noise = Symmetric::zero(self.rows.len());
        for (place, row) in self.rows.iter().enumerate() {
            for (other_place, other) in self.rows[..=place].iter().enumerate() {
                let mut value = misses * self.shared(row, other) + self.nights(row, other);
                if place == other_place {
                    value += 1e-6;
                }
                noise.add(place, other_place, value);
            }
        }
        for column in &self.columns {
            noise.add_product(&column.effect, loss * loss);
        }
        noise
    }

    /// Crossings that two rows share, with their signs.
    fn shared(&self, row: &Row, other: &Row) -> f64 {
        let (from, to) = (row.from.max(other.from), row.to.min(other.to));
        if to <= from {
            return 0.0;
        }
        let of = |column: &Column| {
            let sign = column.signs[row.zone] * column.signs[other.zone];
            sign * (column.sums[to] - column.sums[from])
        };
        self.columns.iter().map(of).sum()
    }

    /// How the vehicles that stay overnight move two rows together.
    fn nights(&self, row: &Row, other: &Row) -> f64 {
        let same = row.zone == other.zone && row.from == other.from;
        match (same, row.recounts, other.recounts) {
            (true, true, true) => RECOUNT_NOISE,
            (true, false, false) => {
                let variance = self.spreads[row.zone] * self.spreads[row.zone];
                if row.to == other.to { 2.0 * variance } else { variance }
            }
            _ => 0.0,
        }
    }
}

/// Each floor's number.
fn zones(lines: &[&Line]) -> BTreeMap<i64, usize> {
    let mut zones: BTreeMap<i64, usize> = BTreeMap::new();
    for line in lines {
        for floor in line.from.into_iter().chain([line.to]) {
            zones.insert(floor, 0);
        }
    }
    for (number, zone) in zones.values_mut().enumerate() {
        *zone = number;
    }
    zones
}

fn columns(lines: &[&Line], zones: &BTreeMap<i64, usize>, days: usize) -> Vec<Column> {
    let mut columns = Vec::new();
    for (camera, line) in lines.iter().enumerate() {
        for direction in [Direction::Entry, Direction::Exit] {
            let (seen, sign) = match direction {
                Direction::Entry => (&line.entries, 1.0),
                Direction::Exit => (&line.exits, -1.0),
            };
            if seen.iter().take(days).all(|count| *count == 0) {
                continue; // A direction without a crossing cannot lose any.
            }
            let mut signs = vec![0.0; zones.len()];
            signs[zones[&line.to]] += sign;
            if let Some(from) = line.from {
                signs[zones[&from]] -= sign;
            }
            let mut sums = vec![0.0];
            for day in 0..days {
                let crossings = f64::from(seen.get(day).copied().unwrap_or(0));
                sums.push(sums[day] + crossings);
            }
            columns.push(Column { camera, direction, sums, signs, effect: Vec::new() });
        }
    }
    columns
}

/// The days on which a camera was probably blind or off for hours: the balance jumps farther than
/// nights differ, and by a good share of the day's crossings. Such a day would look like a large
/// loss of any camera, so no balance is drawn over it. A jump that comes back each night is no
/// outage but a fault.
fn outages(moves: &[f64], crossings: &[f64], spread: f64) -> Vec<bool> {
    let middle = median(moves.to_vec());
    let jump = |(step, crossings): (&f64, &f64)| {
        let away = step - middle;
        let is_far = away.abs() > (OUTAGE.0 * spread).max(OUTAGE.1 * crossings);
        if is_far { away.signum() } else { 0.0 }
    };
    let jumps: Vec<f64> = moves.iter().zip(crossings).map(jump).collect();
    let runs = jumps.chunk_by(|a, b| a == b);
    runs.flat_map(|run| vec![run[0] != 0.0 && run.len() < LASTING; run.len()]).collect()
}

/// How much a zone's nights differ: a robust standard deviation, at least 1 vehicle.
fn spread(moves: &[f64]) -> f64 {
    if moves.len() < FEW_NIGHTS.0 {
        return FEW_NIGHTS.1;
    }
    let middle = median(moves.to_vec());
    let away = median(moves.iter().map(|step| (step - middle).abs()).collect());
    (1.4826 * away / std::f64::consts::SQRT_2).max(1.0)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.as_slice() {
        [] => 0.0,
        sorted if sorted.len() % 2 == 1 => sorted[middle],
        sorted => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}
