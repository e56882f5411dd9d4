//! The event of a crossing, as SmartPark takes it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::crossing::{Crossing, Direction, VehicleType};

/// One crossing as one event: the seven fields of `POST /events`, and `t`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The camera.
    pub camera_id: String,
    /// The floor that an entry leads to.
    pub floor_id: i64,
    /// Unique over restarts: the run and the number of the track in it.
    pub track_id: String,
    /// The class of the vehicle.
    pub vehicle_type: VehicleType,
    /// Entry or exit.
    pub direction: Direction,
    /// 0 to 1.
    pub confidence: f64,
    /// The moment on the line, in UTC with milliseconds.
    #[serde(with = "milliseconds")]
    pub timestamp: Timestamp,
    /// Seconds from the first frame; only for films.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub t: Option<f64>,
}

/// What an event says besides the crossing.
#[derive(Debug, Clone, PartialEq)]
pub struct EventContext {
    /// The camera.
    pub camera_id: String,
    /// The floor.
    pub floor_id: i64,
    /// The name of this run: a ULID for a live camera.
    pub run: String,
    /// The moment of the first frame.
    pub start: Timestamp,
    /// Whether `t` is given.
    pub with_t: bool,
}

impl EventContext {
    /// The event of a crossing.
    #[must_use]
    pub fn event(&self, crossing: &Crossing) -> Event {
        let millis = (crossing.t * 1000.0).round() as i64;
        let timestamp =
            self.start.checked_add(SignedDuration::from_millis(millis)).unwrap_or(self.start);
        Event {
            camera_id: self.camera_id.clone(),
            floor_id: self.floor_id,
            track_id: track_id(&self.run, crossing),
            vehicle_type: crossing.vehicle_type,
            direction: crossing.direction,
            confidence: (crossing.confidence * 1000.0).round() / 1000.0,
            timestamp,
            t: self.with_t.then_some(millis as f64 / 1000.0),
        }
    }
}

/// The identity of a track: unique over restarts. A further crossing of the same track has its
/// number behind it.
#[must_use]
pub fn track_id(run: &str, crossing: &Crossing) -> String {
    match crossing.number {
        0 | 1 => format!("{run}-{}", crossing.track),
        number => format!("{run}-{}-{number}", crossing.track),
    }
}

/// The name of a run: a ULID of milliseconds since 1970 and random bits.
#[must_use]
pub fn run_name(millis: u64, random: u128) -> String {
    ulid((u128::from(millis) << 80) | (random & ((1 << 80) - 1)))
}

/// 128 bits as 26 letters, in the alphabet of ULIDs.
pub(crate) fn ulid(bits: u128) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let letter = |i: u32| char::from(ALPHABET[((bits >> (5 * i)) & 31) as usize]);
    (0..26).rev().map(letter).collect()
}

/// A timestamp with exactly three digits behind the second.
mod milliseconds {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(t: &Timestamp, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&format_args!("{t:.3}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Timestamp, D::Error> {
        Timestamp::deserialize(d)
    }
}
