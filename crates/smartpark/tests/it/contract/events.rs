//! Reading events: filters, and pages that hold each event once.

use std::collections::BTreeSet;

use smartpark::{Cursor, Direction, Error, EventFilter, NewEvent, VehicleType};

use super::world::{after, entry, exit, on_every_engine};

on_every_engine! {
    async fn the_latest_come_first(world) {
        let floor = world.floor("Ground", 50).await;
        for seconds in [-30, -10, -20] {
            world.record(entry(&floor, "a", seconds)).await;
        }
        let events = world.park.events().get_events_by_floor(floor.id, 2).await.unwrap();
        let times: Vec<_> = events.iter().map(|event| event.timestamp).collect();
        assert_eq!(times, [after(-10), after(-20)]);
        assert!(world.park.events().get_events_by_floor(99, 2).await.unwrap().is_empty());
        for limit in [0, 1_001] {
            let refused = world.park.events().get_events_by_floor(floor.id, limit).await;
            assert!(matches!(refused, Err(Error::Invalid(_))));
        }
    }

    async fn filters_all_must_hold(world) {
        let (ground, first) = (world.floor("Ground", 50).await, world.floor("First", 50).await);
        let mut all = Vec::new();
        for n in 0..48_i64 {
            let floor = if n % 2 == 0 { &ground } else { &first };
            let (camera, track) = (format!("cam_{}", n % 3), format!("t{}", n % 5));
            let kind = VehicleType::ALL[usize::try_from(n % 4).unwrap()];
            let way = if n % 7 < 4 { Direction::Entry } else { Direction::Exit };
            let event = NewEvent::new(camera, floor.id, track, kind, way).at(after(-n));
            all.push(world.record(event).await.event);
        }
        let some = |n: u32| -> EventFilter {
            let set = |bit: u32| n & (1 << bit) != 0;
            EventFilter {
                floor_id: set(0).then_some(ground.id),
                camera_id: set(1).then(|| "cam_1".into()),
                track_id: set(2).then(|| "t2".into()),
                vehicle_type: set(3).then_some(VehicleType::Bus),
                direction: set(4).then_some(Direction::Exit),
                start: set(5).then(|| after(-40)),
                end: set(6).then(|| after(-3)),
                at_limit: set(7).then_some(n.is_multiple_of(3)),
            }
        };
        for filter in (0..256).map(some) {
            let expected: Vec<i64> = all
                .iter()
                .filter(|event| {
                    filter.floor_id.is_none_or(|id| event.floor_id == id)
                        && filter.camera_id.as_ref().is_none_or(|id| event.camera_id == *id)
                        && filter.track_id.as_ref().is_none_or(|id| event.track_id == *id)
                        && filter.vehicle_type.is_none_or(|kind| event.vehicle_type == kind)
                        && filter.direction.is_none_or(|way| event.direction == way)
                        && filter.start.is_none_or(|start| event.timestamp >= start)
                        && filter.end.is_none_or(|end| event.timestamp < end)
                        && filter.at_limit.is_none_or(|at| event.at_limit.is_some() == at)
                })
                .map(|event| event.id)
                .collect();
            // Pages of three, glued together.
            let (mut found, mut cursor) = (Vec::new(), None);
            loop {
                let page = world.park.events().get_events(filter.clone(), 3, cursor).await.unwrap();
                assert!(page.events.len() <= 3);
                found.extend(page.events.iter().map(|event| event.id));
                cursor = page.next_cursor;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(found, expected, "{filter:?}");
        }
        let range = world.park.events()
            .get_events_by_time_range(after(-10), after(-5), Some(ground.id)).await.unwrap();
        assert_eq!(range.len(), 3);
        let backwards = world.park.events().get_events_by_time_range(after(0), after(-1), None);
        assert!(matches!(backwards.await, Err(Error::Invalid(_))));
    }

    async fn pages_hold_each_event_once_while_others_are_recorded(world) {
        let floor = world.floor("Ground", 1_000).await;
        // Many share an instant, so that the id decides.
        for n in 0..60 {
            world.record(entry(&floor, &format!("old{n}"), -100 - n / 20)).await;
        }
        let (mut seen, mut cursor) = (Vec::new(), None);
        for n in 0.. {
            let page = world.park.events().get_events(EventFilter::default(), 7, cursor);
            let page = page.await.unwrap();
            seen.extend(page.events.iter().map(|event| event.track_id.clone()));
            world.record(exit(&floor, &format!("new{n}"), -50)).await;
            world.record(exit(&floor, &format!("new{n}"), -5_000)).await;
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        seen.retain(|track| track.starts_with("old"));
        assert_eq!(seen.len(), 60);
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 60);
    }
}

#[test]
fn a_cursor_survives_its_text_and_nothing_else_is_one() {
    let cursor = Cursor { timestamp: -5, id: 77 };
    assert_eq!(cursor.to_string().parse(), Ok(cursor));
    for text in
        ["", "1", "_", "1_", "a_1", "1_1_1", "+1_1", "1_01", "-0_1", "99999999999999999999_1"]
    {
        assert!(text.parse::<Cursor>().is_err(), "{text}");
    }
}
