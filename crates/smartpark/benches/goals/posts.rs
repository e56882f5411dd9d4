//! Durable posts of one event: one connection beside a raw commit, many beside H and P.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    Found,
    bulk::raw_rate,
    limit,
    load::{Load, Outcome, Pace, run},
    machine::processor_time,
    options::Options,
    peer,
    raw::Raw,
    report::{Goal, Line, Side, Unit},
    servers::{Server, prove, sqlite},
    traffic::Traffic,
};

/// How many events come together where 64 connections send one after the other: while one group is
/// recorded, about half of them wait.
const COMPANY: u64 = 32;
/// The part of what the server can do at most at which waiting is measured.
const OPEN_PART: f64 = 0.5;

/// The servers that are measured, on databases that grow over all rounds.
struct Sides {
    folder: tempfile::TempDir,
    park: Server,
    limit: Server,
    raw: Raw,
    traffic: Arc<Traffic>,
    raw_traffic: Traffic,
}

pub(crate) fn measure(options: &Options) -> Found {
    let mut found = Found::default();
    let folder = options.folder();
    let traffic = Arc::new(Traffic::past());
    let url = sqlite(folder.path(), "posts");
    let park = Server::smartpark(&url).ready();
    let limit = limit::start(park.address, &traffic);
    let raw = Raw::create(folder.path(), "raw");
    let mut sides = Sides { folder, park, limit, raw, traffic, raw_traffic: Traffic::past() };
    found.lines.push(sides.alone(options));
    sides.sixty_four(options, &mut found);
    found.lines.push(sides.many(options));
    let memory = sides.park.memory("VmHWM") / 1e6;
    if let Some(last) = found.lines.pop() {
        found.lines.push(last.note(format!("at most {memory:.0} MB of memory in all of these")));
    }
    sides.park.stop();
    sides.limit.stop();
    prove(&url, sides.traffic.taken());
    sides.raw.prove(sides.raw_traffic.taken());
    found
}

/// Posts events one by one.
pub(crate) fn post(
    to: &Server,
    traffic: &Arc<Traffic>,
    connections: usize,
    pace: Pace,
    seconds: f64,
) -> Outcome {
    let traffic = Arc::clone(traffic);
    let requests = Arc::new(move |request: &mut Vec<u8>| traffic.post_one(request));
    run(&Load { address: to.address, connections, pace, seconds, requests, status: 201 }).clean()
}

impl Sides {
    fn post(&self, connections: usize, pace: Pace, seconds: f64) -> Outcome {
        post(&self.park, &self.traffic, connections, pace, seconds)
    }

    /// H stores none of them.
    fn post_to_limit(&self, connections: usize, seconds: f64) -> Outcome {
        let traffic = Arc::new(Traffic::past());
        post(&self.limit, &traffic, connections, Pace::Closed, seconds)
    }

    /// The time of raw commits of one event, in milliseconds.
    fn commit_alone(&mut self, seconds: f64) -> f64 {
        let mut times = Vec::new();
        let end = Instant::now() + Duration::from_secs_f64(seconds);
        while Instant::now() < end {
            let group: Vec<_> = self.raw_traffic.take(1).collect();
            let begin = Instant::now();
            self.raw.record(group.into_iter());
            times.push(begin.elapsed().as_secs_f64() * 1e3);
        }
        Side { rounds: times, ..Side::new("", Unit::Millis) }.median()
    }

    fn alone(&mut self, options: &Options) -> Line {
        let mut ours = Side::new("SmartPark", Unit::Millis);
        let mut commit = Side::new("raw commit", Unit::Millis);
        let mut stack = Side::new("H", Unit::Millis);
        for _ in 0..options.rounds {
            let outcome = self.post(1, Pace::Closed, options.seconds);
            ours.rounds.push(outcome.percentile(0.5));
            commit.rounds.push(self.commit_alone(options.seconds));
            stack.rounds.push(self.post_to_limit(1, options.seconds).percentile(0.5));
        }
        let stack = stack.median();
        Line::ratio("durable POST, 1 connection", ours, commit, Goal::RatioAtMost(1.3))
            .note(format!("of which H, the HTTP stack alone, takes {:.0} µs", stack * 1e3))
    }

    fn sixty_four(&mut self, options: &Options, found: &mut Found) {
        let mut ours = Side::new("SmartPark", Unit::PerSecond);
        let mut limit = Side::new("H", Unit::PerSecond);
        let mut raw = Side::new("S", Unit::PerSecond);
        let mut public = Side::new("P", Unit::PerSecond);
        let mut waits = Side::new("SmartPark", Unit::Millis);
        let (mut closed_waits, mut public_waits) = (waits.clone(), waits.clone());
        let (mut busy, mut cost) = (0_f64, Side::new("", Unit::Millis));
        let peer = peer::start(self.folder.path());
        let peer_traffic = Arc::new(Traffic::past());
        for _ in 0..options.rounds {
            let outcome = self.post_to_limit(64, options.seconds);
            limit.rounds.push(outcome.per_second());
            busy = busy.max(outcome.busy);
            let before = (processor_time(self.park.pid()), self.traffic.taken());
            let outcome = self.post(64, Pace::Closed, options.seconds);
            let used = processor_time(self.park.pid()).saturating_sub(before.0).as_secs_f64();
            cost.rounds.push(used * 1e3 / (self.traffic.taken() - before.1) as f64);
            ours.rounds.push(outcome.per_second());
            closed_waits.rounds.push(outcome.percentile(0.99));
            let rate = raw_rate(&mut self.raw, &self.raw_traffic, COMPANY, options.seconds);
            raw.rounds.push(rate);
            if let Ok(peer) = &peer {
                let outcome = post(peer, &peer_traffic, 64, Pace::Closed, options.seconds);
                public.rounds.push(outcome.per_second());
                public_waits.rounds.push(outcome.percentile(0.99));
            }
            let pace = Pace::Open(ours.median() * OPEN_PART);
            let outcome = self.post(64, pace, options.seconds);
            waits.rounds.push(outcome.percentile(0.99));
        }
        let name = "durable POST, 64 connections";
        let costs = cost.median() * 1e3;
        found.lines.push(
            Line::ratio(name, ours.clone(), limit, Goal::RatioAtLeast(0.4))
                .note(format!("{costs:.0} µs of processor time an event, the disk's aside"))
                .note(format!("the generator is busy {:.0} % beside H", busy * 100.0)),
        );
        let beside_raw = format!("{name}, beside groups of {COMPANY}");
        found.lines.push(Line::ratio(&beside_raw, ours.clone(), raw, Goal::None));
        match peer {
            Ok(peer) => {
                assert_eq!(peer::rows(&peer), peer_traffic.taken(), "P holds what it was sent");
                let line = Line::ratio(name, ours, public, Goal::RatioAtLeast(150.0));
                let wait = public_waits.median();
                found.lines.push(line.note(format!("P: p99 {wait:.0} ms")));
            }
            Err(why) => found.skipped.push(format!("{name} beside P: {why}")),
        }
        let wait = closed_waits.median();
        let line = Line::figure(&format!("{name}, p99 at half load"), waits, Goal::AtMost(20.0));
        found.lines.push(line.note(format!("p99 at full load {wait:.1} ms")));
    }

    fn many(&mut self, options: &Options) -> Line {
        let mut ours = Side::new("SmartPark", Unit::PerSecond);
        let mut limit = Side::new("H", Unit::PerSecond);
        let mut waits = Side::new("SmartPark", Unit::Millis);
        for _ in 0..options.rounds {
            limit.rounds.push(self.post_to_limit(256, options.seconds).per_second());
            let outcome = self.post(256, Pace::Closed, options.seconds);
            ours.rounds.push(outcome.per_second());
            waits.rounds.push(outcome.percentile(0.99));
        }
        let wait = waits.median();
        Line::ratio("durable POST, 256 connections", ours, limit, Goal::RatioAtLeast(0.5))
            .note(format!("p99 at full load {wait:.1} ms"))
    }
}
