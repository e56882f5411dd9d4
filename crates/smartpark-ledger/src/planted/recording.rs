//! The defects of recording.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use super::{planted, planted_once};
use crate::{
    Error, Event, Recorded, Result,
    decide::{
        Group, Writes,
        sums::{column, hour_of},
    },
};

/// The latest instant of each floor that this process has recorded.
static LATEST: Mutex<Option<HashMap<i64, i64>>> = Mutex::new(None);

/// Ids that no event of a test reaches.
static UNUSED: AtomicI64 = AtomicI64::new(1 << 40);

/// Puts the chosen defect into what a group stores and answers.
pub(super) fn distort(writes: &mut Writes, group: &mut Group) {
    assert!(group.rows.len() != 1 || !planted_once("panic-in-a-group"), "on purpose");
    if planted("lose-late-event") {
        lose_late(&mut writes.events);
    }
    if planted("change-payload") {
        writes.events.iter_mut().for_each(|event| event.confidence = 0.5);
    }
    if planted("forget-delta") {
        writes.events.iter_mut().for_each(|event| event.count_delta = 0);
    }
    if planted("forget-roll-up") {
        forget_roll_up(writes);
    }
    for answer in group.answers.iter_mut().flatten() {
        distort_answer(answer, writes);
    }
}

/// Drops the events that come after later ones of their floor.
fn lose_late(events: &mut Vec<Event>) {
    let mut latest = LATEST.lock().unwrap_or_else(PoisonError::into_inner);
    let latest = latest.get_or_insert_with(HashMap::new);
    let before = latest.clone();
    events.retain(|event| {
        let at = event.timestamp.as_microsecond();
        let newest = latest.entry(event.floor_id).or_insert(at);
        *newest = at.max(*newest);
        before.get(&event.floor_id).is_none_or(|before| at >= *before)
    });
}

/// Leaves every fiftieth event out of the sums of its hour.
fn forget_roll_up(writes: &mut Writes) {
    for event in writes.events.iter().filter(|event| event.id % 50 == 0) {
        let hour = hour_of(event.timestamp.as_microsecond());
        let key = (hour, event.floor_id, event.camera_id.clone());
        if let Some((_, sum)) = writes.hours.iter_mut().find(|(other, _)| *other == key) {
            sum[column(event.vehicle_type, event.direction)] -= 1;
        }
    }
}

fn distort_answer(answer: &mut Result<Recorded>, writes: &mut Writes) {
    let Ok(recorded) = answer else { return };
    if recorded.duplicate && planted("forget-twins") {
        recorded.event.id = UNUSED.fetch_add(1, Ordering::Relaxed);
        recorded.duplicate = false;
        writes.events.push(recorded.event.clone());
    }
    if recorded.duplicate && planted("another-id") {
        recorded.event.id += 1;
    }
    if recorded.duplicate && planted("count-duplicate") && recorded.floor.available_slots() > 0 {
        let id = recorded.floor.id;
        if !writes.floors.iter().any(|floor| floor.id == id) {
            writes.floors.push(recorded.floor.clone());
        }
        let counted = writes.floors.iter_mut().filter(|floor| floor.id == id);
        counted.for_each(|floor| floor.current_vehicles += i64::from(floor.available_slots() > 0));
    }
    if !recorded.duplicate && planted("store-refused") && recorded.event.id % 100 == 0 {
        *answer = Err(Error::UnknownFloor);
    }
}
