//! Occupancy over time.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::{
    Error, FloorOperations, OccupancyHistory, OccupancyStep, Result,
    error::FieldError,
    limits::{
        DEFAULT_HISTORY_STEPS, MAX_HISTORY_STEP, MAX_HISTORY_STEPS, MAX_STATISTICS_HOURS,
        MIN_HISTORY_STEP,
    },
    model::whole_micros,
    zone::{self, CalendarStep},
};

/// Lengths of steps that people think in, in seconds: minutes, hours, days, a week, a month.
const LADDER: [u32; 8] =
    [MIN_HISTORY_STEP, 300, 900, 3_600, 21_600, 86_400, 604_800, MAX_HISTORY_STEP];

impl FloorOperations<'_> {
    /// Occupancy over time from `start` on and before `end` (or before now, where that is
    /// earlier): of one floor, or of the floors together that are active now. `step` is the length
    /// of a step in whole seconds; without it the shortest usual one that makes no more than 300
    /// steps. Exact, as history is known now; the cost grows with the number of events in the
    /// window.
    ///
    /// ```
    /// # use smartpark_ledger::{Direction, NewEvent, VehicleType};
    /// # smartpark_ledger::doctest(async |park| {
    /// # let entry = NewEvent::new("cam_001", 1, "t1", VehicleType::Car, Direction::Entry);
    /// # let recorded = park.events().record_event(entry).await?;
    /// # let now = recorded.event.timestamp;
    /// let day_before = now - std::time::Duration::from_secs(86_400);
    /// let history = park.floors().get_history(Some(1), day_before, now, Some(3_600)).await?;
    /// assert_eq!(history.steps.len(), 24);
    /// assert_eq!((history.steps[0].closing, history.steps[0].total_slots), (0, 50));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] where `end` is before `start`, `start` lies ahead, or `step` does not
    /// fit; [`Error::TooOld`] where `start` is before the retention horizon; [`Error::NotFound`]
    /// without such a floor; [`Error::Unavailable`].
    pub async fn get_history(
        self,
        floor_id: Option<i64>,
        start: Timestamp,
        end: Timestamp,
        step: Option<u32>,
    ) -> Result<OccupancyHistory> {
        let (start, end) = (whole_micros(start), whole_micros(end).min(self.park.now()));
        if end < start {
            return Err(Error::invalid("end", "must not be before start, nor start ahead of now"));
        }
        let window = (start.as_microsecond(), end.as_microsecond());
        let step = fitting_step(window, step).map_err(|fault| Error::Invalid(vec![fault]))?;
        let width = i64::from(step) * 1_000_000;
        // Nobody closes it, so it is always given in the end.
        let _turn = self.park.walks.acquire().await;
        let steps = self.park.engine.history(floor_id, window, width).await?;
        let steps = steps.iter().map(OccupancyStep::from).collect();
        Ok(OccupancyHistory { start, end, step, unit: None, floor_id, steps })
    }

    /// [`FloorOperations::get_history`] by the calendar of a time zone: a step is a day, a week or
    /// a month, of as many hours as it has there.
    ///
    /// # Errors
    /// As [`FloorOperations::get_history`].
    pub async fn get_calendar_history(
        self,
        floor_id: Option<i64>,
        start: Timestamp,
        end: Timestamp,
        unit: CalendarStep,
        zone: &TimeZone,
    ) -> Result<OccupancyHistory> {
        let (start, end) = (whole_micros(start), whole_micros(end).min(self.park.now()));
        if end < start {
            return Err(Error::invalid("end", "must not be before start, nor start ahead of now"));
        }
        let most = usize::try_from(MAX_HISTORY_STEPS).unwrap_or(usize::MAX);
        let bounds = zone::beginnings(zone, (start, end), unit, most)
            .ok_or(FieldError::new("step", TOO_MANY_STEPS))
            .map_err(|fault| Error::Invalid(vec![fault]))?;
        let bounds: Vec<i64> = bounds.iter().map(|at| at.as_microsecond()).collect();
        let _turn = self.park.walks.acquire().await;
        let mut steps = Vec::with_capacity(bounds.len());
        if bounds.is_empty() {
            // The floor and the horizon are looked at all the same.
            let window = (start.as_microsecond(), end.as_microsecond());
            self.park.engine.history(floor_id, window, 1_000_000).await?;
        }
        for (window, width) in equal_steps(&bounds, end.as_microsecond()) {
            let walked = self.park.engine.history(floor_id, window, width).await?;
            steps.extend(walked.iter().map(OccupancyStep::from));
        }
        let step = unit.seconds();
        Ok(OccupancyHistory { start, end, step, unit: Some(unit), floor_id, steps })
    }

    /// The window of the last `hours`, as [`FloorOperations::get_history`] takes it: until now.
    ///
    /// # Errors
    /// [`Error::Invalid`] for hours out of 1–876600.
    pub fn history_window(self, hours: u32) -> Result<(Timestamp, Timestamp)> {
        if !(1..=MAX_STATISTICS_HOURS).contains(&hours) {
            return Err(Error::invalid("hours", "must be a whole number from 1 to 876600"));
        }
        let now = self.park.now();
        let start = now.checked_sub(SignedDuration::from_hours(hours.into()));
        Ok((start.unwrap_or(Timestamp::MIN), now))
    }
}

const TOO_MANY_STEPS: &str = "must not make more than 2000 steps of the window";

/// Windows of steps of one width each, which together are the steps that begin at `bounds`: the
/// days of a year are five such windows.
fn equal_steps(bounds: &[i64], end: i64) -> Vec<((i64, i64), i64)> {
    let mut windows: Vec<((i64, i64), i64)> = Vec::new();
    for (place, start) in bounds.iter().enumerate() {
        let next = bounds.get(place + 1).copied().unwrap_or(end);
        let length = next - start;
        match windows.last_mut() {
            Some(((_, until), width)) if *width == length => *until = next,
            _ => windows.push(((*start, next), length)),
        }
    }
    windows
}

/// The length of the steps of a window in seconds: `asked`, or one that makes no chart too fine.
fn fitting_step((start, end): (i64, i64), asked: Option<u32>) -> Result<u32, FieldError> {
    // Far from the bounds of 64 bits: instants reach no farther than the year 9999.
    let steps = |step: u32| (end - start).unsigned_abs().div_ceil(u64::from(step) * 1_000_000);
    let step = asked.unwrap_or_else(|| {
        let fits = |step: &u32| steps(*step) <= DEFAULT_HISTORY_STEPS.into();
        LADDER.into_iter().find(fits).unwrap_or(MAX_HISTORY_STEP)
    });
    if !(MIN_HISTORY_STEP..=MAX_HISTORY_STEP).contains(&step) {
        return Err(FieldError::new(
            "step",
            "must be a whole number of seconds from 60 to 2678400",
        ));
    }
    if steps(step) > MAX_HISTORY_STEPS.into() {
        return Err(FieldError::new("step", TOO_MANY_STEPS));
    }
    Ok(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_one_width_are_walked_together() {
        let windows = equal_steps(&[0, 24, 48, 73, 97], 121);
        assert_eq!(windows, [((0, 48), 24), ((48, 73), 25), ((73, 121), 24)]);
        assert_eq!(equal_steps(&[5, 8], 20), [((5, 8), 3), ((8, 20), 12)]);
        assert_eq!(equal_steps(&[], 20), []);
    }

    #[test]
    fn steps_are_chosen_from_the_ladder_and_bounded() {
        let hours = |hours: i64, asked| fitting_step((0, hours * 3_600_000_000), asked).ok();
        let table = [
            (0, None, Some(60)),
            (5, None, Some(60)),
            (6, None, Some(300)),
            (24, None, Some(300)),
            (26, None, Some(900)),
            (7 * 24, None, Some(3_600)),
            (30 * 24, None, Some(21_600)),
            (300 * 24, None, Some(86_400)),
            (876_600, None, Some(MAX_HISTORY_STEP)),
            (24, Some(59), None),
            (24, Some(60), Some(60)),
            (34, Some(60), None),
            (24, Some(MAX_HISTORY_STEP), Some(MAX_HISTORY_STEP)),
            (24, Some(MAX_HISTORY_STEP + 1), None),
        ];
        for (length, asked, expected) in table {
            assert_eq!(hours(length, asked), expected, "{length} h, {asked:?}");
        }
    }
}
