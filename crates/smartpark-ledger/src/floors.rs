//! The operations on floors.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    Direction, Error, Floor, FloorChange, FloorCount, NewFloor, Result, SmartPark,
    error::FieldError, model,
};

/// The operations on floors; from [`SmartPark::floors`].
#[derive(Clone, Copy, Debug)]
pub struct FloorOperations<'a> {
    pub(crate) park: &'a SmartPark,
}

impl FloorOperations<'_> {
    /// All floors that cars may be sent to, most free slots first (then the lower id).
    ///
    /// ```
    /// # smartpark_ledger::doctest(async |park| {
    /// let floors = park.floors().get_all_active_floors().await?;
    /// assert_eq!(floors[0].name, "Ground Floor");
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the store cannot be read.
    pub async fn get_all_active_floors(self) -> Result<Vec<Floor>> {
        let mut floors = self.get_all_floors().await?;
        floors.retain(|floor| floor.is_active);
        Ok(floors)
    }

    /// All floors, those that are not active too, most free slots first (then the lower id).
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the store cannot be read.
    pub async fn get_all_floors(self) -> Result<Vec<Floor>> {
        let mut floors = self.park.engine.floors().await?;
        model::most_free_first(&mut floors);
        Ok(floors)
    }

    /// All floors as [`FloorOperations::get_all_floors`] tells them, from the state that is kept
    /// for readers: for those who ask very often. The same list is returned for as long as nothing
    /// about the floors changes.
    ///
    /// It is never older than what this park answered before. With an embedded database that holds
    /// for other processes on the same file, too; with PostgreSQL it may lack what other servers
    /// committed in the last tenth of a second
    /// ([`POSTGRES_LATEST_AGE`](crate::limits::POSTGRES_LATEST_AGE)).
    ///
    /// ```
    /// # smartpark_ledger::doctest(async |park| {
    /// let floors = park.floors().get_latest_floors().await?;
    /// let first = floors.iter().find(|floor| floor.is_active);
    /// assert_eq!(first.unwrap().name, "Ground Floor");
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the store cannot be read.
    pub async fn get_latest_floors(self) -> Result<Arc<[Floor]>> {
        self.park.engine.latest_floors().await
    }

    /// The floor with this id.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the store cannot be read.
    pub async fn get_floor_by_id(self, id: i64) -> Result<Option<Floor>> {
        self.park.engine.floor_by_id(id).await
    }

    /// The floor with this name.
    ///
    /// ```
    /// # smartpark_ledger::doctest(async |park| {
    /// let floor = park.floors().get_floor_by_name("First Floor").await?;
    /// assert_eq!(floor.unwrap().total_slots, 45);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the store cannot be read.
    pub async fn get_floor_by_name(self, name: &str) -> Result<Option<Floor>> {
        self.park.engine.floor_by_name(name).await
    }

    /// The active floor with the most free slots (of equals the lower id); none where every
    /// active floor is full.
    ///
    /// ```
    /// # smartpark_ledger::doctest(async |park| {
    /// let best = park.floors().get_recommended_floor().await?;
    /// assert_eq!(best.unwrap().name, "Ground Floor");
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the store cannot be read.
    pub async fn get_recommended_floor(self) -> Result<Option<Floor>> {
        let floors = self.get_all_active_floors().await?;
        Ok(floors.into_iter().next().filter(|floor| floor.available_slots() > 0))
    }

    /// Counts a car in or out that no camera saw; leaves an adjustment. Returns the floor.
    /// At its limit the count stays.
    ///
    /// ```
    /// # use smartpark_ledger::Direction;
    /// # smartpark_ledger::doctest(async |park| {
    /// let floor = park.floors().update_vehicle_count(1, Direction::Entry).await?;
    /// assert_eq!(floor.current_vehicles, 1);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::NotFound`] without such a floor; [`Error::Unavailable`].
    pub async fn update_vehicle_count(self, floor_id: i64, direction: Direction) -> Result<Floor> {
        self.park.require_clock().await?;
        self.park.engine.adjust(floor_id, direction).await
    }

    /// Makes a floor. Its capacity holds for all of its past, so history can be imported.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::NameTaken`], [`Error::Unavailable`].
    pub async fn add_floor(self, floor: NewFloor) -> Result<Floor> {
        fitting(floor.faults())?;
        self.park.engine.add_floor(floor).await
    }

    /// Changes a floor. A new capacity holds from now on and leaves an adjustment.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::NotFound`], [`Error::NameTaken`],
    /// [`Error::SlotsBelowCount`] unless forced, [`Error::Unavailable`].
    pub async fn change_floor(self, id: i64, change: FloorChange) -> Result<Floor> {
        fitting(change.faults())?;
        self.park.require_clock().await?;
        self.park.engine.change_floor(id, change).await
    }

    /// Removes a floor that never had an event.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::FloorHasEvents`], [`Error::Unavailable`].
    pub async fn remove_floor(self, id: i64) -> Result<()> {
        self.park.engine.remove_floor(id).await
    }

    /// Sets a floor's count to what somebody counted, from now on; leaves an adjustment.
    /// What happened before it, and arrives later, no longer disturbs the count.
    ///
    /// ```
    /// # smartpark_ledger::doctest(async |park| {
    /// let floor = park.floors().recount(1, 12, "night round", Some("Kim")).await?;
    /// assert_eq!(floor.available_slots(), 38);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] (also where more vehicles were counted than there are slots),
    /// [`Error::NotFound`], [`Error::Unavailable`].
    pub async fn recount(
        self,
        floor_id: i64,
        current_vehicles: i64,
        reason: &str,
        author: Option<&str>,
    ) -> Result<Floor> {
        let mut faults = Vec::new();
        if current_vehicles < 0 {
            faults.push(FieldError::new("current_vehicles", "must be a whole number, 0 or more"));
        }
        if reason.is_empty() {
            faults.push(FieldError::new("reason", "must say why, in 1 to 1000 characters"));
        }
        model::text_fault("reason", Some(reason), &mut faults);
        fitting(faults)?;
        let author = author.map(str::to_owned);
        self.park.require_clock().await?;
        self.park.engine.recount(floor_id, current_vehicles, reason.to_owned(), author).await
    }

    /// Every floor's count as it was at an instant: what all facts before it lead to. Facts that
    /// arrived late are in their place.
    ///
    /// # Errors
    /// [`Error::TooOld`] before the retention horizon; [`Error::Unavailable`].
    pub async fn get_counts_at(self, at: Timestamp) -> Result<Vec<FloorCount>> {
        self.park.engine.counts_at(at).await
    }
}

fn fitting(faults: Vec<FieldError>) -> Result<()> {
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}
