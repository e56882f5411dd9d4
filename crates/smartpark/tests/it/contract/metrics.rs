//! The metrics agree with the rows (I17).

use std::{future::poll_fn, pin::pin, sync::Arc, task::Poll};

use smartpark::{
    Direction, NewEvent, SmartPark, VehicleType,
    http::{HttpConfig, serve},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use super::world::{World, after, entry, exit, on_every_engine};
use crate::scrape::{Scrape, promtool};

/// Asks a server over this park, as Prometheus does.
async fn scrape(park: &SmartPark) -> (Scrape, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = Arc::new(Notify::new());
    let stopped = Arc::clone(&stop);
    let stopping = async move { stopped.notified().await };
    let served = tokio::spawn(serve(park.clone(), listener, HttpConfig::default(), stopping));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    stop.notify_one();
    served.await.unwrap().unwrap();
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.0 200"), "{head}");
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
    (Scrape::of(text), text.to_owned())
}

async fn rows(world: &World) -> f64 {
    world.park.migrations().get_database_stats().await.unwrap().events as f64
}

on_every_engine! {
    async fn counters_are_the_rows_and_gauges_the_counts(world) {
        let ground = world.floor("Ground \"A\" \\ B", 9).await;
        let nook = world.floor("Nook", 1).await;
        world.record(entry(&ground, "a", -70)).await;
        world.record(entry(&ground, "b", -60)).await;
        world.record(exit(&ground, "a", -50)).await;
        world.record(entry(&nook, "c", -40)).await;
        world.record(entry(&nook, "d", -30)).await;
        // Repeats: one as it was, one that says something else.
        world.record(entry(&ground, "a", -70)).await;
        let mut other = entry(&ground, "b", -60);
        other.vehicle_type = VehicleType::Bus;
        world.record(other).await;
        let lost = NewEvent::new("lost", 99, "t", VehicleType::Car, Direction::Entry);
        world.park.events().record_events(vec![lost.clone(), lost]).await.unwrap();
        world.park.floors().recount(ground.id, 4, "counted", None).await.unwrap();

        let (told, text) = scrape(&world.park).await;
        promtool(&["check", "metrics"], &text);
        assert_eq!(told.value("smartpark_events_recorded_total"), 5.0);
        assert_eq!(told.value("smartpark_events_recorded_total"), rows(&world).await);
        assert_eq!(told.value("smartpark_events_duplicate_total"), 2.0);
        assert_eq!(told.value("smartpark_events_differing_total"), 1.0);
        let name = "smartpark_events_at_limit_total";
        let labels = format!("camera_id=\"cam_001\",floor_id=\"{}\",limit=\"full\"", nook.id);
        assert_eq!(told.family(name), [(format!("{name}{{{labels}}}").as_str(), 1.0)]);
        let refused =
            "smartpark_events_refused_total{camera_id=\"lost\",reason=\"unknown_floor\"}";
        assert_eq!(told.family("smartpark_events_refused_total"), [(refused, 2.0)]);
        // A server that begins may be storing what was refused, which counts as one row.
        assert!(told.value("smartpark_recorder_queue_rows") <= 1.0, "{told:?}");
        assert_eq!(told.value("smartpark_recorder_group_rows_sum"), 9.0);
        assert_eq!(told.value("smartpark_recorder_group_rows_count"), 8.0);
        assert_eq!(told.value("smartpark_recorder_commit_duration_seconds_count"), 8.0);
        assert_eq!(told.value("smartpark_recorder_failed_groups_total"), 0.0);
        assert_eq!(told.value("smartpark_store_up"), 1.0);
        assert!(told.value("smartpark_database_size_bytes") > 10_000.0);
        for floor in world.park.floors().get_all_floors().await.unwrap() {
            let name = floor.name.replace('\\', "\\\\").replace('"', "\\\"");
            let value = |family: &str| {
                told.value(&format!("{family}{{floor_id=\"{}\",floor=\"{name}\"}}", floor.id))
            };
            assert_eq!(value("smartpark_floor_slots"), floor.total_slots as f64);
            assert_eq!(value("smartpark_floor_vehicles"), floor.current_vehicles as f64);
            assert_eq!(value("smartpark_floor_free_slots"), floor.available_slots() as f64);
            assert_eq!(value("smartpark_floor_active"), 1.0);
        }
        let age = "smartpark_camera_last_event_age_seconds{camera_id=\"cam_001\"}";
        assert_eq!(told.family("smartpark_camera_last_event_age_seconds"), [(age, 30.0)]);
    }

    async fn what_is_stored_is_counted_although_nobody_waits_for_the_answer(world) {
        let floor = world.floor("Ground", 9).await;
        let (mut sent, mut is_left) = (0, false);
        // On a busy machine one may be answered before it can be left: then another is.
        while !is_left {
            sent += 1;
            let event = entry(&floor, &format!("left {sent}"), -2);
            let mut left = pin!(world.park.events().record_event(event));
            let first = poll_fn(|context| Poll::Ready(left.as_mut().poll(context)));
            is_left = first.await.is_pending();
        }
        world.record(entry(&floor, "stays", -1)).await;
        let (told, _) = scrape(&world.park).await;
        assert_eq!(rows(&world).await, f64::from(sent + 1));
        assert_eq!(told.value("smartpark_events_recorded_total"), f64::from(sent + 1));
    }

    async fn a_camera_is_told_by_its_last_event_for_a_week(world) {
        let (ground, roof) = (world.floor("Ground", 9).await, world.floor("Roof", 9).await);
        let of = |camera: &str, floor_id, at| {
            NewEvent::new(camera, floor_id, "t", VehicleType::Car, Direction::Entry).at(after(at))
        };
        // The last of each in event time, whichever floor it was on and however late it came.
        world.record(of("one", ground.id, -100)).await;
        world.record(of("one", roof.id, -4_000)).await;
        world.record(of("two", ground.id, -9_000)).await;
        world.record(of("two", roof.id, -20_000)).await;
        world.record(of("ahead", roof.id, 200)).await;
        world.record(of("gone", roof.id, -8 * 86_400)).await;
        let (told, _) = scrape(&world.park).await;
        let age = |camera: &str| {
            told.get(&format!("smartpark_camera_last_event_age_seconds{{camera_id=\"{camera}\"}}"))
        };
        let told = ["one", "two", "ahead", "gone"].map(age);
        assert_eq!(told, [Some(100.0), Some(9_000.0), Some(0.0), None]);
        // Where a cleanup has deleted the event its hour stands for it: half past nine, or nine.
        world.clock.set(after(86_400));
        world.park.events().cleanup_old_events(1).await.unwrap();
        let seen = world.park.events().get_last_seen().await.unwrap();
        let two = seen.iter().find(|seen| seen.camera_id == "two").unwrap();
        assert!([after(-9_000), after(-10_800)].contains(&two.at), "{two:?}");
    }
}
