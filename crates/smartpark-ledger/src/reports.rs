//! Reports: the figures of a period, gathered from history, changes and estimates.

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    ChangeKind, Error, Floor, FloorDrift, Result, SiteDrift, SmartPark,
    count::Step,
    limits::{MAX_PAGE_ROWS, MAX_REPORT_DAYS},
    report::{
        FloorReport, PeriodBefore, Report, ReportDrift, ReportPeriod, ReportRecount, STEP_MICROS,
        days, figures, heat,
    },
};

impl SmartPark {
    /// What happened in a period of at most 93 days of the site's time zone: of the floors that are
    /// active now together, and of each floor. Exact as history is known now, but for *full*, which
    /// counts whole minutes. A period that has not ended is told until now.
    ///
    /// ```
    /// # use smartpark_ledger::report::ReportPeriod;
    /// # smartpark_ledger::doctest(async |park| {
    /// let today = park.now().to_string()[..10].to_owned();
    /// let report = park.get_report(&ReportPeriod::parse(&today).unwrap()).await?;
    /// assert_eq!((report.figures.entries, report.is_complete), (0, false));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] if the period is longer or lies ahead; [`Error::TooOld`] if it begins
    /// before the retention horizon; [`Error::Unavailable`].
    pub async fn get_report(&self, period: &ReportPeriod) -> Result<Report> {
        let zone = self.time_zone().await;
        let now = self.now();
        if period.days() > MAX_REPORT_DAYS {
            return Err(Error::invalid("period", "must be at most 93 days"));
        }
        let Some((start, until)) = period.window(&zone) else {
            return Err(Error::invalid("period", "must be days of the calendar"));
        };
        if start >= now {
            return Err(Error::invalid("period", "must not lie ahead of now"));
        }
        let end = until.min(now);
        let window = (start.as_microsecond(), end.as_microsecond());
        let steps = self.minutes(None, window).await?;
        let site = self.site().await?;
        let mut floors = Vec::new();
        for floor in self.floors().get_all_floors().await? {
            floors.push(self.floor_report(floor, window, &zone).await?);
        }
        let drift = self.estimates().get_site_drift(Some(end)).await;
        Ok(Report {
            site: site.name,
            period: period.name.clone(),
            time_zone: site.time_zone,
            start,
            end,
            is_complete: until <= now,
            made_at: now,
            figures: figures(&steps, window.1),
            before: self.report_before(period, &zone).await?,
            days: days(&steps, window.1, &zone),
            heat: heat(&steps, window.1, &zone),
            drift: known(drift)?.map(|SiteDrift { count, estimate, low, high, .. }| ReportDrift {
                count,
                estimate,
                low,
                high,
            }),
            floors,
        })
    }

    async fn floor_report(
        &self,
        floor: Floor,
        window: (i64, i64),
        zone: &TimeZone,
    ) -> Result<FloorReport> {
        let steps = self.minutes(Some(floor.id), window).await?;
        let end = Timestamp::from_microsecond(window.1).ok();
        let drift = known(self.estimates().get_drift(floor.id, end).await)?;
        Ok(FloorReport {
            figures: figures(&steps, window.1),
            days: days(&steps, window.1, zone),
            recounts: self.recounts(floor.id, window).await?,
            drift: drift.map(|FloorDrift { count, drift, .. }| ReportDrift {
                count,
                estimate: drift.estimate,
                low: drift.low,
                high: drift.high,
            }),
            floor_id: floor.id,
            floor: floor.name,
            is_active: floor.is_active,
        })
    }

    /// The history in steps of a minute. One walk at a time, as other walks.
    async fn minutes(&self, floor_id: Option<i64>, window: (i64, i64)) -> Result<Vec<Step>> {
        let _turn = self.walks.acquire().await;
        self.engine.history(floor_id, window, STEP_MICROS).await
    }

    /// The counts of people that hold from an instant of the window on, in order of time.
    async fn recounts(&self, floor_id: i64, window: (i64, i64)) -> Result<Vec<ReportRecount>> {
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let page = self.floors().get_changes(Some(floor_id), before, MAX_PAGE_ROWS).await?;
            before = page.last().map(|change| change.id);
            let is_last = page.len() < MAX_PAGE_ROWS as usize;
            // A recount is recorded after the instant from which on it holds.
            let is_over = page.last().is_some_and(|it| it.created_at.as_microsecond() < window.0);
            found.extend(page.into_iter().filter(|change| {
                let at = change.timestamp.as_microsecond();
                change.kind == ChangeKind::Recount && (window.0..window.1).contains(&at)
            }));
            if is_last || is_over {
                break;
            }
        }
        found.sort_by_key(|change| (change.timestamp, change.id));
        let recount = |change: crate::Change| ReportRecount {
            at: change.timestamp,
            vehicles: change.vehicles,
            difference: change.count_delta,
            author: change.author,
            reason: change.reason,
        };
        Ok(found.into_iter().map(recount).collect())
    }

    /// The figures of the period before; none before the horizon, or if nothing happened in it.
    async fn report_before(
        &self,
        period: &ReportPeriod,
        zone: &TimeZone,
    ) -> Result<Option<PeriodBefore>> {
        let Some(before) = period.before() else { return Ok(None) };
        let Some((start, end)) = before.window(zone) else { return Ok(None) };
        let window = (start.as_microsecond(), end.as_microsecond());
        let Some(steps) = known(self.minutes(None, window).await)? else { return Ok(None) };
        let figures = figures(&steps, window.1);
        let is_empty = figures.entries + figures.exits == 0 && figures.highest == 0;
        Ok((!is_empty).then_some(PeriodBefore { period: before.name, figures }))
    }
}

/// None for what lies before the retention horizon.
fn known<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(known) => Ok(Some(known)),
        Err(Error::TooOld { .. } | Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
