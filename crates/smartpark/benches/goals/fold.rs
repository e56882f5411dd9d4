//! The fold beside a bare counter, in memory, by what it adds to the cost of a raw row.

#[path = "../count/floor.rs"]
mod floor;

use floor::{Floor, Way};

use crate::{
    Found,
    bulk::raw_rate,
    options::Options,
    raw::Raw,
    report::{Goal, Line, Side, Unit},
    traffic::Traffic,
};

/// What gathers during one sync with as many connections.
const GROUP: i64 = 64;
/// Seconds between two events of the floor.
const SPACING: i64 = 10;
/// Transactions of each kind in one round.
const TRANSACTIONS: usize = 21;

pub(crate) fn measure(options: &Options) -> Found {
    let mut floor = Floor::with(options.fold_events, SPACING * 1_000_000);
    let folder = options.folder();
    let (mut raw, traffic) = (Raw::create(folder.path(), "raw"), Traffic::past());
    let mut bare = Side::new("bare", Unit::Nanos);
    let names = [(Way::OnTime, "on time", 1.1), (Way::SixHoursLate, "six hours late", 1.5)];
    let mut sides = names.map(|(_, name, _)| Side::new(name, Unit::Nanos));
    for _ in 0..options.rounds {
        // A raw row with the bare counter is the measure of what the fold may add.
        let row = 1e9 / raw_rate(&mut raw, &traffic, GROUP as u64, options.seconds);
        let counter = typical(&mut floor, Way::BareCounter);
        bare.rounds.push(row);
        for ((way, _, _), side) in names.into_iter().zip(&mut sides) {
            side.rounds.push(row + typical(&mut floor, way) - counter);
        }
    }
    raw.prove(traffic.taken());
    let lines = names.into_iter().zip(sides).map(|((_, name, bound), side)| {
        let name = format!("the fold, an event {name}, groups of {GROUP}");
        let added = side.median() - bare.median();
        let line = Line::ratio(&name, side, bare.clone(), Goal::RatioAtMost(bound));
        line.note(format!("it adds {added:.0} ns to a raw row with a bare counter"))
    });
    Found { lines: lines.collect(), skipped: Vec::new() }
}

/// The median of some transactions, in nanoseconds an event.
fn typical(floor: &mut Floor, way: Way) -> f64 {
    let times = (0..TRANSACTIONS).map(|_| floor.time(way, GROUP).as_nanos() as f64 / GROUP as f64);
    Side { rounds: times.collect(), ..Side::new("", Unit::Nanos) }.median()
}
