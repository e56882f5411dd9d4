//! A line of the table: what was measured, beside what, and whether the goal is reached. Kept as
//! JSON with every round, so that all that is shown can be made from it again.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::machine::Machine;

/// What a number counts, and so how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Unit {
    /// Events, requests or rows a second.
    PerSecond,
    /// Milliseconds.
    Millis,
    /// Nanoseconds.
    Nanos,
    /// Megabytes of 10⁶ bytes.
    Megabytes,
    /// Kilobytes of 10³ bytes.
    Kilobytes,
}

/// The figures of one side, one of each round.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Side {
    pub(crate) name: String,
    pub(crate) unit: Unit,
    pub(crate) rounds: Vec<f64>,
}

/// What is to be reached.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Goal {
    /// The figure divided by that of the limit.
    RatioAtLeast(f64),
    /// The figure divided by that of the limit.
    RatioAtMost(f64),
    /// The figure itself, in its unit.
    AtMost(f64),
    /// A figure that stands there for comparison.
    None,
}

/// A line of the table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) workload: String,
    pub(crate) ours: Side,
    /// What it is measured by, in the same rounds.
    pub(crate) limit: Option<Side>,
    pub(crate) goal: Goal,
    /// What else was seen.
    pub(crate) notes: Vec<String>,
}

/// What a group of workloads came to, and where.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) machine: Machine,
    pub(crate) rounds: usize,
    pub(crate) seconds: f64,
    pub(crate) rows: u64,
    pub(crate) lines: Vec<Line>,
    /// Rows that are not there, and why.
    pub(crate) skipped: Vec<String>,
}

impl Side {
    /// The figures of `name`, still without rounds.
    pub(crate) fn new(name: &str, unit: Unit) -> Self {
        Self { name: name.to_owned(), unit, rounds: Vec::new() }
    }

    /// One figure that is the same in every round.
    pub(crate) fn of(name: &str, unit: Unit, figure: f64) -> Self {
        Self { rounds: vec![figure], ..Self::new(name, unit) }
    }

    /// The median of the rounds.
    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.rounds.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn text(&self) -> String {
        let figure = self.median();
        match self.unit {
            Unit::PerSecond => format!("{}/s", grouped(figure)),
            Unit::Millis if figure < 1.0 => format!("{:.0} µs", figure * 1e3),
            Unit::Millis if figure < 10.0 => format!("{figure:.2} ms"),
            Unit::Millis => format!("{figure:.1} ms"),
            Unit::Nanos if figure >= 10_000.0 => format!("{:.1} µs", figure / 1e3),
            Unit::Nanos => format!("{figure:.0} ns"),
            Unit::Megabytes => format!("{figure:.1} MB"),
            Unit::Kilobytes => format!("{figure:.1} kB"),
        }
    }
}

impl Line {
    /// A line whose figure is compared with a limit.
    pub(crate) fn ratio(workload: &str, ours: Side, limit: Side, goal: Goal) -> Self {
        let workload = workload.to_owned();
        Self { workload, ours, limit: Some(limit), goal, notes: Vec::new() }
    }

    /// A line whose figure stands for itself.
    pub(crate) fn figure(workload: &str, ours: Side, goal: Goal) -> Self {
        Self { workload: workload.to_owned(), ours, limit: None, goal, notes: Vec::new() }
    }

    /// Adds what else was seen.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Whether all of it could be measured.
    pub(crate) fn is_known(&self) -> bool {
        let known = |side: &Side| side.rounds.iter().all(|figure| figure.is_finite());
        known(&self.ours) && self.limit.as_ref().is_none_or(known)
    }

    /// The medians of the two sides, one divided by the other.
    pub(crate) fn quotient(&self) -> Option<f64> {
        self.limit.as_ref().map(|limit| self.ours.median() / limit.median())
    }

    /// How much of the goal is reached: 1 is all of it, more is better.
    pub(crate) fn reached(&self) -> Option<f64> {
        match self.goal {
            Goal::RatioAtLeast(bound) => self.quotient().map(|quotient| quotient / bound),
            Goal::RatioAtMost(bound) => self.quotient().map(|quotient| bound / quotient),
            Goal::AtMost(bound) => Some(bound / self.ours.median()),
            Goal::None => None,
        }
    }

    fn verdict(&self) -> &'static str {
        match self.reached() {
            Some(part) if part >= 1.0 => "met",
            Some(_) => "NOT met",
            None => "",
        }
    }

    fn goal_text(&self) -> String {
        match self.goal {
            Goal::RatioAtLeast(bound) => format!("≥ {bound} ×"),
            Goal::RatioAtMost(bound) => format!("≤ {bound} ×"),
            Goal::AtMost(bound) => {
                format!("≤ {}", Side::of("", self.ours.unit, bound).text())
            }
            Goal::None => String::new(),
        }
    }

    /// The cells of its row.
    fn cells(&self) -> [String; 6] {
        let limit = self.limit.as_ref();
        let limit = limit.map_or(String::new(), |side| format!("{} {}", side.text(), side.name));
        let quotient = self.quotient().map_or(String::new(), |quotient| match quotient {
            large if large >= 10.0 => format!("{large:.0}"),
            other => format!("{other:.2}"),
        });
        let verdict = self.verdict().to_owned();
        [self.workload.clone(), self.ours.text(), limit, quotient, self.goal_text(), verdict]
    }
}

const HEADS: [&str; 6] = ["workload", "SmartPark", "limit", "ratio", "goal", ""];

/// The table as text, with notes.
pub(crate) fn table(groups: &[Group]) -> String {
    let lines: Vec<&Line> = groups.iter().flat_map(|group| &group.lines).collect();
    let mut rows = vec![HEADS.map(str::to_owned)];
    rows.extend(lines.iter().map(|line| line.cells()));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..HEADS.len()).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for (place, row) in rows.iter().enumerate() {
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let gap = " ".repeat(width - cell.chars().count());
            let (before, after) = if column == 0 { ("", &*gap) } else { (&*gap, "") };
            let _ = write!(text, "{before}{cell}{after}  ");
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        for note in place.checked_sub(1).map_or(&[][..], |line| &lines[line].notes) {
            let _ = writeln!(text, "    {note}");
        }
    }
    for skipped in groups.iter().flat_map(|group| &group.skipped) {
        let _ = writeln!(text, "left out: {skipped}");
    }
    text
}

/// The table in Markdown, with the machine and the chart above it.
pub(crate) fn markdown(groups: &[Group]) -> String {
    let mut text = String::new();
    if let Some(group) = groups.first() {
        let _ = writeln!(text, "{}\n", group.machine.text());
        let (rounds, seconds) = (group.rounds, group.seconds);
        let _ = writeln!(text, "Medians of {rounds} rounds of {seconds} s for each side.\n");
        let _ = writeln!(text, "![How much of each goal is reached](performance.svg)\n");
    }
    let _ = writeln!(text, "|{}|\n|---|---:|---:|---:|---:|---|", HEADS.join("|"));
    for line in groups.iter().flat_map(|group| &group.lines) {
        let _ = writeln!(text, "|{}|", line.cells().join("|"));
    }
    for line in groups.iter().flat_map(|group| &group.lines) {
        for note in &line.notes {
            let _ = write!(text, "\n- {}: {note}", line.workload);
        }
    }
    for skipped in groups.iter().flat_map(|group| &group.skipped) {
        let _ = write!(text, "\n- Left out: {skipped}");
    }
    text.push('\n');
    text
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}
