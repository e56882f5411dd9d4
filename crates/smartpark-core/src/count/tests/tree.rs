//! [`History`](crate::count::History) against the naive model, on floors that forget nothing.

use proptest::prelude::*;

use super::{
    floor::Floor,
    story::{Story, seen, stories, without_horizon},
};
use crate::count::{DIVIDE_ABOVE, Fact, Level, Source};

/// Hundreds of events within a few microseconds, a hundredth, a second.
fn crowds() -> impl Strategy<Value = Vec<Fact>> {
    let width = prop_oneof![Just(3_i64), Just(10_000), Just(20_000), Just(1_000_000)];
    (width, -5_000..5_000_i64).prop_flat_map(|(width, start)| {
        proptest::collection::vec((0..width, seen()), 100..300)
            .prop_map(move |seen| seen.iter().map(|(at, seen)| seen.at(start + at)).collect())
    })
}

/// How the facts of a history arrive: events after a delay, some of them twice; adjustments when
/// they are made, after all that has been recorded and before all that happens later.
fn arrivals(history: &[Fact], delays: &[usize]) -> Vec<Fact> {
    let mut arrivals = Vec::new();
    for (place, fact) in history.iter().enumerate() {
        if let Source::Adjustment(_) = fact.source {
            arrivals.push((place, 0, fact.clone()));
            continue;
        }
        let delay = delays[place % delays.len()];
        // An adjustment of the same instant comes first: it is made at an instant of its own.
        let own = history.partition_point(|other| other.at <= fact.at) - 1;
        arrivals.push((own + delay, 1, fact.clone()));
        if delay % 2 == 1 {
            arrivals.push((own + delay * 2, 1, fact.clone()));
        }
    }
    arrivals.sort_by_key(|(when, turn, _)| (*when, *turn));
    arrivals.into_iter().map(|(_, _, fact)| fact).collect()
}

#[test]
fn a_day_is_divided_into_hours_minutes_seconds_and_hundredths() {
    let widths: Vec<i64> = Level::all().map(Level::width).collect();
    assert_eq!(widths, [86_400_000_000, 3_600_000_000, 60_000_000, 1_000_000, 10_000]);
}

fn tell(floor: &mut Floor, facts: Vec<Fact>, group: usize) {
    for (n, fact) in facts.into_iter().enumerate() {
        floor.record(fact);
        if n % group == 0 {
            floor.commit();
        }
    }
    floor.commit();
}

proptest! {
    #![proptest_config(super::cases(60_000))]

    /// Short histories in deep trees.
    #[test]
    fn every_answer_and_every_row_is_as_from_scratch(story in stories(1..32, 1..=6)) {
        let story = without_horizon(story);
        story.happens_on(&mut story.floor());
    }
}

proptest! {
    #![proptest_config(super::cases(20_000))]

    #[test]
    fn any_order_and_repetition_leads_to_the_same_rows(
        story in stories(1..24, 1..=4),
        delays in proptest::collection::vec(0..30_usize, 1..12),
        group in 1..8_usize,
    ) {
        let story: Story = without_horizon(story);
        let mut told_at_random = story.floor();
        story.happens_on(&mut told_at_random);
        let history = told_at_random.all.clone();

        let mut in_order = story.floor();
        tell(&mut in_order, arrivals(&history, &[0]), 1);
        let mut late = story.floor();
        tell(&mut late, arrivals(&history, &delays), group);
        for floor in [&in_order, &late] {
            prop_assert_eq!(&floor.rows, &told_at_random.rows);
            prop_assert_eq!(floor.outcome.count, told_at_random.outcome.count);
        }
    }
}

proptest! {
    #![proptest_config(super::cases(100))]

    /// Long histories, divided as in service, down to leaves that cannot be divided further.
    #[test]
    fn busy_floors(story in stories(200..500, DIVIDE_ABOVE..=DIVIDE_ABOVE)) {
        let story = without_horizon(story);
        story.happens_on(&mut story.floor());
    }

    #[test]
    fn crowds_within_an_instant(facts in crowds(), slots in 0..40_i64, group in 1..100_usize) {
        tell(&mut Floor::new(slots, DIVIDE_ABOVE), facts, group);
    }
}

proptest! {
    #![proptest_config(super::cases(2_000))]

    /// A question that needs loading first changes nothing.
    #[test]
    fn a_question_leaves_no_trace(story in stories(1..40, 1..=4)) {
        let mut floor = story.floor();
        floor.suspicious = true;
        story.happens_on(&mut floor);
    }
}

proptest! {
    #![proptest_config(super::cases(2_000))]

    /// A group on time asks for nothing while it is recorded, also where its facts divide the
    /// stretches that they come to.
    #[test]
    fn a_group_on_time_is_loaded_ahead(
        facts in crowds(),
        slots in 0..40_i64,
        divide_above in 1..=6_u32,
        group in 1..40_usize,
    ) {
        let mut facts = facts;
        facts.sort_by_key(|fact| fact.at);
        facts.dedup_by_key(|fact| fact.at);
        let mut floor = Floor::new(slots, divide_above);
        for facts in facts.chunks(group) {
            floor.prefetch(facts);
            let asked = floor.asked();
            for fact in facts {
                floor.record(fact.clone());
            }
            prop_assert_eq!(floor.asked(), asked);
            floor.commit();
        }
    }
}
