//! Stretches of time and what they fold into: the places of the tree in [`super::History`].

use std::ops::Range;

use super::Clamp;

/// The units of the tree, from a day down to a hundredth of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(u8);

impl Level {
    /// The root level: a day of UTC.
    pub const DAY: Self = Self(0);
    const WIDTHS: [i64; 5] = [86_400_000_000, 3_600_000_000, 60_000_000, 1_000_000, 10_000];

    /// The level with this number, if there is one.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        (usize::from(number) < Self::WIDTHS.len()).then_some(Self(number))
    }

    /// All levels, from days down.
    pub fn all() -> impl Iterator<Item = Self> {
        (0u8..).map_while(Self::from_number)
    }

    /// Its number, 0 for days, growing towards the smaller units.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// How long a stretch of this level is, in microseconds.
    #[must_use]
    pub fn width(self) -> i64 {
        Self::WIDTHS[usize::from(self.0)]
    }

    /// The next smaller level; none below the smallest.
    #[must_use]
    pub fn below(self) -> Option<Self> {
        Self::from_number(self.0 + 1)
    }
}

/// One place in the tree: the stretch of a level that begins at `start`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Which unit.
    pub level: Level,
    /// Where it begins, in microseconds since 1970 UTC.
    pub start: i64,
}

impl Span {
    /// The span of `level` that holds the instant `at`.
    #[must_use]
    pub fn of(at: i64, level: Level) -> Self {
        Self { level, start: at.div_euclid(level.width()) * level.width() }
    }

    /// All spans that hold the instant `at`, from the day down.
    pub fn path(at: i64) -> impl Iterator<Item = Self> {
        (0u8..).map_while(Level::from_number).map(move |level| Self::of(at, level))
    }

    /// The spans one level below that lie in this one, as a range; empty below the smallest.
    pub(super) fn children(self) -> Range<Self> {
        let (level, end) = match self.level.below() {
            Some(below) => (below, self.end()),
            None => (self.level, self.start),
        };
        Self { level, start: self.start }..Self { level, start: end }
    }

    /// The first instant after it.
    #[must_use]
    pub fn end(self) -> i64 {
        self.start + self.level.width()
    }
}

/// A folded stretch, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeRow {
    /// Where it stands.
    pub span: Span,
    /// How many facts it holds.
    pub facts: u32,
    /// Whether stretches of the next smaller unit exist for it.
    pub divided: bool,
    /// What it does to the count.
    pub clamp: Clamp,
    /// The count before its first fact; kept for days only, 0 otherwise.
    pub opening: i64,
}
