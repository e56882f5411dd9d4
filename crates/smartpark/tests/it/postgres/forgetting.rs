//! Months that cleanup forgets: beside readers, vacuums, other servers and those who record, and
//! whatever cuts it off.

use std::{collections::BTreeSet, pin::Pin};

use smartpark::{Clock, Error, Floor, NewFloor, SmartPark, Statistics};
use tokio_postgres::{Client, NoTls, error::SqlState};

use super::{
    Schema,
    months::{car, instant, park, partitions},
};

/// Older than this the events of November and December are, and none of the others.
const DAYS: u32 = 37;
/// How many they are.
const OLD: u64 = 12;
/// The lock of who wants to be alone with a table.
const ALONE: &str = "AccessExclusiveLock";

/// A park with events in three months, and its floor.
async fn filled(schema: &Schema) -> (SmartPark, Floor) {
    let park = park(schema, &clock()).await;
    let floor = park.floors().add_floor(NewFloor::new("Ground", 500)).await.unwrap();
    let months = [("2025-11", 1..=3), ("2025-12", 1..=9), ("2026-02", 1..=1)];
    let cars = months
        .into_iter()
        .flat_map(|(month, days)| days.map(move |day| format!("{month}-0{day}T10:30:00Z")));
    let cars = cars.map(|at| car(&floor, &at, &at)).collect();
    park.events().record_events(cars).await.unwrap();
    (park, floor)
}

fn clock() -> Clock {
    Clock::fixed(instant("2026-02-12T12:00:00Z"))
}

/// Statistics from within an hour of November to within one of December, both with an event.
async fn told(park: &SmartPark) -> Statistics {
    let (start, end) = (instant("2025-11-02T10:15:00Z"), instant("2025-12-03T10:45:00Z"));
    park.events().get_event_statistics_between(start, end, None).await.unwrap()
}

async fn clean(park: &SmartPark) -> u64 {
    park.events().cleanup_old_events(DAYS).await.unwrap().deleted
}

/// The tables that are left of months of last year, partitions or not.
fn left(schema: &Schema) -> String {
    schema.ask(
        "SELECT coalesce(string_agg(tablename, ' ' ORDER BY tablename), '') FROM pg_tables
         WHERE schemaname = current_schema() AND tablename LIKE 'events_2025%'",
    )
}

/// A connection of somebody else.
async fn beside(schema: &Schema) -> Client {
    let (client, connection) = tokio_postgres::connect(&schema.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Who waits for such a lock, and since when.
async fn waiting(client: &Client, table: &str, mode: &str) -> Option<(i32, String)> {
    let ask = "SELECT pid, waitstart::text FROM pg_locks WHERE relation = to_regclass($1)
               AND mode = $2 AND NOT granted AND waitstart IS NOT NULL";
    let found = client.query_opt(ask, &[&table, &mode]).await.unwrap();
    found.map(|row| (row.get(0), row.get(1)))
}

/// Lets a cleanup run while something is done that must be done before it ends.
async fn while_it_runs<T>(
    cleanup: Pin<&mut impl Future<Output = u64>>,
    meanwhile: impl Future<Output = T>,
) -> T {
    tokio::select! {
        done = meanwhile => done,
        _ = cleanup => panic!("it did not wait, or gave up"),
    }
}

/// All that was recorded of the forgotten months is there as it was.
async fn assert_whole(park: &SmartPark, schema: &Schema, before: &Statistics) {
    assert_eq!(schema.number("SELECT count(*) FROM events_2025_11"), 3);
    assert_eq!(schema.number("SELECT count(*) FROM events_2025_12"), 9);
    assert_eq!(schema.number("SELECT count(*) FROM event_digests"), 0);
    assert_eq!(&told(park).await, before);
    assert!(park.check(false).await.unwrap().is_clean());
}

/// Nothing is left of the old months but what statistics need.
async fn assert_forgotten(park: &SmartPark, schema: &Schema, before: &Statistics) {
    assert_eq!(left(schema), "");
    assert_eq!(&told(park).await, before);
    assert!(park.check(false).await.unwrap().is_clean());
}

/// A connection whose transaction has read events, and holds them.
async fn reader(schema: &Schema) -> Client {
    let client = beside(schema).await;
    client.batch_execute("BEGIN; SELECT count(*) FROM events").await.unwrap();
    client
}

#[tokio::test]
async fn a_month_that_was_forgotten_is_made_again_only_where_it_is_needed() {
    let schema = Schema::new();
    let (one, floor) = filled(&schema).await;
    // One that is empty, as a cleanup of an earlier version may have left it.
    schema.execute(
        "CREATE TABLE events_2025_10 PARTITION OF events
         FOR VALUES FROM ('2025-10-01 00:00:00+00') TO ('2025-11-01 00:00:00+00')",
    );
    let before = told(&one).await;
    assert_eq!(clean(&one).await, OLD);
    assert_forgotten(&one, &schema, &before).await;
    let months = partitions(&one, &schema).await;
    // Not for what is refused: neither by the server that knew the month nor by another.
    let other = park(&schema, &clock()).await;
    for park in [&one, &other] {
        for at in ["2025-12-01T10:30:00Z", "2025-12-31T10:30:00Z", "2011-01-01T00:00:00Z"] {
            let refused = park.events().record_event(car(&floor, at, at)).await;
            assert!(matches!(refused, Err(Error::TooOld { .. })), "{refused:?}");
        }
        assert_eq!(partitions(park, &schema).await, months);
    }
    // After a reset nothing is too old.
    one.seed().reset_database_seed().await.unwrap();
    let floor = one.floors().get_floor_by_name("Ground Floor").await.unwrap().unwrap();
    for (park, track) in [(&one, "one"), (&other, "other")] {
        let event = car(&floor, track, "2025-12-01T10:30:00Z");
        assert!(!park.events().record_event(event).await.unwrap().duplicate);
    }
    assert!(partitions(&one, &schema).await.contains(&"events_2025_12".to_owned()));
    one.close().await;
    other.close().await;
}

#[tokio::test]
async fn a_cleanup_beside_a_long_reader_lets_those_who_record_go_first() {
    let schema = Schema::new();
    let (park, floor) = filled(&schema).await;
    let before = told(&park).await;
    let (reader, look) = (reader(&schema).await, beside(&schema).await);
    let mut cleanup = Box::pin(clean(&park));
    while_it_runs(cleanup.as_mut(), async {
        tokio::join!(
            async {
                // Who waited as long as others may would not come to a third attempt.
                let mut attempts = BTreeSet::new();
                while attempts.len() < 3 {
                    attempts.extend(waiting(&look, "events", ALONE).await);
                }
            },
            async {
                for n in 0..3 {
                    let at = format!("2026-02-12T11:00:0{n}Z");
                    park.events().record_event(car(&floor, &at, &at)).await.unwrap();
                    // Its digests are not seen before the events are gone.
                    assert_eq!(told(&park).await, before);
                }
            },
        );
    })
    .await;
    reader.batch_execute("COMMIT").await.unwrap();
    assert_eq!(cleanup.await, OLD);
    assert_forgotten(&park, &schema, &before).await;
    park.close().await;
}

#[tokio::test]
async fn a_month_that_somebody_holds_stays_whole_until_the_next_cleanup() {
    let schema = Schema::new();
    let (park, floor) = filled(&schema).await;
    let before = told(&park).await;
    let reader = reader(&schema).await;
    assert_eq!(clean(&park).await, OLD);
    assert_whole(&park, &schema, &before).await;
    // To readers its events are gone all the same, and it takes no others.
    let events = park.events().get_events_by_floor(floor.id, 100).await.unwrap();
    assert_eq!(events.len(), 1);
    let late = park.events().record_event(car(&floor, "late", "2025-12-01T11:00:00Z")).await;
    assert!(matches!(late, Err(Error::TooOld { .. })), "{late:?}");
    reader.batch_execute("COMMIT").await.unwrap();
    assert_eq!(clean(&park).await, 0);
    assert_forgotten(&park, &schema, &before).await;
    park.close().await;
}

#[tokio::test]
async fn a_cleanup_that_is_cut_off_leaves_nothing_half_done() {
    let schema = Schema::new();
    let (park, _) = filled(&schema).await;
    let before = told(&park).await;
    let (reader, look) = (reader(&schema).await, beside(&schema).await);
    let mut cleanup = Box::pin(clean(&park));
    let pid = while_it_runs(cleanup.as_mut(), async {
        loop {
            if let Some((pid, _)) = waiting(&look, "events", ALONE).await {
                break pid;
            }
        }
    })
    .await;
    look.execute("SELECT pg_terminate_backend($1)", &[&pid]).await.unwrap();
    // The events are gone for every reader, as it says.
    assert_eq!(cleanup.await, OLD);
    reader.batch_execute("COMMIT").await.unwrap();
    assert_whole(&park, &schema, &before).await;
    park.close().await;
    let park = super::months::park(&schema, &clock()).await;
    assert_eq!(clean(&park).await, 0);
    assert_forgotten(&park, &schema, &before).await;
    park.close().await;
}

#[tokio::test]
async fn a_vacuum_gives_way_before_anybody_waits_behind_the_cleanup() {
    let schema = Schema::new();
    let (park, floor) = filled(&schema).await;
    let (vacuum, look) = (beside(&schema).await, beside(&schema).await);
    let lock = "BEGIN; LOCK TABLE events_2025_12 IN SHARE UPDATE EXCLUSIVE MODE";
    vacuum.batch_execute(lock).await.unwrap();
    let mut cleanup = Box::pin(clean(&park));
    while_it_runs(cleanup.as_mut(), async {
        while waiting(&look, "events_2025_12", "ShareUpdateExclusiveLock").await.is_none() {}
        // Readers and those who record are not behind it.
        park.events().record_event(car(&floor, "t", "2026-02-12T11:00:00Z")).await.unwrap();
        let waits = waiting(&look, "events_2025_12", "ShareUpdateExclusiveLock").await;
        assert!(waits.is_some(), "nobody waited for it");
    })
    .await;
    vacuum.batch_execute("COMMIT").await.unwrap();
    assert_eq!(cleanup.await, OLD);
    assert_eq!(left(&schema), "");
    park.close().await;
}

#[tokio::test]
async fn the_horizon_moves_when_those_who_record_have_ended() {
    let schema = Schema::new();
    let (park, _) = filled(&schema).await;
    let (recorder, look) = (beside(&schema).await, beside(&schema).await);
    // Whoever records on a floor holds it.
    recorder.batch_execute("BEGIN; SELECT id FROM floors FOR NO KEY UPDATE").await.unwrap();
    let pid: i32 = recorder.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    let mut cleanup = Box::pin(clean(&park));
    while_it_runs(cleanup.as_mut(), async {
        let waits = "SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))";
        while look.query(waits, &[&pid]).await.unwrap().is_empty() {}
        let horizon = look.query_one("SELECT horizon IS NULL FROM retention", &[]).await.unwrap();
        assert!(horizon.get::<_, bool>(0), "it has moved already");
        // Whoever adds a floor meanwhile would have to wait.
        let lock = look.batch_execute("SELECT id FROM retention FOR UPDATE NOWAIT").await;
        assert_eq!(lock.unwrap_err().code(), Some(&SqlState::LOCK_NOT_AVAILABLE));
    })
    .await;
    recorder.batch_execute("COMMIT").await.unwrap();
    assert_eq!(cleanup.await, OLD);
    assert_eq!(left(&schema), "");
    park.close().await;
}

#[tokio::test]
async fn a_month_that_ends_at_the_horizon_is_forgotten_and_the_next_is_not() {
    let schema = Schema::new();
    let (one, floor) = filled(&schema).await;
    let first = car(&floor, "first", "2026-01-01T00:00:00Z");
    one.events().record_event(first).await.unwrap();
    let before = told(&one).await;
    let midnight = Clock::fixed(instant("2026-02-12T00:00:00Z"));
    let other = park(&schema, &midnight).await;
    // Its clock stands before what the first one received.
    other.accept_clock().await.unwrap();
    let cleanup = other.events().cleanup_old_events(42).await.unwrap();
    assert_eq!(cleanup.horizon, Some(instant("2026-01-01T00:00:00Z")));
    assert_eq!(cleanup.deleted, OLD);
    assert_forgotten(&other, &schema, &before).await;
    assert_eq!(schema.number("SELECT count(*) FROM events_2026_01"), 1);
    one.close().await;
    other.close().await;
}

#[tokio::test]
async fn after_a_reset_no_further_month_is_forgotten() {
    let schema = Schema::new();
    let (park, _) = filled(&schema).await;
    // The reset of another server comes between two months.
    schema.execute(
        "CREATE FUNCTION reset() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             UPDATE retention SET horizon = NULL; RETURN NULL; END $$;
         CREATE TRIGGER reset AFTER INSERT ON event_digests EXECUTE FUNCTION reset()",
    );
    assert_eq!(clean(&park).await, OLD);
    assert_eq!(left(&schema), "events_2025_12");
    assert_eq!(schema.number("SELECT count(*) FROM events_2025_12"), 9);
    park.close().await;
}

#[tokio::test]
async fn servers_that_clean_up_at_once_forget_each_month_once() {
    let schema = Schema::new();
    let (one, _) = filled(&schema).await;
    let before = told(&one).await;
    let other = park(&schema, &clock()).await;
    let (ours, theirs) = tokio::join!(clean(&one), clean(&other));
    assert_eq!(ours + theirs, OLD);
    assert_forgotten(&other, &schema, &before).await;
    one.close().await;
    other.close().await;
}
