//! Ids that a crash takes back: one that was drawn for an event, but whose transaction was never
//! committed, is drawn again after the crash, maybe by another server.

use smartpark::{Direction, NewEvent, NewFloor, SmartPark, VehicleType};
use tokio_postgres::{Client, NoTls};

use super::{
    database::Database,
    proxy::{Cut, Proxy},
};
use crate::postgres::Schema;

/// The events of another server, under the ids that were drawn last: one with the key of our
/// first event, one with a key of its own.
const TAKE_IDS: &str = "
INSERT INTO events (id, camera_id, floor_id, track_id, vehicle_type, direction, timestamp,
    created_at, count_delta)
SELECT last_value - 1, 'cam', (SELECT min(id) FROM floors), 'same', 0, 0,
    timestamptz '2026-02-12T10:30:45Z', now(), 1 FROM events_id_seq
UNION ALL
SELECT last_value, 'cam', (SELECT min(id) FROM floors), 'theirs', 0, 0,
    timestamptz '2026-02-12T10:30:47Z', now(), 1 FROM events_id_seq";

/// The process that waits for a lock on this table, and the one that waits for a transaction.
const WAITS_FOR_HOURS: &str =
    "SELECT pid FROM pg_locks WHERE NOT granted AND relation = 'event_hours'::regclass";
const WAITS_FOR_FLOOR: &str = "SELECT l.pid FROM pg_locks l JOIN pg_locks t
    ON t.transactionid = l.transactionid AND t.granted JOIN pg_locks h ON h.pid = t.pid
    WHERE NOT l.granted AND NOT h.granted AND h.relation = 'event_hours'::regclass";

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Asks until there is an answer.
async fn until_found(client: &Client, sql: &str) -> i32 {
    loop {
        if let Some(row) = client.query(sql, &[]).await.unwrap().first() {
            return row.get(0);
        }
    }
}

#[tokio::test]
async fn an_id_that_was_given_to_another_event_is_left_to_it() {
    let schema = Schema::new();
    let park = SmartPark::open(&schema.url()).await.unwrap();
    let floor = park.floors().add_floor(NewFloor::new("1F", 50)).await.unwrap();
    let event = |track, at: &str| {
        let event = NewEvent::new("cam", floor.id, track, VehicleType::Car, Direction::Entry);
        event.at(at.parse().unwrap())
    };
    let events = vec![event("same", "2026-02-12T10:30:45Z"), event("ours", "2026-02-12T10:30:46Z")];
    let (gate, other) = (connect(&schema.url()).await, connect(&schema.url()).await);
    // Our attempt has drawn its ids and comes as far as the sums.
    gate.batch_execute("BEGIN; LOCK TABLE event_hours IN SHARE MODE").await.unwrap();
    let recording = {
        let park = park.clone();
        tokio::spawn(async move { park.events().record_events(events).await })
    };
    let attempt = until_found(&gate, WAITS_FOR_HOURS).await;
    // The other server is the next to hold the floor, before our next attempt.
    let lock = other.batch_execute("BEGIN; SELECT FROM floors FOR UPDATE");
    let end = async {
        until_found(&gate, WAITS_FOR_FLOOR).await;
        gate.execute("SELECT pg_terminate_backend($1)", &[&attempt]).await
    };
    let (locked, ended) = tokio::join!(lock, end);
    locked.and(ended.map(drop)).unwrap();
    other.batch_execute(&format!("{TAKE_IDS}; COMMIT")).await.unwrap();
    gate.batch_execute("ROLLBACK").await.unwrap();
    let answers = recording.await.unwrap().unwrap();
    let [same, ours] = answers.try_into().unwrap();
    assert!(same.unwrap().duplicate, "the other server recorded it");
    assert!(!ours.unwrap().duplicate);
    let twice = other.query("SELECT id FROM events GROUP BY id HAVING count(*) > 1", &[]).await;
    assert!(twice.unwrap().is_empty(), "two events have one id");
    park.close().await;
}

/// An attempt leaves its ids behind when it is cut off. The next one draws one of them again, for
/// the row before, and its answer is lost: only that row was recorded, not its repeat, which had
/// that id first.
#[test]
fn an_id_that_was_drawn_again_makes_no_repeat_a_new_event() {
    let database = Database::start();
    let proxy = Proxy::start(database.port());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(draw_again(&database, &proxy));
}

async fn draw_again(database: &Database, proxy: &Proxy) {
    let park = SmartPark::open(&database.url_at(proxy.port)).await.unwrap();
    let floor = park.floors().add_floor(NewFloor::new("1F", 50)).await.unwrap();
    let event = NewEvent::new("cam", floor.id, "same", VehicleType::Car, Direction::Entry);
    let event = event.at("2026-02-12T10:30:45Z".parse().unwrap());
    let gate = connect(&database.url).await;
    gate.batch_execute("BEGIN; LOCK TABLE event_hours IN SHARE MODE").await.unwrap();
    let recording = {
        let park = park.clone();
        tokio::spawn(async move { park.events().record_events(vec![event.clone(), event]).await })
    };
    let attempt = until_found(&gate, WAITS_FOR_HOURS).await;
    let one_back = "SELECT setval('events_id_seq', last_value - 1) FROM events_id_seq";
    gate.batch_execute(one_back).await.unwrap();
    // The commit of this attempt is on its way already: the next one is that of the second.
    proxy.cut_next(Cut::Answered);
    gate.execute("SELECT pg_terminate_backend($1)", &[&attempt]).await.unwrap();
    gate.batch_execute("ROLLBACK").await.unwrap();
    let [first, repeat] = recording.await.unwrap().unwrap().try_into().unwrap();
    let (first, repeat) = (first.unwrap(), repeat.unwrap());
    assert_eq!((first.duplicate, repeat.duplicate), (false, true));
    assert_eq!(first.event, repeat.event);
    park.close().await;
}
