//! The tables: their names, columns and indexes are the contract's, and a database that does not
//! fit is refused with what to do.

use std::fs;

use smartpark::{Error, Options, SmartPark};

use super::world::on_every_engine;

on_every_engine! {
    async fn the_tables_are_those_of_the_contract(world) {
        let migrations = world.park.migrations();
        assert!(migrations.check_tables_exist().await.unwrap());
        migrations.create_tables().await.unwrap();
        let tables = migrations.get_table_info().await.unwrap();
        let table = |name: &str| tables.iter().find(|table| table.name == name).unwrap();
        let floors = table("floors");
        // Behind them stand the checksums by which `check` finds what was changed by hand.
        assert_eq!(floors.columns[..8], [
            "id", "name", "description", "total_slots", "current_vehicles", "is_active",
            "created_at", "updated_at",
        ]);
        assert_eq!(floors.indexes, ["ix_floor_is_active", "ix_floor_name", "ix_floor_updated_at"]);
        let events = table("events");
        assert_eq!(events.columns[..10], [
            "id", "camera_id", "floor_id", "track_id", "vehicle_type", "direction", "confidence",
            "timestamp", "created_at", "count_delta",
        ]);
        // On PostgreSQL one more: ids are not there in the order of commits.
        let indexes: Vec<_> =
            events.indexes.iter().filter(|name| *name != "ix_event_change").collect();
        assert_eq!(indexes, [
            "ix_event_at_limit", "ix_event_camera_floor_timestamp", "ix_event_camera_id",
            "ix_event_floor_id", "ix_event_floor_timestamp", "ix_event_timestamp",
            "ix_event_track_direction", "ix_event_track_id", "uq_event_idempotency",
        ]);
        for name in ["adjustments", "schema_migrations"] {
            assert!(!table(name).columns.is_empty());
        }
        let stats = migrations.get_database_stats().await.unwrap();
        assert_eq!((stats.floors, stats.events, stats.schema_version), (0, 0, 13));
        assert!(stats.horizon.is_none() && stats.size_bytes > 0);
    }

    async fn the_seed_is_that_of_the_contract(world) {
        let seed = world.park.seed();
        let floors = seed.seed_floors().await.unwrap();
        let told: Vec<_> =
            floors.iter().map(|f| (f.name.as_str(), f.total_slots, f.is_active)).collect();
        assert_eq!(told, [
            ("Ground Floor", 50, true),
            ("First Floor", 45, true),
            ("Second Floor", 40, true),
            ("Basement Level 1", 60, false),
        ]);
        let events = seed.seed_sample_events(&floors).await.unwrap();
        assert_eq!(events.len(), 15);
        assert!(events.iter().all(|event| !event.duplicate && event.event.at_limit.is_none()));
        assert_eq!(seed.seed_floors().await, Err(Error::NotEmpty));
        let stats = world.park.events().get_event_statistics(24).await.unwrap();
        assert_eq!(stats.total_events, 15);
        world.assert_clean().await;
        let again = seed.reset_database_seed().await.unwrap();
        assert_eq!(again.len(), 4);
        assert_eq!(world.park.migrations().get_database_stats().await.unwrap().events, 0);
        world.assert_clean().await;
    }
}

/// What a test does to a database file to make it unusable, and a word of the answer.
type Spoil = (&'static str, fn(&rusqlite::Connection), &'static str);

#[tokio::test]
async fn a_file_that_does_not_fit_is_refused() {
    let spoils: [Spoil; 4] = [
        (
            "newer",
            |db| {
                db.execute("INSERT INTO schema_migrations VALUES (99, 'later', 'x', 0)", [])
                    .unwrap();
            },
            "newer version of smartpark",
        ),
        (
            "changed",
            |db| {
                db.execute("UPDATE schema_migrations SET sha256 = 'x'", []).unwrap();
            },
            "is not the one of this program",
        ),
        ("foreign", |db| db.pragma_update(None, "application_id", 7).unwrap(), "another program"),
        (
            "without tables",
            |db| {
                db.execute("DELETE FROM schema_migrations", []).unwrap();
            },
            "smartpark migrate",
        ),
    ];
    for (name, spoil, word) in spoils {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("park.db");
        let url = format!("sqlite://{}", path.display());
        SmartPark::open(&url).await.unwrap().close().await;
        spoil(&rusqlite::Connection::open(&path).unwrap());
        let refused = SmartPark::connect(&url, Options::default()).await.unwrap_err();
        assert!(refused.to_string().contains(word), "{name}: {refused}");
    }
}

#[tokio::test]
async fn a_damaged_file_is_never_replaced_by_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("park.db");
    let url = format!("sqlite://{}", path.display());
    for damage in ["", "this is no database, however long it goes on and on and on and on"] {
        fs::write(&path, damage.repeat(20)).unwrap();
        for result in
            [SmartPark::open(&url).await, SmartPark::connect(&url, Options::default()).await]
        {
            assert!(matches!(result, Err(Error::Unusable(_))), "{result:?}");
        }
        assert_eq!(fs::read(&path).unwrap(), damage.repeat(20).as_bytes());
    }
    fs::remove_file(&path).unwrap();
    let missing = SmartPark::connect(&url, Options::default()).await.unwrap_err();
    assert!(missing.to_string().contains("smartpark migrate") && !path.exists());
    let nowhere = SmartPark::open("sqlite:///nowhere/at/all/park.db").await.unwrap_err();
    assert!(matches!(nowhere, Error::Unavailable(_)));
    for url in ["park.db", "mysql://x", "sqlite://", ""] {
        assert!(matches!(SmartPark::open(url).await, Err(Error::Unusable(_))), "{url}");
    }
}

#[tokio::test]
async fn many_may_make_one_database_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/park.db", folder.path().display());
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { SmartPark::open(&url).await.map(|_| ()) })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let left = fs::read_dir(folder.path()).unwrap();
    let left = left
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains(".new-"));
    assert_eq!(left.count(), 0);
}
