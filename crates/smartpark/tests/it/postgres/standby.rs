//! A replica that is a real standby: what is read from it and what is not, how its age is told, and
//! that the primary answers where the replica is not to be used.

use std::time::Duration;

use smartpark::{
    Direction, Error, EventFilter, Floor, NewEvent, NewFloor, Options, Reading, SmartPark,
    VehicleType,
};

use super::{Schema, cluster::Cluster};
use crate::cli::{Folder, Server, program::agent};

/// How far behind a replica may be in these tests.
const MAX_LAG: Duration = Duration::from_secs(3);

async fn open(url: &str) -> SmartPark {
    let options = Options { max_replica_lag: MAX_LAG, ..Options::default() };
    SmartPark::open_with(url, options).await.unwrap()
}

fn car(floor: &Floor, track: &str) -> NewEvent {
    NewEvent::new("cam", floor.id, track, VehicleType::Car, Direction::Entry)
}

async fn record(park: &SmartPark, floor: &Floor, track: &str) {
    park.events().record_event(car(floor, track)).await.unwrap();
}

/// The tracks in the list of events, newest first.
async fn tracks(reading: &Reading) -> Vec<String> {
    let page = reading.events().get_events(EventFilter::default(), 100, None).await.unwrap();
    page.events.into_iter().map(|event| event.track_id).collect()
}

/// Reads until the replica answers with these tracks.
async fn until_replica_has(park: &SmartPark, expected: &[&str]) {
    loop {
        let reading = park.from_replica();
        let found = tracks(&reading).await;
        if reading.age().is_some() && found == expected {
            return;
        }
    }
}

/// Reads until the primary answers.
async fn until_primary_answers(park: &SmartPark) {
    loop {
        let reading = park.from_replica();
        tracks(&reading).await;
        if reading.age().is_none() {
            return;
        }
    }
}

fn pause(standby: &Cluster) {
    standby.ask("SELECT pg_wal_replay_pause()");
    standby.await_that("SELECT pg_get_wal_replay_pause_state()", "paused");
}

#[tokio::test]
async fn the_past_comes_from_the_standby_while_it_keeps_up() {
    let primary = Cluster::start();
    let standby = primary.standby();
    let park = open(&primary.url).await;
    let floor = park.floors().add_floor(NewFloor::new("Ground", 50)).await.unwrap();
    record(&park, &floor, "a").await;
    park.use_replica(&standby.url).await.unwrap();
    until_replica_has(&park, &["a"]).await;
    // Who does not ask for the replica is answered by the primary, and no age is told of that.
    let reading = park.from_replica();
    assert_eq!(reading.floors().get_floor_by_id(floor.id).await.unwrap().unwrap().id, floor.id);
    assert_eq!(reading.age(), None);

    pause(&standby);
    record(&park, &floor, "b").await;
    let (mut old, mut last) = (0, Duration::ZERO);
    loop {
        let reading = park.from_replica();
        let found = tracks(&reading).await;
        let age = reading.age();
        let statistics = park.from_replica();
        let entries = statistics.events().get_event_statistics(1).await.unwrap().entries;
        if let Some(age) = statistics.age() {
            // No mark of the primary is reached any more: it grows.
            assert!(age >= last && entries == 1, "{age:?} {last:?} {entries}");
            last = age;
            old += 1;
        }
        let counts = park.from_replica();
        let now = smartpark::Clock::system().now();
        let count = counts.floors().get_counts_at(now).await.unwrap()[0].current_vehicles;
        assert_eq!(count, if counts.age().is_some() { 1 } else { 2 });
        // What is now is never read from it, nor what is asked for by its id.
        let events = park.events().get_events_by_floor(floor.id, 1).await.unwrap();
        assert_eq!(events[0].track_id, "b");
        assert!(reading.events().get_event_by_id(events[0].id).await.unwrap().is_some());
        let floors = reading.floors().get_all_floors().await.unwrap();
        assert_eq!(floors[0].current_vehicles, 2);
        assert_eq!(found, if age.is_some() { vec!["a"] } else { vec!["b", "a"] });
        if age.is_none() {
            break;
        }
    }
    assert!(old > 0 && last > Duration::ZERO, "{old} {last:?}");

    standby.ask("SELECT pg_wal_replay_resume()");
    until_replica_has(&park, &["b", "a"]).await;
    standby.make("crash");
    until_primary_answers(&park).await;
    record(&park, &floor, "c").await;
    assert_eq!(tracks(&park.from_replica()).await, ["c", "b", "a"]);
    standby.make("resume");
    until_replica_has(&park, &["c", "b", "a"]).await;
    // What is not there at the standby yet is looked for at the primary.
    pause(&standby);
    let deck = park.floors().add_floor(NewFloor::new("Deck", 5)).await.unwrap();
    let (now, reading) = (smartpark::Clock::system().now(), park.from_replica());
    let deck = reading.events().get_event_statistics_between(now, now, Some(deck.id)).await;
    assert_eq!(deck.unwrap().total_events, 0);
    park.close().await;
}

#[tokio::test]
async fn a_standby_of_another_history_is_not_read() {
    let old_primary = Cluster::start();
    let (promoted, left_behind) = (old_primary.standby(), old_primary.standby());
    let old = open(&old_primary.url).await;
    let floor = old.floors().add_floor(NewFloor::new("Ground", 50)).await.unwrap();
    promoted.await_that("SELECT count(*) FROM floors", "1");
    promoted.ask("SELECT pg_promote()");
    // Both go on by themselves, as after a failover that did not reach everybody.
    let new = open(&promoted.url).await;
    record(&new, &floor, "new").await;
    for i in 0..20 {
        record(&old, &floor, &format!("lost {i}")).await;
    }
    left_behind.await_that("SELECT count(*) FROM events", "20");
    new.use_replica(&left_behind.url).await.unwrap();
    // The second look is made after the first rest: by then it would be used, if ever.
    for _ in 0..3 {
        let tried = std::time::Instant::now();
        while tried.elapsed() < smartpark::limits::REPLICA_REST {
            let reading = new.from_replica();
            assert_eq!((tracks(&reading).await, reading.age()), (vec!["new".to_owned()], None));
        }
    }
    // Nor is one that was promoted a replica any more.
    old.use_replica(&promoted.url).await.unwrap();
    let reading = old.from_replica();
    assert_eq!((tracks(&reading).await.len(), reading.age()), (20, None));
    old.close().await;
    new.close().await;
}

#[tokio::test]
async fn a_failover_is_followed_where_all_hosts_are_named() {
    let primary = Cluster::start();
    let standby = primary.standby();
    let url = format!("postgres://postgres@{},{}/postgres", standby.host(), primary.host());
    let park = open(&url).await;
    let floor = park.floors().add_floor(NewFloor::new("Ground", 50)).await.unwrap();
    record(&park, &floor, "before").await;
    standby.await_that("SELECT count(*) FROM events", "1");
    // Of the same hosts a replica is the one that takes no writes.
    park.use_replica(&url).await.unwrap();
    until_replica_has(&park, &["before"]).await;
    primary.make("crash");
    standby.ask("SELECT pg_promote()");
    record(&park, &floor, "after").await;
    assert_eq!(tracks(&park.from_replica()).await, ["after", "before"]);
    let floor = park.floors().get_floor_by_id(floor.id).await.unwrap().unwrap();
    assert_eq!(floor.current_vehicles, 2);
    assert!(park.check(false).await.unwrap().is_clean());
    park.close().await;
}

#[tokio::test]
async fn a_standby_alone_is_waited_for_until_it_counts() {
    let primary = Cluster::with(&["log_connections = on"]);
    let standby = primary.standby();
    open(&primary.url).await.close().await;
    standby.await_that("SELECT count(*) FROM floors", "0");
    let url = format!("{}?application_name=waiting", standby.url);
    let opened = tokio::spawn(async move { SmartPark::connect(&url, Options::default()).await });
    let log = standby.folder().join("log");
    // It comes back again and again.
    let tried = || std::fs::read_to_string(&log).unwrap().matches("=waiting").count();
    while tried() < 3 {
        assert!(!opened.is_finished());
        tokio::task::yield_now().await;
    }
    standby.ask("SELECT pg_promote()");
    let park = opened.await.unwrap().unwrap();
    assert_eq!(park.floors().get_all_floors().await.unwrap(), []);
    park.close().await;
}

#[tokio::test]
async fn what_is_no_replica_is_refused() {
    let (here, there, private) = (Schema::new(), Schema::new(), Cluster::start());
    let park = open(&here.url()).await;
    open(&there.url()).await.close().await;
    let refusals = [
        (there.url(), "not one of this database"),
        (private.url.clone(), "not one of this database"),
        (format!("{}x", private.url), "does not exist"),
        ("sqlite://replica.db".to_owned(), "not understood"),
    ];
    for (url, told) in refusals {
        let refused = park.use_replica(&url).await.unwrap_err();
        assert!(matches!(&refused, Error::Unusable(text) if text.contains(told)), "{refused}");
    }
    // The primary itself is none, but may become one by a failover.
    park.use_replica(&here.url()).await.unwrap();
    let reading = park.from_replica();
    assert_eq!((tracks(&reading).await.len(), reading.age()), (0, None));
    assert!(matches!(park.use_replica(&here.url()).await, Err(Error::Unusable(_))));
    park.close().await;
}

#[test]
fn a_server_reads_from_its_replica_and_says_so() {
    let primary = Cluster::start();
    let standby = primary.standby();
    let folder = Folder::new();
    let replica = ["--replica", &standby.url];
    let own = Server::start(&folder, &["--database", &primary.url, "--seed", "sample"]);
    assert_eq!(own.stop().0, Some(0));
    // By the file, the environment and the flag, each over the one before.
    folder.file("smartpark.toml", "replica = \"sqlite://file.db\"\n");
    let refused = folder.run(&["serve", "--listen=127.0.0.1:0", "--database", &primary.url]);
    assert!(refused.ended(1).err.contains("not understood"));
    let refused = folder.run(&["serve", "--listen=127.0.0.1:0", replica[0], replica[1]]);
    assert!(refused.ended(1).err.contains("embedded database has no replica"));
    let mut command = folder.command(&["serve", "--listen=127.0.0.1:0"]);
    command.env("SMARTPARK_DATABASE", &primary.url).env("SMARTPARK_REPLICA", &standby.url);
    let server = Server::spawn(command);
    let age = |path: &str| {
        let answer = agent().get(format!("{}{path}", server.url)).call().unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.headers().get("smartpark-replica-age").map(|age| age.to_str().unwrap().to_owned())
    };
    for path in ["/events", "/statistics"] {
        let age: f64 = loop {
            if let Some(age) = age(path) {
                break age.parse().unwrap();
            }
        };
        assert!(age > 0.0 && age < 20.0, "{age}");
    }
    for path in ["/floors", "/floors/1", "/floors/recommended", "/events/1", "/health/ready"] {
        assert_eq!(age(path), None, "{path}");
    }
    let event = serde_json::json!({"camera_id": "c", "floor_id": 1, "track_id": "t",
        "vehicle_type": "car", "direction": "entry"});
    assert_eq!(server.post("/events", &event).0, 201);
    let (code, log) = server.stop();
    assert!(code == Some(0) && log.contains("the replica is used"), "{log}");
}
