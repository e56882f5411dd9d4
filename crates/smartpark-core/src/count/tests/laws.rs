//! The laws of [`Clamp`]s: exhaustive over small numbers, random over large ones.

use proptest::{collection::vec, prelude::*};

use crate::count::{Act, Clamp, Fact, Source, UNBOUNDED, Walk, fold};

/// All clamps with a shift of −3 to 3 and bounds of 0 to 4 or none.
fn small_clamps() -> Vec<Clamp> {
    let mut clamps = Vec::new();
    for shift in -3..=3 {
        for low in [-UNBOUNDED, 0, 1, 2, 3, 4] {
            for high in [0, 1, 2, 3, 4, UNBOUNDED] {
                if low <= high {
                    clamps.push(Clamp { shift, low, high });
                }
            }
        }
    }
    clamps
}

fn small_acts() -> Vec<Act> {
    let numbered = (0..=4).flat_map(|n| [Act::Base(n), Act::Recount(n), Act::Capacity(n)]);
    [Act::Entry, Act::Exit].into_iter().chain(numbered).collect()
}

#[test]
fn one_act_does_what_the_contract_says() {
    for slots in 0..=4 {
        for count in 0..=slots {
            let after = |act: Act| act.clamp(slots).apply(count);
            assert_eq!(after(Act::Entry), slots.min(count + 1));
            assert_eq!(after(Act::Exit), 0.max(count - 1));
            for n in 0..=4 {
                // A recount never finds more cars than fit, neither does a base.
                assert_eq!(after(Act::Recount(n)), n.min(slots));
                assert_eq!(after(Act::Base(n)), n.min(slots));
                assert_eq!(after(Act::Capacity(n)), n.min(count));
            }
        }
    }
}

#[test]
fn composition_is_one_after_another() {
    for first in small_clamps() {
        assert_eq!(first.then(Clamp::IDENTITY), first);
        assert_eq!(Clamp::IDENTITY.then(first), first);
        for next in small_clamps() {
            let both = first.then(next);
            assert!(both.low <= both.high);
            for count in 0..=4 {
                assert_eq!(both.apply(count), next.apply(first.apply(count)));
            }
        }
    }
}

#[test]
fn composition_is_associative_to_the_number() {
    let mut clamps = small_clamps();
    clamps.push(Clamp::IDENTITY);
    for &a in &clamps {
        for &b in &clamps {
            let ab = a.then(b);
            for &c in &clamps {
                assert_eq!(ab.then(c), a.then(b.then(c)), "{a:?} {b:?} {c:?}");
            }
        }
    }
}

#[test]
fn clamps_are_monotone_and_never_stretch() {
    let keeps_order = |clamp: Clamp| {
        for (x, y) in (0..=4).flat_map(|x| (x..=4).map(move |y| (x, y))) {
            let (fx, fy) = (clamp.apply(x), clamp.apply(y));
            assert!(fx <= fy && fy <= fx + (y - x), "{clamp:?} of {x} and {y}");
        }
    };
    for first in small_clamps() {
        keeps_order(first);
        small_clamps().iter().for_each(|&next| keeps_order(first.then(next)));
    }
}

/// Three acts in a row on any small floor: as clamps and step by step.
#[test]
fn folding_is_walking() {
    let acts = small_acts();
    let fact = |act| Fact { at: 0, source: Source::Base, act, id: 0 };
    for slots in 0..=4 {
        for (a, b) in acts.iter().flat_map(|a| acts.iter().map(move |b| (a, b))) {
            for c in &acts {
                let facts = [fact(*a), fact(*b), fact(*c)];
                let folded = fold(&facts, slots);
                for count in 0..=slots {
                    let mut walk = Walk { count, slots };
                    facts.iter().for_each(|fact| _ = walk.act(fact.act));
                    assert_eq!(folded.apply(count), walk.count, "{facts:?} from {count}");
                    assert!((0..=walk.slots).contains(&walk.count));
                }
            }
        }
    }
}

/// An act on a floor of any size that is allowed, from random bits. (One number an act: plain
/// strategies would cost more time than all that is judged.)
fn act(bits: u32) -> Act {
    let n = i64::from(bits / 16);
    let n = if bits.is_multiple_of(3) { n % 1_000_000 } else { n % 6 };
    match bits % 16 {
        0..=6 => Act::Entry,
        7..=13 => Act::Exit,
        14 => Act::Recount(n),
        _ => Act::Capacity(n),
    }
}

proptest! {
    #![proptest_config(super::cases(100_000))]

    /// Wherever a history is cut, the pieces compose to the whole, in any grouping.
    #[test]
    fn pieces_compose_to_the_whole(
        acts in vec(any::<u32>(), 0..16),
        slots in 0..1_000_i64,
        counts in (0..1_000_i64, 0..1_000_i64),
        cuts in (0..16_usize, 0..16_usize),
    ) {
        let acts: Vec<Act> = acts.into_iter().map(act).collect();
        let mut now = slots;
        let mut clamps = Vec::with_capacity(acts.len());
        for act in &acts {
            clamps.push(act.clamp(now));
            if let Act::Capacity(slots) = act {
                now = *slots;
            }
        }
        let sum = |clamps: &[Clamp]| clamps.iter().fold(Clamp::IDENTITY, |sum, &c| sum.then(c));
        let (i, j) = (cuts.0.min(clamps.len()), cuts.1.min(clamps.len()));
        let (a, rest) = clamps.split_at(i.min(j));
        let (b, c) = rest.split_at(i.max(j) - i.min(j));
        let whole = sum(&clamps);
        prop_assert_eq!(sum(a).then(sum(b)).then(sum(c)), whole);
        prop_assert_eq!(sum(a).then(sum(b).then(sum(c))), whole);

        let (x, y) = (counts.0.min(counts.1), counts.0.max(counts.1));
        let stepwise = |count| clamps.iter().fold(count, |count, clamp| clamp.apply(count));
        prop_assert_eq!(whole.apply(x), stepwise(x));
        prop_assert!(whole.apply(x) <= whole.apply(y));
        prop_assert!(whole.apply(y) <= whole.apply(x) + (y - x));
    }
}
