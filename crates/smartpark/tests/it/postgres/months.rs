//! The partitions of events: made ahead, and when an event needs one.

use smartpark::{
    Clock, Direction, Floor, NewEvent, NewFloor, Options, SmartPark, Timestamp, VehicleType,
};

use super::Schema;

/// A park in a schema of its own, whose clock stands at the beginning.
pub(super) async fn park(schema: &Schema, clock: &Clock) -> SmartPark {
    let options = Options { clock: clock.clone(), ..Options::default() };
    SmartPark::open_with(&schema.url(), options).await.unwrap()
}

pub(super) fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn car(floor: &Floor, track: &str, at: &str) -> NewEvent {
    NewEvent::new("cam", floor.id, track, VehicleType::Car, Direction::Entry).at(instant(at))
}

/// The partitions that there are, in order.
pub(super) async fn partitions(park: &SmartPark, schema: &Schema) -> Vec<String> {
    assert!(park.check(false).await.unwrap().is_clean());
    let all = schema.ask(
        "SELECT string_agg(inhrelid::regclass::text, ' ' ORDER BY inhrelid::regclass::text)
         FROM pg_inherits WHERE inhparent = 'events'::regclass",
    );
    all.split(' ').map(str::to_owned).collect()
}

#[tokio::test]
async fn an_idle_server_goes_on_in_another_month() {
    let (schema, clock) = (Schema::new(), Clock::fixed(instant("2026-02-12T12:00:00Z")));
    let park = park(&schema, &clock).await;
    let floor = park.floors().add_floor(NewFloor::new("Ground", 50)).await.unwrap();
    let record = async |at: &str| {
        clock.set(instant(at));
        let recorded = park.events().record_event(car(&floor, at, at)).await.unwrap();
        recorded.floor.current_vehicles
    };
    assert_eq!(record("2026-02-12T12:00:00Z").await, 1);
    let made = ["events_2026_02", "events_2026_03", "events_2026_04", "events_before_2000"];
    assert_eq!(partitions(&park, &schema).await, made);
    // The last instant of a month and the first of the next; then one beyond all that was made.
    assert_eq!(record("2026-02-28T23:59:59.999999Z").await, 2);
    assert_eq!(record("2026-03-01T00:00:00Z").await, 3);
    assert!(partitions(&park, &schema).await.contains(&"events_2026_05".to_owned()));
    assert_eq!(record("2026-11-30T23:59:59.999999Z").await, 4);
    let now = partitions(&park, &schema).await;
    assert!(
        now.contains(&"events_2026_11".to_owned()) && now.contains(&"events_2027_01".to_owned())
    );
    let all = park.events().get_events_by_floor(floor.id, 100).await.unwrap();
    assert_eq!(all.len(), 4);
    park.close().await;
}

#[tokio::test]
async fn two_servers_need_the_same_month_at_once() {
    let (schema, clock) = (Schema::new(), Clock::fixed(instant("2026-02-12T12:00:00Z")));
    let (one, other) = (park(&schema, &clock).await, park(&schema, &clock).await);
    let floor = one.floors().add_floor(NewFloor::new("Ground", 50)).await.unwrap();
    for month in 1..=9 {
        let at = format!("2011-0{month}-15T00:00:00Z");
        let (theirs, ours) = (car(&floor, "theirs", &at), car(&floor, "ours", &at));
        let both = car(&floor, "both", &at);
        let (first, second) = tokio::join!(
            one.events().record_events(vec![ours, both.clone()]),
            other.events().record_events(vec![both, theirs]),
        );
        let answers = [first.unwrap(), second.unwrap()].concat();
        let new = answers.iter().filter(|answer| !answer.as_ref().unwrap().duplicate);
        assert_eq!((answers.len(), new.count()), (4, 3), "{at}");
    }
    let months = partitions(&one, &schema).await;
    assert_eq!(months.iter().filter(|name| name.starts_with("events_2011_")).count(), 9);
    one.close().await;
    other.close().await;
}

#[tokio::test]
async fn a_month_ahead_that_cannot_be_made_holds_nothing_up() {
    let (schema, clock) = (Schema::new(), Clock::fixed(instant("2026-02-12T12:00:00Z")));
    let park = park(&schema, &clock).await;
    let floor = park.floors().add_floor(NewFloor::new("Ground", 50)).await.unwrap();
    schema.execute("CREATE TABLE events_2026_04 (in_the_way text)");
    let event = car(&floor, "t", "2026-02-12T11:00:00Z");
    assert!(!park.events().record_event(event).await.unwrap().duplicate);
    schema.execute("DROP TABLE events_2026_04");
    clock.set(instant("2026-04-02T00:00:00Z"));
    let event = car(&floor, "t", "2026-04-01T11:00:00Z");
    assert_eq!(park.events().record_event(event).await.unwrap().floor.current_vehicles, 2);
    assert!(partitions(&park, &schema).await.contains(&"events_2026_04".to_owned()));
    park.close().await;
}

#[tokio::test]
async fn a_cleanup_counts_what_was_recorded_while_it_began() {
    let (schema, clock) = (Schema::new(), Clock::fixed(instant("2026-02-12T12:00:00Z")));
    let park = park(&schema, &clock).await;
    let floor = park.floors().add_floor(NewFloor::new("Ground", 50)).await.unwrap();
    let at = |n| format!("2026-01-0{n}T10:00:00Z");
    let cars = (1..=9).map(|n| car(&floor, &n.to_string(), &at(n))).collect();
    park.events().record_events(cars).await.unwrap();
    // Transactions that a snapshot cannot have seen, as those of a moment later.
    schema.execute("UPDATE events SET change = '1000000000000000' WHERE id % 3 = 0");
    let cleanup = park.events().cleanup_old_events(37).await.unwrap();
    assert_eq!(cleanup.horizon, Some(instant("2026-01-06T12:00:00Z")));
    assert_eq!(cleanup.deleted, 6);
    let last = schema.ask("SELECT last_change || ' ' || last_event_id FROM retention");
    assert_eq!(last, "1000000000000000 6");
    park.close().await;
}

/// Attaching a partition holds the floors for a moment. A late batch that needs many gives them
/// back after every few, so nobody waits for all of them.
#[tokio::test]
async fn a_batch_over_ten_years_makes_its_months_a_few_at_a_time() {
    let (schema, clock) = (Schema::new(), Clock::fixed(instant("2026-02-12T12:00:00Z")));
    let park = park(&schema, &clock).await;
    let floor = park.floors().add_floor(NewFloor::new("Ground", 500)).await.unwrap();
    let months = (0..120).map(|n| {
        let at = format!("{}-{:02}-15T00:00:00Z", 2010 + n / 12, 1 + n % 12);
        car(&floor, &format!("t{n}"), &at)
    });
    let batch: Vec<NewEvent> = months.collect();
    // On a slow machine it is sent again: the months that were made stay.
    while park.events().record_events(batch.clone()).await.is_err() {}
    // A transaction leaves its number with each partition that it made.
    let most = schema.number(
        "SELECT max(made) FROM (SELECT count(*) AS made FROM pg_class
         WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
             AND relname ~ '^events_201' GROUP BY xmin::text) m",
    );
    let bound = i64::try_from(smartpark::limits::MONTHS_AT_ONCE).unwrap();
    assert!((1..=bound).contains(&most), "{most} months in one transaction");
    assert_eq!(partitions(&park, &schema).await.len(), 120 + 4);
    park.close().await;
}
