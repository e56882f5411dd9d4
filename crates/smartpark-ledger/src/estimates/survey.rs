//! What was last estimated of every floor, for lists and metrics that must not take long.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{EstimateOperations, FloorDrift, lock};
use crate::{Result, limits::MAX_SURVEYED_FLOORS};

/// The last estimates, by floor.
pub(super) type Survey = BTreeMap<i64, FloorDrift>;

impl EstimateOperations<'_> {
    /// How far the counts of the active floors may be off, as of the last full hour: every server
    /// says the same then, and each floor is looked at once an hour. At most eight floors are
    /// estimated anew at a time. Of the others the last estimate is told; floors without any are
    /// left out.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) if the store cannot be read.
    pub async fn get_drift_survey(self) -> Result<Vec<FloorDrift>> {
        let hour = self.park.now().as_second().div_euclid(3600) * 3600;
        let hour = Timestamp::from_second(hour).unwrap_or(Timestamp::MIN);
        let mut active = self.park.engine.floors().await?;
        active.retain(|floor| floor.is_active);
        active.sort_by_key(|floor| floor.id);
        let due: Vec<i64> = {
            let mut survey = lock(&self.park.estimates.survey);
            survey.retain(|id, _| active.iter().any(|floor| floor.id == *id));
            let known = |id: &i64| survey.get(id).map(|told| told.at);
            let mut due: Vec<i64> = active.iter().map(|floor| floor.id).collect();
            due.retain(|id| known(id) != Some(hour));
            // Those that were estimated longest ago come first.
            due.sort_by_key(known);
            due
        };
        for floor_id in due.into_iter().take(MAX_SURVEYED_FLOORS) {
            let told = self.get_drift(floor_id, Some(hour)).await;
            match told {
                Ok(told) => drop(lock(&self.park.estimates.survey).insert(floor_id, told)),
                // It was removed, or its history begins within this hour.
                Err(crate::Error::NotFound(_) | crate::Error::TooOld { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(lock(&self.park.estimates.survey).values().cloned().collect())
    }
}
