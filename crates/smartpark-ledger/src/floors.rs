//! The operations on floors.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    Change, Direction, Error, Floor, FloorChange, FloorCount, NewFloor, Result, SmartPark,
    error::FieldError,
    limits::MAX_PAGE_ROWS,
    model::{self, whole_micros},
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
        fitting(recount_faults(current_vehicles, reason))?;
        let author = author.map(str::to_owned);
        self.park.require_clock().await?;
        self.park.engine.recount(floor_id, current_vehicles, reason.to_owned(), author).await
    }

    /// Records how many vehicles were counted at an earlier instant. The number takes its place in
    /// history: what came after it still counts, and numbers of the past from there on may change.
    /// The same number for the same floor and instant is a repeat. Returns the floor.
    ///
    /// ```
    /// # use smartpark_ledger::Timestamp;
    /// # smartpark_ledger::doctest(async |park| {
    /// let before: Timestamp = "2026-02-12T09:00:00Z".parse().unwrap();
    /// let floor = park.floors().recount_at(1, 12, "morning round", None, before).await?;
    /// assert_eq!(floor.current_vehicles, 12);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] (also if the instant lies in the future, or more vehicles were counted
    /// than the floor had slots then), [`Error::RecountDiffers`], [`Error::TooOld`] before the
    /// retention horizon, [`Error::NotFound`], [`Error::Unavailable`].
    pub async fn recount_at(
        self,
        floor_id: i64,
        current_vehicles: i64,
        reason: &str,
        author: Option<&str>,
        counted_at: Timestamp,
    ) -> Result<Floor> {
        let mut faults = recount_faults(current_vehicles, reason);
        if counted_at > self.park.now() {
            faults.push(FieldError::new("counted_at", "must not lie in the future"));
        }
        fitting(faults)?;
        let (at, reason) = (whole_micros(counted_at).as_microsecond(), reason.to_owned());
        let author = author.map(str::to_owned);
        self.park.engine.recount_at(floor_id, current_vehicles, at, reason, author).await
    }

    /// Changes of floors that no camera made, the latest first: recounts, changes of slots,
    /// openings and closings, vehicles counted by hand. Of one floor or of all, at most 1000;
    /// `before` is the id of the last one on the page before.
    ///
    /// ```
    /// # smartpark_ledger::doctest(async |park| {
    /// park.floors().recount(1, 5, "night round", Some("Kim")).await?;
    /// let changes = park.floors().get_changes(Some(1), None, 10).await?;
    /// assert_eq!(changes[0].author.as_deref(), Some("Kim"));
    /// assert_eq!((changes[0].count_delta, changes[0].vehicles), (5, 5));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit out of 1–1000; [`Error::Unavailable`].
    pub async fn get_changes(
        self,
        floor_id: Option<i64>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Change>> {
        if !(1..=MAX_PAGE_ROWS).contains(&limit) {
            return Err(Error::invalid("limit", "must be a whole number from 1 to 1000"));
        }
        let before = before.unwrap_or(i64::MAX);
        let rows = self.park.engine.changes_of(floor_id, before, limit).await?;
        Ok(rows.into_iter().map(Change::from).collect())
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

/// What does not fit of a recount.
fn recount_faults(current_vehicles: i64, reason: &str) -> Vec<FieldError> {
    let mut faults = Vec::new();
    if current_vehicles < 0 {
        faults.push(FieldError::new("current_vehicles", "must be a whole number, 0 or more"));
    }
    if reason.is_empty() {
        faults.push(FieldError::new("reason", "must say why, in 1 to 1000 characters"));
    }
    model::text_fault("reason", Some(reason), &mut faults);
    faults
}
