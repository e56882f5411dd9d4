//! `check --repair` mends whatever is derived: every column of every table is either a fact, or it
//! is damaged here, found and mended. A new column fails this test until it is decided which it is.

use std::collections::BTreeSet;

use smartpark::Floor;

use super::world::{World, entry, exit, on_every_engine};

/// Tables of facts, of what is left of deleted facts, and of what has nothing to do with counts.
const FACTS: [&str; 15] = [
    "adjustments",
    "api_keys",
    "device_states",
    "event_digests",
    "event_places",
    "events",
    "floor_origins",
    "not_counted",
    "refusals",
    "retention",
    "schema_migrations",
    "sessions",
    "site",
    "withdrawals",
    "withdrawn_facts",
];

/// Derived tables and how each of their columns is damaged. `{empty}` is a floor without events,
/// `{full}` one that has some, `{days}` a long time.
const DERIVED: [(&str, &[(&str, &str)]); 3] = [
    (
        "floor_stretches",
        &[
            ("floor_id", "floor_id = {empty} WHERE floor_id = {full} AND level > 0"),
            ("level", "level = level + 10"),
            ("start", "start = start + {days}"),
            ("facts", "facts = facts + 1"),
            ("divided", "divided = CASE WHEN divided = {true} THEN {false} ELSE {true} END"),
            ("shift", "shift = shift + 1"),
            ("low", "low = low - 1"),
            ("high", "high = high + 1"),
            ("opening", "opening = opening + 1 WHERE level = 0"),
        ],
    ),
    (
        "event_hours",
        &[
            ("hour", "hour = hour + {days}"),
            ("floor_id", "floor_id = {empty} WHERE floor_id = {full}"),
            ("camera_id", "camera_id = 'another'"),
            ("car_entries", "car_entries = car_entries + 1"),
            ("car_exits", "car_exits = car_exits + 1"),
            ("motorcycle_entries", "motorcycle_entries = motorcycle_entries + 1"),
            ("motorcycle_exits", "motorcycle_exits = motorcycle_exits + 1"),
            ("bus_entries", "bus_entries = bus_entries + 1"),
            ("bus_exits", "bus_exits = bus_exits + 1"),
            ("truck_entries", "truck_entries = truck_entries + 1"),
            ("truck_exits", "truck_exits = truck_exits + 1"),
            ("at_limit", "at_limit = at_limit + 1"),
            ("checksum", "checksum = checksum + 1"),
        ],
    ),
    (
        "events_at_limit",
        &[
            ("event_id", "event_id = event_id + 1000000"),
            ("floor_id", "floor_id = {empty}"),
            ("camera_id", "camera_id = 'another'"),
            ("timestamp", "timestamp = timestamp - {days}"),
        ],
    ),
];

/// Two floors with a history of which a part is forgotten, and one without any.
async fn fill(world: &World) -> [Floor; 3] {
    let floors = [
        world.floor("Ground", 3).await,
        world.floor("First", 2).await,
        world.floor("Empty", 9).await,
    ];
    for floor in &floors[..2] {
        let mut batch = Vec::new();
        for n in 0..260_i64 {
            let (track, at) = (format!("t{n}"), -130_000 + n * 500);
            let comes = n % 5 < 3;
            batch.push(if comes { entry(floor, &track, at) } else { exit(floor, &track, at) });
        }
        // Many in one hour: a day that is divided.
        batch.extend((0..90).map(|n| entry(floor, &format!("busy{n}"), -9_000 + n)));
        for result in world.park.events().record_events(batch).await.unwrap() {
            result.unwrap();
        }
        world.park.floors().recount(floor.id, 1, "round", None).await.unwrap();
    }
    world.park.events().cleanup_old_events(1).await.unwrap();
    floors
}

/// The statements of this engine.
fn spelled(world: &World, sql: &str, floors: &[Floor; 3]) -> String {
    let is_sqlite = world.url.starts_with("sqlite:");
    let pick = |sqlite: &'static str, postgres| if is_sqlite { sqlite } else { postgres };
    sql.replace("{full}", &floors[0].id.to_string())
        .replace("{empty}", &floors[2].id.to_string())
        .replace("{days}", pick("86400000000 * 1000", "interval '1000 days'"))
        .replace("{true}", pick("1", "true"))
        .replace("{false}", pick("0", "false"))
}

/// Damages a derived table; it must be found, and mended so that all is as it was.
async fn damage_and_mend(world: &World, table: &str, sql: &str) {
    let derived = || DERIVED.map(|(table, _)| world.rows(table));
    let before = derived();
    world.execute(sql);
    assert_ne!(derived(), before, "{sql}: no damage");
    let found = world.park.check(false).await.unwrap();
    assert!(!found.is_clean(), "{table}: {sql} is not found");
    let mended = world.park.check(true).await.unwrap();
    assert!(mended.is_clean(), "{table}: {sql}: {:?}", mended.violations);
    for (now, before) in derived().iter().zip(&before) {
        assert_eq!(now, before, "{sql}");
    }
}

on_every_engine! {
    async fn all_that_is_derived_is_mended(world) {
        let floors = fill(&world).await;
        // A count first: mending it writes an adjustment, which is a fact.
        let sql = "UPDATE floors SET current_vehicles = current_vehicles + 1 WHERE id <> {empty}";
        world.execute(&spelled(&world, sql, &floors));
        assert!(!world.park.check(false).await.unwrap().is_clean());
        assert!(world.park.check(true).await.unwrap().is_clean());
        assert_eq!(world.count(&floors[0]).await, 1);
        for (table, columns) in DERIVED {
            // Which forgotten events found their floor at its limit can no longer be derived.
            let which = if table == "events_at_limit" {
                " WHERE timestamp >= (SELECT horizon FROM retention WHERE id = 1)"
            } else {
                ""
            };
            damage_and_mend(&world, table, &format!("DELETE FROM {table}{which}")).await;
            for (_, change) in columns {
                let change = spelled(&world, change, &floors);
                let sql = format!("UPDATE {table} SET {change}{which}");
                damage_and_mend(&world, table, &sql).await;
            }
        }
    }

    async fn every_column_is_a_fact_or_derived(world) {
        let tables = world.park.migrations().get_table_info().await.unwrap();
        for table in tables {
            let name = table.name.as_str();
            if let Some((_, columns)) = DERIVED.iter().find(|(derived, _)| *derived == name) {
                let damaged: BTreeSet<_> = columns.iter().map(|(column, _)| *column).collect();
                let there: BTreeSet<_> = table.columns.iter().map(String::as_str).collect();
                assert_eq!(damaged, there, "{name}");
            } else if name == "floors" {
                // Of these current_vehicles and the two checksums are derived.
                assert_eq!(table.columns.len(), 10, "{:?}", table.columns);
            } else {
                assert!(FACTS.contains(&name), "{name}: facts, or to be damaged?");
            }
        }
    }
}
