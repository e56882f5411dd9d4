//! Unfinished copies: nobody uses one, not even a server that ran before the copy began.

use smartpark::{Direction, Error, NewEvent, NewFloor, Options, SmartPark, VehicleType};
use tokio::runtime::Builder;

use super::{Schema, frozen::by_proxy};

/// A database in a file, with floors; the folder holds it.
async fn source() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/from.db", folder.path().display());
    let park = SmartPark::open(&url).await.unwrap();
    park.seed().seed_floors().await.unwrap();
    park.close().await;
    (folder, url)
}

#[test]
fn tables_of_a_copy_that_was_cut_off_before_it_began_are_no_database_to_use() {
    let schema = Schema::new();
    let (proxy, way) = by_proxy(&schema.url());
    // The proxy has a runtime of its own.
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (_folder, from) = source().await;
        // The first thing that it does once there are tables.
        proxy.hold_next("LOCK TABLE floors IN EXCLUSIVE MODE");
        let copy = {
            let from = from.clone();
            tokio::spawn(
                async move { SmartPark::copy(&from, &way, Options::default(), |_| {}).await },
            )
        };
        while !proxy.holds() {
            tokio::task::yield_now().await;
        }
        copy.abort();
        assert!(copy.await.unwrap_err().is_cancelled());
        let used = SmartPark::open(&schema.url()).await.unwrap_err();
        assert!(used.to_string().contains("unfinished copy"), "{used}");
        let copied = SmartPark::copy(&from, &schema.url(), Options::default(), |_| {}).await;
        assert!(copied.unwrap().is_finished());
        let park = SmartPark::open(&schema.url()).await.unwrap();
        assert_eq!(park.floors().get_all_floors().await.unwrap().len(), 4);
        park.close().await;
    });
}

#[tokio::test]
async fn a_server_that_ran_before_writes_nothing_to_an_unfinished_copy() {
    let schema = Schema::new();
    let park = SmartPark::open(&schema.url()).await.unwrap();
    let floor = park.floors().add_floor(NewFloor::new("One", 9)).await.unwrap();
    let car = |track: &str| {
        NewEvent::new("cam", floor.id, track, VehicleType::Car, Direction::Entry)
            .at("2026-02-12T10:30:45Z".parse().unwrap())
    };
    park.events().record_event(car("before")).await.unwrap();
    schema.execute("UPDATE site SET copy_of = 5");
    let refused = [
        park.events().record_event(car("meanwhile")).await.map(drop),
        park.floors().add_floor(NewFloor::new("Two", 9)).await.map(drop),
        park.floors().recount(floor.id, 3, "round", None).await.map(drop),
        park.floors().remove_floor(floor.id).await,
        park.seed().reset_database_seed().await.map(drop),
        park.events().cleanup_old_events(1).await.map(drop),
        park.ready().await,
    ];
    for refused in refused {
        let told = refused.unwrap_err();
        assert!(matches!(told, Error::Unavailable(_) | Error::Unusable(_)), "{told}");
        assert!(told.to_string().contains("unfinished copy"), "{told}");
    }
    assert_eq!(schema.number("SELECT count(*) FROM events"), 1);
    assert_eq!(schema.number("SELECT current_vehicles FROM floors"), 1);
    assert_eq!(schema.number("SELECT count(*) FROM retention WHERE horizon IS NULL"), 1);
    schema.execute("UPDATE site SET copy_of = NULL");
    assert!(!park.events().record_event(car("after")).await.unwrap().duplicate);
    park.close().await;
}
