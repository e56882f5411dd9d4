//! One event moves the final count by 0 or by its own ±1, wherever in history it is inserted.

use proptest::{collection::vec, prelude::*};

use crate::count::{Act, Clamp};

/// The two counts that a history leads to without and with the event, walked along together.
#[derive(Clone, Copy)]
struct Pair {
    sign: i64,
    old: i64,
    new: i64,
}

impl Pair {
    fn begin(act: Act, count: i64, slots: i64) -> Self {
        Self {
            sign: if act == Act::Entry { 1 } else { -1 },
            old: count,
            new: act.clamp(slots).apply(count),
        }
    }

    fn pass(self, clamp: Clamp) -> Self {
        Self { old: clamp.apply(self.old), new: clamp.apply(self.new), ..self }
    }

    fn keeps_the_law(self) -> bool {
        let moved = self.new - self.old;
        moved == 0 || moved == self.sign
    }
}

fn slots_after(act: Act, slots: i64) -> i64 {
    if let Act::Capacity(slots) = act { slots } else { slots }
}

const ACTS: [Act; 8] = [
    Act::Entry,
    Act::Exit,
    Act::Recount(0),
    Act::Recount(1),
    Act::Recount(2),
    Act::Capacity(0),
    Act::Capacity(1),
    Act::Capacity(2),
];

/// Tries every history of up to `left` more acts; returns how many insertions it judged.
fn try_all(left: usize, count: i64, slots: i64, pairs: &[Pair]) -> u64 {
    let mut pairs = pairs.to_vec();
    pairs.extend([Act::Entry, Act::Exit].map(|act| Pair::begin(act, count, slots)));
    assert!(pairs.iter().all(|pair| pair.keeps_the_law()));
    assert!((0..=slots).contains(&count));
    let mut judged = pairs.len() as u64;
    if left == 0 {
        return judged;
    }
    for act in ACTS {
        let clamp = act.clamp(slots);
        let passed: Vec<Pair> = pairs.iter().map(|pair| pair.pass(clamp)).collect();
        judged += try_all(left - 1, clamp.apply(count), slots_after(act, slots), &passed);
    }
    judged
}

#[test]
fn every_history_of_six_facts() {
    let judged: u64 = (0..=2).map(|slots| try_all(6, 0, slots, &[])).sum();
    let histories_by_length = (0..=6).map(|length| (length, 8_u64.pow(length)));
    let expected: u64 = histories_by_length
        .map(|(length, histories)| histories * u64::from(length + 1) * 2 * 3)
        .sum();
    assert_eq!(judged, expected);
}

proptest! {
    #![proptest_config(super::cases(20_000))]

    #[test]
    fn long_histories(
        acts in vec((0..20_usize, 0..50_i64), 0..60),
        at in 0..60_usize,
        slots in 0..50_i64,
    ) {
        let acts: Vec<Act> = acts.into_iter().map(|(kind, n)| match kind {
            0 => Act::Recount(n),
            1 => Act::Capacity(n),
            2..=10 => Act::Entry,
            _ => Act::Exit,
        }).collect();
        for event in [Act::Entry, Act::Exit] {
            let final_count = |acts: &mut dyn Iterator<Item = Act>| {
                acts.fold((0, slots), |(count, slots), act| {
                    (act.clamp(slots).apply(count), slots_after(act, slots))
                }).0
            };
            let at = at.min(acts.len());
            let before = final_count(&mut acts.iter().copied());
            let (head, tail) = acts.split_at(at);
            let with = head.iter().copied().chain([event]).chain(tail.iter().copied());
            let after = final_count(&mut { with });
            let moved = after - before;
            let own = if event == Act::Entry { 1 } else { -1 };
            prop_assert!(moved == 0 || moved == own, "{event:?} moved it by {moved}");
        }
    }
}
