//! A car park as all feeds see it.

use jiff::Timestamp;

use crate::config::SiteKind;

/// Whether a car park takes cars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// It does.
    Open,
    /// It does not at this hour.
    Closed,
    /// A person closed it.
    ClosedByPerson,
}

/// One floor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FloorView {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its slots.
    pub total: u32,
    /// Its vehicles, at most `total`.
    pub occupied: u32,
    /// Whether cars may be sent there.
    pub is_active: bool,
    /// When its newest event or recount with an effect happened.
    pub last_event: Option<Timestamp>,
}

impl FloorView {
    /// Slots that are free.
    #[must_use]
    pub fn free(&self) -> u32 {
        self.total.saturating_sub(self.occupied)
    }

    /// How full it is, from 0 to 100; 0 without slots. One digit behind the point.
    #[must_use]
    pub fn occupancy(&self) -> f64 {
        if self.total == 0 {
            return 0.0;
        }
        (f64::from(self.occupied.min(self.total)) * 1_000.0 / f64::from(self.total)).round() / 10.0
    }
}

/// One car park.
///
/// Two times are kept apart: `last_event` is when a number last changed, `vouched_at` is the moment
/// for which the numbers are vouched for. In a quiet night the first is hours ago and the second is
/// now.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteView {
    /// The name in paths and topics.
    pub id: String,
    /// The name that people read.
    pub name: String,
    /// Latitude and longitude of the entrance, in degrees.
    pub place: Option<(f64, f64)>,
    /// Street and number, code and town.
    pub address: Option<String>,
    /// What kind of car park.
    pub kind: Option<SiteKind>,
    /// Its operator.
    pub operator: Option<String>,
    /// Its page.
    pub website: Option<String>,
    /// Opening hours in the syntax of OpenStreetMap.
    pub opening_hours: Option<String>,
    /// Two letters.
    pub language: Option<String>,
    /// Highest vehicle, in centimetres.
    pub max_height_cm: Option<u32>,
    /// Slots of tenants, taken off total and free.
    pub reserved_slots: u32,
    /// What a journey planner calls the site in SIRI-FM; `id` if `None`.
    pub facility_ref: Option<String>,
    /// Whether it takes cars.
    pub opening: Opening,
    /// Its floors.
    pub floors: Vec<FloorView>,
    /// When its newest event or recount with an effect happened.
    pub last_event: Option<Timestamp>,
    /// For when the numbers are vouched for; `None` if no camera was ever heard.
    pub vouched_at: Option<Timestamp>,
    /// No camera was heard for `feeds.silent_after`: the numbers are not vouched for.
    pub is_silent: bool,
    /// When name, place or another fixed thing last changed.
    pub described_at: Timestamp,
}

impl SiteView {
    fn active(&self) -> impl Iterator<Item = &FloorView> {
        self.floors.iter().filter(|floor| floor.is_active)
    }

    /// Slots of the active floors without those of tenants.
    #[must_use]
    pub fn total(&self) -> u64 {
        let slots: u64 = self.active().map(|floor| u64::from(floor.total)).sum();
        slots.saturating_sub(u64::from(self.reserved_slots))
    }

    /// Free slots of the active floors without those of tenants; `None` if the site is silent.
    #[must_use]
    pub fn free(&self) -> Option<u64> {
        if self.is_silent || self.vouched_at.is_none() {
            return None;
        }
        let free: u64 = self.active().map(|floor| u64::from(floor.free())).sum();
        Some(free.saturating_sub(u64::from(self.reserved_slots)).min(self.total()))
    }

    pub(super) fn is_open(&self) -> bool {
        self.opening == Opening::Open
    }

    /// For when the numbers are vouched for, or since when the site is described as it is.
    pub(super) fn as_of(&self) -> Timestamp {
        self.vouched_at.unwrap_or(self.described_at)
    }
}

/// RFC 3339 in UTC in whole seconds, as every reader takes it.
pub(super) fn seconds(at: Timestamp) -> String {
    let whole = Timestamp::from_second(at.as_microsecond().div_euclid(1_000_000)).unwrap_or(at);
    whole.to_string()
}

/// What a site lacks that the readers of a feed would miss.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{site}: {what}: {consequence}")]
pub struct Lack {
    /// The site's id.
    pub site: String,
    /// What is missing.
    pub what: &'static str,
    /// What a reader does then.
    pub consequence: &'static str,
}

/// Europe, as ParkAPI version 3 bounds it: latitudes and longitudes.
const EUROPE: ((f64, f64), (f64, f64)) = ((34.0, 72.0), (-27.0, 43.0));

/// Whether ParkAPI version 3 takes a place.
pub(super) fn is_in_europe((latitude, longitude): (f64, f64)) -> bool {
    let ((south, north), (west, east)) = EUROPE;
    (south..=north).contains(&latitude) && (west..=east).contains(&longitude)
}

/// What cities would miss of these sites, for `smartpark feeds check`.
#[must_use]
pub fn lacks(sites: &[SiteView]) -> Vec<Lack> {
    let mut lacks = Vec::new();
    for site in sites {
        let mut lack = |what, consequence| {
            lacks.push(Lack { site: site.id.clone(), what, consequence });
        };
        match site.place {
            None => lack("no latitude and longitude", "only SIRI-FM can show the site"),
            Some(place) if !is_in_europe(place) => {
                lack("a place outside of Europe", "ParkAPI version 3 refuses the site");
            }
            Some(_) => {}
        }
        if site.opening_hours.is_none() {
            lack("no opening_hours", "journey planners show the site as always open");
        }
        if site.address.is_none() {
            lack("no address", "people see a point on the map without a street");
        }
        if site.operator.is_none() {
            lack("no operator", "people do not see whom to ask");
        }
        if site.kind.is_none() {
            lack("no kind", "readers cannot tell a garage from a street");
        }
        if site.total() == 0 {
            lack("no slots", "NGSI leaves the site out, journey planners show no place for cars");
        }
        if site.free().is_none() {
            lack("no sign of life of a camera", "the feeds leave the free slots out");
        }
    }
    lacks
}
