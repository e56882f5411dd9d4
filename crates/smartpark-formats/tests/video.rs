//! `video = {…}`, `[vision]` and `[server]`: what a person writes, and what is told of mistakes.

use smartpark_formats::config::{Connections, Floor, Input, Video, VideoMethod};

const WHOLE: &str = r#"
[server]
url = "https://parking.example"
key_file = "camera.key"

[vision]
spool = "/var/lib/smartpark/cameras.db"

[[camera]]
id = "ramp-1"
floor = "Level 1"
from = "Level 0"
[camera.video]
source = "rtsp://192.0.2.7/stream1"
username = "viewer"
password_file = "ramp-1.password"
fps = 12.5
width = 640
method = "blob"
masks = [[[0, 0], [640, 0], [640, 20.5], [0, 20]]]
[[camera.video.lines]]
p1 = [157, 230]
p2 = [451, 238.5]
car_box = [105, 107]
[[camera.video.lines]]
id = "out"
p1 = [10, 50]
p2 = [200, 50]
car_box = [60, 60]
swap = true
"#;

fn video(text: &str) -> Video {
    let read = Connections::parse(text, &[]).unwrap_or_else(|faults| panic!("{faults:#?}"));
    match &read.cameras[0].input {
        Input::Video(video) => (**video).clone(),
        other => panic!("{other:?}"),
    }
}

fn camera(video: &str) -> String {
    format!("[[camera]]\nid = 'a'\nfloor = 'L'\nvideo = {{ {video} }}\n")
}

/// The faults of a camera with these keys, as `key: detail`.
fn faults(video: &str) -> Vec<String> {
    let faults = Connections::parse(&camera(video), &[]).expect_err(video);
    assert!(faults.iter().all(|fault| fault.line == 4), "{faults:?}");
    faults.iter().map(|fault| format!("{}: {}", fault.key, fault.detail)).collect()
}

#[test]
fn every_key_is_read() {
    let read = Connections::parse(WHOLE, &[]).unwrap_or_else(|faults| panic!("{faults:#?}"));
    assert_eq!(read.cameras[0].from, Some(Floor::Name("Level 0".to_owned())));
    assert_eq!(read.vision.spool.as_deref(), Some("/var/lib/smartpark/cameras.db"));
    let server = read.server.expect("a server");
    assert_eq!(
        (server.url.as_str(), server.key_file.as_deref()),
        ("https://parking.example", Some("camera.key"))
    );
    let video = video(WHOLE);
    assert_eq!(video.source, "rtsp://192.0.2.7/stream1");
    assert_eq!(video.password_file.as_deref(), Some("ramp-1.password"));
    assert_eq!((video.fps, video.width, video.method), (Some(12.5), Some(640), VideoMethod::Blob));
    assert_eq!(video.masks, [[[0.0, 0.0], [640.0, 0.0], [640.0, 20.5], [0.0, 20.0]]]);
    let [first, second] = &video.lines[..] else { panic!("{:?}", video.lines) };
    assert_eq!((first.id.as_str(), first.p2, first.swap), ("L1", [451.0, 238.5], false));
    assert_eq!((second.id.as_str(), second.car_box, second.swap), ("out", [60.0, 60.0], true));
}

#[test]
fn a_short_camera_has_the_usual_settings() {
    let text = camera(
        "source = '/dev/video0', lines = [{ p1 = [0, 50], p2 = [90, 50], car_box = [60, 60] }]",
    );
    let video = video(&text);
    assert_eq!((video.fps, video.width, video.method), (None, None, VideoMethod::Auto));
    assert!(video.masks.is_empty());
}

#[test]
fn each_mistake_is_told_with_advice() {
    let line = "lines = [{ p1 = [0, 50], p2 = [90, 50], car_box = [60, 60] }]";
    for (text, key, word) in [
        (line.to_owned(), "source", "missing"),
        (format!("source = 'rtsp://admin:x@192.0.2.7/', {line}"), "source", "password_file"),
        (format!("source = 'ftp://192.0.2.7/', {line}"), "source", "rtsp://"),
        (format!("source = 'a.mp4', username = 'u', {line}"), "username", "password_file"),
        (format!("source = 'a.mp4', fps = 2, {line}"), "fps", "from 4 to 60"),
        (format!("source = 'a.mp4', width = 20, {line}"), "width", "160"),
        (format!("source = 'a.mp4', method = 'yolo', {line}"), "method", "blob"),
        (format!("source = 'a.mp4', masks = [[[0, 0], [1, 1]]], {line}"), "masks", "three"),
        (format!("source = 'a.mp4', colour = 1, {line}"), "colour", "known"),
        ("source = 'a.mp4'".to_owned(), "lines", "at least one"),
        (
            "source = 'a.mp4', lines = [{ p1 = [0, 50], p2 = [90, 50] }]".to_owned(),
            "car_box",
            "car",
        ),
        (
            "source = 'a.mp4', lines = [{ p1 = [0], p2 = [90, 50], car_box = [9, 9] }]".to_owned(),
            "p1",
            "2 numbers",
        ),
        (
            "source = 'a.mp4', lines = [{ p1 = [0, 0], p2 = [9, 0], car_box = [60, 60] }]"
                .to_owned(),
            "p2",
            "0.7 car",
        ),
    ] {
        let found = faults(&text);
        let told = found.iter().any(|it| it.contains(&format!(".{key}: ")) && it.contains(word));
        assert!(told, "{text}: {found:?}");
    }
}

#[test]
fn a_server_without_an_address_is_refused() {
    let faults = Connections::parse("[server]\nkey_file = 'k'\n", &[]).expect_err("no url");
    assert_eq!(faults[0].key, "server.url");
}
