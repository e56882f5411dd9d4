//! Several processes on one file: whoever reads sees what any of them has acknowledged before.

use std::{
    sync::atomic::{AtomicBool, AtomicI64, Ordering::SeqCst},
    thread,
};

use serde_json::{Value, json};
use smartpark::{Options, SmartPark};

use super::program::{Folder, Server, agent};

/// Cars that come in through the server.
const POSTED: i64 = 150;
/// Cars that come in through other processes, one each.
const RUNS: i64 = 6;

/// What was sent and acknowledged so far, by all processes together.
#[derive(Default)]
struct Journal {
    sent: AtomicI64,
    acknowledged: AtomicI64,
    over: AtomicBool,
}

impl Journal {
    /// Sends a car.
    fn send(&self, send: impl FnOnce()) {
        self.sent.fetch_add(1, SeqCst);
        send();
        self.acknowledged.fetch_add(1, SeqCst);
    }

    /// Reads the count again and again while cars come in.
    fn watch(&self, mut read: impl FnMut() -> i64) {
        while !self.over.load(SeqCst) {
            let least = self.acknowledged.load(SeqCst);
            let count = read();
            let most = self.sent.load(SeqCst);
            assert!((least..=most).contains(&count), "{least} ≤ {count} ≤ {most}");
        }
    }
}

/// Cars through two processes at once; tells how that ended.
fn drive(folder: &Folder, server: &Server, journal: &Journal) -> [thread::Result<()>; 2] {
    thread::scope(|scope| {
        let posting = scope.spawn(|| {
            for car in 0..POSTED {
                let event = json!({"camera_id": "posted", "floor_id": 1, "direction": "entry",
                    "track_id": car.to_string(), "vehicle_type": "car",
                    "timestamp": "2026-02-12T10:30:45Z"});
                journal.send(|| assert_eq!(server.post("/events", &event).0, 201));
            }
        });
        let running = scope.spawn(|| {
            for car in 0..RUNS {
                let track = format!("--track-id={car}");
                let line = ["record", "--camera-id=run", "--floor=1F", "--direction=entry", &track];
                journal.send(|| drop(folder.run(&line).ok()));
            }
        });
        [posting.join(), running.join()]
    })
}

/// The count that the server tells on one connection, asked with the tag of its last answer.
fn told_by(server: &Server) -> impl FnMut() -> i64 {
    let (agent, url) = (agent(), format!("{}/floors", server.url));
    let (mut tag, mut count) = (String::new(), 0);
    move || {
        let mut answer = agent.get(&url).header("if-none-match", &tag).call().unwrap();
        if answer.status() == 200 {
            tag = answer.headers()["etag"].to_str().unwrap().to_owned();
            let floors: Value =
                serde_json::from_slice(&answer.body_mut().read_to_vec().unwrap()).unwrap();
            count = floors["current_vehicles"].as_i64().unwrap();
        }
        count
    }
}

#[test]
fn readers_see_all_that_any_process_has_acknowledged() {
    let folder = Folder::with_floors(&[("1F", 1_000)]);
    let server = Server::start(&folder, &[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // This process reads the file, too.
    let connected = runtime.block_on(SmartPark::connect(folder.url(), Options::default()));
    let park = connected.unwrap();
    let journal = Journal::default();
    thread::scope(|scope| {
        let asking: Vec<_> =
            (0..2).map(|_| scope.spawn(|| journal.watch(told_by(&server)))).collect();
        let reading = scope.spawn(|| {
            journal.watch(|| {
                let floors = runtime.block_on(park.floors().get_latest_floors()).unwrap();
                floors[0].current_vehicles
            });
        });
        let driven = drive(&folder, &server, &journal);
        journal.over.store(true, SeqCst);
        driven.into_iter().for_each(Result::unwrap);
        asking.into_iter().chain([reading]).for_each(|reader| reader.join().unwrap());
    });
    assert_eq!(server.get("/floors").1["current_vehicles"], POSTED + RUNS);
}
