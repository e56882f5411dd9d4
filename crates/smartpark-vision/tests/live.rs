//! A live camera with a real decoder: `ffmpeg` sends a stream on a port, and the loop reads it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use smartpark_vision::{
    CaptureOptions, Error, Line, LiveCamera, Method, Point, Report, Sighting, Source, State,
    StopSignal, WatchOptions, watch,
};

/// 320x180 at 10 frames a second: a car drives over x = 160 after 7.4 s, and again each 10 s.
const ROAD: &str = "color=c=0x808080:s=320x180:r=10:d=20,\
     drawbox=y=24:w=320:h=8:c=0xe0e0e0:t=fill,drawbox=y=156:w=320:h=8:c=0xe0e0e0:t=fill,\
     noise=alls=4:allf=t:all_seed=1";
const CAR: &str = "color=c=0x204080:s=70x40:r=10:d=20,\
     drawbox=x=8:y=6:w=20:h=28:c=0xd0d0d0:t=fill,drawbox=x=40:y=8:w=18:h=24:c=0x101010:t=fill";
const DRIVE: &str = "overlay=x='-80+mod(t-4+20,10)*60':y=70";

/// Longer than any of these tests may wait for one report.
const PATIENCE: Duration = Duration::from_secs(60);

fn film() -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.mkv", std::process::id()));
    let drawn = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", ROAD])
        .args(["-f", "lavfi", "-i", CAR, "-filter_complex", DRIVE])
        .args(["-c:v", "mjpeg", "-q:v", "3"])
        .arg(&path)
        .status();
    assert!(drawn.expect("ffmpeg is installed").success());
    path
}

/// A camera: `ffmpeg` that sends the film to the first that connects, at the film's own speed.
struct Sender(Child);

impl Sender {
    fn start(film: &Path, port: u16) -> Sender {
        let child = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "quiet", "-re", "-i"])
            .arg(film)
            .args(["-c:v", "copy", "-f", "mpjpeg", "-listen", "1"])
            .arg(format!("http://127.0.0.1:{port}/camera"))
            .stdin(Stdio::null())
            .spawn();
        Sender(child.expect("ffmpeg is installed"))
    }

    fn signal(&self, name: &str) {
        kill(self.0.id(), name);
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn kill(id: u32, signal: &str) {
    let killed = Command::new("kill").args([signal, &id.to_string()]).status();
    assert!(killed.expect("kill runs").success());
}

/// The decoder: this process's child that writes raw frames.
fn decoder() -> u32 {
    let own = std::process::id().to_string();
    for entry in std::fs::read_dir("/proc").expect("/proc").flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let status = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let command = std::fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
        let is_ours = status.lines().any(|line| line == format!("PPid:\t{own}"));
        if is_ours && command.contains("rawvideo") {
            return id;
        }
    }
    panic!("no decoder runs");
}

/// A loop that runs in a thread.
struct Running {
    stop: Arc<StopSignal>,
    reports: Receiver<Report>,
    thread: std::thread::JoinHandle<smartpark_vision::Result<smartpark_vision::Numbers>>,
    seen: Vec<Report>,
}

fn start(source: String, speed: f64) -> Running {
    let stop = Arc::new(StopSignal::default());
    let (sender, reports) = channel();
    let signal = Arc::clone(&stop);
    let mut runs = 0;
    let camera = LiveCamera {
        source: Source::parse(&source),
        capture: CaptureOptions::default(),
        watch: WatchOptions {
            lines: vec![Line {
                id: "L1".into(),
                p1: Point::new(160.0, 150.0),
                p2: Point::new(160.0, 30.0),
                car_box: [40.0, 70.0],
                swap: false,
            }],
            masks: Vec::new(),
            method: Method::Blob,
            warm_up_s: 2.0,
            detector: None,
            run: Box::new(move || {
                runs += 1;
                format!("run{runs}")
            }),
        },
        speed,
        random: || 0.0,
    };
    let thread = std::thread::spawn(move || {
        watch(camera, &signal, |report| sender.send(report).expect("the test listens"))
    });
    Running { stop, reports, thread, seen: Vec::new() }
}

impl Running {
    /// Waits for a report.
    fn wait(&mut self, what: &str, is_it: impl Fn(&Report) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(report) = self.reports.recv_timeout(left) else {
                panic!("no report of {what}: {:?}", self.seen)
            };
            let found = is_it(&report);
            self.seen.push(report);
            if found {
                return;
            }
        }
    }

    fn wait_state(&mut self, state: State) {
        self.wait(&format!("{state:?}"), |report| {
            matches!(report, Report::Sighting { sighting: Sighting::Change { change, .. }, .. }
                if change.state == state)
        });
    }

    fn wait_crossing(&mut self) {
        self.wait("a crossing", is_crossing);
    }

    /// Stops the loop; gives the tracks of all crossings.
    fn stop(mut self) -> Vec<String> {
        self.stop.set();
        self.thread.join().expect("no panic").expect("a live camera goes on");
        self.seen.extend(self.reports.try_iter());
        let tracks = self.seen.iter().filter_map(|report| match report {
            Report::Sighting { sighting: Sighting::Crossing { run, crossing, .. }, .. } => {
                Some(format!("{run}-{}-{}", crossing.track, crossing.number))
            }
            _ => None,
        });
        tracks.collect()
    }
}

fn is_crossing(report: &Report) -> bool {
    matches!(report, Report::Sighting { sighting: Sighting::Crossing { .. }, age }
        if (0.0..3.0).contains(age))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

#[test]
fn a_camera_goes_on_after_its_decoder_was_killed() {
    let (film, port) = (film(), free_port());
    let first = Sender::start(&film, port);
    let mut running = start(format!("http://127.0.0.1:{port}/camera"), 1.0);
    running.wait_state(State::Counting);
    running.wait_crossing();
    kill(decoder(), "-KILL");
    running.wait_state(State::Lost);
    drop(first);
    let _second = Sender::start(&film, port);
    // The background is still known: there is no learning in between.
    running.wait_state(State::Counting);
    running.wait_crossing();
    let tracks = running.stop();
    assert_eq!(tracks.len(), 2, "{tracks:?}");
    assert!(tracks.iter().all(|track| track.starts_with("run1-")), "{tracks:?}");
    assert_ne!(tracks[0], tracks[1]);
}

#[test]
fn a_stream_that_hangs_is_lost_and_opened_again() {
    let (film, port) = (film(), free_port());
    let first = Sender::start(&film, port);
    let mut running = start(format!("http://127.0.0.1:{port}/camera"), 1.0);
    running.wait_state(State::Counting);
    first.signal("-STOP");
    running.wait_state(State::Lost);
    running.wait("the reason", |report| matches!(report, Report::Trouble { .. }));
    first.signal("-CONT");
    drop(first);
    let _second = Sender::start(&film, port);
    running.wait_state(State::Counting);
    running.wait_crossing();
    assert_eq!(running.stop().len(), 1);
}

#[test]
fn a_camera_that_is_not_there_stops_at_once() {
    let mut running = start(format!("http://127.0.0.1:{}/camera", free_port()), 1.0);
    running.wait("trouble", |report| matches!(report, Report::Trouble { .. }));
    assert!(running.stop().is_empty());
}

#[test]
fn a_film_plays_once_as_if_it_were_a_camera() {
    let film = film();
    let mut running = start(film.display().to_string(), 10.0);
    running.wait_crossing();
    running.wait_crossing();
    let numbers = running.thread.join().expect("no panic").expect("the film is good");
    assert_eq!(numbers.counted, 200);
    let missing = start("/nowhere.mkv".into(), 1.0);
    let error = missing.thread.join().expect("no panic").expect_err("no such film");
    assert!(matches!(error, Error::Source { .. }), "{error}");
}
