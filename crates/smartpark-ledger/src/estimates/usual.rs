//! Today beside the same weekday of the last weeks.

use jiff::{Timestamp, tz::TimeZone};

use super::{EstimateOperations, aside};
use crate::{
    Result,
    estimate::{
        observed::Site,
        usual::{UsualDay, usual_day},
    },
};

/// Today, of a floor or of the active floors together.
#[derive(Clone, Debug, PartialEq)]
pub struct Today {
    /// Until when it is known: now.
    pub at: Timestamp,
    /// The time zone of the site, in which the day is.
    pub zone: TimeZone,
    /// The vehicles now.
    pub vehicles: i64,
    /// The slots now.
    pub total_slots: i64,
    /// The day.
    pub day: UsualDay,
}

impl EstimateOperations<'_> {
    /// The local day of the site by quarters of an hour, beside the same weekday of the last six
    /// weeks: of a floor, or of the active floors together. Computed from the facts that are
    /// stored now; their order of arrival changes nothing.
    ///
    /// ```
    /// # smartpark_ledger::doctest(async |park| {
    /// let today = park.estimates().get_today(Some(1)).await?;
    /// assert_eq!(today.day.days, 0); // A band needs two days of the same weekday.
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) without such a floor;
    /// [`Error::Unavailable`](crate::Error::Unavailable).
    pub async fn get_today(self, floor_id: Option<i64>) -> Result<Today> {
        let at = self.park.now();
        let zone = self.park.time_zone().await;
        let _turn = self.park.walks.acquire().await;
        let floors = match floor_id {
            Some(id) => vec![id],
            None => {
                let floors = self.floors_by_id().await?;
                floors.iter().filter(|floor| floor.is_active).map(|floor| floor.id).collect()
            }
        };
        let mut site = Site::default();
        let (mut vehicles, mut total_slots) = (0, 0);
        for id in floors {
            let memory = self.park.estimates.floor(id);
            let mut memory = memory.lock().await;
            let stand = memory.observe(self.park, id, at).await?;
            site.add(memory.readings(at));
            (vehicles, total_slots) = (vehicles + stand.now.count, total_slots + stand.now.slots);
        }
        let day = aside({
            let zone = zone.clone();
            move || usual_day(&site.readings(), &zone, at)
        })
        .await?;
        Ok(Today { at, zone, vehicles, total_slots, day })
    }
}
