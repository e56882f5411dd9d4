//! The detector of `scripts/model` against a reference run on ten frames. Needs the feature
//! `model`, and the file that `SMARTPARK_TEST_MODEL` names.
#![cfg(feature = "model")]

use std::path::{Path, PathBuf};
use std::time::Instant;

use smartpark_vision::model::{DetectorFile, ssd};
use smartpark_vision::{Capture, CaptureOptions, Error, Frame, Source};

/// What an output may differ: the reference with and without its fast kernels differs by 0.0002.
const TOLERANCE: f32 = 1e-2;
/// The classes of the rows in the reference.
const VEHICLE: usize = 18;
const CAR: usize = 23;

fn model() -> Option<PathBuf> {
    let named = std::env::var_os("SMARTPARK_TEST_MODEL").filter(|path| !path.is_empty());
    if named.is_none() {
        eprintln!("skipped: SMARTPARK_TEST_MODEL names no model (scripts/model makes one)");
    }
    named.map(PathBuf::from)
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn frames() -> Vec<Frame> {
    let source = Source::File(data("detector-frames.mkv"));
    let mut film = Capture::open(&source, &CaptureOptions::default()).expect("the ten frames");
    std::iter::from_fn(|| film.next_frame().expect("a frame")).collect()
}

/// The reference: an anchor, its box, its scores as vehicle and as car.
fn reference() -> Vec<Vec<[f32; 7]>> {
    let text = std::fs::read_to_string(data("detector-frames.json")).expect("the reference");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn the_detector_answers_as_the_reference_does() {
    let Some(path) = model() else { return };
    let detector = DetectorFile::open(&path).expect("the model of scripts/model");
    let (frames, reference) = (frames(), reference());
    assert_eq!((frames.len(), reference.len()), (10, 10));
    let least = (0.21_f32 / 0.79).ln();
    for (number, (frame, wanted)) in frames.iter().zip(&reference).enumerate() {
        let begun = Instant::now();
        let (boxes, classes) = detector.run(&frame.rgb).expect("an answer");
        eprintln!("frame {number}: {:.1} ms", begun.elapsed().as_secs_f64() * 1000.0);
        for row in wanted {
            let anchor = row[0] as usize;
            let scores = &classes[anchor * ssd::CLASSES..][..ssd::CLASSES];
            let found = boxes[anchor * 4..][..4].iter().chain([&scores[VEHICLE], &scores[CAR]]);
            for (found, wanted) in found.zip(&row[1..]) {
                let differs = (found - wanted).abs();
                assert!(differs < TOLERANCE, "frame {number}, anchor {anchor}: {found} {wanted}");
            }
        }
        // Anchors that the reference does not name see no vehicle here either.
        for (anchor, scores) in classes.chunks_exact(ssd::CLASSES).enumerate() {
            let is_named = wanted.iter().any(|row| row[0] as usize == anchor);
            let best = scores[VEHICLE].max(scores[CAR]);
            assert!(is_named || best < least + TOLERANCE, "frame {number}, anchor {anchor}");
        }
        let found = ssd::decode(&ssd::anchors(), &boxes, &classes);
        assert!(found.len() >= wanted.len(), "frame {number}: {found:?}");
    }
}

#[test]
fn the_same_picture_gives_the_same_answer() {
    let Some(path) = model() else { return };
    let detector = DetectorFile::open(&path).expect("the model of scripts/model");
    let frame = &frames()[2];
    let first = detector.run(&frame.rgb).expect("an answer");
    assert_eq!(first, detector.clone().run(&frame.rgb).expect("an answer"));
    let refused = detector.run(&frame.rgb[3..]);
    assert!(matches!(refused, Err(Error::Detector(_))), "{refused:?}");
}

#[test]
fn a_damaged_file_is_refused_before_it_is_parsed() {
    let Some(path) = model() else { return };
    let mut bytes = std::fs::read(path).expect("the model");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let damaged = folder.join("damaged.onnx");
    std::fs::write(&damaged, &bytes).expect("a file");
    for path in [damaged, folder.join("missing.onnx"), data("README.md")] {
        let refused = DetectorFile::open(&path).expect_err("another file");
        let Error::Options(text) = refused else { panic!("{refused:?}") };
        assert!(text.contains("scripts/model") || text.contains("cannot read"), "{text}");
    }
}
