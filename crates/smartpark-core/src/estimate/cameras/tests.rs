use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;

/// The upper bits of a linear congruential generator.
struct Noise(u64);

impl Noise {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % bound
    }

    /// How many of so many crossings are seen if this share of a thousand is missed.
    fn seen(&mut self, crossings: u32, missed: u64) -> u32 {
        (0..crossings).map(|_| u32::from(self.below(1000) >= missed)).sum()
    }
}

/// Floors 1, 2, 3 behind each other, one two-way line before each. `missed`: for each line the
/// entries and exits missed, in thousandths.
fn chain(days: usize, cars: u32, missed: [(u64, u64); 3]) -> Window {
    let mut noise = Noise(5);
    let mut lines: Vec<Line> = (1..=3)
        .map(|to| Line {
            camera_id: format!("cam_{to}"),
            from: (to > 1).then_some(to - 1),
            to,
            entries: Vec::new(),
            exits: Vec::new(),
        })
        .collect();
    for day in 0..days {
        let all = if day % 7 >= 5 { cars / 3 } else { cars };
        let all = all + u32::try_from(noise.below(u64::from(cars / 10))).expect("small");
        // Half of the vehicles go on to the next floor.
        for (number, (line, (lost_in, lost_out))) in lines.iter_mut().zip(missed).enumerate() {
            let passing = all >> number;
            line.entries.push(noise.seen(passing, lost_in));
            line.exits.push(noise.seen(passing, lost_out));
        }
    }
    Window { days, lines, recounts: Vec::new() }
}

fn verdicts(cameras: &Cameras) -> Vec<Verdict> {
    cameras.cameras.iter().map(|camera| camera.verdict).collect()
}

#[test]
fn the_camera_that_loses_vehicles_is_named_with_its_loss() {
    let judged = judge(&chain(28, 600, [(4, 4), (4, 34), (4, 4)]));
    assert_eq!(verdicts(&judged)[1], Verdict::Named, "{judged:#?}");
    assert!(judged.cameras.iter().filter(|c| c.verdict == Verdict::Named).count() == 1);
    let camera = &judged.cameras[1];
    assert!(camera.probability > 0.9 && judged.nothing_wrong < 0.1);
    // Totals see the difference of the directions: 3 % more exits are lost.
    let net = match camera.flow.direction {
        Direction::Exit => camera.flow.loss,
        Direction::Entry => Loss {
            share: -camera.flow.loss.share,
            low: -camera.flow.loss.high,
            high: -camera.flow.loss.low,
        },
    };
    assert!(net.low < 0.03 && 0.03 < net.high, "{net:?}");
}

#[test]
fn sound_cameras_are_not_named() {
    for days in [0, 1, 3, 28] {
        let judged = judge(&chain(days, 600, [(4, 4); 3]));
        assert!(verdicts(&judged).iter().all(|v| *v != Verdict::Named), "{days}: {judged:#?}");
        assert!(judged.one_of.is_empty());
    }
}

#[test]
fn a_camera_that_was_off_for_half_a_day_is_not_taken_for_one_that_errs() {
    for (line, off) in [(0, 9), (1, 20), (2, 27)] {
        let mut window = chain(28, 600, [(4, 4); 3]);
        window.lines[line].exits[off] /= 3;
        let judged = judge(&window);
        assert!(verdicts(&judged).iter().all(|v| *v != Verdict::Named), "{line}: {judged:#?}");
        assert!(judged.nothing_wrong > 0.5, "{line}: {}", judged.nothing_wrong);
    }
    // The one that errs is found in spite of the outage of another.
    let mut window = chain(28, 600, [(4, 4), (4, 34), (4, 4)]);
    window.lines[0].exits[15] = 0;
    assert_eq!(verdicts(&judge(&window)), [Verdict::Fine, Verdict::Named, Verdict::Fine]);
}

#[test]
fn floors_that_no_ramp_joins_are_judged_apart() {
    let one = chain(28, 600, [(4, 4), (4, 34), (4, 4)]);
    let mut both = one.clone();
    let mut other = chain(28, 600, [(4, 44), (4, 4), (4, 4)]);
    for line in &mut other.lines {
        line.camera_id = format!("east_{}", line.camera_id);
        line.to += 10;
        line.from = line.from.map(|from| from + 10);
    }
    // The other building opened later.
    for line in &mut other.lines {
        line.entries[..7].fill(0);
        line.exits[..7].fill(0);
    }
    both.lines.extend(other.lines);
    let told = judge(&both);
    assert_eq!(told.cameras[..3], judge(&one).cameras[..]);
    assert_eq!(told.cameras[3].verdict, Verdict::Named, "{told:#?}");
}

#[test]
fn a_large_building_is_judged_over_the_days_that_fit() {
    let mut window = chain(84, 200, [(4, 4); 3]);
    let line = window.lines[2].clone();
    for floor in 4..=60 {
        let camera_id = format!("cam_{floor}");
        window.lines.push(Line { camera_id, from: Some(floor - 1), to: floor, ..line.clone() });
    }
    let told = judge(&window);
    assert_eq!(told.cameras.len(), 60);
    let seen = told.cameras[0].entries;
    assert!(seen < window.lines[0].entries.iter().map(|n| u64::from(*n)).sum(), "{seen}");
}

#[test]
fn as_many_entries_as_exits_missed_cannot_be_seen_in_totals() {
    let judged = judge(&chain(28, 600, [(4, 4), (50, 50), (4, 4)]));
    assert!(verdicts(&judged).iter().all(|v| *v != Verdict::Named), "{judged:#?}");
}

#[test]
fn two_faults_at_once_are_both_named() {
    let judged = judge(&chain(42, 600, [(4, 44), (4, 4), (54, 4)]));
    assert_eq!(verdicts(&judged)[0], Verdict::Named, "{judged:#?}");
    assert_eq!(verdicts(&judged)[2], Verdict::Named, "{judged:#?}");
    assert_ne!(verdicts(&judged)[1], Verdict::Named);
}

#[test]
fn of_two_one_way_lines_only_both_together_are_told() {
    let mut window = chain(42, 600, [(4, 44), (4, 4), (4, 4)]);
    let exits = std::mem::replace(&mut window.lines[0].exits, vec![0; 42]);
    let out = Line {
        camera_id: "cam_out".to_owned(),
        entries: vec![0; 42],
        exits,
        ..window.lines[0].clone()
    };
    window.lines.push(out);
    let judged = judge(&window);
    assert!(judged.nothing_wrong < 0.1);
    assert_eq!(judged.one_of, [["cam_1", "cam_out"]], "{judged:#?}");
}

#[test]
fn recounts_name_a_camera_that_nights_hide() {
    // The last floor keeps a number of vehicles overnight that changes a lot.
    let mut window = chain(28, 200, [(4, 4), (4, 4), (4, 34)]);
    let mut noise = Noise(11);
    let mut stay = 0_i64;
    let mut lost = 0_i64;
    let mut recounts = Vec::new();
    for day in 0..28 {
        let next = i64::try_from(noise.below(40)).expect("small");
        let line = &mut window.lines[2];
        let moved = u32::try_from(next - stay).unwrap_or(0);
        let back = u32::try_from(stay - next).unwrap_or(0);
        lost += i64::from(line.entries[day]) - i64::from(line.exits[day]);
        for (number, line) in window.lines.iter_mut().enumerate() {
            let _ = number;
            line.entries[day] += moved;
            line.exits[day] += back;
        }
        stay = next;
        if day % 4 == 3 {
            recounts.push((3, day, stay));
        }
    }
    let without = judge(&window).cameras[2].probability;
    window.recounts = recounts;
    let with = judge(&window).cameras[2].probability;
    assert!(lost > 0 && with > without && with > 0.9, "{without} without, {with} with");
}

#[test]
fn parts_tell_the_balance_of_each_floor() {
    let window = Window {
        days: 2,
        lines: vec![
            Line {
                camera_id: "gate".to_owned(),
                from: None,
                to: 1,
                entries: vec![10, 10],
                exits: vec![9, 10],
            },
            Line {
                camera_id: "ramp".to_owned(),
                from: Some(1),
                to: 2,
                entries: vec![5, 5],
                exits: vec![3, 3],
            },
        ],
        recounts: Vec::new(),
    };
    let found: Vec<(i64, i64)> =
        parts(&window).iter().map(|part| (part.floor_id, part.imbalance)).collect();
    assert_eq!(found, [(1, -3), (2, 4)]);
}

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).expect("a time")
}

#[test]
fn twins_tell_what_each_misses_whatever_their_clocks_say() {
    let mut noise = Noise(3);
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let mut missed = (0, 0);
    for crossing in 0..2000 {
        let when = crossing * 43_000 + i64::try_from(noise.below(30_000)).expect("small");
        let direction = if noise.below(2) == 0 { Direction::Entry } else { Direction::Exit };
        if noise.below(100) >= 2 {
            first.push(Seen { at: at(when), direction });
        } else {
            missed.0 += 1;
        }
        if noise.below(1000) >= 5 {
            // Its clock is 8 s ahead.
            let jitter = i64::try_from(noise.below(2000)).expect("small");
            second.push(Seen { at: at(when + 8000 + jitter), direction });
        } else {
            missed.1 += 1;
        }
    }
    let told = twins(&first, &second);
    let (one, two) = (told.first.expect("a share"), told.second.expect("a share"));
    assert!((one.share - f64::from(missed.0) / 2000.0).abs() < 0.004, "{one:?} {missed:?}");
    assert!((two.share - f64::from(missed.1) / 2000.0).abs() < 0.004, "{two:?} {missed:?}");
    assert!(one.low < 0.02 && 0.02 < one.high);
    second.reverse();
    assert_eq!(twins(&first, &second), told);
}

#[test]
fn a_twin_that_saw_nothing_tells_nothing() {
    let seen = [Seen { at: at(0), direction: Direction::Entry }];
    let told = twins(&seen, &[]);
    assert_eq!((told.pairs, told.first), (0, None));
    assert!((told.second.expect("a share").share - 1.0).abs() < 1e-12);
    let later = Seen { at: seen[0].at + SignedDuration::from_mins(5), ..seen[0] };
    assert_eq!(twins(&seen, &[later]).pairs, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn the_order_of_lines_and_recounts_changes_nothing(
        order in Just(vec![0, 1, 2]).prop_shuffle(),
        missed in 0_u64..60,
    ) {
        let mut window = chain(10, 200, [(4, 4), (missed, 4), (4, 4)]);
        window.recounts = vec![(1, 2, 3), (1, 6, 4), (2, 4, 9)];
        let told = judge(&window);
        let lines = order.iter().map(|place: &usize| window.lines[*place].clone()).collect();
        let mut recounts = window.recounts.clone();
        recounts.reverse();
        recounts.push((1, 2, 3));
        let shuffled = Window { lines, recounts, ..window };
        prop_assert_eq!(format!("{told:?}"), format!("{:?}", judge(&shuffled)));
    }
}
