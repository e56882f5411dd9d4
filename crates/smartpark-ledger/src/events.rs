//! The operations on events.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::{
    Cursor, Error, Event, EventFilter, EventPage, LastSeen, NewEvent, Position, Recorded, Result,
    SmartPark, Statistics,
    attention::lags,
    decide::sums::DAY,
    limits::{
        LAST_SEEN_HOURS, MAX_BATCH_ROWS, MAX_METRIC_CAMERAS, MAX_PAGE_ROWS, MAX_STATISTICS_HOURS,
        RECENT_RECEIPTS,
    },
    model::{CameraLag, whole_micros},
};

/// The operations on events; from [`SmartPark::events`].
#[derive(Clone, Copy, Debug)]
pub struct EventOperations<'a> {
    pub(crate) park: &'a SmartPark,
}

impl EventOperations<'_> {
    /// Records an event, once: a repeat is answered with the first. The answer comes when the
    /// event is safely on disk.
    ///
    /// ```
    /// # use smartpark_ledger::{Direction, NewEvent, VehicleType};
    /// # smartpark_ledger::doctest(async |park| {
    /// let event = NewEvent::new("cam_001", 1, "track_12345", VehicleType::Car, Direction::Entry)
    ///     .at("2026-02-12T10:30:45Z".parse().unwrap())
    ///     .confidence(0.92);
    /// let recorded = park.events().record_event(event).await?;
    /// assert_eq!(recorded.event.count_delta, 1);
    /// assert_eq!(recorded.floor.current_vehicles, 1);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::UnknownFloor`], [`Error::InFuture`], [`Error::TooOld`]: the
    /// event was refused and nothing stored. [`Error::Overloaded`], [`Error::ClockDistrusted`]:
    /// nothing stored, try again.
    /// [`Error::Unavailable`]: unknown; sending it again is safe and settles it.
    pub async fn record_event(self, event: NewEvent) -> Result<Recorded> {
        let mut results = self.record_events(vec![event]).await?;
        results.pop().unwrap_or_else(|| Err(Error::Internal("no answer to an event".into())))
    }

    /// Records a batch of at most 10 000 events in one transaction: the good ones are recorded,
    /// the others answered with why not, in the order given.
    ///
    /// ```
    /// # use smartpark_ledger::{Direction, NewEvent, VehicleType};
    /// # smartpark_ledger::doctest(async |park| {
    /// let entry = NewEvent::new("cam_001", 1, "t1", VehicleType::Car, Direction::Entry);
    /// let nowhere = NewEvent::new("cam_001", 99, "t2", VehicleType::Car, Direction::Entry);
    /// let results = park.events().record_events(vec![entry, nowhere]).await?;
    /// assert!(results[0].is_ok());
    /// assert_eq!(results[1], Err(smartpark_ledger::Error::UnknownFloor));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// Of the batch as a whole: [`Error::Overloaded`], [`Error::Unavailable`], and
    /// [`Error::Invalid`] for more than 10 000 events.
    pub async fn record_events(self, events: Vec<NewEvent>) -> Result<Vec<Result<Recorded>>> {
        if events.len() > MAX_BATCH_ROWS {
            return Err(Error::invalid("events", "must be at most 10000"));
        }
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let cameras: Vec<String> = events.iter().map(|event| event.camera_id.clone()).collect();
        let judged = self.judged(events).await?;
        let answers = self.park.engine.record(judged, Vec::new()).await?;
        self.note_refusals(&cameras, &answers);
        Ok(answers)
    }

    /// Hears what the cameras say about the time, and judges this server's clock if something
    /// depends on it.
    pub(crate) async fn clock_for(
        self,
        events: &[NewEvent],
        now: Timestamp,
        latest: Timestamp,
    ) -> Result<Result<()>> {
        let mut newest: BTreeMap<&str, i64> = BTreeMap::new();
        for event in events {
            if let Some(at) = event.timestamp.map(Timestamp::as_microsecond) {
                let known = newest.entry(event.camera_id.as_str()).or_insert(at);
                *known = at.max(*known);
            }
        }
        self.park.trust.hear(now.as_microsecond(), self.park.skew(), newest);
        if events.iter().all(|event| event.timestamp.is_some_and(|at| at <= latest)) {
            return Ok(Ok(()));
        }
        match self.park.require_clock().await {
            Err(distrusted @ Error::ClockDistrusted { .. }) => Ok(Err(distrusted)),
            trusted => trusted.map(Ok),
        }
    }

    /// The event with this id.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the store cannot be read.
    pub async fn get_event_by_id(self, id: i64) -> Result<Option<Event>> {
        self.park.engine.event_by_id(id).await
    }

    /// The latest events of a floor, newest first, at most 1000.
    ///
    /// ```
    /// # use smartpark_ledger::{Direction, NewEvent, VehicleType};
    /// # smartpark_ledger::doctest(async |park| {
    /// # let entry = NewEvent::new("cam_001", 1, "t1", VehicleType::Car, Direction::Entry);
    /// # park.events().record_event(entry).await?;
    /// let events = park.events().get_events_by_floor(1, 100).await?;
    /// assert_eq!(events[0].camera_id, "cam_001");
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit out of 1–1000; [`Error::Unavailable`].
    pub async fn get_events_by_floor(self, floor_id: i64, limit: u32) -> Result<Vec<Event>> {
        let filter = EventFilter { floor_id: Some(floor_id), ..EventFilter::default() };
        Ok(self.get_events(filter, limit, None).await?.events)
    }

    /// All events from `start` on and before `end`, newest first, of one floor or of all. Reads
    /// page by page; for very many prefer [`EventOperations::get_events`].
    ///
    /// ```
    /// # smartpark_ledger::doctest(async |park| {
    /// let day = |text: &str| text.parse().unwrap();
    /// let (start, end) = (day("2026-02-12T00:00:00Z"), day("2026-02-13T00:00:00Z"));
    /// assert!(park.events().get_events_by_time_range(start, end, Some(1)).await?.is_empty());
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] where `end` is before `start`; [`Error::Unavailable`].
    pub async fn get_events_by_time_range(
        self,
        start: Timestamp,
        end: Timestamp,
        floor_id: Option<i64>,
    ) -> Result<Vec<Event>> {
        ordered(start, end)?;
        let filter =
            EventFilter { floor_id, start: Some(start), end: Some(end), ..EventFilter::default() };
        let (mut events, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.get_events(filter.clone(), MAX_PAGE_ROWS, cursor).await?;
            events.extend(page.events);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(events);
            }
        }
    }

    /// A page of the events that `filter` names, newest first, after `cursor`. The pages hold
    /// each event once, also while others are being recorded.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit out of 1–1000; [`Error::Unavailable`].
    pub async fn get_events(
        self,
        filter: EventFilter,
        limit: u32,
        cursor: Option<Cursor>,
    ) -> Result<EventPage> {
        fitting_limit(limit)?;
        self.park.engine.events(filter, limit, cursor).await
    }

    /// [`EventOperations::get_events`] from the other end: oldest first, as they are best read back
    /// in.
    ///
    /// # Errors
    /// As [`EventOperations::get_events`].
    pub async fn get_events_oldest_first(
        self,
        filter: EventFilter,
        limit: u32,
        cursor: Option<Cursor>,
    ) -> Result<EventPage> {
        fitting_limit(limit)?;
        self.park.engine.events_oldest_first(filter, limit, cursor).await
    }

    /// The events that were committed after `position`, in that order, at most `limit`, each with
    /// its own position. `None` where that is not known any more: some of them were deleted since,
    /// or the database is another one. Begin with [`EventOperations::get_position`] then.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit out of 1–1000; [`Error::Unavailable`].
    pub async fn get_events_after(
        self,
        position: Position,
        limit: u32,
    ) -> Result<Option<Vec<(Position, Event)>>> {
        fitting_limit(limit)?;
        self.park.engine.events_after(position, limit).await
    }

    /// The position of now: whatever is committed from now on comes after it. (On PostgreSQL also
    /// what was committed just before, while other transactions are under way.)
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the store cannot be read.
    pub async fn get_position(self) -> Result<Position> {
        self.park.engine.position().await
    }

    /// What happened in the last `hours` on all floors, exact to the event. Events that are
    /// ahead of the clock (by no more than the allowed skew) are among them.
    ///
    /// ```
    /// # use smartpark_ledger::{Direction, NewEvent, VehicleType};
    /// # smartpark_ledger::doctest(async |park| {
    /// # let entry = NewEvent::new("cam_001", 1, "t1", VehicleType::Car, Direction::Entry);
    /// # park.events().record_event(entry).await?;
    /// let stats = park.events().get_event_statistics(24).await?;
    /// assert_eq!((stats.entries, stats.exits), (1, 0));
    /// assert_eq!(stats.by_floor["Ground Floor"], 1);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] for hours out of 1–876600; [`Error::Unavailable`].
    pub async fn get_event_statistics(self, hours: u32) -> Result<Statistics> {
        let (start, end) = self.window(hours)?;
        self.get_event_statistics_between(start, end, None).await
    }

    /// When each camera sent its last event, by camera: of those that sent any in the last week,
    /// at most 500.
    ///
    /// ```
    /// # use smartpark_ledger::{Direction, NewEvent, VehicleType};
    /// # smartpark_ledger::doctest(async |park| {
    /// # let entry = NewEvent::new("cam_001", 1, "t1", VehicleType::Car, Direction::Entry);
    /// let recorded = park.events().record_event(entry).await?;
    /// let cameras = park.events().get_last_seen().await?;
    /// assert_eq!(cameras[0].camera_id, "cam_001");
    /// assert_eq!(cameras[0].at, recorded.event.timestamp);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the store cannot be read.
    pub async fn get_last_seen(self) -> Result<Vec<LastSeen>> {
        let week = SignedDuration::from_hours(LAST_SEEN_HOURS.into());
        let from = self.park.now().checked_sub(week).unwrap_or(Timestamp::MIN);
        self.park.engine.last_seen(from.as_microsecond(), MAX_METRIC_CAMERAS).await
    }

    /// How old the events of cameras are at least when they arrive, drawn from the last
    /// [`RECENT_RECEIPTS`] events that were received: a camera whose clock is behind has no fresh
    /// ones.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the store cannot be read.
    pub async fn get_camera_lags(self) -> Result<Vec<CameraLag>> {
        let day_ago = self.park.now().as_microsecond() - DAY;
        let mut receipts = self.park.engine.recent_receipts(RECENT_RECEIPTS).await?;
        receipts.retain(|receipt| receipt.received_at >= day_ago);
        Ok(lags(&receipts))
    }

    /// The window of the last `hours`, as [`EventOperations::get_event_statistics`] takes it: it
    /// ends now, with the events of this instant. Events ahead of the clock come into it when their
    /// time has come.
    ///
    /// # Errors
    /// [`Error::Invalid`] for hours out of 1–876600.
    pub fn window(self, hours: u32) -> Result<(Timestamp, Timestamp)> {
        if !(1..=MAX_STATISTICS_HOURS).contains(&hours) {
            return Err(Error::invalid("hours", "must be a whole number from 1 to 876600"));
        }
        let now = self.park.now();
        let start = now.checked_sub(SignedDuration::from_hours(hours.into()));
        let end = now.checked_add(SignedDuration::from_micros(1));
        Ok((start.unwrap_or(Timestamp::MIN), end.unwrap_or(Timestamp::MAX)))
    }

    /// What happened from `start` on and before `end`, on one floor or on all.
    ///
    /// # Errors
    /// [`Error::Invalid`] where `end` is before `start`; [`Error::NotFound`] without such a
    /// floor; [`Error::Unavailable`].
    pub async fn get_event_statistics_between(
        self,
        start: Timestamp,
        end: Timestamp,
        floor_id: Option<i64>,
    ) -> Result<Statistics> {
        ordered(start, end)?;
        self.park.engine.statistics(whole_micros(start), whole_micros(end), floor_id).await
    }
}

pub(crate) fn fitting_limit(limit: u32) -> Result<()> {
    if (1..=MAX_PAGE_ROWS).contains(&limit) {
        return Ok(());
    }
    Err(Error::invalid("limit", "must be a whole number from 1 to 1000"))
}

fn ordered(start: Timestamp, end: Timestamp) -> Result<()> {
    if end < start { Err(Error::invalid("end", "must not be before start")) } else { Ok(()) }
}
