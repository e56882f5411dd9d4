//! `check` finds what does not hold, and `--repair` mends what is derived. Each fault is planted
//! with SQL, so that every check is seen to fail.

use smartpark::SmartPark;

use super::world::{World, entry, exit, on_every_engine};

/// A fault, the statement that plants it (`{later}`: a timestamp 7 µs on), the invariant that names
/// it, whether it can be mended.
const FAULTS: [(&str, &str, &str, bool); 11] = [
    (
        "a count moved by nobody",
        "UPDATE floors SET current_vehicles = current_vehicles + 1",
        "I6",
        true,
    ),
    ("a delta too many", "UPDATE events SET count_delta = 0 WHERE id = 1", "I6", true),
    ("an event lost", "DELETE FROM events WHERE id = 3", "I9", true),
    (
        "an event more",
        "INSERT INTO events SELECT 999, camera_id, floor_id, 'more', vehicle_type,
        direction, confidence, {later}, created_at, 0, false FROM events WHERE id = 1",
        "I13",
        true,
    ),
    ("a sum too high", "UPDATE event_hours SET car_entries = car_entries + 1", "I13", true),
    ("a sum lost", "DELETE FROM event_hours", "I13", true),
    ("a stretch lost", "DELETE FROM floor_stretches WHERE level = 1", "I9", true),
    ("a stretch too many facts", "UPDATE floor_stretches SET facts = facts + 1", "I9", true),
    ("a wrong opening", "UPDATE floor_stretches SET opening = 1 WHERE level = 0", "I9", true),
    ("an event at the limit forgotten", "DELETE FROM events_at_limit", "I13", true),
    (
        "a key twice",
        "DROP INDEX uq_event_idempotency;
        INSERT INTO events SELECT 999, camera_id, floor_id, track_id, vehicle_type, direction,
        confidence, timestamp, created_at, 0, false FROM events WHERE id = 1",
        "I3",
        false,
    ),
];

async fn fill(world: &World) {
    let floor = world.floor("Ground", 3).await;
    let mut batch = Vec::new();
    for n in 0..200_i64 {
        let track = format!("t{n}");
        let comes = n % 5 < 3;
        let at = -70_000 + n * 300;
        batch.push(if comes { entry(&floor, &track, at) } else { exit(&floor, &track, at) });
    }
    for result in world.park.events().record_events(batch).await.unwrap() {
        result.unwrap();
    }
    world.park.floors().recount(floor.id, 2, "round", None).await.unwrap();
}

on_every_engine! {
    async fn every_planted_fault_is_found_and_mended(world) {
        for (name, sql, invariant, mendable) in FAULTS {
            let world = world.another().await;
            fill(&world).await;
            world.assert_clean().await;
            world.execute(&sql.replace("{later}", world.later()));
            let report = world.park.check(false).await.unwrap();
            let found: Vec<_> = report.violations.iter().map(|found| found.invariant).collect();
            assert!(found.contains(&invariant), "{name}: {found:?}");
            assert!(!report.repaired);
            let repaired = world.park.check(true).await.unwrap();
            assert!(repaired.repaired);
            assert_eq!(repaired.is_clean(), mendable, "{name}: {:?}", repaired.violations);
        }
    }

    /// More facts, on more days, than are read at once.
    async fn a_long_history_is_checked_and_mended_to_its_end(world) {
        let floor = world.floor("Ground", 3).await;
        let many = (0..9_000).map(|n| entry(&floor, &format!("t{n}"), 30 * (n - 9_000)));
        world.park.events().record_events(many.collect()).await.unwrap();
        let checked = world.park.check(false).await.unwrap();
        assert_eq!((checked.events, checked.violations), (9_000, Vec::new()));
        world.execute(
            "UPDATE event_hours SET car_exits = 1 WHERE hour = (SELECT max(hour) FROM event_hours);
            UPDATE floor_stretches SET low = low - 1
            WHERE level = 0 AND start = (SELECT max(start) FROM floor_stretches WHERE level = 0)",
        );
        let report = world.park.check(false).await.unwrap();
        let found: Vec<_> = report.violations.iter().map(|found| found.invariant).collect();
        assert_eq!(found, ["I9", "I13"]);
        assert!(world.park.check(true).await.unwrap().is_clean());
    }

    async fn repairing_a_sound_park_changes_nothing(world) {
        fill(&world).await;
        world.park.events().cleanup_old_events(1).await.unwrap();
        let dump = async |park: &SmartPark| {
            let stats = park.events().get_event_statistics(1_000).await.unwrap();
            let floors = park.floors().get_all_floors().await.unwrap();
            (stats, floors, park.migrations().get_table_info().await.unwrap())
        };
        let before = dump(&world.park).await;
        assert!(world.park.check(true).await.unwrap().is_clean());
        assert_eq!(dump(&world.park).await, before);
    }
}
