//! What statistics need of an hour of deleted events: when, which camera, type, direction, and
//! whether it found the floor at its limit. Tracks are gone.
//!
//! Format: segments one after the other, one for each cleanup transaction. A segment is the
//! number of cameras, each camera as length and bytes, the number of events, and for each event
//! in the order of time: microseconds since the one before (the first: since the hour), the
//! camera's place, and one byte of flags (bits 0–1 type, 2 exit, 3 at the limit). Numbers are
//! LEB128: seven bits a byte, the lowest first.

use crate::{Direction, Error, Result, VehicleType};

/// What is kept of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trace {
    pub(super) at: i64,
    pub(super) camera_id: String,
    pub(super) vehicle_type: VehicleType,
    pub(super) direction: Direction,
    pub(super) at_limit: bool,
}

/// Appends a segment with `traces`, which lie in the hour that begins at `hour`, in order.
pub(super) fn append(data: &mut Vec<u8>, hour: i64, traces: &[Trace]) {
    let mut cameras: Vec<&str> = traces.iter().map(|trace| trace.camera_id.as_str()).collect();
    cameras.sort_unstable();
    cameras.dedup();
    put(data, cameras.len() as u64);
    for camera in &cameras {
        put(data, camera.len() as u64);
        data.extend_from_slice(camera.as_bytes());
    }
    put(data, traces.len() as u64);
    let mut before = hour;
    for trace in traces {
        put(data, trace.at.saturating_sub(before).unsigned_abs());
        let place = cameras.binary_search(&trace.camera_id.as_str()).unwrap_or(0);
        put(data, place as u64);
        let kind = u64::from(super::codes::type_number(trace.vehicle_type));
        let exit = u64::from(trace.direction == Direction::Exit);
        put(data, kind | exit << 2 | u64::from(trace.at_limit) << 3);
        before = trace.at;
    }
}

/// All events of the hour that begins at `hour`.
pub(super) fn read(mut data: &[u8], hour: i64) -> Result<Vec<Trace>> {
    let mut traces = Vec::new();
    while !data.is_empty() {
        read_segment(&mut data, hour, &mut traces)
            .ok_or_else(|| Error::Internal("a digest of deleted events is damaged".into()))?;
    }
    Ok(traces)
}

fn read_segment(data: &mut &[u8], hour: i64, traces: &mut Vec<Trace>) -> Option<()> {
    let mut cameras = Vec::new();
    for _ in 0..take(data)? {
        let length = usize::try_from(take(data)?).ok()?;
        let (name, rest) = data.split_at_checked(length)?;
        cameras.push(std::str::from_utf8(name).ok()?);
        *data = rest;
    }
    let mut at = hour;
    for _ in 0..take(data)? {
        at = at.checked_add_unsigned(take(data)?)?;
        let camera = cameras.get(usize::try_from(take(data)?).ok()?)?;
        let flags = take(data)?;
        traces.push(Trace {
            at,
            camera_id: (*camera).to_owned(),
            vehicle_type: VehicleType::ALL[usize::try_from(flags & 3).ok()?],
            direction: if flags & 4 == 0 { Direction::Entry } else { Direction::Exit },
            at_limit: flags & 8 != 0,
        });
    }
    Some(())
}

fn put(data: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        data.push(number as u8 | 0x80);
        number >>= 7;
    }
    data.push(number as u8);
}

fn take(data: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = data.split_first()?;
        *data = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_appended_is_read_in_order() {
        let hour = 3_600_000_000;
        let trace = |at, camera: &str, vehicle_type, direction, at_limit| Trace {
            at: hour + at,
            camera_id: camera.to_owned(),
            vehicle_type,
            direction,
            at_limit,
        };
        let first = [
            trace(0, "ramp ü", VehicleType::Car, Direction::Entry, false),
            trace(0, "a", VehicleType::Truck, Direction::Exit, true),
            trace(3_599_999_999, "a", VehicleType::Bus, Direction::Exit, false),
        ];
        let second = [trace(5, "", VehicleType::Motorcycle, Direction::Entry, true)];
        let mut data = Vec::new();
        append(&mut data, hour, &first);
        append(&mut data, hour, &second);
        assert_eq!(read(&data, hour), Ok([&first[..], &second[..]].concat()));
        assert!(read(&data[..data.len() - 1], hour).is_err());
    }
}
