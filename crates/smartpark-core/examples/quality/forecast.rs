//! Forecasts for the requests of the forecast scorer, day by day: each day's answers come from
//! models that saw nothing after its midnight, and a series that is read up to the origin.

use std::collections::BTreeMap;

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use smartpark_core::estimate::forecast::{FloorSeries, HISTORY_WEEKS, Reading, Series, train};

use super::Failure;

/// The scorer's rates have five decimals, so rates are counts of this many slots.
const SLOTS: i64 = 100_000;

/// The grid of one data set: for each site its readings by local time (taken as UTC).
type Sites = BTreeMap<String, BTreeMap<Timestamp, i64>>;

/// A question: site, origin, minutes ahead.
type Request = (String, Timestamp, i64);

/// Reads both files, answers each request, writes mean, low and high as rates.
pub(crate) fn answer(
    grid: &str,
    requests: &str,
    out: &str,
    weeks: Option<&str>,
) -> Result<(), Failure> {
    let weeks = weeks.map_or(Ok(HISTORY_WEEKS), str::parse)?;
    let sets = read_grid(grid)?;
    let days = read_requests(requests)?;
    let mut file = csv::Writer::from_path(out)?;
    let columns = ["dataset", "site", "origin_local", "horizon_min", "mean", "lo", "hi"];
    file.write_record(columns)?;

    let mut series: BTreeMap<&str, Vec<(&str, Series)>> = BTreeMap::new();
    for (set, sites) in &sets {
        series.insert(set, sites.iter().map(|(site, grid)| (&**site, filled(grid))).collect());
    }
    for ((set, day), requests) in &days {
        let floors = series.get(set.as_str()).ok_or("a request for an unknown data set")?;
        let known: Vec<FloorSeries<'_>> = (1..)
            .zip(floors)
            .map(|(floor_id, (_, series))| FloorSeries { floor_id, series })
            .collect();
        let trained = train(&known, *day, weeks);

        for (site, origin, minutes) in requests {
            let place = floors.iter().position(|(name, _)| name == site).ok_or("unknown site")?;
            let vehicles = *sets[set][site].get(origin).ok_or("an origin without a reading")?;
            let now = Reading { at: *origin, vehicles, slots: SLOTS };
            let target = Timestamp::from_second(origin.as_second() + minutes * 60)?;
            let told = trained[place].forecast(&floors[place].1, now, &[target]).steps[0];
            let rate = |count: f64| format!("{:.5}", count / SLOTS as f64);
            let local = TimeZone::UTC.to_datetime(*origin).to_string().replace('T', " ");
            let row = [
                set.clone(),
                site.clone(),
                local,
                minutes.to_string(),
                rate(told.vehicles),
                rate(told.low as f64),
                rate(told.high as f64),
            ];
            file.write_record(row)?;
        }
    }
    file.flush()?;
    Ok(())
}

fn filled(grid: &BTreeMap<Timestamp, i64>) -> Series {
    let begin = grid.keys().next().copied().unwrap_or(Timestamp::UNIX_EPOCH);
    let mut series = Series::new(TimeZone::UTC, TimeZone::UTC.to_datetime(begin).date());
    for (at, vehicles) in grid {
        series.set(Reading { at: *at, vehicles: *vehicles, slots: SLOTS });
    }
    series
}

fn instant(local: &str) -> Result<Timestamp, Failure> {
    let local: DateTime = local.parse()?;
    Ok(TimeZone::UTC.to_timestamp(local)?)
}

fn read_grid(path: &str) -> Result<BTreeMap<String, Sites>, Failure> {
    let mut sets: BTreeMap<String, Sites> = BTreeMap::new();
    for row in csv::Reader::from_path(path)?.deserialize() {
        let (set, site, local, rate): (String, String, String, f64) = row?;
        let vehicles = (rate * SLOTS as f64).round() as i64;
        sets.entry(set).or_default().entry(site).or_default().insert(instant(&local)?, vehicles);
    }
    Ok(sets)
}

fn read_requests(path: &str) -> Result<BTreeMap<(String, Date), Vec<Request>>, Failure> {
    let mut days: BTreeMap<(String, Date), Vec<Request>> = BTreeMap::new();
    for row in csv::Reader::from_path(path)?.deserialize() {
        let (set, site, local, minutes): (String, String, String, i64) = row?;
        let origin = instant(&local)?;
        let day = TimeZone::UTC.to_datetime(origin).date();
        days.entry((set, day)).or_default().push((site, origin, minutes));
    }
    Ok(days)
}
