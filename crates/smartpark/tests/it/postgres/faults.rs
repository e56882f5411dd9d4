//! What passes by itself is tried again and nobody is told; what does not is told at once.

use smartpark::{Direction, Error, Floor, NewEvent, NewFloor, SmartPark, VehicleType};
use tokio_postgres::NoTls;

use super::{Schema, cluster::Cluster};

/// A trigger that fails as often as `faults` says, with the code that `fault` raises.
const TRIGGERS: &str = "
    CREATE SEQUENCE faults START 1000;
    CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER at_once BEFORE UPDATE ON floors FOR EACH STATEMENT EXECUTE FUNCTION fault();
    CREATE CONSTRAINT TRIGGER at_commit AFTER UPDATE ON floors DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION fault()";

/// Takes the triggers away: `check` tells of triggers that are not SmartPark's.
const NO_TRIGGERS: &str = "DROP FUNCTION fault() CASCADE; DROP SEQUENCE faults";

/// Lets the next two changes of a floor fail with this code, when they are made or committed.
fn plant(schema: &Schema, code: &str, place: &str) {
    let other = if place == "at_once" { "at_commit" } else { "at_once" };
    schema.execute(&format!(
        "CREATE OR REPLACE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF nextval('faults') <= 2 THEN RAISE EXCEPTION 'planted' USING ERRCODE = '{code}';
             END IF; RETURN NULL; END $$;
         ALTER TABLE floors DISABLE TRIGGER {other};
         ALTER TABLE floors ENABLE TRIGGER {place};
         ALTER SEQUENCE faults RESTART WITH 1"
    ));
}

fn car(floor: &Floor, track: &str) -> NewEvent {
    NewEvent::new("cam", floor.id, track, VehicleType::Car, Direction::Entry)
}

async fn park_with_floor(url: &str) -> (SmartPark, Floor) {
    let park = SmartPark::open(url).await.unwrap();
    let floor = park.floors().add_floor(NewFloor::new("Ground", 50)).await.unwrap();
    (park, floor)
}

#[tokio::test]
async fn what_passes_is_tried_again_and_counted_once() {
    let schema = Schema::new();
    let (park, floor) = park_with_floor(&schema.url()).await;
    schema.execute(TRIGGERS);
    // Serialisation, deadlock, lock, stops and restarts, a cancelled statement, connections, no
    // room, the disk, a primary that has become a standby, a key that another wrote first.
    let codes = [
        "40001", "40P01", "55P03", "57P01", "57P02", "57P03", "57014", "08000", "08006", "53100",
        "53200", "53300", "58030", "25006", "23505",
    ];
    let mut recorded = 0;
    for code in codes {
        for place in ["at_once", "at_commit"] {
            plant(&schema, code, place);
            let answer = park.events().record_event(car(&floor, &format!("{code} {place}"))).await;
            recorded += 1;
            let answer = answer.unwrap_or_else(|error| panic!("{code} {place}: {error}"));
            assert!(!answer.duplicate, "{code} {place}");
            assert_eq!(answer.floor.current_vehicles, recorded, "{code} {place}");
        }
    }
    // A recount has no key by which a repetition would be known: whoever asked decides.
    plant(&schema, "40001", "at_commit");
    for _ in 0..2 {
        let refused = park.floors().recount(floor.id, 7, "counted", None).await.unwrap_err();
        assert!(matches!(refused, Error::Unavailable(_)), "{refused}");
        let now = park.floors().get_floor_by_id(floor.id).await.unwrap().unwrap();
        assert_eq!(now.current_vehicles, recorded);
    }
    let floor = park.floors().recount(floor.id, 7, "counted", None).await.unwrap();
    assert_eq!(floor.current_vehicles, 7);
    schema.execute(NO_TRIGGERS);
    assert!(park.check(false).await.unwrap().is_clean());
    park.close().await;
}

#[tokio::test]
async fn what_does_not_pass_is_told_at_once_and_stores_nothing() {
    let schema = Schema::new();
    let (park, floor) = park_with_floor(&schema.url()).await;
    schema.execute(TRIGGERS);
    for code in ["P0001", "22012", "XX001", "42883"] {
        for place in ["at_once", "at_commit"] {
            plant(&schema, code, place);
            // Two faults were planted: had it been tried again, the third would have been good.
            for _ in 0..2 {
                let refused = park.events().record_event(car(&floor, "t")).await.unwrap_err();
                assert!(matches!(refused, Error::Internal(_)), "{code} {place}: {refused}");
            }
        }
    }
    assert!(!park.events().record_event(car(&floor, "t")).await.unwrap().duplicate);
    schema.execute(NO_TRIGGERS);
    assert!(park.check(false).await.unwrap().is_clean());
    park.close().await;
}

#[tokio::test]
async fn a_park_that_cannot_write_is_not_ready_until_it_can() {
    let schema = Schema::new();
    let (park, floor) = park_with_floor(&schema.url()).await;
    park.ready().await.unwrap();
    // As a full disk does it: reads go on, no write does.
    schema.execute(
        "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             RAISE EXCEPTION 'planted' USING ERRCODE = '53100'; END $$;
         CREATE TRIGGER no_room BEFORE INSERT ON refusals EXECUTE FUNCTION no_room()",
    );
    while park.ready().await.is_ok() {}
    let told = park.ready().await;
    assert!(matches!(told, Err(Error::Unavailable(_))), "{told:?}");
    park.floors().get_floor_by_id(floor.id).await.unwrap().unwrap();
    schema.execute("DROP TRIGGER no_room ON refusals");
    while park.ready().await.is_err() {}
    assert_eq!(schema.ask("SELECT count(*) FROM refusals"), "0");
}

#[tokio::test]
async fn connections_that_end_are_replaced() {
    let schema = Schema::new();
    let (park, floor) = park_with_floor(&format!("{}&application_name=ended", schema.url())).await;
    for i in 0..5 {
        schema.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
             WHERE application_name = 'ended'",
        );
        park.events().record_event(car(&floor, &format!("{i}"))).await.unwrap();
        let found = park.floors().get_floor_by_id(floor.id).await.unwrap().unwrap();
        assert_eq!(found.current_vehicles, i + 1);
    }
    park.close().await;
}

#[tokio::test]
async fn a_server_that_takes_no_more_connections_is_waited_for() {
    let cluster = Cluster::with(&["max_connections = 8", "max_wal_senders = 0"]);
    let mut others = Vec::new();
    while let Ok((client, connection)) = tokio_postgres::connect(&cluster.url, NoTls).await {
        others.push((client, tokio::spawn(connection)));
    }
    assert_eq!(others.len(), 8);
    let url = cluster.url.clone();
    let opened = tokio::spawn(async move { SmartPark::open(&url).await });
    let log = cluster.folder().join("log");
    // One refusal was ours above.
    while std::fs::read_to_string(&log).unwrap().matches("FATAL").count() < 2 {
        tokio::task::yield_now().await;
    }
    drop(others);
    opened.await.unwrap().unwrap().close().await;
}
