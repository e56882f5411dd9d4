//! `check` finds what somebody changes behind SmartPark's back, one value at a time: in every table
//! that holds facts or settings, and in the schema. (`repair` damages what is derived.)

use smartpark::{FloorChange, NewKey, Role, StateChange};

use super::world::{World, after, entry, exit, on_every_engine};

const DAY: i64 = 86_400;

/// A change and its statement; what each engine spells differently is in braces.
type Change = (&'static str, &'static str);

const EVENTS: [Change; 16] = [
    ("delta", "UPDATE events SET count_delta = 0 WHERE id = {moved}"),
    (
        "two deltas that cancel",
        "UPDATE events SET count_delta = 0 WHERE id IN (
            (SELECT max(id) FROM events WHERE count_delta = 1 AND floor_id = 2),
            (SELECT max(id) FROM events WHERE count_delta = -1 AND floor_id = 2))",
    ),
    ("removed", "DELETE FROM events WHERE id = {moved}"),
    ("removed, though it moved nothing", "DELETE FROM events WHERE id = {idle}"),
    (
        "time, by a microsecond",
        "UPDATE events SET timestamp = timestamp + {micro} WHERE id = {last}",
    ),
    ("time, by a day", "UPDATE events SET timestamp = timestamp - {day} WHERE id = {last}"),
    (
        "direction",
        "UPDATE events SET direction = 1 - direction, count_delta = -count_delta \
         WHERE id = {moved}",
    ),
    ("floor", "UPDATE events SET floor_id = 3 - floor_id WHERE id = {last}"),
    ("type", "UPDATE events SET vehicle_type = (vehicle_type + 1) % 4 WHERE id = {last}"),
    ("camera", "UPDATE events SET camera_id = 'other' WHERE id = {last}"),
    ("track", "UPDATE events SET track_id = 'other' WHERE id = {last}"),
    ("confidence", "UPDATE events SET confidence = 0.123 WHERE id = {last}"),
    ("time of recording", "UPDATE events SET created_at = created_at + {micro} WHERE id = {last}"),
    ("answer", "UPDATE events SET at_limit = {false} WHERE id = {limited}"),
    ("id", "UPDATE events SET id = id + 1000 WHERE id = {idle}"),
    (
        "added",
        "INSERT INTO events (id, camera_id, floor_id, track_id, vehicle_type, direction,
            confidence, timestamp, created_at, count_delta, at_limit)
        SELECT 9999, camera_id, floor_id, 'added', vehicle_type, direction, confidence, timestamp,
            created_at, 0, {false} FROM events WHERE id = {last}",
    ),
];

const ADJUSTMENTS: [Change; 12] = [
    ("removed", "DELETE FROM adjustments WHERE kind = 0"),
    ("removed, though it moved nothing", "DELETE FROM adjustments WHERE id = {still}"),
    ("count", "UPDATE adjustments SET current_vehicles = current_vehicles + 1 WHERE kind = 0"),
    ("slots", "UPDATE adjustments SET total_slots = total_slots + 1 WHERE kind = 1"),
    (
        "slots beside a recount",
        "UPDATE adjustments SET total_slots = total_slots + 1 WHERE kind = 0",
    ),
    ("delta", "UPDATE adjustments SET delta = delta + 1"),
    ("floor", "UPDATE adjustments SET floor_id = 3 - floor_id WHERE id = {still}"),
    ("kind", "UPDATE adjustments SET kind = 1 WHERE id = {still}"),
    ("reason", "UPDATE adjustments SET reason = 'another' WHERE id = {still}"),
    ("author", "UPDATE adjustments SET author = 'somebody' WHERE id = {still}"),
    ("time", "UPDATE adjustments SET timestamp = timestamp + {micro} WHERE id = {still}"),
    ("time of recording", "UPDATE adjustments SET created_at = created_at - {day}"),
];

const SETTINGS: [Change; 25] = [
    ("count", "UPDATE floors SET current_vehicles = current_vehicles - 1 WHERE id = 2"),
    ("slots", "UPDATE floors SET total_slots = total_slots + 1 WHERE id = 2"),
    ("name", "UPDATE floors SET name = 'Roof' WHERE id = 2"),
    ("description", "UPDATE floors SET description = 'none' WHERE id = 2"),
    ("state", "UPDATE floors SET is_active = {false} WHERE id = 2"),
    ("creation", "UPDATE floors SET created_at = created_at - {day} WHERE id = 2"),
    (
        "first slots",
        "UPDATE floor_origins SET initial_slots = initial_slots + 1 WHERE floor_id = 2",
    ),
    ("count at the horizon", "UPDATE floor_origins SET base_count = base_count + 1"),
    ("deltas of the past", "UPDATE floor_origins SET removed_delta = removed_delta + 1"),
    ("horizon, on", "UPDATE retention SET horizon = horizon + {hour}"),
    ("horizon, back", "UPDATE retention SET horizon = horizon - {day}"),
    ("no horizon", "UPDATE retention SET horizon = NULL"),
    ("last id", "UPDATE retention SET last_event_id = 0"),
    ("which site", "UPDATE site SET identity = identity + 1"),
    ("lineage", "UPDATE site SET lineage = lineage + 1"),
    ("a key's role", "UPDATE api_keys SET role = 2 WHERE name = 'gate'"),
    ("a key's cameras", "UPDATE api_keys SET cameras = NULL WHERE name = 'gate'"),
    ("a key's secret", "UPDATE api_keys SET sha256 = {boss}"),
    ("a key revoked", "UPDATE api_keys SET revoked_at = created_at WHERE name = 'gate'"),
    ("a key removed", "DELETE FROM api_keys WHERE name = 'gate'"),
    ("the state of an adapter", "UPDATE device_states SET state = {boss}"),
    ("how long a state is kept", "UPDATE device_states SET keep_until = NULL"),
    ("a state of another camera", "UPDATE device_states SET camera_id = 'other'"),
    ("a state of another key", "UPDATE device_states SET key = 'other'"),
    ("a key unreadable", "UPDATE api_keys SET cameras = 'all' WHERE name = 'gate'"),
];

const PAST: [Change; 7] = [
    ("sum before the horizon", "UPDATE event_hours SET car_entries = car_entries + 1 {first_hour}"),
    ("hour before the horizon", "DELETE FROM event_hours {first_hour}"),
    ("stretch of the horizon's day", "UPDATE floor_stretches SET shift = shift + 1 {horizons_day}"),
    ("digest cut", "UPDATE event_digests SET data = {half} {first_hour}"),
    ("digest removed", "DELETE FROM event_digests {first_hour}"),
    ("digest of another hour", "UPDATE event_digests SET hour = hour + {hour} {last_digest}"),
    ("digest of another floor", "UPDATE event_digests SET floor_id = 3 - floor_id {last_digest}"),
];

/// Two floors, one small, with twenty days of events of which ten are forgotten; adjustments, of
/// which one moved nothing; a key.
async fn fill(world: &World) {
    let floors = [world.floor("Ground", 3).await, world.floor("First", 40).await];
    let mut batch = Vec::new();
    for n in 0..400_i64 {
        let (track, at) = (format!("t{n}"), -20 * DAY + n * 4_300);
        let floor = &floors[usize::from(n % 2 == 0)];
        let comes = n * n % 11 < 6;
        batch.push(if comes { entry(floor, &track, at) } else { exit(floor, &track, at) });
    }
    // Many on the horizon's day, so that it is divided.
    batch.extend((0..90).map(|n| entry(&floors[1], &format!("busy{n}"), -10 * DAY + 20 + n * 60)));
    for result in world.park.events().record_events(batch).await.unwrap() {
        result.unwrap();
    }
    let park = &world.park;
    park.floors().recount(1, 2, "round", Some("Ann")).await.unwrap();
    park.floors().recount(1, 2, "again", None).await.unwrap();
    let lower = FloorChange { total_slots: Some(30), force: true, ..FloorChange::default() };
    park.floors().change_floor(2, lower).await.unwrap();
    park.events().cleanup_old_events(10).await.unwrap();
    world.record(entry(&floors[1], "late", -5)).await;
    let state = StateChange {
        camera_id: "cam_001".into(),
        key: "counter".into(),
        expected: None,
        new: Some(vec![1]),
        keep_until: Some(after(60)),
    };
    park.events().record_with_state(Vec::new(), vec![state]).await.unwrap();
    let cameras = vec!["cam_001".to_owned()];
    let gate = NewKey { cameras, ..NewKey::new("gate", Role::Camera) };
    park.keys().add_key(gate).await.unwrap();
    park.keys().add_key(NewKey::new("boss", Role::Admin)).await.unwrap();
}

/// The statement as the engine of `world` spells it.
fn spelled(world: &World, sql: &str) -> String {
    let is_sqlite = world.url.starts_with("sqlite:");
    let words = [
        ("{moved}", "(SELECT max(id) FROM events WHERE count_delta = 1)", ""),
        ("{idle}", "(SELECT max(id) FROM events WHERE count_delta = 0)", ""),
        ("{last}", "(SELECT max(id) FROM events)", ""),
        ("{limited}", "(SELECT max(id) FROM events WHERE at_limit = {true})", ""),
        ("{still}", "(SELECT max(id) FROM adjustments WHERE kind = 0)", ""),
        ("{first_hour}", "WHERE hour = (SELECT min(hour) FROM event_hours)", ""),
        ("{last_digest}", "WHERE hour = (SELECT max(hour) FROM event_digests)", ""),
        ("{horizons_day}", "WHERE start = (SELECT min(start) FROM floor_stretches)", ""),
        ("{boss}", "(SELECT sha256 FROM api_keys WHERE name = 'boss')", ""),
        ("{half}", "substr(data, 1, length(data) / 2)", ""),
        ("{true}", "1", "true"),
        ("{false}", "0", "false"),
        ("{micro}", "1", "interval '1 microsecond'"),
        ("{hour}", "3600000000", "interval '1 hour'"),
        ("{day}", "86400000000", "interval '1 day'"),
    ];
    words.iter().fold(sql.to_owned(), |sql, (word, sqlite, postgres)| {
        let postgres = if postgres.is_empty() { sqlite } else { postgres };
        sql.replace(word, if is_sqlite { sqlite } else { postgres })
    })
}

/// Makes each change in a park of its own and expects `check` to find it.
async fn expect_found(world: World, changes: &[Change]) {
    let mut missed = Vec::new();
    for (name, sql) in changes {
        let world = world.another().await;
        fill(&world).await;
        world.assert_clean().await;
        world.execute(&spelled(&world, sql));
        // Connected anew, as the command is.
        let report = world.another_park().await.check(false).await.unwrap();
        if report.is_clean() {
            missed.push(*name);
        }
    }
    assert_eq!(missed, Vec::<&str>::new());
}

on_every_engine! {
    async fn a_changed_event_is_found(world) {
        expect_found(world, &EVENTS).await;
    }

    async fn a_changed_adjustment_is_found(world) {
        expect_found(world, &ADJUSTMENTS).await;
    }

    async fn a_changed_setting_is_found(world) {
        expect_found(world, &SETTINGS).await;
    }

    async fn what_is_left_of_the_past_is_checked(world) {
        expect_found(world, &PAST).await;
    }

    /// All that SmartPark writes by itself keeps its checksums: nothing is reported that nobody
    /// changed.
    async fn what_smartpark_changes_is_not_reported(world) {
        fill(&world).await;
        let park = &world.park;
        let name = FloorChange { name: Some("Upper".into()), ..FloorChange::default() };
        park.floors().change_floor(2, name).await.unwrap();
        park.floors().update_vehicle_count(2, smartpark::Direction::Entry).await.unwrap();
        world.assert_clean().await;
        park.keys().rotate_key("gate").await.unwrap();
        park.keys().revoke_key("boss").await.unwrap();
        world.assert_clean().await;
        // Farther, in two steps, over events that are late by then.
        let floor = park.floors().get_floor_by_id(2).await.unwrap().unwrap();
        for days in [6, 3] {
            world.record(entry(&floor, &format!("late{days}"), -days * DAY + 60)).await;
            park.events().cleanup_old_events(u32::try_from(days).unwrap()).await.unwrap();
            world.assert_clean().await;
        }
        park.floors().remove_floor(world.floor("Third", 4).await.id).await.unwrap();
        park.check(true).await.unwrap();
        world.assert_clean().await;
        park.seed().reset_database_seed().await.unwrap();
        world.assert_clean().await;
    }
}
