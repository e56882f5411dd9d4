//! The spool through the client: what is on disk, what is refused, and what a damaged file says.

use std::{
    fs,
    sync::{Arc, Mutex},
    time::Duration,
};

use smartpark_client::{
    Client, Clock, Crossing, Direction, Error, Request, Spool, SpoolLimits, Transport,
    sender::Answer,
};
use tempfile::TempDir;

/// Answers as it is told, and keeps what was sent.
#[derive(Clone, Default)]
struct Fake {
    sent: Arc<Mutex<Vec<Request>>>,
    /// The answer to each post; none for one that takes all.
    refusal: Arc<Mutex<Option<(u16, String)>>>,
    floors: Arc<Mutex<Vec<(i64, &'static str)>>>,
}

impl Fake {
    fn refuse(&self, status: u16, slug: &str) {
        let body = format!("{{\"type\":\"urn:smartpark:problem:{slug}\",\"detail\":\"no\"}}");
        *self.refusal.lock().unwrap() = Some((status, body));
    }

    fn take(&self) {
        *self.refusal.lock().unwrap() = None;
    }

    fn bodies(&self) -> Vec<String> {
        let sent = self.sent.lock().unwrap();
        sent.iter().filter_map(|request| request.body.clone()).collect()
    }
}

impl Transport for Fake {
    fn send(&mut self, request: &Request) -> Answer {
        self.sent.lock().unwrap().push(request.clone());
        let (status, body) = match (&request.body, self.refusal.lock().unwrap().clone()) {
            (None, _) if request.path.starts_with("/floors") => {
                let floors = self.floors.lock().unwrap();
                let floors: Vec<_> = floors
                    .iter()
                    .map(|(id, name)| format!("{{\"id\":{id},\"name\":\"{name}\"}}"))
                    .collect();
                (200, format!("{{\"floors\":[{}]}}", floors.join(",")))
            }
            (None, _) => (404, String::new()),
            (Some(_), Some(refusal)) => refusal,
            (Some(body), None) => {
                let rows = body.lines().count();
                let counts = "\"duplicates\":0,\"rejected\":0,\"errors\":[]";
                (200, format!("{{\"recorded\":{rows},{counts}}}"))
            }
        };
        Answer::Response { status, retry_after: None, body: body.into_bytes() }
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn start(folder: &TempDir, fake: &Fake, limits: SpoolLimits) -> Client {
    let builder = Client::builder(folder.path().join("spool.db")).limits(limits);
    builder.start_with(fake.clone()).unwrap()
}

fn entry(track: &str) -> Crossing {
    Crossing::new("ramp", 1, track, Direction::Entry).at("2026-02-12T10:30:45Z".parse().unwrap())
}

const LONG: Duration = Duration::from_secs(60);

/// Waits for a condition that another thread brings about.
fn wait_until(mut is_so: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LONG, "it does not come about");
        std::thread::yield_now();
    }
}

#[test]
fn a_crossing_arrives_and_a_repeat_is_the_same_one() {
    let (folder, fake) = (folder(), Fake::default());
    let client = start(&folder, &fake, SpoolLimits::default());
    assert_eq!(client.crossing(&entry("a")).unwrap(), 1);
    assert_eq!(client.crossing(&entry("a")).unwrap(), 0);
    assert!(client.flush(LONG).unwrap());
    assert_eq!(client.crossing(&entry("a")).unwrap(), 0, "also when it was delivered");
    let health = client.health().unwrap();
    assert_eq!((health.counts.delivered, health.counts.waiting), (1, 0));
    assert!(health.last_success.is_some());
    assert_eq!(fake.bodies().len(), 1);
}

#[test]
fn events_stay_in_the_file_until_the_server_takes_them() {
    let (folder, fake) = (folder(), Fake::default());
    fake.refuse(503, "unavailable");
    let client = start(&folder, &fake, SpoolLimits::default());
    client.crossing(&entry("a").from_floor(2)).unwrap();
    wait_until(|| !fake.bodies().is_empty());
    let health = client.health().unwrap();
    assert_eq!(health.counts.waiting, 2);
    drop(client);
    fake.take();
    let client = start(&folder, &fake, SpoolLimits::default());
    assert!(client.flush(LONG).unwrap());
    let bodies = fake.bodies();
    assert_eq!(bodies.first(), bodies.last(), "byte for byte the same");
    let error = client.health().unwrap().last_error.unwrap();
    assert_eq!(error.1, "no");
}

#[test]
fn a_full_spool_says_so_and_counts_what_is_lost() {
    let (folder, fake) = (folder(), Fake::default());
    fake.refuse(503, "unavailable");
    let client = start(&folder, &fake, SpoolLimits { waiting: 2, ..SpoolLimits::default() });
    client.crossing(&entry("a")).unwrap();
    client.crossing(&entry("b")).unwrap();
    assert_eq!(client.crossing(&entry("b")).unwrap(), 0, "a repeat takes no room");
    let refused = client.crossing(&entry("c")).unwrap_err();
    assert!(matches!(refused, Error::Full { waiting: 2 }), "{refused}");
    let ramp = client.crossing(&entry("d").from_floor(2)).unwrap_err();
    assert!(matches!(ramp, Error::Full { .. }), "{ramp}");
    let health = client.health().unwrap();
    assert!(health.is_full);
    let losses: Vec<_> = health
        .losses
        .iter()
        .map(|loss| (loss.camera_id.as_str(), loss.reason.as_str(), loss.events))
        .collect();
    assert_eq!(losses, [("ramp", "full", 3)]);
    fake.take();
    assert!(client.flush(LONG).unwrap());
    assert_eq!(client.crossing(&entry("c")).unwrap(), 1, "then there is room again");
}

#[test]
fn dead_letters_can_be_read_and_sent_again() {
    let (folder, fake) = (folder(), Fake::default());
    fake.refuse(422, "unknown-floor");
    let client = start(&folder, &fake, SpoolLimits { dead: 1, ..SpoolLimits::default() });
    client.crossing(&entry("a")).unwrap();
    wait_until(|| client.health().unwrap().counts.dead == 1);
    client.crossing(&entry("b")).unwrap();
    wait_until(|| client.health().unwrap().losses.len() == 1);
    let letters = client.spool().dead_letters(0, 10).unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].status, letters[0].reason.as_str()), (422, "no"));
    assert!(letters[0].body.contains("\"track_id\":\"b\""), "the oldest went");
    assert_eq!(client.health().unwrap().losses[0].reason, "dead_letters");
    fake.take();
    assert_eq!(client.spool().retry_dead_letters(Some(&[letters[0].id + 9])).unwrap(), 0);
    assert_eq!(client.spool().retry_dead_letters(None).unwrap(), 1);
    assert!(client.flush(LONG).unwrap());
    assert_eq!(client.health().unwrap().counts.delivered, 1);
}

#[test]
fn a_floor_by_name_waits_until_the_server_knows_it() {
    let (folder, fake) = (folder(), Fake::default());
    let clock = Clock::fixed("2026-02-12T12:00:00Z".parse().unwrap());
    let builder = Client::builder(folder.path().join("spool.db")).clock(clock.clone());
    let client = builder.start_with(fake.clone()).unwrap();
    let named = Crossing { floor: "Level \u{fc}".into(), ..entry("a") };
    client.crossing(&named).unwrap();
    client.crossing(&entry("b")).unwrap();
    wait_until(|| client.health().unwrap().counts.delivered == 1);
    wait_until(|| client.health().unwrap().last_error.is_some());
    let health = client.health().unwrap();
    assert_eq!((health.counts.without_floor, health.counts.waiting), (1, 1));
    let error = health.last_error.unwrap().1;
    assert_eq!(error, "the server knows no floor Level \u{fc}");
    fake.floors.lock().unwrap().push((7, "Level \u{fc}"));
    clock.advance(Duration::from_secs(60));
    assert!(client.flush(LONG).unwrap());
    let last = fake.bodies().pop().unwrap();
    assert!(
        last.starts_with("{\"floor_id\":7,\"camera_id\":\"ramp\",\"track_id\":\"a\""),
        "{last}"
    );
}

#[test]
fn only_one_client_sends_from_a_spool_while_all_may_report() {
    let (folder, first, second) = (folder(), Fake::default(), Fake::default());
    let sender = start(&folder, &first, SpoolLimits::default());
    sender.crossing(&entry("a")).unwrap();
    assert!(sender.flush(LONG).unwrap());
    let other = start(&folder, &second, SpoolLimits::default());
    other.crossing(&entry("b")).unwrap();
    assert!(other.flush(LONG).unwrap(), "the first one sends it");
    assert_eq!((first.bodies().len(), second.bodies().len()), (2, 0));
    assert!(sender.stop(LONG));
    other.crossing(&entry("c")).unwrap();
    assert!(other.flush(LONG).unwrap(), "the second one takes over");
    assert_eq!((first.bodies().len(), second.bodies().len()), (2, 1));
}

#[test]
fn a_file_that_is_no_spool_is_refused_with_words() {
    let folder = folder();
    let open = |name: &str| Spool::open(folder.path().join(name), SpoolLimits::default());
    fs::write(folder.path().join("text"), "x".repeat(5_000)).unwrap();
    let error = open("text").unwrap_err();
    assert!(matches!(error, Error::NotASpool { .. }), "{error}");
    let foreign = rusqlite::Connection::open(folder.path().join("foreign")).unwrap();
    foreign.execute_batch("CREATE TABLE cars (id INTEGER)").unwrap();
    let error = open("foreign").unwrap_err().to_string();
    assert!(error.ends_with("it is the SQLite file of another program"), "{error}");
    drop(open("newer").unwrap());
    let newer = rusqlite::Connection::open(folder.path().join("newer")).unwrap();
    newer.execute_batch("PRAGMA user_version = 2").unwrap();
    let error = open("newer").unwrap_err().to_string();
    assert!(error.contains("version 2 of its tables is newer"), "{error}");
    let error = open("missing/spool.db").unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
}

#[test]
fn a_damaged_spool_is_told_and_never_replaced() {
    let (folder, fake) = (folder(), Fake::default());
    fake.refuse(503, "unavailable");
    let path = folder.path().join("spool.db");
    let client = start(&folder, &fake, SpoolLimits::default());
    for track in 0..500 {
        client.crossing(&entry(&format!("track-{track}"))).unwrap();
    }
    drop(client);
    let mut bytes = fs::read(&path).unwrap();
    for byte in &mut bytes[8_192..40_960] {
        *byte = 0x5a;
    }
    fs::write(&path, &bytes).unwrap();
    let error = Spool::open(&path, SpoolLimits::default()).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_file_that_was_removed_while_in_use_takes_nothing_silently() {
    let (folder, fake) = (folder(), Fake::default());
    let client = start(&folder, &fake, SpoolLimits::default());
    client.crossing(&entry("a")).unwrap();
    assert!(client.flush(LONG).unwrap());
    fs::remove_file(folder.path().join("spool.db")).unwrap();
    let error = client.crossing(&entry("b")).unwrap_err().to_string();
    assert!(error.contains("moved or removed while in use"), "{error}");
    assert_eq!(client.health().unwrap().unwritten, 1);
}
