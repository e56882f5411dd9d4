//! What training and answering cost, in processor time (other programs on the machine do not
//! count).

use std::{fs, time::Duration};

use jiff::{Timestamp, civil::date, tz::TimeZone};
use smartpark_core::estimate::{
    drift::{Fact, FactKind, Floor, State, States, hours},
    forecast::{FloorSeries, HISTORY_WEEKS, Reading, Series, train},
};

use super::Failure;

/// Prints a table.
pub(crate) fn answer() -> Result<(), Failure> {
    forecast()?;
    drift()
}

fn used() -> Result<Duration, Failure> {
    // Fields 14 and 15 after the name: ticks in user and system mode.
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(Duration::from_millis(ticks * 10))
}

fn measure(name: &str, times: u32, mut run: impl FnMut()) -> Result<(), Failure> {
    let begin = used()?;
    for _ in 0..times {
        run();
    }
    let each = (used()? - begin).as_secs_f64() * 1e3 / f64::from(times);
    println!("| {name} | {each:.1} ms |");
    Ok(())
}

/// A floor that fills and empties by day, with noise from a multiplication.
fn level(quarter: i64) -> i64 {
    let far = (quarter % 96 - 52).abs();
    (80 - 2 * far).max(4) + (quarter * 7919 % 1009) % 13
}

fn forecast() -> Result<(), Failure> {
    let mut series = Series::new(TimeZone::UTC, date(2026, 1, 1));
    for quarter in 0..40 * 672 {
        if let Some(at) = series.calendar().instant(quarter) {
            series.set(Reading { at, vehicles: level(quarter), slots: 100 });
        }
    }
    let midnight = series.calendar().local(39 * 672).date();
    let floor = FloorSeries { floor_id: 1, series: &series };
    let name = format!("forecast: train one floor, {HISTORY_WEEKS} weeks");
    measure(&name, 20, || drop(train(&[floor], midnight, HISTORY_WEEKS)))?;
    let model = train(&[floor], midnight, HISTORY_WEEKS).remove(0);
    let at = series.calendar().instant(39 * 672 + 40).ok_or("no such quarter")?;
    let now = Reading { at, vehicles: 60, slots: 100 };
    let step = |quarter: i64| Timestamp::from_second(at.as_second() + quarter * 900);
    let times: Vec<Timestamp> = (1..=672).map(step).collect::<Result<_, _>>()?;
    measure("forecast: answer 7 days in quarters (672 steps)", 50, || {
        drop(model.forecast(&series, now, &times));
    })
}

/// A floor with about 600 events a day from four cameras, over 120 days.
fn busy() -> Floor {
    let begin = Timestamp::UNIX_EPOCH;
    let mut facts = Vec::new();
    for day in 0..120 {
        for car in 0..300 {
            let come = day * 86_400 + 6 * 3600 + car * 97;
            let stay = 3600 * (2 + car * 7919 % 7);
            let fact =
                |second: i64, kind| Timestamp::from_second(second).map(|at| Fact { at, kind }).ok();
            let camera = usize::try_from(car % 4).unwrap_or(0);
            facts.extend(fact(come, FactKind::Entry(camera)));
            facts.extend(fact(come + stay, FactKind::Exit(camera)));
        }
    }
    let hours = hours(begin, 300, 120 * 24, &facts);
    Floor { zone: TimeZone::UTC, begin, slots: 300, hours, usual_night: None }
}

fn drift() -> Result<(), Failure> {
    let floor = busy();
    let count = floor.hours.len();
    measure("drift: answer cold, 120 days, 600 events a day", 5, || {
        let mut state = State::begin(&floor);
        state.advance(&floor, count);
        drop(state.answer(&floor));
    })?;
    let mut states = States::new(64);
    drop(states.state(1, &floor, count - 24));
    measure("drift: answer warm, a day after the kept state", 50, || {
        drop(states.state(1, &floor, count - 2).answer(&floor));
        states.forget_from(1, floor.begin + jiff::SignedDuration::from_hours(119 * 24));
    })?;
    for floor_id in 0..2000 {
        drop(states.state(floor_id, &floor, 48));
    }
    println!("| drift: states kept after 2000 floors (at most 64) | {} |", states.len());
    Ok(())
}
