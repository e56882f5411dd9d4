//! Cameras of the configuration, with a real ffmpeg: every crossing becomes one event, whatever
//! fails on the way.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, ChildStderr, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::program::{Folder, Server, after, signal};

/// 20 s at 10 frames a second. A car with windows drives over x = 160 after 7.4 s and 17.4 s.
const ROAD: &str = "color=c=0x808080:s=320x180:r=10:d=20,\
     drawbox=y=24:w=320:h=8:c=0xe0e0e0:t=fill,drawbox=y=156:w=320:h=8:c=0xe0e0e0:t=fill,\
     noise=alls=4:allf=t:all_seed=1";
const CAR: &str = "color=c=0x204080:s=70x40:r=10:d=20,\
     drawbox=x=8:y=6:w=20:h=28:c=0xd0d0d0:t=fill,drawbox=x=40:y=8:w=18:h=24:c=0x101010:t=fill";
const DRIVE: &str = "overlay=x='-80+mod(t-4+20,10)*60':y=70";

/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(120);

fn film(folder: &Folder) {
    let drawn = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-f", "lavfi", "-i", ROAD, "-f", "lavfi", "-i", CAR])
        .args(["-filter_complex", DRIVE, "-c:v", "mjpeg", "-q:v", "3", "film.mkv"])
        .current_dir(folder.path())
        .status();
    assert!(drawn.expect("ffmpeg is installed").success());
}

/// Writes a configuration with one camera.
fn configure(folder: &Folder, name: &str, source: &str, server: Option<&str>) {
    let server = server.map_or(String::new(), |url| format!("[server]\nurl = \"{url}\"\n"));
    folder.file(
        name,
        format!(
            "{server}[vision]\nspool = \"spool.db\"\n\
             [[camera]]\nid = \"ramp\"\nfloor = \"Level 1\"\n\
             [camera.video]\nsource = \"{source}\"\n\
             [[camera.video.lines]]\np1 = [160, 150]\np2 = [160, 30]\ncar_box = [40, 70]\n"
        ),
    );
}

/// A program whose log is read line by line.
struct Watcher {
    child: Child,
    log: BufReader<ChildStderr>,
    read: String,
}

impl Watcher {
    fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).spawn().expect("the program starts");
        let log = BufReader::new(child.stderr.take().expect("a pipe"));
        Self { child, log, read: String::new() }
    }

    /// Reads the log until a line holds `word`.
    fn wait_for(&mut self, word: &str) {
        loop {
            let before = self.read.len();
            let bytes = self.log.read_line(&mut self.read).expect("a log");
            assert!(bytes > 0, "it ended without {word:?}:\n{}", self.read);
            if self.read[before..].contains(word) {
                return;
            }
        }
    }

    /// Waits for the end; gives the code.
    fn end(mut self) -> (Option<i32>, String) {
        while self.log.read_line(&mut self.read).is_ok_and(|bytes| bytes > 0) {}
        let code = self.child.wait().expect("it ends").code();
        (code, std::mem::take(&mut self.read))
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A camera: `ffmpeg` that sends the film to the first that connects.
struct Camera(Child);

impl Camera {
    fn start(folder: &Folder, port: u16) -> Self {
        let child = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "quiet", "-re", "-stream_loop", "-1"])
            .args(["-i", "film.mkv", "-c:v", "copy"])
            .args(["-f", "mpjpeg", "-listen", "1", &format!("http://127.0.0.1:{port}/camera")])
            .current_dir(folder.path())
            .spawn();
        Self(child.expect("ffmpeg is installed"))
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// The events that the server has, once it has at least so many.
fn events(server: &Server, least: usize) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let (status, body) = server.get("/events?limit=100");
        assert_eq!(status, 200, "{body}");
        let events = body["events"].as_array().expect("a list").clone();
        if events.len() >= least {
            return events;
        }
        assert!(begun.elapsed() < PATIENCE, "{} events\n{}", events.len(), server.log());
    }
}

fn serve(folder: &Folder, listen: &str) -> Server {
    Server::start(folder, &["--seed", "none", "--listen", listen])
}

#[test]
fn a_film_played_while_the_server_is_away_is_delivered_later_once() {
    let folder = Folder::with_floors(&[("Level 0", 5), ("Level 1", 10)]);
    film(&folder);
    let listen = format!("127.0.0.1:{}", free_port());
    let url = format!("http://{listen}");
    configure(&folder, "cameras.toml", "film.mkv", Some(&url));
    let play = ["vision", "play", "--speed", "4", "--config", "cameras.toml"];
    let told = folder.run(&play).ok();
    assert_eq!(told.err.matches(" crossing ").count(), 2, "{}", told.err);
    assert!(told.err.contains("stay in the spool"), "{}", told.err);

    let server = serve(&folder, &listen);
    // A camera that is not there: the crossings of before are delivered all the same.
    let gone = format!("http://127.0.0.1:{}/camera", free_port());
    configure(&folder, "live.toml", &gone, Some(&url));
    let mut run = Watcher::spawn(folder.command(&["vision", "run", "--config", "live.toml"]));
    run.wait_for("cannot read");
    let found = events(&server, 2);
    let fields = |event: &Value| {
        (event["camera_id"].clone(), event["floor_id"].clone(), event["direction"].clone())
    };
    let expected = (Value::from("ramp"), Value::from(2), Value::from("entry"));
    assert_eq!(found.iter().map(fields).collect::<Vec<_>>(), [expected.clone(), expected]);
    signal("TERM", &run.child);
    let (code, log) = run.end();
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(events(&server, 2).len(), 2);
}

#[test]
fn a_crossing_waits_for_a_disk_that_is_full() {
    let folder = Folder::with_floors(&[("Level 1", 10)]);
    film(&folder);
    let server = serve(&folder, "127.0.0.1:0");
    configure(&folder, "cameras.toml", "film.mkv", Some(&server.url));
    let play = folder.command(&["vision", "play", "--speed", "2", "--config", "cameras.toml"]);
    let mut play = Watcher::spawn(after("trap '' XFSZ", &play));
    play.wait_for("counting");
    let id = play.child.id().to_string();
    let limit = |size: &str| {
        let set = Command::new("prlimit").args([size, "--pid", &id]).status();
        assert!(set.expect("prlimit runs").success());
    };
    limit("--fsize=1:unlimited");
    play.wait_for("an event is not on disk");
    limit("--fsize=unlimited");
    let (code, log) = play.end();
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(events(&server, 2).len(), 2, "{log}");
}

#[test]
fn a_server_watches_its_own_cameras_and_a_killed_one_records_each_crossing_once() {
    let folder = Folder::with_floors(&[("Level 1", 10)]);
    film(&folder);
    let port = free_port();
    configure(&folder, "smartpark.toml", &format!("http://127.0.0.1:{port}/camera"), None);
    let _camera = Camera::start(&folder, port);
    let command = ["serve", "--seed", "none", "--listen", "127.0.0.1:0"];
    let mut first = Watcher::spawn(folder.command(&command));
    first.wait_for("counting");
    first.wait_for(" crossing ");
    // The crossing is in the spool. Whether it is in the database too is a matter of luck.
    signal("KILL", &first.child);
    let (_, log) = first.end();
    let seen = log.matches(" crossing ").count();
    let server = serve(&folder, "127.0.0.1:0");
    let found = events(&server, seen);
    assert_eq!(found.len(), seen, "{found:?}\n{log}");
    for event in &found {
        let track = event["track_id"].as_str().expect("a track");
        assert_eq!(log.matches(track).count(), 1, "{track}: {log}");
    }
    let (code, log) = server.stop();
    assert_eq!(code, Some(0), "{log}");
}

#[test]
fn what_does_not_fit_is_told_before_anything_is_counted() {
    let folder = Folder::with_floors(&[("Level 1", 10)]);
    film(&folder);
    configure(&folder, "cameras.toml", "film.mkv", Some("http://127.0.0.1:9"));
    let run = |command: &[&str]| folder.run(&[command, &["--config", "cameras.toml"]].concat());
    let refused = run(&["vision", "run"]).ended(1);
    assert!(refused.err.contains("smartpark vision play"), "{}", refused.err);
    let refused = run(&["serve", "--listen", "127.0.0.1:0"]).ended(1);
    assert!(refused.err.contains("is a film"), "{}", refused.err);

    let checked = run(&["vision", "check"]).ok();
    assert!(checked.out.contains("320x180") && checked.out.contains("good"), "{}", checked.out);
    run(&["vision", "draw", "--camera", "ramp", "-o", "ramp.png"]).ok();
    assert!(folder.files().contains(&"ramp.png".to_owned()));
    let refused = run(&["vision", "draw", "--camera", "gate", "-o", "gate.png"]).ended(2);
    assert!(refused.err.contains("no camera gate"), "{}", refused.err);

    let text = std::fs::read_to_string(folder.path().join("cameras.toml")).expect("a file");
    folder.file("cameras.toml", text.replace("[160, 30]", "[160, 300]"));
    let checked = run(&["vision", "check"]).ended(1);
    assert!(checked.out.contains("leaves the picture"), "{}", checked.out);
    let refused = run(&["vision", "play"]).ended(1);
    assert!(refused.err.contains("leaves the picture"), "{}", refused.err);
    folder.file("cameras.toml", text.replace("car_box = [40, 70]", ""));
    let refused = run(&["vision", "run"]).ended(2);
    assert!(refused.err.contains("car_box") && refused.err.contains("line 10"), "{}", refused.err);
}

#[test]
fn the_demo_counts_its_film_and_leaves_nothing() {
    let folder = Folder::new();
    let demo =
        ["demo", "--once", "--no-browser", "--speed", "10", "--listen", "127.0.0.1:0"].as_slice();
    let mut command = folder.command(demo);
    command.env("TMPDIR", folder.path());
    let mut demo = Watcher::spawn(command);
    demo.wait_for("the page is at http://");
    let (code, log) = demo.end();
    assert_eq!(code, Some(0), "{log}");
    // As many as the same film gives without server and spool.
    let film = concat!(env!("CARGO_MANIFEST_DIR"), "/demo/traffic.mp4");
    let line = ["--line", "165,37,165,115", "--car", "30,55"];
    let counted = folder.run(&[&["vision", "count", film][..], &line].concat()).ok();
    let wanted = counted.out.lines().count();
    assert!((6..=10).contains(&wanted), "eight vehicles pass: {}", counted.out);
    assert_eq!(log.matches(" crossing ").count(), wanted, "{log}");
    assert!(folder.files().is_empty(), "{:?}", folder.files());
}

#[test]
fn cameras_are_watched_by_one_program_only() {
    let folder = Folder::with_floors(&[("Level 1", 10)]);
    let gone = format!("http://127.0.0.1:{}/camera", free_port());
    configure(&folder, "cameras.toml", &gone, Some("http://127.0.0.1:9"));
    let command = ["vision", "run", "--config", "cameras.toml"];
    let mut first = Watcher::spawn(folder.command(&command));
    first.wait_for("watching");
    let second = folder.run(&command).ended(1);
    assert!(second.err.contains("watches these cameras already"), "{}", second.err);
    signal("TERM", &first.child);
    assert_eq!(first.end().0, Some(0));
}
