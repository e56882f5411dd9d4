//! The commands that look at films, on a film that ffmpeg draws: a car on a grey road.

use std::process::Command;

use serde_json::Value;

use super::program::Folder;

/// 30 s at 10 frames a second. A car with windows enters the picture on the left after 22 s and
/// drives 60 pixels a second, so its middle is on x = 160 after 25.4 s.
const ROAD: &str = "color=c=0x808080:s=320x180:r=10:d=30,noise=alls=4:allf=t:all_seed=1";
const CAR: &str = "color=c=0x204080:s=70x40:r=10:d=30,\
     drawbox=x=8:y=6:w=20:h=28:c=0xd0d0d0:t=fill,drawbox=x=40:y=8:w=18:h=24:c=0x101010:t=fill";
const DRIVE: &str = "overlay=x='-80+(t-22)*60':y=70:enable='gte(t,22)'";
const SCENE: [&str; 4] = ["--line", "160,150,160,30", "--car", "40,70"];

fn film(folder: &Folder) {
    let drawn = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-f", "lavfi", "-i", ROAD, "-f", "lavfi", "-i", CAR])
        .args(["-filter_complex", DRIVE, "-pix_fmt", "yuv420p", "film.mkv"])
        .current_dir(folder.path())
        .status();
    assert!(drawn.expect("ffmpeg is installed").success());
}

#[test]
fn a_film_is_counted_the_same_each_time_and_its_events_can_be_imported() {
    let folder = Folder::with_floors(&[("Level 1", 10)]);
    film(&folder);
    let count = [["vision", "count", "film.mkv"].as_slice(), &SCENE].concat();
    let counted = folder.run(&count).ok();
    assert!(counted.err.contains("1 event in 300 frames"), "{}", counted.err);
    let event: Value = serde_json::from_str(counted.out.trim()).expect("one line of JSON");
    assert_eq!((&event["direction"], &event["vehicle_type"]), (&"entry".into(), &"car".into()));
    let seconds = event["t"].as_f64().expect("a number");
    assert!((25.0..25.8).contains(&seconds), "{event}");
    assert_eq!(folder.run(&count).ok().out, counted.out);
    let swapped = folder.run(&[count.as_slice(), &["--swap"]].concat()).ok();
    assert!(swapped.out.contains("\"exit\""), "{}", swapped.out);

    folder.run(&[count.as_slice(), &["--events", "events.ndjson"]].concat()).ok();
    let text = std::fs::read_to_string(folder.path().join("events.ndjson")).expect("a file");
    assert_eq!(text, counted.out);
}

#[test]
fn the_line_and_the_slit_are_drawn() {
    let folder = Folder::new();
    film(&folder);
    for command in ["draw", "slit"] {
        let wanted = [&["vision", command, "film.mkv", "-o", "out.png"][..], &SCENE].concat();
        let told = folder.run(&wanted).ok();
        assert!(told.err.contains("out.png shows"), "{}", told.err);
        let picture = std::fs::read(folder.path().join("out.png")).expect("a picture");
        assert!(picture.starts_with(b"\x89PNG"), "{command}");
        std::fs::remove_file(folder.path().join("out.png")).expect("the picture goes");
    }
}

#[test]
fn a_film_or_a_line_that_does_not_fit_is_told() {
    let folder = Folder::new();
    film(&folder);
    let count = |film: &str, line: &str| {
        folder.run(&["vision", "count", film, "--line", line, "--car", "40,70"])
    };
    let missing = count("none.mkv", "160,150,160,30").ended(1);
    assert!(missing.err.contains("cannot read none.mkv"), "{}", missing.err);
    let outside = count("film.mkv", "160,150,900,30").ended(2);
    assert!(outside.err.contains("leaves the picture of 320 x 180"), "{}", outside.err);
    let short = count("film.mkv", "160,150,30").ended(2);
    assert!(short.err.contains("must be 4 numbers"), "{}", short.err);
    assert_eq!(folder.files(), ["film.mkv"]);
}
