//! The intervals of one counter that counts from anew in each.

use jiff::Timestamp;

use super::{
    Counted, MAX_STATE_BYTES,
    bytes::{Reader, Writer},
    is_plausible, units,
};
use crate::{
    config::Camera,
    input::{Finding, IntervalReading, NotCounted, Reason},
    limits::MAX_MESSAGE_EVENTS,
};

/// The version of the state's bytes.
const VERSION: u64 = 2;

/// One interval that was counted, in microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kept {
    start: i64,
    end: i64,
    value: u64,
}

/// The state of such a counter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Intervals {
    /// By time; none overlaps another.
    kept: Vec<Kept>,
    is_cut: bool,
}

pub(super) fn count(camera: &Camera, interval: &IntervalReading, state: Option<&[u8]>) -> Counted {
    let mut intervals = state.and_then(Intervals::read).unwrap_or_default();
    let new = Kept {
        start: interval.start.as_microsecond(),
        end: interval.end.as_microsecond(),
        value: interval.value,
    };
    let mut findings = Vec::new();
    if let Err(refusal) = intervals.judge(&new, camera.input.rules().max_per_minute) {
        findings.push(Finding::NotCounted(refusal));
        return Counted { findings, state: None };
    }
    findings.extend(intervals.gap(&new).map(Finding::NotCounted));
    intervals.add(new);
    let end = Timestamp::from_microsecond(new.end).unwrap_or(interval.end);
    units(camera, &interval.counter, end, (1, new.value), &mut findings);
    Counted { findings, state: Some(intervals.write()) }
}

impl Intervals {
    fn judge(&self, new: &Kept, max_per_minute: Option<u64>) -> Result<(), NotCounted> {
        let implausible = |detail: String| Err(NotCounted::new(Reason::Implausible, detail));
        if new.end <= new.start {
            return implausible("the interval ends before it begins".to_owned());
        }
        let overlaps = |kept: &&Kept| kept.start < new.end && new.start < kept.end;
        if let Some(kept) = self.kept.iter().find(overlaps) {
            // Empty intervals that follow each other are kept as one.
            let is_part = kept.value == 0 && kept.start <= new.start && new.end <= kept.end;
            let is_same = kept == new || (is_part && new.value == 0);
            return match (is_same, kept.start == new.start && kept.end == new.end) {
                (true, _) => Err(NotCounted::new(Reason::Repeat, "repeated interval")),
                (false, true) => {
                    let (old, new) = (kept.value, new.value);
                    implausible(format!("the same interval came with {old}, and now with {new}"))
                }
                (false, false) => implausible("overlaps an interval that is counted".to_owned()),
            };
        }
        if self.is_cut && self.kept.first().is_some_and(|first| new.end <= first.start) {
            let detail = "older than the intervals that are kept of this counter";
            return Err(NotCounted::new(Reason::Repeat, detail));
        }
        let is_possible = is_plausible(new.value, new.end - new.start, max_per_minute);
        if !is_possible || new.value > MAX_MESSAGE_EVENTS as u64 {
            return implausible(format!("implausible: {} vehicles in one interval", new.value));
        }
        Ok(())
    }

    /// Time between the newest interval and this one that no interval tells of.
    fn gap(&self, new: &Kept) -> Option<NotCounted> {
        let last = self.kept.last().filter(|last| last.end < new.start)?;
        let seconds = (new.start - last.end) / 1_000_000;
        let detail = format!("no interval tells of the {seconds} s before this one");
        Some(NotCounted::new(Reason::Gap, detail))
    }

    fn add(&mut self, new: Kept) {
        let at = self.kept.partition_point(|kept| kept.start < new.start);
        self.kept.insert(at, new);
        for second in [at + 1, at] {
            if let Some([one, other]) =
                second.checked_sub(1).and_then(|first| self.kept.get(first..first + 2))
                && one.value == 0
                && other.value == 0
                && one.end == other.start
            {
                let joined = Kept { start: one.start, end: other.end, value: 0 };
                self.kept[second - 1] = joined;
                self.kept.remove(second);
            }
        }
    }

    /// At most [`MAX_STATE_BYTES`] bytes: the oldest intervals go first.
    fn write(&mut self) -> Vec<u8> {
        loop {
            let bytes = self.bytes();
            if bytes.len() <= MAX_STATE_BYTES || self.kept.len() < 2 {
                return bytes;
            }
            let dropped = (self.kept.len() / 16).max(1);
            self.kept.drain(..dropped);
            self.is_cut = true;
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.number(VERSION);
        out.number(u64::from(self.is_cut));
        let mut micros = 0_i64;
        for kept in &self.kept {
            out.signed(kept.start.wrapping_sub(micros));
            out.signed(kept.end.wrapping_sub(kept.start));
            out.number(kept.value);
            micros = kept.end;
        }
        out.0
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut bytes = Reader(bytes);
        if bytes.number()? != VERSION {
            return None;
        }
        let is_cut = bytes.number()? != 0;
        let (mut micros, mut kept) = (0_i64, Vec::new());
        while !bytes.0.is_empty() {
            let start = micros.wrapping_add(bytes.signed()?);
            let end = start.wrapping_add(bytes.signed()?);
            kept.push(Kept { start, end, value: bytes.number()? });
            micros = end;
        }
        Some(Self { kept, is_cut })
    }
}
