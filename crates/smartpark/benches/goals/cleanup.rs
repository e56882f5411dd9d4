//! Recording while a cleanup deletes many old events: what those wait who post meanwhile.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Instant,
};

use serde_json::Value;

use crate::{
    Found,
    load::{Pace, once},
    options::Options,
    posts::post,
    report::{Goal, Line, Side, Unit, grouped},
    servers::{Server, prove, sqlite},
    stored::fill,
    traffic::{Traffic, delete, now},
};

/// Events a second that are posted before, meanwhile and afterwards.
const RATE: f64 = 500.0;
/// Connections that post them.
const CONNECTIONS: usize = 16;
const DAY: i64 = 86_400 * 1_000_000;
/// Old events are older than so many days, new ones younger by a day and more.
const OLDER_THAN_DAYS: i64 = 60;

pub(crate) fn measure(options: &Options) -> Found {
    let folder = options.folder();
    let lines = lines("", &sqlite(folder.path(), "cleanup"), options);
    Found { lines, skipped: Vec::new() }
}

/// Fills the database, posts, and posts while the cleanup runs.
pub(crate) fn lines(engine: &str, url: &str, options: &Options) -> Vec<Line> {
    let rows = options.cleanup_rows;
    let begin = now();
    let old = Traffic::until(begin - (OLDER_THAN_DAYS + 1) * DAY, rows);
    let new = Arc::new(Traffic::since(begin - (OLDER_THAN_DAYS - 1) * DAY));
    fill(url, &old, rows);
    let park = Server::smartpark(url).ready();
    let mut alone = Side::new("no cleanup", Unit::Millis);
    let mut beside = Side::new("SmartPark", Unit::Millis);
    // Before and afterwards: the database is not the same.
    waits(&park, &new, options, &mut alone);
    let taken = clean(&park, rows, |is_over| {
        let outcome = post(&park, &new, CONNECTIONS, Pace::Open(RATE), options.seconds);
        // What ended after the cleanup would look better than it is.
        if !is_over() || beside.rounds.is_empty() {
            beside.rounds.push(outcome.percentile(0.99));
        }
    });
    waits(&park, &new, options, &mut alone);
    park.stop();
    prove(url, new.taken());
    let name = format!("{engine}posts while {} old events are deleted, p99", grouped(rows as f64));
    let told = format!("{} a second are deleted meanwhile", grouped(rows as f64 / taken));
    vec![Line::ratio(&name, beside, alone, Goal::RatioAtMost(2.0)).note(told)]
}

/// What those who post wait in each round.
fn waits(park: &Server, new: &Arc<Traffic>, options: &Options, side: &mut Side) {
    for _ in 0..options.rounds {
        let outcome = post(park, new, CONNECTIONS, Pace::Open(RATE), options.seconds);
        side.rounds.push(outcome.percentile(0.99));
    }
}

/// Deletes the old events, and does `meanwhile` again and again until that is done, which it can
/// ask for; how long it takes, in seconds.
fn clean(park: &Server, rows: u64, mut meanwhile: impl FnMut(&dyn Fn() -> bool)) -> f64 {
    let (mut request, done) = (Vec::new(), AtomicBool::new(false));
    delete(&format!("/events?older_than_days={OLDER_THAN_DAYS}"), &mut request);
    let (address, done) = (park.address, &done);
    let is_over = || done.load(Ordering::Relaxed);
    thread::scope(|scope| {
        let cleaning = scope.spawn(move || {
            let begin = Instant::now();
            let body = once(address, &request);
            let taken = begin.elapsed().as_secs_f64();
            done.store(true, Ordering::Relaxed);
            (taken, body.expect("the cleanup succeeds"))
        });
        while !is_over() {
            meanwhile(&is_over);
        }
        let (taken, body) = cleaning.join().expect("no panic");
        let told: Value = serde_json::from_slice(&body).expect("it is JSON");
        assert_eq!(told["deleted"].as_u64(), Some(rows), "all old events are deleted");
        taken
    })
}
