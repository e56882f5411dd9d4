//! What one server that stands still, or a foreign session that does not end, keeps from being
//! recorded: its own floors for a moment, and nothing else.

use futures_util::FutureExt;
use smartpark::{Direction, Error, Floor, NewEvent, NewFloor, SmartPark, VehicleType};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls};

use super::{Schema, port};
use crate::servers::proxy::Proxy;

/// A park with two floors.
async fn park(url: &str) -> (SmartPark, Floor, Floor) {
    let park = SmartPark::open(url).await.unwrap();
    let one = park.floors().add_floor(NewFloor::new("One", 500)).await.unwrap();
    let other = park.floors().add_floor(NewFloor::new("Other", 500)).await.unwrap();
    (park, one, other)
}

fn car(floor: &Floor, track: &str) -> NewEvent {
    NewEvent::new("cam", floor.id, track, VehicleType::Car, Direction::Entry)
}

type Recording = JoinHandle<smartpark::Result<smartpark::Recorded>>;

/// Begins to record an event.
fn begin(park: &SmartPark, event: NewEvent) -> Recording {
    let park = park.clone();
    tokio::spawn(async move { park.events().record_event(event).await })
}

/// A session of somebody else.
async fn session(schema: &Schema) -> Client {
    let (client, connection) = tokio_postgres::connect(&schema.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Waits until somebody waits for a lock that another session holds.
async fn until_held(schema: &Schema) {
    let waits = format!(
        "SELECT count(*) FROM pg_stat_activity
         WHERE wait_event_type = 'Lock' AND {} = ANY (pg_blocking_pids(pid))",
        "(SELECT pid FROM pg_stat_activity WHERE query LIKE '%held by ' || current_schema())"
    );
    while schema.ask(&waits) == "0" {
        tokio::task::yield_now().await;
    }
}

/// Begins a transaction with this statement, which [`until_held`] knows.
async fn hold(client: &Client, sql: &str) {
    let schema = client.query_one("SELECT current_schema()::text", &[]).await.unwrap();
    let schema: String = schema.get(0);
    client.batch_execute(&format!("BEGIN; {sql} -- held by {schema}")).await.unwrap();
}

/// A proxy to the server of a URL, and the URL by way of it.
pub(super) fn by_proxy(url: &str) -> (Proxy, String) {
    let proxy = Proxy::start(port(url));
    let way = url.replace(&format!(":{}/", port(url)), &format!(":{}/", proxy.port));
    (proxy, way)
}

#[test]
fn a_server_that_is_cut_off_in_a_transaction_loses_its_locks() {
    let schema = Schema::new();
    let url = schema.url();
    let (proxy, way) = by_proxy(&url);
    // The proxy has a runtime of its own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (park, one, _) = park(&url).await;
        let frozen = SmartPark::open(&way).await.unwrap();
        frozen.events().record_event(car(&one, "before")).await.unwrap();
        proxy.hold_next("COMMIT");
        let theirs = begin(&frozen, car(&one, "theirs"));
        while !proxy.holds() {
            tokio::task::yield_now().await;
        }
        let ours = park.events().record_event(car(&one, "ours")).await.unwrap();
        assert_eq!(ours.floor.current_vehicles, 2);
        // What was lost is tried again, and counts once.
        let theirs = theirs.await.unwrap().unwrap();
        assert!(!theirs.duplicate);
        assert_eq!(theirs.floor.current_vehicles, 3);
        assert!(park.check(false).await.unwrap().is_clean());
        frozen.close().await;
        park.close().await;
    });
}

/// A server is frozen just before it drops a month, which locks the whole table of events.
#[test]
fn a_server_that_is_cut_off_in_a_cleanup_holds_nobody_up() {
    let schema = Schema::new();
    let url = schema.url();
    let (proxy, way) = by_proxy(&url);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (park, one, _) = park(&url).await;
        let frozen = SmartPark::open(&way).await.unwrap();
        let at = "2011-05-15T00:00:00Z".parse().unwrap();
        park.events().record_event(car(&one, "old").at(at)).await.unwrap();
        proxy.hold_next("DROP TABLE");
        let cleanup = {
            let frozen = frozen.clone();
            tokio::spawn(async move { frozen.events().cleanup_old_events(30).await })
        };
        while !proxy.holds() {
            tokio::task::yield_now().await;
        }
        let locks = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock'
            AND relation IN ('events'::regclass, 'events_2011_05'::regclass)";
        assert_eq!(schema.number(locks), 0, "it holds the table of events");
        park.events().record_event(car(&one, "new")).await.unwrap();
        // PostgreSQL ends its transaction; the month stays for the next cleanup.
        assert_eq!(cleanup.await.unwrap().unwrap().deleted, 1);
        assert_eq!(schema.number("SELECT count(*) FROM events_2011_05"), 1);
        park.events().cleanup_old_events(30).await.unwrap();
        assert_eq!(schema.ask("SELECT coalesce(to_regclass('events_2011_05')::text, '')"), "");
        assert!(park.check(false).await.unwrap().is_clean());
        frozen.close().await;
        park.close().await;
    });
}

#[tokio::test]
async fn a_floor_that_another_session_holds_keeps_no_other_floor_waiting() {
    let schema = Schema::new();
    let (park, one, other) = park(&schema.url()).await;
    park.events().record_event(car(&one, "before")).await.unwrap();
    let theirs = session(&schema).await;
    hold(&theirs, &format!("SELECT FROM floors WHERE id = {} FOR UPDATE", one.id)).await;
    let mut stuck = begin(&park, car(&one, "stuck"));
    until_held(&schema).await;
    // Alone, and in groups with events of the floor that is held.
    for round in 0..3 {
        let also = begin(&park, car(&one, &format!("also {round}")));
        let free: Vec<_> =
            (0..9).map(|n| begin(&park, car(&other, &format!("{round} {n}")))).collect();
        for recorded in free {
            recorded.await.unwrap().unwrap();
        }
        assert!((&mut stuck).now_or_never().is_none());
        also.abort();
    }
    theirs.batch_execute("ROLLBACK").await.unwrap();
    assert!(!stuck.await.unwrap().unwrap().duplicate);
    let counted = park.floors().get_floor_by_id(other.id).await.unwrap().unwrap();
    assert_eq!(counted.current_vehicles, 27);
    park.close().await;
    assert_eq!(schema.ask("SELECT current_vehicles FROM floors WHERE name = 'One'"), "5");
}

#[tokio::test]
async fn a_group_of_several_floors_goes_on_without_the_one_that_is_held() {
    let schema = Schema::new();
    let (park, one, other) = park(&schema.url()).await;
    park.events().record_event(car(&one, "before")).await.unwrap();
    let theirs = session(&schema).await;
    hold(&theirs, &format!("SELECT FROM floors WHERE id = {} FOR UPDATE", one.id)).await;
    // All of them are one group: nothing is taken from the queue before this test waits.
    let stuck: Vec<_> = (0..5).map(|n| begin(&park, car(&one, &format!("s{n}")))).collect();
    let both = park.clone();
    let batch = vec![car(&one, "b1"), car(&other, "b2")];
    let mut both = tokio::spawn(async move { both.events().record_events(batch).await });
    let free: Vec<_> = (0..5).map(|n| begin(&park, car(&other, &format!("f{n}")))).collect();
    for recorded in free {
        recorded.await.unwrap().unwrap();
    }
    assert!((&mut both).now_or_never().is_none());
    theirs.batch_execute("ROLLBACK").await.unwrap();
    for recorded in stuck {
        assert!(!recorded.await.unwrap().unwrap().duplicate);
    }
    assert!(both.await.unwrap().unwrap().iter().all(Result::is_ok));
    assert!(park.check(false).await.unwrap().is_clean());
    park.close().await;
}

#[tokio::test]
async fn a_server_whose_events_wait_for_a_floor_is_not_ready() {
    let schema = Schema::new();
    let (park, one, _) = park(&schema.url()).await;
    park.ready().await.unwrap();
    let theirs = session(&schema).await;
    hold(&theirs, &format!("SELECT FROM floors WHERE id = {} FOR UPDATE", one.id)).await;
    let stuck = begin(&park, car(&one, "stuck"));
    let told = loop {
        if let Err(told) = park.ready().await {
            break told;
        }
        tokio::task::yield_now().await;
    };
    assert!(told.to_string().contains("wait for a floor"), "{told}");
    theirs.batch_execute("ROLLBACK").await.unwrap();
    stuck.await.unwrap().unwrap();
    while park.ready().await.is_err() {}
    park.close().await;
}

#[tokio::test]
async fn events_of_a_new_month_keep_nobody_waiting() {
    let schema = Schema::new();
    let (park, one, _) = park(&schema.url()).await;
    park.events().record_event(car(&one, "before")).await.unwrap();
    let theirs = session(&schema).await;
    let lock = "SELECT pg_advisory_lock(hashtext('smartpark partitions'), \
                hashtext(current_schema()))";
    hold(&theirs, lock).await;
    let at = "2011-05-15T00:00:00Z".parse().unwrap();
    let mut late = begin(&park, car(&one, "late").at(at));
    until_held(&schema).await;
    for n in 0..9 {
        park.events().record_event(car(&one, &format!("on time {n}"))).await.unwrap();
    }
    assert!((&mut late).now_or_never().is_none());
    theirs.batch_execute("ROLLBACK; SELECT pg_advisory_unlock_all()").await.unwrap();
    assert_eq!(late.await.unwrap().unwrap().floor.current_vehicles, 11);
    park.close().await;
}

#[tokio::test]
async fn an_answer_comes_before_a_proxy_gives_up() {
    let schema = Schema::new();
    let (park, one, _) = park(&schema.url()).await;
    park.events().record_event(car(&one, "before")).await.unwrap();
    let theirs = session(&schema).await;
    hold(&theirs, "LOCK TABLE floors IN ACCESS EXCLUSIVE MODE;").await;
    let first = begin(&park, car(&one, "first"));
    until_held(&schema).await;
    // It comes while the first one is being tried, so its own turn comes late.
    let second = begin(&park, car(&one, "second"));
    for answer in [first, second] {
        // As docs/deployment.md has it in the examples of both proxies.
        let answer = tokio::time::timeout(std::time::Duration::from_secs(15), answer).await;
        let refused = answer.expect("in time").unwrap();
        assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    }
    theirs.batch_execute("ROLLBACK").await.unwrap();
    let recorded = park.events().record_event(car(&one, "third")).await.unwrap();
    assert!(!recorded.duplicate);
    park.close().await;
}

/// The index is not looked at that statistics might suggest: there are none of new months.
#[tokio::test]
async fn what_was_recorded_before_is_found_by_its_whole_key() {
    let schema = Schema::new();
    let (park, one, _) = park(&schema.url()).await;
    let at: smartpark::Timestamp = "2011-05-15T00:00:00Z".parse().unwrap();
    let late = |n: i64| {
        let event = NewEvent::new(format!("c{n}"), one.id, "1", VehicleType::Car, Direction::Entry);
        event.at(at + std::time::Duration::from_secs(u64::try_from(n % 3).unwrap()))
    };
    let scans = |index: &str| {
        schema.number(&format!(
            "SELECT coalesce(sum(idx_scan), 0) FROM pg_stat_user_indexes
             WHERE schemaname = current_schema() AND relname LIKE 'events\\_%'
                 AND indexrelname LIKE 'events\\_%{index}\\_idx'"
        ))
    };
    let whole = "camera_id_track_id_direction_timestamp";
    let mut round = 0;
    while scans(whole) == 0 {
        let events = (0..200).map(|n| late(round * 100 + n)).collect();
        park.events().record_events(events).await.unwrap();
        park.events().record_event(car(&one, "1")).await.unwrap();
        round += 1;
    }
    let all = scans("");
    assert_eq!(all, scans(whole) + scans("floor_id_timestamp"), "by another index");
    park.close().await;
}
