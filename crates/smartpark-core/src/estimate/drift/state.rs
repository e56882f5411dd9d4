//! The walk through a floor's hours.

use jiff::{Timestamp, civil::Weekday};

use super::{
    answer::{Evidence, LastRecount},
    hours::{Floor, HOUR, Hour, Piece},
    particles::Particles,
};
use crate::estimate::quiet::{QUIET_HOUR, least_busy};

/// From one quiet hour to the next there are at least so many hours.
const SHORTEST_NIGHT: usize = 12;
/// Hours after which the quiet hour and silent cameras are judged.
const LEARNED: usize = 14 * 24;
/// The quiet hour is the least busy of the last four weeks.
const BUSY: usize = 28 * 24;
/// Hours in a week.
const WEEK: usize = 168;
/// An hour: the probability that a camera goes blind.
const OUTAGE: f64 = 0.002;
/// How much of a silence is believed if every camera is silent: a holiday looks the same.
const HOLIDAY: f64 = 0.3;
/// Below this probability of an outage nothing is assumed.
const BELIEVED: f64 = 0.05;

/// What is known of a floor after a number of its hours.
///
/// It may be cloned, kept and continued; about 200 kB.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub(super) particles: Particles,
    pub(super) slots: i64,
    /// Hours taken in.
    pub(super) hours: usize,
    pub(super) quiet_hour: usize,
    /// Hours taken in at the last quiet hour.
    last_night: Option<usize>,
    pub(super) evidence: Evidence,
    pub(super) last_recount: Option<LastRecount>,
    /// Events at a limit since the last recount.
    pub(super) at_limit: u32,
    /// Hours for which the ledger's count has lain outside the interval.
    pub(super) outside: u32,
    silent: Vec<Silence>,
}

/// What a silent camera would have seen since it fell silent, as far as nothing was assumed yet.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Silence {
    entries: f64,
    exits: f64,
    hours: f64,
}

impl State {
    /// Before the first hour: nothing is known but the slots.
    #[must_use]
    pub fn begin(floor: &Floor) -> Self {
        Self {
            particles: Particles::new(floor.slots),
            slots: floor.slots.max(0),
            hours: 0,
            quiet_hour: QUIET_HOUR,
            last_night: None,
            evidence: Evidence::default(),
            last_recount: None,
            at_limit: 0,
            outside: 0,
            silent: Vec::new(),
        }
    }

    /// The hours taken in so far.
    #[must_use]
    pub fn hours(&self) -> usize {
        self.hours
    }

    /// Takes in the floor's hours up to number `until` (exclusive), or all that there are. The
    /// floor must be the one that the state began with; hours before `self.hours()` must be the
    /// same as then.
    pub fn advance(&mut self, floor: &Floor, until: usize) {
        while self.hours < until.min(floor.hours.len()) {
            self.take(floor);
        }
    }

    /// The state after a part of the next hour; the part ends in that hour.
    #[must_use]
    pub fn with_part(&self, part: &Hour) -> Self {
        let mut state = self.clone();
        state.pieces(part);
        state
    }

    /// Whether the hour just taken in was a quiet hour: a good place to keep the state.
    #[must_use]
    pub fn is_night(&self) -> bool {
        self.last_night == Some(self.hours)
    }

    /// Whether a night ends now. On the day on which the quiet hour moves, once is enough.
    fn night_ends(&self, floor: &Floor) -> bool {
        local_hour(floor, self.hours) == (self.quiet_hour + 1) % 24
            && self.last_night.is_none_or(|last| self.hours - last >= SHORTEST_NIGHT)
    }

    fn take(&mut self, floor: &Floor) {
        let hour = &floor.hours[self.hours];
        self.pieces(hour);
        if self.hours >= LEARNED {
            self.listen(floor);
        }
        let number = self.hours;
        self.hours += 1;
        if self.night_ends(floor) {
            self.last_night = Some(self.hours);
            self.particles.night(is_weekend(floor, self.hours), floor.usual_night);
            self.evidence.nights += 1;
            if number >= LEARNED {
                self.quiet_hour = quietest(floor, number);
            }
        }
        self.compare(hour.count);
    }

    fn pieces(&mut self, hour: &Hour) {
        for piece in &hour.pieces {
            match *piece {
                Piece::Stretch(stretch) => self.particles.stretch(stretch),
                Piece::Slots(slots) => {
                    self.slots = slots.max(0);
                    self.particles.resize(slots);
                }
                Piece::Recount { at, before, found } => {
                    self.particles.recount(found);
                    self.evidence.recounts += 1;
                    let difference = found - before;
                    self.last_recount = Some(LastRecount { at, before, found, difference });
                    self.at_limit = 0;
                    self.outside = 0;
                }
            }
        }
        self.evidence.at_limit_full += hour.at_limit_full;
        self.evidence.at_limit_empty += hour.at_limit_empty;
        self.at_limit += hour.at_limit_full + hour.at_limit_empty;
    }

    /// Whether the ledger's count lies outside the interval, and for how long.
    fn compare(&mut self, count: i64) {
        let count = count as f64;
        let (below, above) = self.particles.beside(count + 0.75, count - 0.75);
        let outside = below < 0.025 || above < 0.025;
        self.outside = if outside { self.outside + 1 } else { 0 };
    }

    /// Looks for cameras that should have been heard this hour.
    fn listen(&mut self, floor: &Floor) {
        let hour = &floor.hours[self.hours];
        self.silent.resize(hour.cameras.len().max(self.silent.len()), Silence::default());
        let all_silent = hour.cameras.iter().all(|(entries, exits)| entries + exits == 0);
        for camera in 0..hour.cameras.len() {
            let (entries, exits) = hour.cameras[camera];
            if entries + exits > 0 {
                self.silent[camera] = Silence::default();
                continue;
            }
            let (expected_in, expected_out) = expected(floor, self.hours, camera);
            if expected_in + expected_out == 0.0 {
                continue;
            }
            let silence = &mut self.silent[camera];
            silence.entries += expected_in;
            silence.exits += expected_out;
            silence.hours += 1.0;
            let due = silence.entries + silence.exits;
            let prior = OUTAGE * silence.hours;
            let mut probability = prior / (prior + (-0.6 * due.min(30.0)).exp());
            if hour.cameras.len() == 1 || all_silent {
                probability *= HOLIDAY;
            }
            if probability > BELIEVED {
                let deviation = 1.0 + 0.5 * due.sqrt() + 0.25 * due;
                let net = silence.entries - silence.exits;
                (silence.entries, silence.exits) = (0.0, 0.0);
                self.particles.blind(net, deviation, probability.min(0.95));
                self.evidence.blind_hours += 1;
            }
        }
    }
}

/// The mean entries and exits of a camera at this hour in the four weeks before.
fn expected(floor: &Floor, number: usize, camera: usize) -> (f64, f64) {
    let (mut sum, mut weeks) = ((0.0, 0.0), 0.0);
    for week in 1..=4 {
        let Some(past) = number.checked_sub(week * WEEK) else { break };
        let cameras = &floor.hours[past].cameras;
        let (entries, exits) = cameras.get(camera).copied().unwrap_or((0, 0));
        sum = (sum.0 + f64::from(entries), sum.1 + f64::from(exits));
        weeks += 1.0;
    }
    if weeks == 0.0 { (0.0, 0.0) } else { (sum.0 / weeks, sum.1 / weeks) }
}

/// The middle of the three least busy local hours of the four weeks before this hour.
fn quietest(floor: &Floor, number: usize) -> usize {
    let mut events = [0_u64; 24];
    for past in number.saturating_sub(BUSY)..number {
        let cameras = &floor.hours[past].cameras;
        let busy: u64 = cameras.iter().map(|(a, b)| u64::from(*a) + u64::from(*b)).sum();
        events[local_hour(floor, past + 1)] += busy;
    }
    least_busy(&events)
}

/// The local hour of day at the end of so many hours.
pub(super) fn local_hour(floor: &Floor, hours: usize) -> usize {
    let local = floor.zone.to_datetime(end_of(floor, hours));
    usize::try_from(local.hour()).unwrap_or(0)
}

fn is_weekend(floor: &Floor, hours: usize) -> bool {
    let day = floor.zone.to_datetime(end_of(floor, hours)).weekday();
    matches!(day, Weekday::Saturday | Weekday::Sunday)
}

/// The instant at which so many hours end.
pub(super) fn end_of(floor: &Floor, hours: usize) -> Timestamp {
    let ahead = i64::try_from(hours).unwrap_or(i64::MAX).saturating_mul(HOUR);
    Timestamp::from_second(floor.begin.as_second().saturating_add(ahead)).unwrap_or(Timestamp::MAX)
}
