//! What tells one set of events from another, so that two sides need not send each other all.

use std::fmt;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use super::Direction;

/// A number that stands for a set of events: the exclusive or, over all of them, of the first 16
/// bytes of the SHA-256 of `camera_id`, `track_id`, direction and timestamp, with a line break
/// between each two. The timestamp is in whole microseconds since 1970 UTC, as a decimal number; a
/// name has no line break. The order does not matter, and no event is 0. It is written as 32
/// hexadecimal digits.
///
/// Only what an event is known by is in it: sets with the same keys have the same number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventDigest(u128);

impl EventDigest {
    /// Puts an event into the set; one that is in it already is taken out.
    ///
    /// ```
    /// use smartpark_core::{Direction::Entry, EventDigest};
    /// let mut digest = EventDigest::default();
    /// digest.add("cam_001", "track_12345", Entry, "2026-02-12T10:30:45Z".parse()?);
    /// assert_eq!(digest.to_string(), "3da7286f4a43cf98d86b5ef26821cdb3");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn add(&mut self, camera: &str, track: &str, direction: Direction, timestamp: Timestamp) {
        let micros = timestamp.as_nanosecond().div_euclid(1_000);
        let key = format!("{camera}\n{track}\n{}\n{micros}", direction.as_str());
        let sum = Sha256::digest(key);
        self.0 ^= sum.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte));
    }
}

impl fmt::Display for EventDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for EventDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The events of a camera in one slice of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigestSlice {
    /// The first instant of the slice.
    pub start: Timestamp,
    /// How many events are stored.
    pub events: u64,
    /// What tells them from others.
    pub digest: EventDigest,
}

/// Which events of a camera are stored, slice by slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventDigests {
    /// The camera.
    pub camera_id: String,
    /// The first instant of the window.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
    /// The length of a slice in seconds. The last one may be shorter.
    pub step: u32,
    /// The retention horizon: events before it are gone, and refused where they are sent again.
    pub horizon: Option<Timestamp>,
    /// From the start on, without a gap.
    pub slices: Vec<DigestSlice>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(micros: i64) -> Timestamp {
        Timestamp::from_microsecond(micros).unwrap()
    }

    /// The numbers are those of Python's hashlib.
    #[test]
    fn a_digest_is_the_one_of_the_documents_in_any_order() {
        let at = micros(1_770_892_245_000_000);
        let mut digest = EventDigest::default();
        assert_eq!(digest.to_string(), "0".repeat(32));
        digest.add("cam_001", "größe", Direction::Exit, micros(-1));
        assert_eq!(digest.to_string(), "01a6c04ad629dfd1bdc0f4931222dde9");
        digest.add("cam_001", "track_12345", Direction::Entry, at);
        assert_eq!(digest.to_string(), "3c01e8259c6a104965abaa617a03105a");
        digest.add("cam_001", "größe", Direction::Exit, micros(-1));
        assert_eq!(digest.to_string(), "3da7286f4a43cf98d86b5ef26821cdb3");
    }

    #[test]
    fn what_lies_between_microseconds_counts_as_the_one_before() {
        let digest = |text: &str| {
            let mut digest = EventDigest::default();
            digest.add("c", "t", Direction::Entry, text.parse().unwrap());
            digest
        };
        let whole = digest("1969-12-31T23:59:59.999999Z");
        assert_eq!(digest("1969-12-31T23:59:59.999999999Z"), whole);
        assert_ne!(digest("1970-01-01T00:00:00Z"), whole);
    }
}
