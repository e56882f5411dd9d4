//! The client against the real server: killed on either side, and restored from older backups, every
//! event is there once.

mod program;

use std::{
    collections::BTreeSet,
    env, fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use program::{Server, crossing_keys};
use smartpark_client::{
    Client, Crossing, Direction, FloorRef, ServerConfig, SpoolLimits, Timestamp,
};

const COUNT: usize = 60;
const PATIENCE: Duration = Duration::from_secs(120);

/// Numbers that a seed decides (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

fn config(url: &str) -> ServerConfig {
    ServerConfig { url: url.into(), ..ServerConfig::default() }
}

/// The crossings of a seed, a millisecond apart from `start` (in microseconds) on.
fn crossings(seed: u64, start: i64) -> Vec<Crossing> {
    let mut random = Random(seed | 1);
    let floors: [FloorRef; 3] = [1.into(), 2.into(), "First Floor".into()];
    let mut one = |number: usize| {
        let floor = floors[random.below(3)].clone();
        let direction = [Direction::Entry, Direction::Exit][random.below(2)];
        let camera = format!("cam-{}", random.below(3));
        let at = start + i64::try_from(number).unwrap() * 1_000;
        let crossing = Crossing::new(camera, floor, format!("{seed}-{number}"), direction)
            .at(Timestamp::from_microsecond(at).unwrap());
        if random.below(5) == 0 { crossing.from_floor(3) } else { crossing }
    };
    (0..COUNT).map(&mut one).collect()
}

/// Not a test: the camera program that the tests start and kill.
#[test]
fn camera_program() {
    let Ok(job) = env::var("SMARTPARK_TEST_CAMERA") else { return };
    let job: Vec<&str> = job.split('|').collect();
    let [url, spool, journal, seed, start] = job[..] else { panic!("{job:?}") };
    let done = fs::read_to_string(journal).unwrap_or_default().lines().count();
    let client = Client::builder(spool).compare_every(Duration::from_secs(1));
    let client = client.start(config(url)).unwrap();
    let mut lines = fs::File::options().create(true).append(true).open(journal).unwrap();
    for crossing in crossings(seed.parse().unwrap(), start.parse().unwrap()).iter().skip(done) {
        client.crossing(crossing).unwrap();
        std::io::Write::write_all(&mut lines, b"reported\n").unwrap();
    }
    loop {
        std::thread::park();
    }
}

struct Camera<'a> {
    job: String,
    journal: &'a Path,
    child: Option<Child>,
}

impl Camera<'_> {
    fn start(&mut self) {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "camera_program", "--nocapture"]);
        command.env("SMARTPARK_TEST_CAMERA", &self.job).stdout(Stdio::null());
        self.child = Some(command.stderr(Stdio::null()).spawn().unwrap());
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Waits until it has reported so many crossings.
    fn wait_for(&self, crossings: usize) {
        wait_until("the camera program is stuck", || {
            fs::read_to_string(self.journal).unwrap_or_default().lines().count() >= crossings
        });
    }
}

impl Drop for Camera<'_> {
    fn drop(&mut self) {
        self.kill();
    }
}

fn wait_until(fault: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "{fault}");
        std::thread::yield_now();
    }
}

fn one_run(seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path());
    server.kill();
    server.back_up();
    server.run();
    let start = server.newest() + 1;
    let path = |name: &str| folder.path().join(name);
    let (spool, journal) = (path("spool.db"), path("journal"));
    let parts = [&server.url, spool.to_str().unwrap(), journal.to_str().unwrap()];
    let job = format!("{}|{seed}|{start}", parts.join("|"));
    let mut camera = Camera { job, journal: &journal, child: None };
    camera.start();
    let mut random = Random(seed.wrapping_mul(7_919) | 1);
    for fault in 1..=4 {
        camera.wait_for(fault * COUNT / 5 + random.below(COUNT / 5));
        match random.below(4) {
            0 => camera.kill(),
            1 => server.kill(),
            2 => {
                server.kill();
                server.restore();
            }
            _ => {
                server.kill();
                camera.kill();
            }
        }
        if !server.is_running() {
            if random.below(3) == 0 {
                server.back_up();
            }
            server.run();
        }
        if camera.child.is_none() {
            camera.start();
        }
    }
    let expected: BTreeSet<_> = crossings(seed, start)
        .iter()
        .flat_map(|crossing| crossing_keys(crossing, &[("First Floor", 2)]))
        .collect();
    let mut found = Vec::new();
    wait_until(&format!("run {seed}: events are lost or stuck"), || {
        found = server.events();
        expected.iter().all(|key| found.contains(key))
    });
    let distinct: BTreeSet<_> = found.iter().cloned().collect();
    assert_eq!(distinct.len(), found.len(), "run {seed}: events are doubled");
    assert_eq!(distinct, expected, "run {seed}");
}

#[test]
fn kills_on_either_side_and_restores_lose_and_double_nothing() {
    for seed in 1..=4 {
        one_run(seed);
    }
}

#[test]
fn refusals_of_the_real_server_become_dead_letters_and_held_events() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let client = Client::start(config(&server.url), folder.path().join("spool.db")).unwrap();
    let entry = |track: &str, floor: i64| Crossing::new("ramp", floor, track, Direction::Entry);
    let at = |micros: i64| Timestamp::from_microsecond(micros).unwrap();
    client.crossing(&entry("good", 1)).unwrap();
    client.crossing(&entry("unknown", 99)).unwrap();
    client.crossing(&entry("future", 1).at(at(4_000_000_000_000_000))).unwrap();
    client.crossing(&entry("also-good", 1).from_floor(2)).unwrap();
    wait_until("the events are not settled", || {
        let counts = client.health().unwrap().counts;
        (counts.delivered, counts.dead, counts.held) == (3, 1, 1)
    });
    let letters = client.spool().dead_letters(0, 9).unwrap();
    assert_eq!(letters[0].reason, "floor_id names no floor");
    assert!(!client.flush(Duration::ZERO).unwrap(), "the held one waits");
    assert_eq!(server.events().len(), 3);
    // A second client of the same spool finds everything settled.
    assert!(client.stop(PATIENCE));
    let limits = SpoolLimits::default();
    let spool = smartpark_client::Spool::open(folder.path().join("spool.db"), limits).unwrap();
    assert_eq!(spool.counts().unwrap().delivered, 3);
}
