//! The floors and sample events that an empty database begins with.

use jiff::SignedDuration;

use crate::{
    Direction, EventFilter, Floor, NewEvent, NewFloor, Recorded, Result, SmartPark, VehicleType,
};

/// The operations that fill a database; from [`SmartPark::seed`].
#[derive(Clone, Copy, Debug)]
pub struct Seed<'a> {
    pub(crate) park: &'a SmartPark,
}

/// What a database holds, as far as a new user cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stock {
    /// No floor.
    Empty,
    /// Only what [`Seed`] makes: the four floors and perhaps their sample events.
    Sample,
    /// Something else.
    Own,
}

/// How the tracks of sample events begin.
const TRACKS: &str = "sample_";

/// Floor (by its place in [`floors`]), minutes ago, direction, type: the sample events, with
/// every exit after its entry, so that the samples hit no limit.
const SAMPLES: [(usize, i64, Direction, VehicleType); 15] = {
    use Direction::{Entry, Exit};
    use VehicleType::{Bus, Car, Motorcycle, Truck};
    [
        (0, 345, Entry, Car),
        (1, 330, Entry, Car),
        (2, 310, Entry, Motorcycle),
        (0, 290, Entry, Truck),
        (1, 275, Entry, Car),
        (0, 260, Entry, Car),
        (2, 240, Entry, Car),
        (0, 205, Exit, Car),
        (3, 190, Entry, Bus),
        (1, 165, Entry, Motorcycle),
        (0, 130, Entry, Car),
        (2, 95, Exit, Motorcycle),
        (1, 70, Exit, Car),
        (2, 40, Entry, Car),
        (0, 15, Entry, Car),
    ]
};

fn floors() -> [NewFloor; 4] {
    let described = |name: &str, slots, description: &str| NewFloor {
        description: Some(description.to_owned()),
        ..NewFloor::new(name, slots)
    };
    [
        described("Ground Floor", 50, "Main entry and exit"),
        described("First Floor", 45, "Reached by the north ramp"),
        described("Second Floor", 40, "Reached by the north ramp"),
        NewFloor {
            is_active: false,
            ..described("Basement Level 1", 60, "Closed until further notice")
        },
    ]
}

impl Seed<'_> {
    /// Makes the four floors of the design in an empty database.
    ///
    /// ```
    /// # smartpark_ledger::doctest(async |park| {
    /// assert!(park.seed().seed_floors().await.is_err()); // this one has floors already
    /// let floors = park.seed().reset_database_seed().await?;
    /// assert_eq!(floors.len(), 4);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::NotEmpty`](crate::Error::NotEmpty) where there are floors;
    /// [`Error::Unavailable`](crate::Error::Unavailable).
    pub async fn seed_floors(self) -> Result<Vec<Floor>> {
        self.park.engine.fill(floors().into(), false).await
    }

    /// Records 15 sample events of the last hours on the floors of
    /// [`Seed::seed_floors`], in the order they are given.
    ///
    /// # Errors
    /// Those of [`EventOperations::record_event`](crate::EventOperations::record_event).
    pub async fn seed_sample_events(self, floors: &[Floor]) -> Result<Vec<Recorded>> {
        let now = self.park.now();
        let events = SAMPLES.iter().enumerate().filter_map(|(i, (floor, minutes, way, kind))| {
            let floor = floors.get(*floor)?;
            let at = now - SignedDuration::from_mins(*minutes);
            let camera = format!("cam_{:03}", floor.id);
            let track = format!("{TRACKS}{:02}", i + 1);
            Some(NewEvent::new(camera, floor.id, track, *kind, *way).at(at).confidence(0.9))
        });
        let results = self.park.events().record_events(events.collect()).await?;
        results.into_iter().collect()
    }

    /// Whether the database is empty, or holds nothing but sample data.
    ///
    /// ```
    /// # use smartpark_ledger::Stock;
    /// # smartpark_ledger::doctest(async |park| {
    /// assert_eq!(park.seed().stock().await?, Stock::Sample);
    /// park.seed().reset_to_empty().await?;
    /// assert_eq!(park.seed().stock().await?, Stock::Empty);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable).
    pub async fn stock(self) -> Result<Stock> {
        let mut found = self.park.floors().get_all_floors().await?;
        // In the order in which they were made, not by free slots.
        found.sort_by_key(|floor| floor.id);
        if found.is_empty() {
            return Ok(Stock::Empty);
        }
        let made = floors();
        let same = |(found, made): (&Floor, &NewFloor)| {
            found.name == made.name && found.total_slots == made.total_slots
        };
        if found.len() != made.len() || !found.iter().zip(&made).all(same) {
            return Ok(Stock::Own);
        }
        // A site that grew out of the samples has an event of its own among the newest.
        let newest = SAMPLES.len() as u32 + 1;
        let events = self.park.events();
        let page = events.get_events(EventFilter::default(), newest, None).await?;
        let is_sample = page.events.iter().all(|event| event.track_id.starts_with(TRACKS));
        Ok(if is_sample { Stock::Sample } else { Stock::Own })
    }

    /// Removes every floor, event, adjustment and statistic.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable).
    pub async fn reset_to_empty(self) -> Result<()> {
        self.park.engine.fill(Vec::new(), true).await.map(drop)
    }

    /// Removes every floor, event, adjustment and statistic, and seeds the floors anew.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable).
    pub async fn reset_database_seed(self) -> Result<Vec<Floor>> {
        self.park.engine.fill(floors().into(), true).await
    }
}
