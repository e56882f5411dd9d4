//! A live camera as a pure machine: learning, losses, blindness.

use super::{Actor, FPS, HEIGHT, WIDTH, car, line, picture};
use smartpark_vision::Direction::{Entry, Exit};
use smartpark_vision::{
    Blindness, Direction, Error, Frame, Method, Sighting, State, Watch, WatchOptions,
};

const RED: [u8; 3] = [180, 40, 40];
const SIZE: (usize, usize) = (WIDTH, HEIGHT);

/// A camera with the usual line that learns for two seconds.
fn watch() -> Watch {
    let mut runs = 0;
    Watch::new(WatchOptions {
        lines: vec![line()],
        masks: Vec::new(),
        method: Method::Blob,
        warm_up_s: 2.0,
        detector: None,
        run: Box::new(move || {
            runs += 1;
            format!("run{runs}")
        }),
    })
}

/// What was told, in order: crossings with their run, and states.
#[derive(Debug, Default)]
struct Told {
    crossings: Vec<(String, Direction, f64)>,
    states: Vec<(State, Option<Blindness>)>,
    spans: Vec<(f64, f64)>,
}

impl Told {
    fn add(&mut self, sightings: Vec<Sighting>) {
        for sighting in sightings {
            match sighting {
                Sighting::Crossing { run, crossing, .. } => {
                    self.crossings.push((run, crossing.direction, crossing.t));
                }
                Sighting::Change { change, .. } => {
                    self.states.push((change.state, change.reason));
                    self.spans.extend(change.not_counted);
                }
            }
        }
    }

    fn states(&self) -> Vec<State> {
        self.states.iter().map(|(state, _)| *state).collect()
    }

    /// Shows the frames that `frame` draws, from one time to another.
    fn show(&mut self, watch: &mut Watch, from: f64, to: f64, frame: impl Fn(f64) -> Frame) {
        let frames = ((to - from) * FPS).ceil() as u32;
        for number in 0..frames {
            let frame = frame(from + f64::from(number) / FPS);
            self.add(watch.frame(&frame).expect("a step"));
        }
    }
}

fn road(actors: &[Actor]) -> impl Fn(f64) -> Frame {
    move |t| picture(actors, t)
}

#[test]
fn a_camera_learns_first_and_then_counts() {
    let actors = [car(60.0, 4.0, 60.0, RED)];
    let (mut watch, mut told) = (watch(), Told::default());
    watch.opened(SIZE, SIZE, 0.0).expect("a line that fits");
    told.show(&mut watch, 0.0, 9.0, road(&actors));
    assert_eq!(told.states(), [State::Learning, State::Counting]);
    let [(run, Entry, t)] = &told.crossings[..] else { panic!("{told:?}") };
    assert_eq!(run, "run1");
    assert!((t - 6.0).abs() < 0.25, "{t}");
    assert!(told.spans.is_empty(), "nothing was missed: {told:?}");
}

#[test]
fn a_short_loss_keeps_the_background_and_a_long_one_does_not() {
    let actors = [car(60.0, 8.0, 60.0, RED), car(60.0, 100.0, -60.0, RED)];
    let (mut watch, mut told) = (watch(), Told::default());
    watch.opened(SIZE, SIZE, 0.0).expect("a line that fits");
    told.show(&mut watch, 0.0, 4.0, road(&actors));
    told.add(watch.lost(4.0));
    watch.opened(SIZE, SIZE, 7.0).expect("a line that fits");
    told.show(&mut watch, 7.0, 13.0, road(&actors));
    use State::{Counting, Learning, Lost};
    assert_eq!(told.states(), [Learning, Counting, Lost, Counting]);
    assert_eq!(told.spans, [(4.0, 7.0)]);
    told.add(watch.lost(13.0));
    watch.opened(SIZE, SIZE, 95.0).expect("a line that fits");
    told.show(&mut watch, 95.0, 106.0, road(&actors));
    assert_eq!(told.states()[4..], [Lost, Learning, Counting]);
    let runs: Vec<_> = told.crossings.iter().map(|(run, way, _)| (run.as_str(), *way)).collect();
    assert_eq!(runs, [("run1", Entry), ("run2", Exit)]);
    assert!((told.spans[1].0 - 13.0).abs() < 0.1 && told.spans[1].1 > 97.0, "{told:?}");
}

#[test]
fn a_loss_during_a_crossing_gives_at_most_one_event() {
    // The source is lost at each moment around the crossing at 6 s, for half a second.
    for lost in [5.0, 5.5, 5.8, 6.0, 6.2, 6.5, 7.0] {
        let actors = [car(60.0, 4.0, 60.0, RED)];
        let (mut watch, mut told) = (watch(), Told::default());
        watch.opened(SIZE, SIZE, 0.0).expect("a line that fits");
        told.show(&mut watch, 0.0, lost, road(&actors));
        told.add(watch.lost(lost));
        watch.opened(SIZE, SIZE, lost + 0.5).expect("a line that fits");
        told.show(&mut watch, lost + 0.5, 9.0, road(&actors));
        told.add(watch.finish());
        assert!(told.crossings.len() <= 1, "lost at {lost}: {told:?}");
        let was_seen = !(5.5..=6.2).contains(&lost);
        assert!(!was_seen || told.crossings.len() == 1, "lost at {lost}: {told:?}");
    }
}

#[test]
fn a_dark_or_frozen_picture_is_not_learnt_from() {
    let dark = |t: f64| Frame::filled(WIDTH, HEIGHT, t, [2, 2, 2]);
    let (mut watch, mut told) = (watch(), Told::default());
    watch.opened(SIZE, SIZE, 0.0).expect("a line that fits");
    told.show(&mut watch, 0.0, 5.0, dark);
    assert_eq!(told.states, [(State::Blind, Some(Blindness::Dark))]);
    let actors = [car(60.0, 9.0, 60.0, RED)];
    told.show(&mut watch, 5.0, 14.0, road(&actors));
    assert_eq!(told.states()[1..], [State::Learning, State::Counting]);
    assert_eq!(told.crossings.len(), 1, "{told:?}");
}

#[test]
fn a_camera_that_was_blind_for_long_learns_anew() {
    let (mut watch, mut told) = (watch(), Told::default());
    watch.opened(SIZE, SIZE, 0.0).expect("a line that fits");
    told.show(&mut watch, 0.0, 4.0, road(&[]));
    let frozen = picture(&[], 4.0);
    told.show(&mut watch, 4.0, 70.0, |t| Frame { t, ..frozen.clone() });
    assert_eq!(told.states.last(), Some(&(State::Blind, Some(Blindness::Frozen))));
    let actors = [car(60.0, 74.0, 60.0, RED)];
    told.show(&mut watch, 70.0, 79.0, road(&actors));
    use State::{Blind, Counting, Learning};
    assert_eq!(told.states(), [Learning, Counting, Blind, Learning, Counting]);
    assert_eq!(told.crossings.len(), 1, "{told:?}");
    assert_eq!(told.crossings[0].0, "run2");
    let (from, to) = told.spans[0];
    assert!((from - 9.0).abs() < 0.2 && (to - 72.0).abs() < 0.3, "{told:?}");
}

#[test]
fn each_line_counts_by_itself() {
    let second = smartpark_vision::Line { id: "out".into(), swap: true, ..line() };
    let mut options = WatchOptions {
        lines: vec![line(), second],
        masks: Vec::new(),
        method: Method::Blob,
        warm_up_s: 2.0,
        detector: None,
        run: Box::new(|| "run".into()),
    };
    let mut number = 0;
    options.run = Box::new(move || {
        number += 1;
        format!("run{number}")
    });
    let (mut watch, mut told) = (Watch::new(options), Told::default());
    watch.opened(SIZE, SIZE, 0.0).expect("lines that fit");
    told.show(&mut watch, 0.0, 9.0, road(&[car(60.0, 4.0, 60.0, RED)]));
    let mut found: Vec<_> = told.crossings.iter().map(|(run, way, _)| (&**run, *way)).collect();
    found.sort_by_key(|(run, _)| run.to_string());
    assert_eq!(found, [("run1", Entry), ("run2", Exit)]);
}

#[test]
fn a_line_outside_the_picture_is_refused() {
    let refused = watch().opened((100, 60), (100, 60), 0.0);
    assert!(matches!(refused, Err(Error::Options(text)) if text.contains("leaves the picture")));
}
