//! How many vehicles floors will hold.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{
    EstimateOperations, aside, lock,
    memory::Stand,
    train::{GROUP, Lesson, trained},
};
use crate::{
    Error, Floor, Result,
    count::Walk,
    estimate::{
        forecast::{Forecast, HISTORY_WEEKS, Model, Reading, Series, Step, Window, rank},
        observed::Site,
    },
    limits::{MAX_ARRIVAL_SECONDS, MAX_FORECAST_HOURS, MAX_FORECAST_STEP, MIN_FORECAST_STEP},
};

/// A floor's forecast.
#[derive(Clone, Debug, PartialEq)]
pub struct FloorForecast {
    /// The floor as it is now.
    pub floor: Floor,
    /// When the forecast was made: now.
    pub from: Timestamp,
    /// The length of a step in seconds.
    pub step: u32,
    /// What is expected.
    pub forecast: Forecast,
}

/// The forecast of the active floors together.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteForecast {
    /// When the forecast was made: now.
    pub from: Timestamp,
    /// The length of a step in seconds.
    pub step: u32,
    /// The vehicles of the active floors now.
    pub vehicles: i64,
    /// The slots of the active floors now.
    pub total_slots: i64,
    /// What is expected.
    pub forecast: Forecast,
}

/// The floors for a driver who arrives later.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    /// When the driver arrives.
    pub at: Timestamp,
    /// The active floors that will have a free slot and what is expected there by then, the best
    /// first.
    pub floors: Vec<(Floor, Step)>,
    /// Whether this follows forecasts; if not, it follows the counts now, for no floor has enough
    /// history.
    pub is_forecast: bool,
}

impl EstimateOperations<'_> {
    /// How many vehicles a floor will hold, from the next quarter of an hour on: for so many
    /// hours, in steps of so many seconds. Computed from the facts that are stored now; their
    /// order of arrival changes nothing.
    ///
    /// ```
    /// # smartpark_ledger::doctest(async |park| {
    /// let told = park.estimates().get_forecast(1, 24, 900).await?;
    /// assert_eq!(told.forecast.steps.len(), 96);
    /// assert!(!told.forecast.ready); // A forecast needs 14 days of history.
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] for hours out of 1–168 or a step out of 900–86400;
    /// [`Error::NotFound`] without such a floor; [`Error::Unavailable`].
    pub async fn get_forecast(self, floor_id: i64, hours: u32, step: u32) -> Result<FloorForecast> {
        let now = self.park.now();
        let times = times(now, hours, step)?;
        // Nobody closes it, so it is always given in the end.
        let _turn = self.park.walks.acquire().await;
        let (floor, forecast) = self.forecast_at(floor_id, now, &times).await?;
        Ok(FloorForecast { floor, from: now, step, forecast })
    }

    /// The same for the active floors together.
    ///
    /// # Errors
    /// As [`EstimateOperations::get_forecast`].
    pub async fn get_site_forecast(self, hours: u32, step: u32) -> Result<SiteForecast> {
        let now = self.park.now();
        let times = times(now, hours, step)?;
        let _turn = self.park.walks.acquire().await;
        let zone = self.park.time_zone().await;
        let mut site = Site::default();
        let mut sum = Walk { count: 0, slots: 0 };
        for floor in self.floors_by_id().await?.iter().filter(|floor| floor.is_active) {
            let memory = self.park.estimates.floor(floor.id);
            let mut memory = memory.lock().await;
            let stand = memory.observe(self.park, floor.id, now).await?;
            site.add(memory.readings(now));
            sum = Walk { count: sum.count + stand.now.count, slots: sum.slots + stand.now.slots };
        }
        let series = aside({
            let zone = zone.clone();
            move || site.series(&zone, now.as_microsecond())
        })
        .await?;
        let reading = Reading { at: now, vehicles: sum.count, slots: sum.slots };
        let midnight = zone.to_datetime(now).date();
        let floors = vec![(0, series.digest_before(midnight))];
        let lesson = Lesson { midnight, floors };
        let known = lock(&self.park.estimates.groups).model(&lesson, 0);
        let model = match known {
            Some(model) => Some(model),
            None => self.learn(lesson, vec![series.clone()]).await?.into_iter().next(),
        };
        let forecast = told(model.as_ref(), &series, reading, &times);
        let (vehicles, total_slots) = (sum.count, sum.slots);
        Ok(SiteForecast { from: now, step, vehicles, total_slots, forecast })
    }

    /// The active floors for a driver who arrives in so many seconds: first the one with the most
    /// slots that are free by then even if the upper bound of its forecast comes true.
    ///
    /// # Errors
    /// [`Error::Invalid`] for more than a week; [`Error::Unavailable`].
    pub async fn get_arrival_floors(self, seconds: u32) -> Result<Arrival> {
        if seconds > MAX_ARRIVAL_SECONDS {
            let detail = "must be a whole number of seconds from 0 to 604800";
            return Err(Error::invalid("arriving_in", detail));
        }
        let now = self.park.now();
        let ahead = SignedDuration::from_secs(seconds.into());
        let at = now.checked_add(ahead).unwrap_or(Timestamp::MAX);
        let _turn = self.park.walks.acquire().await;
        let mut expected: Vec<(Floor, Step, bool)> = Vec::new();
        for floor in self.floors_by_id().await?.iter().filter(|floor| floor.is_active) {
            let (floor, forecast) = self.forecast_at(floor.id, now, &[at]).await?;
            if let Some(step) = forecast.steps.first() {
                expected.push((floor, *step, forecast.ready));
            }
        }
        let steps = expected.iter().map(|(floor, step, ready)| (floor.id, *step, *ready));
        let ranked = rank(&steps.collect::<Vec<_>>());
        let is_forecast = !ranked.is_empty();
        let mut floors: Vec<(Floor, Step)> = Vec::new();
        if is_forecast {
            let find = |id: &i64| expected.iter().find(|(floor, ..)| floor.id == *id);
            let found = ranked.iter().filter_map(find).filter(|(_, step, _)| step.available >= 0.5);
            floors.extend(found.map(|(floor, step, _)| (floor.clone(), *step)));
        } else {
            floors.extend(expected.into_iter().map(|(floor, step, _)| (floor, step)));
            floors.retain(|(floor, _)| floor.available_slots() > 0);
            floors.sort_by_key(|(floor, _)| (-floor.available_slots(), floor.id));
        }
        Ok(Arrival { at, floors, is_forecast })
    }

    pub(super) async fn floors_by_id(self) -> Result<Vec<Floor>> {
        let mut floors = self.park.engine.floors().await?;
        floors.sort_by_key(|floor| floor.id);
        Ok(floors)
    }

    /// The forecast of a floor for these instants.
    async fn forecast_at(
        self,
        floor_id: i64,
        now: Timestamp,
        times: &[Timestamp],
    ) -> Result<(Floor, Forecast)> {
        let zone = self.park.time_zone().await;
        let model = self.model(floor_id, &zone, now).await?;
        let memory = self.park.estimates.floor(floor_id);
        let mut memory = memory.lock().await;
        let stand = memory.observe(self.park, floor_id, now).await?;
        let forecast = told(Some(&model), memory.series(&zone, now), reading(&stand), times);
        Ok((stand.floor, forecast))
    }

    /// What was learned about a floor up to the last local midnight, together with its neighbours.
    async fn model(self, floor_id: i64, zone: &TimeZone, now: Timestamp) -> Result<Model> {
        let floors = self.floors_by_id().await?;
        let place = floors.iter().position(|floor| floor.id == floor_id);
        let place = place.ok_or(Error::NotFound("the floor"))?;
        let group: Vec<i64> =
            floors.iter().skip(place / GROUP * GROUP).take(GROUP).map(|floor| floor.id).collect();
        let midnight = zone.to_datetime(now).date();
        let mut lesson = Lesson { midnight, floors: Vec::new() };
        for id in &group {
            let digest = self.with_series(*id, zone, now, |it| it.digest_before(midnight)).await?;
            lesson.floors.push((*id, digest));
        }
        if let Some(model) = lock(&self.park.estimates.groups).model(&lesson, floor_id) {
            return Ok(model);
        }
        lesson.floors.clear();
        let mut series = Vec::new();
        for id in &group {
            let found = self.with_series(*id, zone, now, Series::clone).await?;
            lesson.floors.push((*id, found.digest_before(midnight)));
            series.push(found);
        }
        let models = self.learn(lesson, series).await?;
        let gone = || Error::Internal("a floor was not trained".into());
        models.into_iter().nth(place % GROUP).ok_or_else(gone)
    }

    async fn with_series<T>(
        self,
        floor_id: i64,
        zone: &TimeZone,
        now: Timestamp,
        take: impl FnOnce(&Series) -> T,
    ) -> Result<T> {
        let memory = self.park.estimates.floor(floor_id);
        let mut memory = memory.lock().await;
        memory.observe(self.park, floor_id, now).await?;
        Ok(take(memory.series(zone, now)))
    }

    /// Trains floors and keeps the models.
    async fn learn(self, lesson: Lesson, series: Vec<Series>) -> Result<Vec<Model>> {
        let (lesson, models) = aside(move || {
            let models = trained(&lesson, &series);
            (lesson, models)
        })
        .await?;
        lock(&self.park.estimates.groups).keep(lesson, models.clone());
        Ok(models)
    }
}

fn reading(stand: &Stand) -> Reading {
    Reading { at: stand.at, vehicles: stand.now.count, slots: stand.now.slots }
}

/// The forecast, with the days of history that it looks at.
fn told(model: Option<&Model>, series: &Series, now: Reading, times: &[Timestamp]) -> Forecast {
    let forecast = match model {
        Some(model) => model.forecast(series, now, times),
        None => Forecast::unready(now, times),
    };
    let most = i64::from(HISTORY_WEEKS) * 7;
    Forecast { history_days: forecast.history_days.min(most), ..forecast }
}

/// The instants of a forecast.
fn times(now: Timestamp, hours: u32, step: u32) -> Result<Vec<Timestamp>> {
    if !(1..=MAX_FORECAST_HOURS).contains(&hours) {
        return Err(Error::invalid("hours", "must be a whole number from 1 to 168"));
    }
    if !(MIN_FORECAST_STEP..=MAX_FORECAST_STEP).contains(&step) {
        let detail = "must be a whole number of seconds from 900 to 86400";
        return Err(Error::invalid("step", detail));
    }
    let length = SignedDuration::from_hours(hours.into());
    Ok(Window { now, length, step: SignedDuration::from_secs(step.into()) }.times())
}
