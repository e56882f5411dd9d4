//! Random histories of a floor: clustered in time so that days, hours, minutes, seconds and
//! hundredths all get divided, with ties, times before 1970, repetitions, late events,
//! adjustments, horizons, and transactions of any size.

use proptest::{collection::vec, prelude::*};

use super::floor::Floor;
use crate::{
    count::{Act, Fact, Level, Source},
    model::Direction,
};

/// One thing that happens to a floor.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// An event at an instant that has nothing to do with the events before.
    Event(i64, Seen),
    /// An event so many microseconds after all that is known.
    OnTime(i64, Seen),
    /// The event at this place of history arrives once more.
    Again(usize),
    /// So many microseconds after all that is known somebody counted.
    Recount(i64, i64),
    /// So many microseconds after all that is known the capacity changed.
    Capacity(i64, i64),
    /// Somebody counts now, and this is the instant; what lies ahead of it is pulled.
    RecountNow(i64, i64),
    /// Somebody changes the capacity now, at this instant; what lies ahead of it is pulled.
    CapacityNow(i64, i64),
    /// A recount that somebody dated, at this instant.
    DatedRecount(i64, i64),
    /// The event or recount at this place of history is taken away.
    Remove(usize),
    /// Somebody asks for the count before this instant.
    Look(i64),
    /// The horizon moves to this instant, if that is ahead of where it was.
    Horizon(i64),
    /// The transaction ends.
    Commit,
}

/// What a camera saw.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    camera: u64,
    track: u64,
    direction: Direction,
}

impl Seen {
    pub(super) fn at(self, at: i64) -> Fact {
        Fact {
            at,
            source: Source::Event {
                camera_id: format!("cam{}", self.camera),
                track_id: format!("t{}", self.track),
                direction: self.direction,
                timestamp: at,
            },
            act: self.direction.into(),
            id: 0,
        }
    }
}

pub(super) fn seen() -> impl Strategy<Value = Seen> {
    any::<u64>().prop_map(|bits| Bits(bits).seen())
}

/// A floor and what happens to it.
#[derive(Clone, Debug)]
pub(super) struct Story {
    pub(super) slots: i64,
    pub(super) divide_above: u32,
    pub(super) steps: Vec<Step>,
}

/// Stories of so many steps, on a floor whose stretches are divided above so many facts.
pub(super) fn stories(
    steps: std::ops::Range<usize>,
    divide_above: std::ops::RangeInclusive<u32>,
) -> impl Strategy<Value = Story> {
    let floor = (0..6_i64, divide_above, 0..64_u64);
    (floor, vec(any::<u64>(), steps)).prop_map(|((slots, divide_above, dials), steps)| Story {
        slots,
        divide_above,
        steps: steps.iter().map(|&bits| step(dials, Bits(bits))).collect(),
    })
}

/// A horizon needs asking for: most properties are about floors that forget nothing.
pub(super) fn without_horizon(mut story: Story) -> Story {
    story.steps.retain(|step| !matches!(step, Step::Horizon(_)));
    story
}

/// Random bits, taken from the low end. One number a step: it shrinks well and costs little.
struct Bits(u64);

impl Bits {
    fn below(&mut self, n: u64) -> u64 {
        let taken = self.0 % n;
        self.0 /= n;
        taken
    }

    fn pick(&mut self, from: &[i64]) -> i64 {
        from[self.below(from.len() as u64) as usize]
    }

    fn seen(&mut self) -> Seen {
        Seen {
            direction: [Direction::Entry, Direction::Exit][self.below(2) as usize],
            camera: self.below(4),
            track: self.below(9),
        }
    }

    /// An instant that differs from others in the units that `dials` names by its bits: digits
    /// at both ends of each unit, and in the first the days around 1970.
    fn instant(&mut self, dials: u64) -> i64 {
        const DIGITS: [[i64; 4]; 6] = [
            [0, 1, -2, 40],
            [0, 1, 12, 23],
            [0, 1, 30, 59],
            [0, 1, 30, 59],
            [0, 1, 50, 99],
            [0, 1, 2, 9_999],
        ];
        let widths = (0..).map_while(Level::from_number).map(Level::width).chain([1]);
        let turned = widths.zip(DIGITS).enumerate().filter(|(unit, _)| dials >> unit & 1 == 1);
        turned.map(|(_, (width, digits))| width * self.pick(&digits)).sum()
    }
}

fn step(dials: u64, mut bits: Bits) -> Step {
    const LATER: [i64; 6] = [1, 7_000, 1_000_000, 60_000_000, 3_600_000_000, 200_000_000_000];
    match bits.below(26) {
        0..=9 => Step::Event(bits.instant(dials), bits.seen()),
        10 => Step::OnTime(0, bits.seen()),
        11 | 12 => Step::OnTime(bits.pick(&LATER), bits.seen()),
        13 => Step::Again(bits.below(1 << 16) as usize),
        14 => Step::Recount(bits.pick(&LATER), bits.below(6) as i64),
        15 => Step::Capacity(bits.pick(&LATER), bits.below(6) as i64),
        16 => Step::Look(bits.instant(dials) + bits.below(2) as i64),
        17 => Step::Horizon(bits.instant(dials) + bits.below(2) as i64),
        18 => Step::RecountNow(bits.instant(dials), bits.below(6) as i64),
        19 => Step::CapacityNow(bits.instant(dials), bits.below(6) as i64),
        20 => Step::DatedRecount(bits.instant(dials), bits.below(6) as i64),
        21 | 22 => Step::Remove(bits.below(1 << 16) as usize),
        _ => Step::Commit,
    }
}

impl Story {
    pub(super) fn floor(&self) -> Floor {
        Floor::new(self.slots, self.divide_above)
    }

    /// Lets it happen. Every answer is compared as it comes, every row as it is stored.
    pub(super) fn happens_on(&self, floor: &mut Floor) {
        for &step in &self.steps {
            step.happens_on(floor);
        }
        floor.commit();
    }
}

impl Step {
    fn happens_on(self, floor: &mut Floor) {
        let latest = floor.latest().unwrap_or(0);
        // What lies before the horizon is refused before the tree is asked.
        let earliest = floor.horizon().unwrap_or(i64::MIN);
        let number = floor.next_number();
        let adjustment = |at, act| Fact { at, source: Source::Adjustment(number), act, id: 0 };
        match self {
            Self::Event(at, seen) if at >= earliest => _ = floor.record(seen.at(at)),
            Self::OnTime(gap, seen) => _ = floor.record(seen.at(latest + gap)),
            Self::Again(place) if !floor.all.is_empty() => {
                let fact = floor.all[place % floor.all.len()].clone();
                assert_eq!(floor.record(fact), None, "a repetition");
            }
            Self::Recount(gap, n) => _ = floor.record(adjustment(latest + gap, Act::Recount(n))),
            Self::Capacity(gap, n) => {
                _ = floor.record(adjustment(latest + gap, Act::Capacity(n)));
            }
            Self::RecountNow(at, n) if at >= earliest => {
                floor.pull(at);
                _ = floor.record(adjustment(at, Act::Recount(n)));
                assert_eq!(floor.outcome.count, n.min(floor.outcome.slots), "what it leaves");
            }
            Self::CapacityNow(at, n) if at >= earliest => {
                floor.pull(at);
                _ = floor.record(adjustment(at, Act::Capacity(n)));
            }
            Self::DatedRecount(at, n) if at >= earliest => {
                _ = floor.record(adjustment(at, Act::Recount(n)));
            }
            Self::Remove(place) => floor.remove(place),
            Self::Look(at) if at >= earliest => floor.look(at),
            Self::Horizon(at) if at >= earliest => floor.move_horizon(at),
            Self::Commit => floor.commit(),
            Self::Event(..) | Self::Again(_) | Self::Look(_) | Self::Horizon(_) => {}
            Self::RecountNow(..) | Self::CapacityNow(..) | Self::DatedRecount(..) => {}
        }
    }
}
