//! Drawn scenes through the whole way from frames to crossings.

mod scene;

use scene::{Actor, HEIGHT, WIDTH, car, count, count_frames, directions, line, picture};
use smartpark_vision::Direction::{Entry, Exit};
use smartpark_vision::counter::Method::{self, Blob, Strip};
use smartpark_vision::{Blindness, Frame, State, VehicleType};

const RED: [u8; 3] = [180, 40, 40];
const BLUE: [u8; 3] = [40, 60, 190];
const WHITE: [u8; 3] = [235, 235, 230];
const BOTH: [Method; 2] = [Blob, Strip];

#[test]
fn a_car_counts_once_in_its_direction_at_its_moment() {
    for method in BOTH {
        let (down, _) = count(method, line(), &[car(60.0, 0.5, 60.0, RED)], 5.0);
        assert_eq!(directions(&down), [Entry], "{method}");
        // The middle is on the line after 120 pixels at 60 pixels a second.
        assert!((down[0].t - 2.5).abs() < 0.25, "{method}: {}", down[0].t);
        assert_eq!(down[0].vehicle_type, VehicleType::Car, "{method}");
        let (up, _) = count(method, line(), &[car(60.0, 0.5, -60.0, WHITE)], 5.0);
        assert_eq!(directions(&up), [Exit], "{method}");
    }
}

#[test]
fn swap_turns_the_direction_round() {
    let mut swapped = line();
    swapped.swap = true;
    for method in BOTH {
        let (found, _) = count(method, swapped.clone(), &[car(60.0, 0.5, 60.0, RED)], 5.0);
        assert_eq!(directions(&found), [Exit], "{method}");
    }
}

#[test]
fn two_cars_that_pass_each_other_on_the_line_count_both() {
    let actors = [car(55.0, 0.5, 60.0, RED), car(120.0, 0.5, -60.0, BLUE)];
    for method in BOTH {
        let (found, _) = count(method, line(), &actors, 5.0);
        let mut ways = directions(&found);
        ways.sort_by_key(|d| *d == Exit);
        assert_eq!(ways, [Entry, Exit], "{method}");
    }
}

#[test]
fn two_cars_in_one_outline_that_came_apart_count_both() {
    // They touch while they are on the line; before and behind it there is road between them.
    let near = |t: f64| if (1.4..3.4).contains(&t) { 40.0 } else { 55.0 };
    let left = car(60.0, 0.5, 60.0, RED);
    let right = Actor {
        size: (40.0, 50.0),
        colour: BLUE,
        path: Box::new(move |t| {
            (t >= 0.5).then(|| (60.0 + near(t), -30.0 + 60.0 * (t - 0.5) as f32))
        }),
    };
    let (found, _) = count(Blob, line(), &[left, right], 5.0);
    assert_eq!(directions(&found), [Entry, Entry]);
    assert!(found.iter().any(|c| c.confidence < 0.6), "a shared outline lowers the confidence");
}

#[test]
fn a_person_with_a_low_shadow_or_beside_another_one_is_no_car() {
    let walks = |x: f32, y: f32, size: (f32, f32)| Actor {
        size,
        colour: BLUE,
        path: Box::new(move |t| Some((x, y + 14.0 * t as f32))),
    };
    // A box around both is as wide as a car.
    let person = walks(60.0, 40.0, (13.0, 44.0));
    let shadow = walks(88.0, 58.0, (44.0, 8.0));
    let (found, _) = count(Blob, line(), &[person, shadow], 9.0);
    assert_eq!(directions(&found), [], "a shadow is a part of the outline");
    let pair = [walks(60.0, 40.0, (13.0, 44.0)), walks(82.0, 40.0, (13.0, 44.0))];
    let (found, _) = count(Blob, line(), &pair, 9.0);
    assert_eq!(directions(&found), [], "two people side by side");
}

#[test]
fn a_car_that_backs_out_gives_nothing_and_a_reversal_nets_to_zero() {
    let backs_out = |t: f64| Some((80.0, if t < 2.0 { 35.0 * t } else { 140.0 - 35.0 * t } as f32));
    let reverses = |t: f64| Some((80.0, if t < 3.0 { 50.0 * t } else { 300.0 - 50.0 * t } as f32));
    let actor = |path: fn(f64) -> Option<(f32, f32)>| Actor {
        size: (40.0, 50.0),
        colour: RED,
        path: Box::new(path),
    };
    let (found, _) = count(Blob, line(), &[actor(backs_out)], 5.0);
    assert_eq!(directions(&found), []);
    let (found, _) = count(Blob, line(), &[actor(reverses)], 6.5);
    assert_eq!(directions(&found), [Entry, Exit]);
    assert_eq!((found[0].number, found[1].number), (1, 2));
    assert_eq!(found[0].track, found[1].track);
}

#[test]
fn a_person_is_not_a_vehicle() {
    let walk = |t: f64| Some((80.0, 20.0 * t as f32));
    for method in BOTH {
        let person = Actor { size: (12.0, 36.0), colour: BLUE, path: Box::new(walk) };
        let (found, _) = count(method, line(), &[person], 9.0);
        assert_eq!(directions(&found), [], "{method}");
    }
}

#[test]
fn a_car_beside_the_line_does_not_count() {
    let mut short = line();
    short.p2.x = 100.0;
    let (found, _) = count(Blob, short, &[car(150.0, 0.5, 60.0, RED)], 5.0);
    assert_eq!(directions(&found), []);
}

#[test]
fn the_end_of_the_film_ends_all_tracks() {
    // The middle passes the line 0.24 s before the last frame: one frame lies beyond the band.
    let (found, _) = count(Blob, line(), &[car(60.0, 0.5, 60.0, RED)], 2.5 + 0.24);
    assert_eq!(directions(&found), [Entry]);
}

#[test]
fn a_slow_shadow_is_not_a_vehicle() {
    let dimmed = |t: f64| {
        let mut frame = picture(&[], t);
        let top = (20.0 * t) as usize;
        for y in top.min(HEIGHT)..(top + 50).min(HEIGHT) {
            for x in 60..110 {
                let dim = frame.pixel(x, y).map(|c| (u32::from(c) * 3 / 5) as u8);
                frame.set(x as i64, y as i64, dim);
            }
        }
        frame
    };
    let (shadow, _) = count_frames(Blob, line(), 9.0, dimmed);
    assert_eq!(directions(&shadow), []);
}

#[test]
fn a_change_of_the_whole_light_is_not_a_vehicle() {
    let (found, changes) = count_frames(Blob, line(), 6.0, |t| {
        let mut frame = picture(&[], t);
        if t > 2.0 {
            frame.rgb.iter_mut().for_each(|c| *c = (u32::from(*c) * 7 / 10) as u8);
        }
        frame
    });
    assert_eq!(directions(&found), []);
    assert_eq!(changes.last().map(|c| c.state), Some(State::Counting));
}

#[test]
fn a_blind_camera_counts_nothing_and_reports_the_span() {
    let actors = [car(60.0, 0.5, 60.0, RED), car(60.0, 9.0, 60.0, RED)];
    let (found, changes) = count_frames(Blob, line(), 14.0, |t| {
        if (1.0..6.0).contains(&t) {
            Frame::filled(WIDTH, HEIGHT, t, [2, 2, 2])
        } else {
            picture(&actors, t)
        }
    });
    assert_eq!(directions(&found), [Entry], "the car in the dark is not counted");
    assert!(found[0].t > 9.0);
    let blind = changes.iter().find(|c| c.state == State::Blind).expect("a blind state");
    assert_eq!(blind.reason, Some(Blindness::Dark));
    let (from, to) = changes.iter().find_map(|c| c.not_counted).expect("a span to recount");
    assert!((from - 1.0).abs() < 0.2 && (to - 6.0).abs() < 0.2, "{from} to {to}");
}

#[test]
fn the_same_frames_give_the_same_crossings() {
    let actors = || [car(55.0, 0.5, 60.0, RED), car(120.0, 0.5, -60.0, WHITE)];
    for method in BOTH {
        let first = count(method, line(), &actors(), 5.0);
        assert_eq!(first, count(method, line(), &actors(), 5.0), "{method}");
    }
}
