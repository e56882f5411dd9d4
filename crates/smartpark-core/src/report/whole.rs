//! A whole report.

use jiff::Timestamp;
use serde::Serialize;

use super::{DayFigures, Figures, Heat};

/// What happened on a site in a month, a week, a day, or a range of days.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Report {
    /// The site's name.
    pub site: String,
    /// `2026-11`, `2026-W48`, `2026-11-30`, or `2026-11-01/2026-11-15` (both days belong to it).
    pub period: String,
    /// The time zone whose days these are.
    pub time_zone: String,
    /// The first instant.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub start: Timestamp,
    /// The first instant after it; now if the period has not ended.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub end: Timestamp,
    /// Whether the period has ended.
    pub is_complete: bool,
    /// When it was made. Events that come later may change the figures.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub made_at: Timestamp,
    /// The floors that are active now, together.
    pub figures: Figures,
    /// The same of the period before; null if that is not known, or nothing happened in it.
    pub before: Option<PeriodBefore>,
    /// Day by day.
    pub days: Vec<DayFigures>,
    /// How full the site was by weekday (from Monday) and hour: the share of the slots that was
    /// taken, 0 to 1; null for hours that the period does not hold.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Vec<Option<f64>>>))]
    pub heat: Heat,
    /// How far the count at the end may be off; null if nothing is known of it.
    pub drift: Option<ReportDrift>,
    /// Each floor.
    pub floors: Vec<FloorReport>,
}

/// The figures of the period before.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PeriodBefore {
    /// How it is written.
    pub period: String,
    /// Its figures.
    pub figures: Figures,
}

/// How far a count may be off at the end of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReportDrift {
    /// The count.
    pub count: i64,
    /// The most likely true number.
    pub estimate: i64,
    /// Lower bound of the 95 % interval of the true number.
    pub low: i64,
    /// Upper bound of it.
    pub high: i64,
}

impl ReportDrift {
    /// How far the count may be off to either side.
    #[must_use]
    pub fn margin(&self) -> i64 {
        (self.high - self.count).max(self.count - self.low).max(0)
    }
}

/// What happened on a floor.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FloorReport {
    /// The floor.
    pub floor_id: i64,
    /// Its name.
    pub floor: String,
    /// Whether it is open now.
    pub is_active: bool,
    /// Its figures.
    pub figures: Figures,
    /// Day by day.
    pub days: Vec<DayFigures>,
    /// When people counted, in order of time.
    pub recounts: Vec<ReportRecount>,
    /// How far its count at the end may be off; null if nothing is known of it.
    pub drift: Option<ReportDrift>,
}

/// A count by a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReportRecount {
    /// From when on it holds.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
    /// The vehicles that were counted.
    pub vehicles: i64,
    /// By how many the count was too low (or too high, if negative).
    pub difference: i64,
    /// Who counted.
    pub author: Option<String>,
    /// Why.
    pub reason: Option<String>,
}
