//! Many servers that start at once.

use serde_json::json;

use super::Schema;
use crate::cli::{Folder, Server};

#[test]
fn ten_servers_start_at_once_on_an_empty_database() {
    let schema = Schema::new();
    let folder = Folder::new();
    let database = ["--database", &schema.url()];
    let started = || Server::start(&folder, &database);
    let servers: Vec<Server> = std::thread::scope(|scope| {
        let starting: Vec<_> = (0..10).map(|_| scope.spawn(started)).collect();
        starting.into_iter().map(|server| server.join().unwrap()).collect()
    });
    let event = json!({"camera_id": "c", "floor_id": 1, "track_id": "t", "vehicle_type": "car",
        "direction": "entry", "timestamp": "2026-02-12T10:30:45Z"});
    let mut new = 0;
    for server in &servers {
        let (status, answer) = server.post("/events", &event);
        assert!(status == 201 || answer["duplicate"] == json!(true), "{status} {answer}");
        new += usize::from(status == 201);
        assert_eq!(server.get("/floors?include_inactive=true").1["total_slots"], 195);
    }
    assert_eq!(new, 1);
    // Seeded once: whoever was first has recorded its samples by the time that it listens.
    let info = folder.run(&["info", "--json", database[0], database[1]]).ok().json();
    assert_eq!((&info["floors"], &info["events"]), (&json!(4), &json!(16)));
    folder.run(&["check", database[0], database[1]]).ok();
    for server in servers {
        let (code, log) = server.stop();
        assert_eq!(code, Some(0), "{log}");
    }
}
