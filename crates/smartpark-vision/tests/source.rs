//! The decoder child: times, ends and failures. Needs the program `ffmpeg`.

use std::path::{Path, PathBuf};
use std::process::Command;

use smartpark_vision::{Capture, CaptureOptions, Error, Source};

/// Makes a film with `ffmpeg`.
fn film(name: &str, arguments: &[&str]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-y"])
        .args(arguments)
        .arg(&path)
        .status()
        .expect("ffmpeg is installed");
    assert!(status.success());
    path
}

fn frames(source: &Source, options: &CaptureOptions) -> (Vec<f64>, (usize, usize)) {
    let mut capture = Capture::open(source, options).expect("an open film");
    let mut times = Vec::new();
    while let Some(frame) = capture.next_frame().expect("a frame") {
        assert_eq!(frame.rgb.len(), frame.width * frame.height * 3);
        times.push(frame.t);
    }
    (times, capture.source_size())
}

#[test]
fn a_film_of_variable_rate_keeps_its_frames_and_times() {
    // Frames at 0, 1, 4, 9, … tenths of a second; the stream begins at three seconds.
    let filter = "setpts=round((N*N*0.1+3)/TB)";
    let path = film(
        "variable.mkv",
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc=size=640x360:rate=10:duration=0.8",
            "-vf",
            filter,
            "-fps_mode",
            "passthrough",
            "-c:v",
            "mpeg4",
        ],
    );
    let (times, size) = frames(&Source::File(path), &CaptureOptions::default());
    assert_eq!(size, (640, 360));
    let wanted: Vec<f64> = (0..8).map(|n| f64::from(n * n) * 0.1).collect();
    assert_eq!(times.len(), wanted.len());
    for (got, wanted) in times.iter().zip(&wanted) {
        assert!((got - wanted).abs() < 0.011, "{times:?}");
    }
}

#[test]
fn a_rate_limit_leaves_frames_out_evenly() {
    let path = film(
        "fast.mp4",
        &["-f", "lavfi", "-i", "testsrc=size=320x240:rate=30:duration=2", "-c:v", "mpeg4"],
    );
    let options = CaptureOptions { fps: Some(15.0), ..CaptureOptions::default() };
    let (times, _) = frames(&Source::File(path), &options);
    assert_eq!(times.len(), 30);
    assert!(times.windows(2).all(|w| (w[1] - w[0] - 1.0 / 15.0).abs() < 0.002), "{times:?}");
}

#[test]
fn a_missing_film_and_a_missing_program_are_told() {
    let gone = Source::parse("/nowhere/at/all.mp4");
    let error = Capture::open(&gone, &CaptureOptions::default()).expect_err("no such file");
    assert!(error.to_string().contains("/nowhere/at/all.mp4"), "{error}");
    assert!(error.to_string().contains("No such file"), "{error}");
    let options = CaptureOptions { program: "/no/ffmpeg".into(), ..CaptureOptions::default() };
    let error = Capture::open(&gone, &options).expect_err("no such program");
    assert!(matches!(error, Error::Start { .. }), "{error:?}");
    assert!(error.to_string().contains("install ffmpeg"), "{error}");
}

#[test]
fn a_killed_decoder_is_an_error_and_not_the_end_of_the_film() {
    let path = film(
        "long.mp4",
        &["-f", "lavfi", "-i", "testsrc=size=320x240:rate=30:duration=8", "-c:v", "mpeg4"],
    );
    let mut capture =
        Capture::open(&Source::File(path), &CaptureOptions::default()).expect("an open film");
    capture.next_frame().expect("a frame").expect("not the end");
    let pid = capture.decoder_id().to_string();
    assert!(Command::new("kill").args(["-9", &pid]).status().expect("kill runs").success());
    let ended = loop {
        match capture.next_frame() {
            Ok(Some(_)) => {}
            other => break other,
        }
    };
    assert!(matches!(ended, Err(Error::Source { .. })), "{ended:?}");
}

#[test]
fn no_text_shows_a_password() {
    for url in [
        "rtsp://admin:s3cr3t@10.0.0.9:554/h264?user=admin&password=s3cr3t",
        "http://admin:s3cr3t@127.0.0.1:1/mjpeg",
        "rtsp://admin:pa@s3cr3t@127.0.0.1:1/x",
    ] {
        let source = Source::parse(url);
        assert!(source.is_live());
        let shown = format!("{source} {source:?} {}", source.redact(&format!("open {url}: no")));
        assert!(!shown.contains("s3cr3t"), "{shown}");
    }
    // What ffmpeg itself says of a camera that is not there.
    let source = Source::parse("http://admin:s3cr3t@127.0.0.1:1/mjpeg");
    let error = Capture::open(&source, &CaptureOptions::default()).expect_err("nobody listens");
    assert!(!error.to_string().contains("s3cr3t"), "{error}");
    assert!(error.to_string().contains("127.0.0.1:1"), "{error}");
}
