//! Method *model* with a detector that tells what it is told.

use std::collections::VecDeque;

use smartpark_vision::model::{Crop, ModelCounter, clean};
use smartpark_vision::{
    Detection, Detector, Direction, Error, Frame, Line, Point, Rect, Result, VehicleType,
};

const WIDTH: usize = 200;
const HEIGHT: usize = 180;

fn line() -> Line {
    Line {
        id: "L1".into(),
        p1: Point::new(10.0, 90.0),
        p2: Point::new(190.0, 90.0),
        car_box: [40.0, 50.0],
        swap: false,
    }
}

fn detection(score: f32, rect: [f32; 4]) -> Detection {
    let [x0, y0, x1, y1] = rect;
    Detection { class: VehicleType::Truck, score, rect: Rect { x0, y0, x1, y1 } }
}

/// Gives prepared answers, one for each call.
struct Told(VecDeque<Result<Vec<Detection>>>);

impl Detector for Told {
    fn side(&self) -> usize {
        100
    }

    fn detect(&mut self, rgb: &[u8], width: usize, height: usize) -> Result<Vec<Detection>> {
        assert_eq!((width, height, rgb.len()), (100, 100, 30_000));
        self.0.pop_front().unwrap_or_else(|| Ok(Vec::new()))
    }
}

#[test]
fn weak_doubled_and_inner_boxes_are_dropped() {
    let car = [0.0, 0.0, 40.0, 40.0];
    let found = vec![
        detection(0.5, [2.0, 2.0, 42.0, 42.0]), // the same vehicle, weaker
        detection(0.4, [10.0, 10.0, 20.0, 20.0]), // its windscreen
        detection(0.9, car),
        detection(0.2, [60.0, 60.0, 90.0, 90.0]), // too weak
        detection(0.8, [0.0, 0.0, 400.0, 400.0]), // too large
        detection(0.21, [60.0, 0.0, 90.0, 30.0]),
    ];
    let kept = clean(found, 1600.0);
    assert_eq!(kept.iter().map(|d| d.score).collect::<Vec<_>>(), [0.9, 0.21]);
}

#[test]
fn the_crop_is_square_padded_and_maps_back() {
    let crop = Crop::around(&line(), WIDTH, HEIGHT, 100);
    let picture = crop.apply(&Frame::filled(WIDTH, HEIGHT, 0.0, [10, 20, 30]));
    assert_eq!(picture.len(), 30_000);
    assert!(picture.as_chunks::<3>().0.iter().all(|p| *p == [10, 20, 30] || *p == [114; 3]));
    let whole = crop.back(&Rect { x0: 0.0, y0: 0.0, x1: 100.0, y1: 100.0 });
    assert_eq!(whole.width(), whole.height());
    assert!(whole.x0 <= 10.0 && whole.x1 >= 190.0, "the line lies inside: {whole:?}");
}

#[test]
fn a_detected_vehicle_counts_with_its_class_and_its_best_scores() {
    let crop = Crop::around(&line(), WIDTH, HEIGHT, 100);
    let scale = 100.0 / crop.back(&Rect { x0: 0.0, y0: 0.0, x1: 100.0, y1: 1.0 }).width();
    let origin = crop.back(&Rect::default());
    let mut told = VecDeque::new();
    for i in 0..20_u8 {
        // Weak in the middle: it must not break the track.
        let score = if (8..12).contains(&i) { 0.25 } else { 0.8 };
        let y = 20.0 + 7.0 * f32::from(i);
        let (x0, y0) = ((60.0 - origin.x0) * scale, (y - 25.0 - origin.y0) * scale);
        told.push_back(Ok(vec![detection(score, [x0, y0, x0 + 40.0 * scale, y0 + 50.0 * scale])]));
    }
    let mut counter = ModelCounter::new(line(), WIDTH, HEIGHT, Box::new(Told(told)));
    let mut found = Vec::new();
    for i in 0..20_u8 {
        let frame = Frame::filled(WIDTH, HEIGHT, f64::from(i) * 0.08, [9; 3]);
        found.extend(counter.push(&frame, true).expect("a detector that answers"));
    }
    found.extend(counter.finish());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].direction, Direction::Entry);
    assert_eq!(found[0].vehicle_type, VehicleType::Truck);
    assert!((found[0].confidence - 0.8).abs() < 1e-3);
    assert!((found[0].t - 0.8).abs() < 0.05, "{}", found[0].t);
}

#[test]
fn the_detector_sleeps_without_motion_and_its_failure_is_told() {
    let failing = || Box::new(Told([Err(Error::Detector("broken".into()))].into()));
    let frame = Frame::filled(WIDTH, HEIGHT, 0.0, [9; 3]);
    let mut counter = ModelCounter::new(line(), WIDTH, HEIGHT, failing());
    assert_eq!(counter.push(&frame, false).expect("nothing is asked"), []);
    let error = counter.push(&frame, true).expect_err("the detector is asked");
    assert_eq!(error.to_string(), "the detector failed: broken");
}
