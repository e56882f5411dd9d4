//! Full and nearly full: since when, with two bounds.

use crate::count::{Act, Fullness, Moment, Since, Walk, Walker, may_be_nearly_full};

/// What is known after these counts of a floor with ten slots, the first before the walk begins,
/// the others at the instants 1, 2, 3 …
fn after(counts: &[i64]) -> Fullness {
    let mut fullness = Fullness::begin(Walk { count: counts[0], slots: 10 });
    for (at, count) in (1..).zip(&counts[1..]) {
        let act = Act::Recount(*count);
        fullness.take(Moment { floor_id: 1, at, act, is_event: false });
    }
    fullness
}

#[test]
fn a_floor_is_full_and_nearly_full_since_the_last_time_it_became_so() {
    use Since::{At, Before, No, Unknown};
    let table: [(&[i64], Since, Since); 13] = [
        (&[0], No, No),
        (&[7, 8, 8], No, No),
        (&[7, 8, 9], No, At(2)),
        (&[7, 9, 8, 9, 8], No, At(1)),
        (&[7, 9, 7, 8], No, No),
        (&[7, 9, 7, 9], No, At(3)),
        (&[8, 8], No, Unknown),
        (&[8, 9], No, At(1)),
        (&[9, 8], No, Before),
        (&[9, 10, 10], At(1), Before),
        (&[10, 9, 10], At(2), Before),
        (&[10, 7], No, No),
        (&[10], Before, Before),
    ];
    for (counts, full, nearly) in table {
        let fullness = after(counts);
        assert_eq!((fullness.full, fullness.nearly), (full, nearly), "{counts:?}");
        let is_open = [full, nearly].iter().any(|since| matches!(since, Before | Unknown));
        assert_eq!(fullness.is_open(), is_open, "{counts:?}");
    }
}

#[test]
fn capacity_decides_too_and_without_slots_nothing_is_full() {
    let mut fullness = Fullness::begin(Walk { count: 5, slots: 10 });
    let mut capacity = |at, slots| {
        fullness.take(Moment { floor_id: 1, at, act: Act::Capacity(slots), is_event: false });
        (fullness.full, fullness.nearly, fullness.is_open())
    };
    assert_eq!(capacity(1, 5), (Since::At(1), Since::At(1), false));
    assert_eq!(capacity(2, 6), (Since::No, Since::At(1), false));
    assert_eq!(capacity(3, 7), (Since::No, Since::No, false));
    assert_eq!(capacity(4, 0), (Since::No, Since::No, false));
}

#[test]
fn below_the_lower_bound_no_past_makes_a_floor_nearly_full() {
    for (count, slots, may_be) in [(7, 10, false), (8, 10, true), (10, 10, true), (0, 0, false)] {
        assert_eq!(may_be_nearly_full(Walk { count, slots }), may_be, "{count} of {slots}");
    }
}
