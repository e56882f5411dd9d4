//! Which events a request is about: the filters of the listing and of the download.

use utoipa::IntoParams;

use super::{
    App,
    problem::{Place, Problem},
    query::Query,
    window::{ENDS_EARLY, Local, NOT_HOURS, TWO_PERIODS, TWO_WINDOWS},
};
use smartpark_ledger::{
    Direction, EventFilter, Result, Timestamp, VehicleType, limits::MAX_STATISTICS_HOURS,
};

/// What is said of a floor_id in a query that is none.
pub(super) const NOT_A_FLOOR_ID: &str = "must be a whole number, 1 or more";

/// The parameters that filter events, as they are described.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it is there to be described")]
pub(super) struct FilterParams {
    /// Only of this floor
    #[param(minimum = 1)]
    floor_id: Option<i64>,
    /// Only of this camera
    #[param(min_length = 1, max_length = 100)]
    camera_id: Option<String>,
    /// Only of this track
    #[param(min_length = 1, max_length = 100)]
    track_id: Option<String>,
    /// Only of this type
    vehicle_type: Option<VehicleType>,
    /// Only in this direction
    direction: Option<Direction>,
    /// Only at or after this instant: RFC 3339 with an offset, or a date, `2026-11`, `today` or
    /// `yesterday`, which mean the first instant of it in the site's time zone
    start: Option<String>,
    /// Only before this instant, written like start
    end: Option<String>,
    /// Only of this day or month of the site: `today`, `yesterday`, a date or `2026-11`; not
    /// beside hours, start or end
    period: Option<String>,
    /// Only of the last hours; not beside start or end
    #[param(minimum = 1, maximum = 876_600)]
    hours: Option<u32>,
    /// true: only those that were recorded as an entry to a full or an exit from an empty floor;
    /// false: only the others
    at_limit: Option<bool>,
}

/// The parameters that filter events.
pub(super) const FILTERS: [&str; 10] = [
    "floor_id",
    "camera_id",
    "track_id",
    "vehicle_type",
    "direction",
    "start",
    "end",
    "period",
    "hours",
    "at_limit",
];

/// A filter as it was asked for.
pub(super) struct Filter {
    filter: EventFilter,
    hours: Option<u32>,
}

impl Filter {
    /// Reads the parameters; what does not fit is noted in the query.
    pub(super) fn read(query: &mut Query, local: &Local) -> Self {
        let period = query.period("period", local);
        let (start, end) = (query.bound("start", local), query.bound("end", local));
        if query.has("period") && ["hours", "start", "end"].iter().any(|it| query.has(it)) {
            query.fault("period", TWO_PERIODS);
        }
        let (start, end) = period.map_or((start, end), |(start, end)| (Some(start), Some(end)));
        let filter = EventFilter {
            floor_id: query.integer("floor_id", 1..=i64::MAX, NOT_A_FLOOR_ID),
            camera_id: query.name("camera_id"),
            track_id: query.name("track_id"),
            vehicle_type: query.word::<VehicleType>("vehicle_type"),
            direction: query.word::<Direction>("direction"),
            start,
            end,
            at_limit: query.has("at_limit").then(|| query.flag("at_limit")),
        };
        let hours = query.small_integer("hours", 1..=MAX_STATISTICS_HOURS, NOT_HOURS);
        if hours.is_some() && (query.has("start") || query.has("end")) {
            query.fault("hours", TWO_WINDOWS);
        }
        if filter.start.zip(filter.end).is_some_and(|(start, end)| end < start) {
            query.fault("end", ENDS_EARLY);
        }
        Self { filter, hours }
    }

    /// The filter, where hours are counted from now.
    pub(super) fn of(self, app: &App) -> Result<EventFilter, Problem> {
        let filter = self.within(|hours| app.park.events().window(hours));
        filter.map_err(|error| Problem::from_error(error, Place::Query))
    }

    /// The filter, where `last` says from when until when the last hours are.
    pub(super) fn within(
        self,
        last: impl FnOnce(u32) -> Result<(Timestamp, Timestamp)>,
    ) -> Result<EventFilter> {
        let Self { mut filter, hours } = self;
        if let Some(hours) = hours {
            let (start, end) = last(hours)?;
            (filter.start, filter.end) = (Some(start), Some(end));
        }
        Ok(filter)
    }
}
