//! The window of time that a request is about: the last hours, or from start until end.

use jiff::{Timestamp, tz::TimeZone};

use super::query::Query;
use smartpark_ledger::limits::MAX_STATISTICS_HOURS;

/// What dates and words for days mean at the site.
#[derive(Clone, Debug)]
pub(super) struct Local {
    /// The site's time zone.
    pub(super) zone: TimeZone,
    pub(super) now: Timestamp,
}

/// What is said of hours out of range.
pub(super) const NOT_HOURS: &str = "must be a whole number from 1 to 876600";
/// What is said where a window is given in two ways.
pub(super) const TWO_WINDOWS: &str = "cannot stand beside start or end";
/// What is said of a period beside another window.
pub(super) const TWO_PERIODS: &str = "cannot stand beside hours, start or end";
/// What is said of a window that ends before it begins.
pub(super) const ENDS_EARLY: &str = "must not be before start";

/// A window as it was asked for.
pub(super) struct Window {
    /// The last hours, where these were asked for.
    pub(super) hours: Option<u32>,
    /// The first instant, where it was named.
    pub(super) start: Option<Timestamp>,
    end: Option<Timestamp>,
}

impl Window {
    /// Reads `hours`, `start`, `end` and `period`; what does not fit is noted in the query.
    pub(super) fn read(query: &mut Query, local: &Local) -> Self {
        let hours = query.small_integer("hours", 1..=MAX_STATISTICS_HOURS, NOT_HOURS);
        let (start, end) = (query.bound("start", local), query.bound("end", local));
        if let Some((start, end)) = query.period("period", local) {
            if query.has("hours") || query.has("start") || query.has("end") {
                query.fault("period", TWO_PERIODS);
            }
            return Self { hours: None, start: Some(start), end: Some(end) };
        }
        if hours.is_some() && (query.has("start") || query.has("end")) {
            query.fault("hours", TWO_WINDOWS);
        } else if query.has("end") && !query.has("start") {
            query.fault("start", "is required where end is given");
        }
        Self { hours, start, end }
    }

    /// Its first instant and the first after it: those of `usual` that were not named.
    pub(super) fn or(
        &self,
        usual: (Timestamp, Timestamp),
        query: &mut Query,
    ) -> (Timestamp, Timestamp) {
        let (start, end) = (self.start.unwrap_or(usual.0), self.end.unwrap_or(usual.1));
        if end < start {
            query.fault(if query.has("end") { "end" } else { "start" }, ENDS_EARLY);
        }
        (start, end)
    }
}
