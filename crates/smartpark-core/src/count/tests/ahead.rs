//! What a history asks for, and what a group of facts wants ahead: no less than is needed, and
//! nothing more.

use super::floor::Floor;
use crate::{
    count::{Act, Clamp, Fact, History, Level, Missing, NodeRow, Source, Span, Start},
    model::Direction,
};

/// A car comes in at an instant.
fn entry(at: i64) -> Fact {
    let (camera_id, track_id) = ("cam".to_owned(), "t".to_owned());
    let direction = Direction::Entry;
    let source = Source::Event { camera_id, track_id, direction, timestamp: at };
    Fact { at, source, act: Act::Entry, id: 0 }
}

/// Of a floor whose latest fact stands at the first instant of a day.
fn history() -> History {
    History::new(Start { count: 1, slots: 9, latest: Some(0), base: 7 })
}

#[test]
fn a_fact_wants_ahead_what_it_asks_for_when_it_is_recorded() {
    for at in [-1, 0, 1] {
        let mut history = history();
        let wanted = history.wants([(at, false)]);
        assert_eq!(wanted, [history.record(entry(at)).unwrap_err()], "at {at}");
    }
    // One that will be late by then wants what late ones ask for.
    assert_eq!(history().wants([(1, true)]), [Missing::DaysFrom(0)]);
}

#[test]
fn a_group_wants_the_facts_of_a_stretch_only_where_it_divides_it() {
    for (coming, asked) in [(1, 1), (2, 1), (3, 2)] {
        // Above five facts it is divided, and holds three.
        let mut floor = Floor::new(9, 5);
        for at in 0..3 {
            floor.record(entry(at));
        }
        floor.commit();
        let group: Vec<Fact> = (3..3 + coming).map(entry).collect();
        floor.prefetch(&group);
        assert_eq!(floor.asked(), asked, "{coming} facts come");
    }
}

#[test]
fn of_days_that_are_there_none_is_asked_for() {
    let mut history = history();
    assert_eq!(history.count_before(5), Err(Missing::DayBefore(0)));
    history.learn_nodes(Missing::DaysFrom(0), []);
    assert_eq!(history.count_before(5), Ok(7));
}

#[test]
fn leaves_are_read_with_those_beside_them_up_to_a_number_of_facts() {
    let day = |day: i64| Span { level: Level::DAY, start: day * Level::DAY.width() };
    let row = |at, facts, divided| NodeRow {
        span: day(at),
        facts,
        divided,
        clamp: Clamp::IDENTITY,
        opening: 0,
    };
    let rows = [row(0, 2, false), row(1, 1, false), row(2, 3, true), row(5, 1, false)];
    let mut history = history();
    history.learn_nodes(Missing::DayBefore(0), rows);
    // Until it is known that there are no others between, each is read alone.
    assert_eq!(history.runs([day(5), day(1)], 9), [[day(1)], [day(5)]]);
    history.learn_nodes(Missing::DaysFrom(0), []);
    type Case<'c> = (&'c [i64], u32, &'c [&'c [i64]]);
    let cases: [Case<'_>; 7] = [
        (&[1], 0, &[&[1]]),
        // First what comes after it.
        (&[1], 4, &[&[1]]),
        (&[1], 5, &[&[1, 5]]),
        (&[1], 7, &[&[0, 1, 5]]),
        // With what lies between, or each alone.
        (&[5, 0], 7, &[&[0, 1, 5]]),
        (&[5, 0], 6, &[&[0], &[5]]),
        // Also where nothing is stored.
        (&[3, 6], 1, &[&[3, 5, 6]]),
    ];
    let days = |days: &[i64]| days.iter().copied().map(day).collect::<Vec<_>>();
    for (wanted, limit, runs) in cases {
        let expected: Vec<_> = runs.iter().map(|run| days(run)).collect();
        assert_eq!(history.runs(days(wanted), limit), expected, "{wanted:?} up to {limit} facts");
    }
    // What is there is not read again.
    history.learn_facts(day(5), 9, Vec::new());
    assert_eq!(history.runs([day(1)], 9), [[day(0), day(1)]]);
}

#[test]
fn a_group_that_comes_late_asks_no_more_once_it_has_divided_its_stretch() {
    const MINUTE: i64 = 60_000_000;
    let mut floor = Floor::new(99, 3);
    floor.record(entry(Level::DAY.width()));
    floor.commit();
    (0..4).for_each(|minute| _ = floor.record(entry(minute * MINUTE)));
    let asked = floor.asked();
    (4..20).for_each(|minute| _ = floor.record(entry(minute * MINUTE)));
    assert_eq!(floor.asked(), asked);
}
