//! What a camera's box needs to know which of its events are stored, and to send again only those
//! that are not.

use jiff::{SignedDuration, Timestamp};

use crate::{
    DigestSlice, Error, EventDigest, EventDigests, EventFilter, EventOperations, Result,
    error::FieldError,
    limits::{MAX_DIGEST_HOURS, MAX_DIGEST_SLICES, MAX_DIGEST_STEP, MAX_PAGE_ROWS},
    model::{name_fault, whole_micros},
};

impl EventOperations<'_> {
    /// How many events of a camera are stored from `start` on and before `end`, and what tells
    /// them from others, in slices of `step` whole seconds. Who has the camera's events compares
    /// each slice with his own: where both numbers are the same, all of them are stored. The rest
    /// is sent again ([`EventOperations::record_events`]), which is safe for those that are there.
    ///
    /// What is recorded meanwhile may be in it or not. The cost grows with the number of the
    /// camera's events in the window.
    ///
    /// ```
    /// # use smartpark_ledger::{Direction, EventDigest, NewEvent, VehicleType};
    /// # smartpark_ledger::doctest(async |park| {
    /// # let entry = NewEvent::new("cam_001", 1, "t1", VehicleType::Car, Direction::Entry);
    /// # let event = park.events().record_event(entry).await?.event;
    /// # let (start, end) = (event.timestamp, event.timestamp + std::time::Duration::from_secs(9));
    /// let stored = park.events().get_event_digests("cam_001", start, end, 3_600).await?;
    /// let mut own = EventDigest::default();
    /// own.add("cam_001", "t1", Direction::Entry, event.timestamp);
    /// assert_eq!((stored.slices[0].events, stored.slices[0].digest), (1, own));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is no camera's name, where `end` is before `start` or more than
    /// 31 days after it, for a step out of 1–86400 seconds, and for more than 2000 slices;
    /// [`Error::Unavailable`].
    pub async fn get_event_digests(
        self,
        camera_id: &str,
        start: Timestamp,
        end: Timestamp,
        step: u32,
    ) -> Result<EventDigests> {
        let (start, end) = (whole_micros(start), whole_micros(end));
        let mut faults = Vec::new();
        name_fault("camera_id", camera_id, &mut faults);
        let mut slices = slices((start, end), step).unwrap_or_else(|fault| {
            faults.push(fault);
            Vec::new()
        });
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        // Nobody closes it, so it is always given in the end.
        let _turn = self.park.walks.acquire().await;
        let horizon = self.park.engine.horizon().await?;
        let horizon = horizon.and_then(|at| Timestamp::from_microsecond(at).ok());
        let filter = EventFilter {
            camera_id: Some(camera_id.to_owned()),
            start: Some(start.max(horizon.unwrap_or(start))),
            end: Some(end),
            ..EventFilter::default()
        };
        let mut cursor = None;
        loop {
            let page = self.get_events_oldest_first(filter.clone(), MAX_PAGE_ROWS, cursor).await?;
            for event in &page.events {
                let since = event.timestamp.as_microsecond() - start.as_microsecond();
                let place = usize::try_from(since / width(step)).ok();
                let slice = place.and_then(|place| slices.get_mut(place));
                let slice = slice.ok_or_else(|| Error::Internal("an event out of place".into()))?;
                slice.events += 1;
                let (camera, track) = (&event.camera_id, &event.track_id);
                slice.digest.add(camera, track, event.direction, event.timestamp);
            }
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        Ok(EventDigests { camera_id: camera_id.to_owned(), start, end, step, horizon, slices })
    }
}

/// The length of a slice in microseconds.
fn width(step: u32) -> i64 {
    i64::from(step) * 1_000_000
}

/// The slices of a window, without events.
fn slices((start, end): (Timestamp, Timestamp), step: u32) -> Result<Vec<DigestSlice>, FieldError> {
    if end < start {
        return Err(FieldError::new("end", "must not be before start"));
    }
    if end.duration_since(start) > SignedDuration::from_hours(MAX_DIGEST_HOURS.into()) {
        return Err(FieldError::new("end", "must not be more than 31 days after start"));
    }
    if !(1..=MAX_DIGEST_STEP).contains(&step) {
        return Err(FieldError::new("step", "must be a whole number of seconds from 1 to 86400"));
    }
    let bounds = start.as_microsecond()..end.as_microsecond();
    let starts: Vec<i64> = (0..=i64::from(MAX_DIGEST_SLICES))
        .map(|place| bounds.start + place * width(step))
        .take_while(|start| bounds.contains(start))
        .collect();
    if starts.len() > MAX_DIGEST_SLICES as usize {
        return Err(FieldError::new("step", "must not make more than 2000 slices of the window"));
    }
    let slice = |start| DigestSlice {
        // It lies between two instants that are Timestamps.
        start: Timestamp::from_microsecond(start).unwrap_or(Timestamp::MAX),
        events: 0,
        digest: EventDigest::default(),
    };
    Ok(starts.into_iter().map(slice).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_and_slices_are_bounded() {
        let table = [
            (0, 60, Ok(0)),
            (1, 60, Ok(1)),
            (60, 60, Ok(1)),
            (61, 60, Ok(2)),
            (-1, 60, Err("end")),
            (9, 0, Err("step")),
            (9, MAX_DIGEST_STEP, Ok(1)),
            (9, MAX_DIGEST_STEP + 1, Err("step")),
            (2_000, 1, Ok(2_000)),
            (2_001, 1, Err("step")),
            (31 * 86_400, 3_600, Ok(744)),
            (31 * 86_400 + 1, 3_600, Err("end")),
        ];
        let start: Timestamp = "2026-02-12T10:00:00Z".parse().unwrap();
        for (seconds, step, expected) in table {
            let end = start + SignedDuration::from_secs(seconds);
            let made = slices((start, end), step);
            let made = made.map(|slices| slices.len()).map_err(|fault| fault.field.into_owned());
            assert_eq!(made, expected.map_err(str::to_owned), "{seconds} s in steps of {step}");
        }
    }
}
