//! The window of time that a command is about.

use jiff::tz::TimeZone;

use super::Usage;
use crate::{SmartPark, Timestamp, limits::MAX_STATISTICS_HOURS, zone};

/// A window: the last hours, from start until end, or a period of the calendar.
#[derive(Debug, clap::Args)]
pub(super) struct WindowArgs {
    /// The last hours
    #[arg(long, value_name = "N", conflicts_with_all = ["start", "end"])]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_STATISTICS_HOURS)))]
    hours: Option<u32>,
    /// From this instant on: RFC 3339 with an offset; or a date, a month such as 2026-11, today or
    /// yesterday, which begin in the site's time zone
    #[arg(long, value_name = "INSTANT")]
    start: Option<String>,
    /// Until this instant, written like --start [default: now]
    #[arg(long, value_name = "INSTANT")]
    end: Option<String>,
    /// Of this day or month: today, yesterday, a date, or a month such as 2026-11
    #[arg(long, value_name = "PERIOD", conflicts_with_all = ["hours", "start", "end"])]
    period: Option<String>,
    /// The zone of dates, days and shown times, such as Europe/Berlin [default: the site's]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
}

/// A window as it was asked for.
pub(super) struct Window {
    /// The last hours, if these were asked for.
    pub(super) hours: Option<u32>,
    /// The first instant, if it was named.
    pub(super) start: Option<Timestamp>,
    /// The first instant after it, if it was named.
    pub(super) end: Option<Timestamp>,
    /// The zone of dates, days and shown times.
    pub(super) zone: TimeZone,
}

impl WindowArgs {
    /// The window in the words of the site.
    ///
    /// # Errors
    /// [`Usage`] names the flag that does not fit.
    pub(super) async fn read(&self, park: &SmartPark) -> anyhow::Result<Window> {
        let zone = match &self.time_zone {
            Some(named) => {
                zone::parse(named).map_err(|fault| Usage(format!("--time-zone {fault}")))?
            }
            None => park.site().await?.zone(),
        };
        let now = park.now();
        let bound = |flag: &str, text: &Option<String>| {
            let read = text.as_deref().map(|text| zone::bound(text, &zone, now)).transpose();
            read.map_err(|fault| Usage(format!("{flag} {fault}")))
        };
        let (mut start, mut end) = (bound("--start", &self.start)?, bound("--end", &self.end)?);
        if let Some(text) = &self.period {
            let told = "--period must be today, yesterday, a day or a month such as 2026-11";
            let period = zone::period(text, &zone, now).ok_or(Usage(told.to_owned()))?;
            (start, end) = (Some(period.0), Some(period.1));
        }
        Ok(Window { hours: self.hours, start, end, zone })
    }
}

impl Window {
    /// From the named start until the named end, or else so many last hours; `last` says from when
    /// until when these are.
    ///
    /// # Errors
    /// [`Usage`] if there is an end and no start; those of `last`.
    pub(super) fn or_last(
        &self,
        usual: u32,
        last: impl Fn(u32) -> crate::Result<(Timestamp, Timestamp)>,
    ) -> anyhow::Result<(Timestamp, Timestamp)> {
        if self.end.is_some() && self.start.is_none() {
            return Err(Usage("--end needs --start beside it".to_owned()).into());
        }
        let (first, now) = last(self.hours.unwrap_or(usual))?;
        Ok((self.start.unwrap_or(first), self.end.unwrap_or(now)))
    }
}
