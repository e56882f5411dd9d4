//! Transactions of others that do not end: what they hold up, and what they must not.

use std::io::{BufRead, BufReader};

use smartpark::{Direction, NewEvent, NewFloor, SmartPark, VehicleType, live::News};
use tokio_postgres::NoTls;

use super::{ask, cluster::Cluster};
use crate::cli::{Folder, Server, program::agent};

/// Begins a transaction with a number of its own, which stays without any connection.
const PREPARE: &str = "BEGIN; SELECT pg_current_xact_id(); PREPARE TRANSACTION 'long job'";

fn cluster() -> Cluster {
    Cluster::with(&["max_prepared_transactions = 4"])
}

#[tokio::test]
async fn transactions_in_other_databases_hold_no_events_up() {
    let cluster = cluster();
    cluster.ask("CREATE DATABASE other");
    let other = format!("postgres://postgres@{}/other", cluster.host());
    ask(&other, PREPARE).unwrap();
    let (client, connection) = tokio_postgres::connect(&other, NoTls).await.unwrap();
    let driven = tokio::spawn(connection);
    client.batch_execute("BEGIN; SELECT pg_current_xact_id()").await.unwrap();

    let park = SmartPark::open(&cluster.url).await.unwrap();
    let floor = park.floors().add_floor(NewFloor::new("Ground", 50)).await.unwrap();
    let mut watcher = park.watch(None).await.unwrap();
    for track in ["a", "b"] {
        let car = NewEvent::new("cam", floor.id, track, VehicleType::Car, Direction::Entry);
        let recorded = park.events().record_event(car).await.unwrap().event;
        let told = async |watcher: &mut smartpark::live::Watcher| loop {
            for news in watcher.next().await.unwrap() {
                if let News::Event(_, event) = news {
                    return event;
                }
            }
        };
        assert_eq!(*told(&mut watcher).await, recorded);
    }
    // Who begins to watch now is not told what happened since those began.
    let now = park.events().get_position().await.unwrap();
    assert_eq!(park.events().get_events_after(now, 10).await.unwrap(), Some(Vec::new()));
    park.close().await;
    drop(client);
    driven.await.unwrap().unwrap();
}

#[test]
fn a_transaction_in_this_database_holds_events_up_and_is_named() {
    let cluster = cluster();
    let folder = Folder::new();
    let server = Server::start(&folder, &["--seed", "floors", "--database", &cluster.url]);
    cluster.ask(PREPARE);
    let stream = agent().get(format!("{}/stream", server.url)).call().unwrap();
    let mut lines = BufReader::new(stream.into_body().into_reader()).lines().map(Result::unwrap);
    let event = serde_json::json!({"camera_id": "c", "floor_id": 1, "track_id": "t",
        "vehicle_type": "car", "direction": "entry"});
    assert_eq!(server.post("/events", &event).0, 201);
    // The floor is told at once.
    let counted = |line: &String| line.contains("\"id\":1,") && line.contains("_vehicles\":1,");
    lines.by_ref().find(counted).unwrap();
    // The event is not, and the log says why.
    while !server.log().contains("prepared as long job") {
        assert_ne!(lines.next().unwrap(), "event: event");
    }
    cluster.ask("ROLLBACK PREPARED 'long job'");
    lines.by_ref().find(|line| line == "event: event").unwrap();
    drop(lines);
    assert_eq!(server.stop().0, Some(0));
}
