//! How far the counts of floors may be off.

use jiff::Timestamp;

use super::{EstimateOperations, aside};
use crate::{
    Error, Floor, Result,
    estimate::drift::{Drift, State, add_up},
    limits::{MAX_DRIFT_STEPS, MIN_DRIFT_STEP},
};

/// How far a floor's count may be off at an instant.
#[derive(Clone, Debug, PartialEq)]
pub struct FloorDrift {
    /// The floor as it is now.
    pub floor: Floor,
    /// The instant.
    pub at: Timestamp,
    /// The count at that instant.
    pub count: i64,
    /// The slots at that instant.
    pub total_slots: i64,
    /// What is estimated.
    pub drift: Drift,
}

/// How far the count of the active floors together may be off.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteDrift {
    /// The instant.
    pub at: Timestamp,
    /// The sum of the counts at that instant.
    pub count: i64,
    /// The most likely sum of the true numbers.
    pub estimate: i64,
    /// Lower bound of the 95 % interval of that sum.
    pub low: i64,
    /// Upper bound of it.
    pub high: i64,
    /// The sum of the slots at that instant.
    pub total_slots: i64,
    /// Each active floor, by its id.
    pub floors: Vec<FloorDrift>,
}

/// How far a floor's count was off, hour by hour or in longer steps.
#[derive(Clone, Debug, PartialEq)]
pub struct DriftHistory {
    /// The floor.
    pub floor_id: i64,
    /// The length of a step in seconds.
    pub step: u32,
    /// The ends of whole steps.
    pub steps: Vec<DriftStep>,
}

/// What was known at an instant, from the facts before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DriftStep {
    /// The instant.
    pub at: Timestamp,
    /// The count.
    pub count: i64,
    /// The most likely true number.
    pub estimate: i64,
    /// Lower bound of the 95 % interval.
    pub low: i64,
    /// Upper bound of it.
    pub high: i64,
}

impl EstimateOperations<'_> {
    /// How far a floor's count may be off, at an instant (now if none is named): from the facts
    /// before it, as they are stored now.
    ///
    /// ```
    /// # smartpark_ledger::doctest(async |park| {
    /// park.floors().recount(1, 20, "counted", None).await?;
    /// let told = park.estimates().get_drift(1, None).await?;
    /// assert_eq!(told.count, 20);
    /// assert!(told.drift.low <= 20 && 20 <= told.drift.high);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] if the instant lies ahead; [`Error::TooOld`] if it lies before the
    /// retention horizon; [`Error::NotFound`] without such a floor; [`Error::Unavailable`].
    pub async fn get_drift(self, floor_id: i64, at: Option<Timestamp>) -> Result<FloorDrift> {
        let at = self.instant(at)?;
        // Nobody closes it, so it is always given in the end.
        let _turn = self.park.walks.acquire().await;
        Ok(self.drift_at(floor_id, at).await?.0)
    }

    /// The same for all active floors, and for them together: their errors are taken to be
    /// independent.
    ///
    /// # Errors
    /// As [`EstimateOperations::get_drift`].
    pub async fn get_site_drift(self, at: Option<Timestamp>) -> Result<SiteDrift> {
        let at = self.instant(at)?;
        let _turn = self.park.walks.acquire().await;
        let mut active = self.park.engine.floors().await?;
        active.retain(|floor| floor.is_active);
        active.sort_by_key(|floor| floor.id);
        let (mut floors, mut samples) = (Vec::new(), Vec::new());
        for floor in active {
            let (told, state) = self.drift_at(floor.id, at).await?;
            samples.push(state.sample(floor.id));
            floors.push(told);
        }
        let (estimate, low, high) = add_up(&samples);
        let count = floors.iter().map(|floor| floor.count).sum();
        let total_slots = floors.iter().map(|floor| floor.total_slots).sum();
        Ok(SiteDrift { at, count, estimate, low, high, total_slots, floors })
    }

    /// How far a floor's count was off at the end of each whole step from `start` on, up to
    /// `end`: each from the facts before it.
    ///
    /// # Errors
    /// As [`EstimateOperations::get_drift`]; [`Error::Invalid`] also if the step is shorter than
    /// an hour or no multiple of it, or there are more than 750 steps.
    pub async fn get_drift_history(
        self,
        floor_id: i64,
        (start, end): (Timestamp, Timestamp),
        step: u32,
    ) -> Result<DriftHistory> {
        let end = end.min(self.park.now());
        check_steps(start, end, step)?;
        let _turn = self.park.walks.acquire().await;
        let memory = self.park.estimates.floor(floor_id);
        let mut memory = memory.lock().await;
        let stand = memory.observe(self.park, floor_id, end).await?;
        let hours = memory.hours(&self.park.time_zone(), &stand);
        let steps = aside(move || {
            let mut state = State::begin(&hours);
            let mut steps = Vec::new();
            let width = i64::from(step);
            let first = (start.as_second().div_euclid(width) + 1) * width;
            for at in (first..=end.as_second()).step_by(step as usize) {
                let number = (at - hours.begin.as_second()) / 3600;
                let Ok(number) = usize::try_from(number) else { continue };
                if number > hours.hours.len() || number == 0 {
                    continue;
                }
                state.advance(&hours, number);
                let told = state.answer(&hours);
                let Ok(at) = Timestamp::from_second(at) else { continue };
                let count = hours.hours[number - 1].count;
                let Drift { estimate, low, high, .. } = told;
                steps.push(DriftStep { at, count, estimate, low, high });
            }
            steps
        })
        .await?;
        Ok(DriftHistory { floor_id, step, steps })
    }

    fn instant(self, at: Option<Timestamp>) -> Result<Timestamp> {
        let now = self.park.now();
        match at {
            Some(at) if at > now => Err(Error::invalid("at", "must not lie ahead of now")),
            at => Ok(at.unwrap_or(now)),
        }
    }

    async fn drift_at(self, floor_id: i64, at: Timestamp) -> Result<(FloorDrift, State)> {
        let zone = self.park.time_zone();
        let memory = self.park.estimates.floor(floor_id);
        let mut memory = memory.lock_owned().await;
        let stand = memory.observe(self.park, floor_id, at).await?;
        aside(move || {
            let (hours, state) = memory.state(&zone, &stand);
            let state = state.with_part(&stand.part);
            let drift = state.answer(&hours);
            let (count, total_slots) = (stand.now.count, stand.now.slots);
            (FloorDrift { floor: stand.floor, at, count, total_slots, drift }, state)
        })
        .await
    }
}

fn check_steps(start: Timestamp, end: Timestamp, step: u32) -> Result<()> {
    if end < start {
        return Err(Error::invalid("end", "must not be before start, nor start ahead of now"));
    }
    if step < MIN_DRIFT_STEP || !step.is_multiple_of(MIN_DRIFT_STEP) || step > 31 * 86_400 {
        return Err(Error::invalid("step", "must be a whole number of hours, in seconds"));
    }
    let length = end.duration_since(start).as_secs().unsigned_abs();
    if length / u64::from(step) > MAX_DRIFT_STEPS.into() {
        return Err(Error::invalid("step", "must not make more than 750 steps of the window"));
    }
    Ok(())
}
