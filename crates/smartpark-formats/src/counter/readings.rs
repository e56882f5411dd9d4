//! The readings of one running number.

use std::cmp::Ordering;

use jiff::Timestamp;

use super::{
    Counted, MAX_STATE_BYTES,
    bytes::{Reader, Writer},
    is_plausible,
    step::{Point, step},
    units,
};
use crate::{
    config::{Camera, CounterRules},
    input::{Finding, NotCounted, Reading, Reason, shortened},
    limits::MAX_MESSAGE_EVENTS,
};

/// The version of the state's bytes.
const VERSION: u64 = 1;

/// What a device changes with each reset. Whole numbers are ordered as numbers, other texts as
/// texts behind them (so times in RFC 3339 are in order).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Epoch(String);

impl Epoch {
    fn rank(&self) -> (bool, u64, &str) {
        match self.0.parse() {
            Ok(number) => (false, number, ""),
            Err(_) => (true, 0, &self.0),
        }
    }
}

impl PartialOrd for Epoch {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Epoch {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank()).then_with(|| self.0.cmp(&other.0))
    }
}

/// One reading that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kept {
    epoch: Epoch,
    micros: i64,
    value: u64,
    /// How many units were dated at it.
    units: u64,
    /// The step to it counts nothing: what came before was a fault of the device.
    is_baseline: bool,
}

impl Kept {
    fn point(&self) -> Point<'_> {
        Point { epoch: &self.epoch.0, micros: self.micros, value: self.value }
    }

    fn order(&self) -> (&Epoch, i64, u64) {
        (&self.epoch, self.micros, self.value)
    }
}

/// The state of a counter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Readings {
    /// In the order (epoch, time, value).
    kept: Vec<Kept>,
    /// The last reading that was refused as implausible, if no good one came since.
    refused: Option<Kept>,
    /// Older readings were dropped, so what lies before the first kept one is not known any more.
    is_cut: bool,
}

/// What becomes of a reading.
enum Verdict {
    /// It is taken; so many units are dated at it, and so many at its successor.
    Taken { own: u64, successors: u64 },
    /// It is taken, but contradicts what was counted.
    Contradicts,
    /// It is not taken.
    Refused(NotCounted),
}

pub(super) fn count(camera: &Camera, reading: &Reading, state: Option<&[u8]>) -> Counted {
    let rules = camera.input.rules();
    let mut readings = state.and_then(Readings::read).unwrap_or_default();
    let before = readings.clone();
    let mut findings = Vec::new();
    match readings.place(reading) {
        Ok(new) => readings.take(camera, reading, new, &rules, &mut findings),
        Err(refusal) => findings.push(Finding::NotCounted(refusal)),
    }
    let state = (readings != before || state.is_none()).then(|| readings.write());
    Counted { findings, state }
}

impl Readings {
    /// The reading in the counter's order; refuses a repeat and what is too old to judge.
    fn place(&self, reading: &Reading) -> Result<Kept, NotCounted> {
        let repeat = |detail: &str| Err(NotCounted::new(Reason::Repeat, detail));
        let mut new = Kept {
            epoch: Epoch(shortened(&reading.epoch)),
            micros: reading.time.as_microsecond(),
            value: reading.value,
            units: 0,
            is_baseline: false,
        };
        if !reading.is_timed
            && let Some(last) = self.last()
        {
            if (&last.epoch, last.value) == (&new.epoch, new.value) {
                return repeat("repeated reading: same value");
            }
            if reading.is_retained && reading.value < last.value {
                // The broker tells it again after each connection. If the device was reset, its
                // next message says so.
                return repeat("retained reading that is older than the last one");
            }
            // The order of arrival holds, also when the clock was set back.
            new.micros = new.micros.max(last.micros.saturating_add(1));
        }
        if self.kept.iter().chain(&self.refused).any(|kept| kept.order() == new.order()) {
            return repeat("repeated reading");
        }
        let is_first = self.kept.first().is_none_or(|first| new.order() < first.order());
        if self.is_cut && is_first {
            let detail = "older than the readings that are kept of this counter";
            return Err(NotCounted::new(Reason::Repeat, detail));
        }
        Ok(new)
    }

    /// The newest reading, good or not.
    fn last(&self) -> Option<&Kept> {
        let newest = self.kept.last();
        self.refused.iter().chain(newest).max_by_key(|kept| (kept.micros, kept.value))
    }

    fn take(
        &mut self,
        camera: &Camera,
        reading: &Reading,
        mut new: Kept,
        rules: &CounterRules,
        findings: &mut Vec<Finding>,
    ) {
        let at = self.kept.partition_point(|kept| kept.order() < new.order());
        let mut verdict = self.judge(at, &new, rules);
        let is_newest = at == self.kept.len();
        if let (Verdict::Refused(_), true, Some(refused)) = (&verdict, is_newest, &self.refused)
            && let Some(units) = continued(refused, &new, rules)
        {
            // The device has gone on from the refused reading: a new baseline.
            let baseline = Kept { is_baseline: true, ..refused.clone() };
            let at = self.kept.partition_point(|kept| kept.order() < baseline.order());
            self.kept.insert(at, baseline);
            verdict = Verdict::Taken { own: units, successors: 0 };
        }
        let at = self.kept.partition_point(|kept| kept.order() < new.order());
        match verdict {
            Verdict::Taken { own, successors } => {
                let mut date = |micros: i64, known: u64, more: u64| {
                    if let Ok(time) = Timestamp::from_microsecond(micros) {
                        units(camera, &reading.counter, time, (known + 1, known + more), findings);
                    }
                };
                if let Some(next) = self.kept.get(at).map(|next| next.micros) {
                    date(next, self.units_at(next), successors);
                    self.kept[at].units += successors;
                }
                date(new.micros, self.units_at(new.micros), own);
                new.units = own;
            }
            Verdict::Contradicts => {
                let detail = "a late reading shows that a roll-over was a reset; nothing is added";
                findings.push(Finding::NotCounted(NotCounted::new(Reason::Implausible, detail)));
            }
            Verdict::Refused(refusal) => {
                if is_newest {
                    self.refused = Some(new);
                }
                findings.push(Finding::NotCounted(refusal));
                return;
            }
        }
        if at == self.kept.len() {
            self.refused = None;
        }
        self.kept.insert(at, new);
        self.thin(at);
    }

    /// How many units carry this time: their numbers run on over all readings of the moment.
    fn units_at(&self, micros: i64) -> u64 {
        self.kept.iter().filter(|kept| kept.micros == micros).map(|kept| kept.units).sum()
    }

    /// Splits the step from the predecessor to the successor at `new`.
    fn judge(&self, at: usize, new: &Kept, rules: &CounterRules) -> Verdict {
        let before = at.checked_sub(1).and_then(|before| self.kept.get(before));
        let after = self.kept.get(at);
        let first = |kept: &Kept| if rules.first_counts { kept.value } else { 0 };
        let stride = |from: Option<&Kept>, to: &Kept| match from {
            _ if to.is_baseline => 0,
            Some(from) => step(from.point(), to.point(), rules),
            None => first(to),
        };
        let fits = |from: Option<&Kept>, to: &Kept| {
            let Some(from) = from else { return true };
            let micros = to.micros.saturating_sub(from.micros);
            is_plausible(stride(Some(from), to), micros, rules.max_per_minute)
        };
        if !fits(before, new) || after.is_some_and(|after| !fits(Some(new), after)) {
            return Verdict::Refused(implausible(stride(before, new)));
        }
        let to_new = stride(before, new);
        let to_next = after.map_or(0, |after| stride(Some(new), after));
        let known = after.map_or(0, |after| stride(before, after));
        let Some(change) = to_new.saturating_add(to_next).checked_sub(known) else {
            return Verdict::Contradicts;
        };
        if change > MAX_MESSAGE_EVENTS as u64 {
            return Verdict::Refused(implausible(change));
        }
        let missing = after.map_or(0, |after| to_next.saturating_sub(after.units));
        let successors = change.min(missing);
        Verdict::Taken { own: change - successors, successors }
    }

    /// Of a run of equal values only the first and the last are kept, and those with units.
    fn thin(&mut self, at: usize) {
        for middle in [at + 1, at, at.saturating_sub(1)] {
            let Some([before, here, after]) =
                middle.checked_sub(1).and_then(|first| self.kept.get(first..first + 3))
            else {
                continue;
            };
            let same = |one: &Kept, other: &Kept| {
                one.epoch == other.epoch && one.value == other.value && !other.is_baseline
            };
            if same(before, here) && same(here, after) && here.units == 0 {
                self.kept.remove(middle);
            }
        }
    }

    /// At most [`MAX_STATE_BYTES`] bytes: the oldest readings go first.
    fn write(&mut self) -> Vec<u8> {
        loop {
            let bytes = self.bytes();
            if bytes.len() <= MAX_STATE_BYTES || self.kept.len() < 2 {
                return bytes;
            }
            let most = (self.kept.len() / 16).max(1);
            let last = self.kept[most - 1].micros;
            // Readings of one moment go together: their units share their numbers.
            let same = self.kept[most..].iter().take_while(|kept| kept.micros == last).count();
            self.kept.drain(..(most + same).min(self.kept.len() - 1));
            self.is_cut = true;
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut epochs: Vec<&Epoch> =
            self.kept.iter().chain(&self.refused).map(|kept| &kept.epoch).collect();
        epochs.dedup();
        let mut out = Writer::default();
        out.number(VERSION);
        out.number(u64::from(self.is_cut) | u64::from(self.refused.is_some()) << 1);
        out.number(epochs.len() as u64);
        epochs.iter().for_each(|epoch| out.text(&epoch.0));
        let (mut micros, mut value) = (0_i64, 0_i64);
        for kept in self.refused.iter().chain(&self.kept) {
            let at = epochs.iter().position(|epoch| **epoch == kept.epoch).unwrap_or(0);
            out.number((at as u64) << 1 | u64::from(kept.is_baseline));
            out.signed(kept.micros.wrapping_sub(micros));
            let now = kept.value.cast_signed();
            out.signed(now.wrapping_sub(value));
            out.number(kept.units);
            (micros, value) = (kept.micros, now);
        }
        out.0
    }

    /// `None` for bytes of another version or of something else: the counter begins anew.
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut bytes = Reader(bytes);
        if bytes.number()? != VERSION {
            return None;
        }
        let flags = bytes.number()?;
        let count = bytes.number()?.min(MAX_STATE_BYTES as u64);
        let epochs = (0..count).map(|_| bytes.text().map(|text| Epoch(text.to_owned())));
        let epochs: Vec<Epoch> = epochs.collect::<Option<_>>()?;
        let (mut micros, mut value) = (0_i64, 0_i64);
        let mut all = Vec::new();
        while !bytes.0.is_empty() {
            let head = bytes.number()?;
            micros = micros.wrapping_add(bytes.signed()?);
            value = value.wrapping_add(bytes.signed()?);
            all.push(Kept {
                epoch: epochs.get(usize::try_from(head >> 1).ok()?)?.clone(),
                micros,
                value: value.cast_unsigned(),
                units: bytes.number()?,
                is_baseline: head & 1 == 1,
            });
        }
        let refused = (flags & 2 != 0 && !all.is_empty()).then(|| all.remove(0));
        Some(Self { kept: all, refused, is_cut: flags & 1 != 0 })
    }
}

/// The step from a refused reading to the next, if that goes on from it.
fn continued(refused: &Kept, new: &Kept, rules: &CounterRules) -> Option<u64> {
    if refused.order() >= new.order() {
        return None;
    }
    let units = step(refused.point(), new.point(), rules);
    let micros = new.micros.saturating_sub(refused.micros);
    let fits = is_plausible(units, micros, rules.max_per_minute);
    (fits && units <= MAX_MESSAGE_EVENTS as u64).then_some(units)
}

fn implausible(units: u64) -> NotCounted {
    let detail = format!("implausible: {units} vehicles since the reading before");
    NotCounted::new(Reason::Implausible, detail)
}
