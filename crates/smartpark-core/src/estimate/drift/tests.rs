use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use proptest::prelude::*;

use super::*;

fn begin() -> Timestamp {
    "2026-03-02T00:00:00Z".parse().expect("a Monday")
}

fn after(minutes: i64) -> Timestamp {
    begin() + SignedDuration::from_mins(minutes)
}

fn floor(slots: i64, days: usize, facts: &[Fact]) -> Floor {
    let hours = hours(begin(), slots, days * 24, facts);
    Floor { zone: TimeZone::UTC, begin: begin(), slots, hours, usual_night: None }
}

fn walked(floor: &Floor) -> State {
    let mut state = State::begin(floor);
    state.advance(floor, floor.hours.len());
    state
}

/// A car park with `cars` a day from 07:00 on, all gone by 19:00, seen by two cameras. Every
/// `lost`th exit is missed; none if it is 0.
fn working_days(days: i64, cars: i64, lost: i64) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut exits = 0;
    for day in 0..days {
        for car in 0..cars {
            let come = day * 1440 + 420 + car * 3;
            let leave = day * 1440 + 1000 + car * 2;
            let camera = usize::try_from(car % 2).expect("0 or 1");
            facts.push(Fact { at: after(come), kind: FactKind::Entry(camera) });
            exits += 1;
            if lost == 0 || exits % lost != 0 {
                facts.push(Fact { at: after(leave), kind: FactKind::Exit(camera) });
            }
        }
    }
    facts
}

#[test]
fn a_recount_settles_the_estimate() {
    let facts = [Fact { at: after(30), kind: FactKind::Recount(37) }];
    let told = walked(&floor(50, 1, &facts[..1])).answer(&floor(50, 1, &facts));
    assert!((told.estimate - 37).abs() <= 1 && told.high - told.low <= 8, "{told:?}");
    let last = told.last_recount.expect("a recount");
    assert_eq!((last.before, last.found, last.difference), (0, 37, 37));
    assert_eq!(told.evidence.recounts, 1);
}

#[test]
fn a_camera_that_misses_exits_is_seen_through_the_nights() {
    let mut facts = working_days(28, 100, 25);
    facts.push(Fact { at: begin(), kind: FactKind::Recount(0) });
    let floor = floor(400, 28, &facts);
    let told = walked(&floor).answer(&floor);
    let count = floor.hours.last().expect("hours").count;
    assert_eq!(count, 112, "28 days of 4 exits missed");
    assert!(told.estimate < 40 && told.low <= 5, "count {count}: {told:?}");
    // Four of 196 events a day are lost exits: the count gains 20 per 1000.
    let loss = told.net_loss_per_1000;
    assert!(loss.high < 0.0 && (loss.low..loss.high).contains(&-20.0), "{loss:?}");
    assert!(matches!(
        told.suggested_recount.expect("a suggestion").reason,
        Reason::CountOutside { .. }
    ));
}

#[test]
fn sound_cameras_keep_the_interval_narrow_and_ask_for_nothing() {
    let mut facts = working_days(21, 20, 0);
    facts.push(Fact { at: begin(), kind: FactKind::Recount(0) });
    let floor = floor(30, 21, &facts);
    let told = walked(&floor).answer(&floor);
    assert!(told.low == 0 && told.high <= 5, "{told:?}");
    assert_eq!(told.suggested_recount, None);
    // The quiet hour moves on the way.
    assert!((21..=22).contains(&told.evidence.nights), "{told:?}");
}

#[test]
fn events_at_a_limit_are_evidence_and_ask_for_a_recount() {
    let mut facts = vec![Fact { at: begin(), kind: FactKind::Recount(0) }];
    for car in 0..12 {
        facts.push(Fact { at: after(600 + car * 5), kind: FactKind::Exit(0) });
    }
    let floor = floor(20, 1, &facts);
    let told = walked(&floor).answer(&floor);
    assert_eq!((told.evidence.at_limit_empty, told.evidence.at_limit_full), (12, 0));
    let suggestion = told.suggested_recount.expect("a suggestion");
    assert_eq!(suggestion.reason, Reason::AtLimit { events: 12 });
    assert_eq!(suggestion.best_at, after(24 * 60 + 5 * 60));
}

#[test]
fn a_blind_camera_widens_the_interval() {
    let facts = working_days(35, 60, 0);
    let blind: Vec<Fact> = facts
        .iter()
        .filter(|fact| fact.at < after(34 * 1440) || fact.kind != FactKind::Entry(0))
        .filter(|fact| fact.at < after(34 * 1440) || fact.kind != FactKind::Exit(0))
        .copied()
        .collect();
    let width = |facts: &[Fact]| {
        let floor = floor(120, 35, facts);
        let mut state = State::begin(&floor);
        state.advance(&floor, 34 * 24 + 12);
        let told = state.answer(&floor);
        (told.high - told.low, told.evidence.blind_hours)
    };
    let (sound, blind) = (width(&facts), width(&blind));
    assert_eq!(sound.1, 0);
    assert!(blind.1 > 0 && blind.0 > sound.0 + 10, "{sound:?} {blind:?}");
}

#[test]
fn floors_of_no_and_of_one_slot_and_empty_histories_have_an_answer() {
    for slots in [0, 1] {
        for facts in [vec![], working_days(20, 1, 0), working_days(20, 3, 2)] {
            let floor = floor(slots, 20, &facts);
            let told = walked(&floor).answer(&floor);
            assert!(0 <= told.low && told.low <= told.estimate, "{told:?}");
            assert!(told.estimate <= told.high && told.high <= slots, "{told:?}");
        }
    }
}

#[test]
fn an_interval_that_cannot_be_trusted_says_so() {
    let busy = working_days(35, 150, 0);
    let large = floor(300, 35, &busy);
    let told = walked(&large).answer(&large);
    assert_eq!(told.caution, Some(Caution::NeverRecounted));

    let mut facts: Vec<Fact> = busy;
    facts.push(Fact { at: begin(), kind: FactKind::Recount(0) });
    let steady = floor(300, 35, &facts);
    assert_eq!(walked(&steady).answer(&steady).caution, None);

    // In the fifth week only one vehicle of three comes.
    let few = working_days(7, 50, 0)
        .into_iter()
        .map(|fact| Fact { at: fact.at + SignedDuration::from_hours(28 * 24), ..fact });
    facts.retain(|fact| fact.at < after(28 * 1440));
    facts.extend(few);
    let collapsed = floor(300, 35, &facts);
    let told = walked(&collapsed).answer(&collapsed);
    assert_eq!(told.caution, Some(Caution::TrafficMoved { percent: 33 }));
    assert!(told.suggested_recount.is_some());

    facts.push(Fact { at: after(33 * 1440), kind: FactKind::Recount(0) });
    let recounted = floor(300, 35, &facts);
    assert_eq!(walked(&recounted).answer(&recounted).caution, None);
}

#[test]
fn a_floor_with_fewer_slots_holds_no_more_vehicles() {
    let facts = [
        Fact { at: after(30), kind: FactKind::Recount(40) },
        Fact { at: after(90), kind: FactKind::Slots(25) },
    ];
    let floor = floor(50, 1, &facts);
    let told = walked(&floor).answer(&floor);
    assert!(told.high <= 25 && told.low >= 20, "{told:?}");
}

#[test]
fn nights_are_local_and_survive_both_changes_of_the_clock() {
    for first in ["2026-03-28T00:00:00Z", "2026-10-24T00:00:00Z"] {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a rule");
        let hours = vec![Hour::default(); 72];
        let begin = first.parse().expect("a time");
        let floor = Floor { zone, begin, slots: 10, hours, usual_night: None };
        let told = walked(&floor).answer(&floor);
        assert_eq!(told.evidence.nights, 3, "{first}");
    }
}

#[test]
fn what_the_operator_expects_at_night_narrows_the_interval() {
    let facts = working_days(21, 150, 40);
    let mut floor = floor(300, 21, &facts);
    let width = |floor: &Floor| {
        let told = walked(floor).answer(floor);
        told.high - told.low
    };
    let without = width(&floor);
    floor.usual_night = Some(UsualNight { vehicles: 0.0, plus_minus: 4.0 });
    assert!(width(&floor) < without, "{} {without}", width(&floor));
}

#[test]
fn a_kept_state_gives_the_same_answer_as_a_walk_from_the_start() {
    let mut facts = working_days(20, 40, 7);
    facts.push(Fact { at: after(9 * 1440 + 77), kind: FactKind::Recount(4) });
    let before = floor(80, 20, &facts);
    let mut states = States::new(2);
    for hours in [100, 300, 301, 470, 480] {
        let mut plain = State::begin(&before);
        plain.advance(&before, hours);
        assert_eq!(states.state(1, &before, hours), plain, "after {hours} hours");
    }
    drop(states.state(2, &before, 480));
    drop(states.state(3, &before, 480));
    assert_eq!(states.len(), 2, "the memory is bounded");
    // A late recount: what was kept after it is wrong and goes.
    facts.push(Fact { at: after(18 * 1440), kind: FactKind::Recount(1) });
    let late = floor(80, 20, &facts);
    states.forget_from(3, after(18 * 1440));
    assert_eq!(states.state(3, &late, 480), walked(&late));
}

#[test]
fn a_part_of_an_hour_counts_as_well() {
    let facts = [Fact { at: after(30), kind: FactKind::Recount(10) }];
    let floor = floor(50, 1, &facts);
    let part = Hour {
        pieces: vec![Piece::Stretch(Stretch { entries: 5, exits: 0, low: 0, high: 5 })],
        ..Hour::default()
    };
    let told = walked(&floor).with_part(&part).answer(&floor);
    assert!((told.estimate - 15).abs() <= 1, "{told:?}");
}

#[test]
fn the_sum_of_floors_is_narrower_than_the_sum_of_their_intervals() {
    let facts = working_days(14, 60, 30);
    let floor = floor(150, 14, &facts);
    let state = walked(&floor);
    let one = state.answer(&floor);
    let samples: Vec<Vec<f64>> = (1..=9).map(|floor_id| state.sample(floor_id)).collect();
    let (estimate, low, high) = add_up(&samples);
    assert!(low <= estimate && estimate <= high);
    assert!(high - low < 6 * (one.high - one.low), "{low}..{high}, {one:?}");
    let mut other = samples.clone();
    other.reverse();
    assert_eq!(add_up(&other), (estimate, low, high));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn the_order_of_facts_changes_no_byte(
        facts in Just(working_days(3, 30, 6)).prop_shuffle(),
        recount in 0_i64..60,
    ) {
        let mut sorted = working_days(3, 30, 6);
        sorted.push(Fact { at: after(2000), kind: FactKind::Recount(recount) });
        let mut shuffled = vec![Fact { at: after(2000), kind: FactKind::Recount(recount) }];
        shuffled.extend(facts);
        let (one, two) = (floor(60, 4, &sorted), floor(60, 4, &shuffled));
        prop_assert_eq!(&one, &two);
        let (one, two) = (walked(&one).answer(&one), walked(&two).answer(&two));
        prop_assert_eq!(format!("{one:?}"), format!("{two:?}"));
    }

    #[test]
    fn hours_fold_as_the_ledger_does(
        steps in prop::collection::vec((0_i64..300, 0_u8..4, 0_i64..9), 0..60),
    ) {
        let fact = |(minute, kind, number): &(i64, u8, i64)| Fact {
            at: after(*minute),
            kind: match kind {
                0 | 1 => FactKind::Entry(0),
                2 => FactKind::Exit(1),
                _ => FactKind::Recount(*number),
            },
        };
        let facts: Vec<Fact> = steps.iter().map(fact).collect();
        let hours = hours(begin(), 5, 5, &facts);
        let mut sorted = facts.clone();
        sorted.sort_unstable();
        let mut count = 0;
        for instant in sorted.chunk_by(|a, b| a.at == b.at) {
            let net: i64 = instant.iter().map(|fact| match fact.kind {
                FactKind::Entry(_) => 1,
                FactKind::Exit(_) => -1,
                _ => 0,
            }).sum();
            count = (count + net).clamp(0, 5);
            for fact in instant {
                if let FactKind::Recount(found) = fact.kind {
                    count = found.min(5);
                }
            }
        }
        prop_assert_eq!(hours[4].count, count);
        let events: u32 = hours.iter().flat_map(|hour| &hour.cameras).map(|c| c.0 + c.1).sum();
        let expected = facts.iter().filter(|f| !matches!(f.kind, FactKind::Recount(_))).count();
        prop_assert_eq!(events as usize, expected);
    }
}
