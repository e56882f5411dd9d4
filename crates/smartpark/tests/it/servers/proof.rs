//! What must hold after any run: what is stored against what was seen and what was told.

use std::collections::HashMap;

use jiff::SignedDuration;
use smartpark::{Direction, Event, EventFilter, Floor, Options, SmartPark, Timestamp};

use super::{
    cars::{Car, Fold, fold, statistics},
    clients::Journal,
};
use crate::cli::Folder;

/// Everything, after all posts were answered: nothing is unknown any more.
pub(super) fn assert_whole(folder: &Folder, cars: &[Car], journal: &Journal) {
    let faults = journal.faults.join("\n");
    assert!(faults.is_empty(), "answers that must not be given:\n{faults}");
    assert_told(cars, journal);
    let checked = folder.run(&["check", "--json"]).ok().json();
    assert_eq!((&checked["clean"], &checked["events"]), (&true.into(), &cars.len().into()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let park = SmartPark::connect(folder.url(), Options::default()).await.unwrap();
        let fold = fold(cars, &[]);
        let events = stored(&park).await;
        assert_stored(cars, journal, &events);
        let floors = park.floors().get_all_floors().await.unwrap();
        assert_counts(&floors, &fold, &events);
        assert_statistics(&park, cars, &fold).await;
        park.close().await;
    });
}

/// Each event was answered as recorded now at most once, and once where every answer is known.
fn assert_told(cars: &[Car], journal: &Journal) {
    let told = &journal.told;
    assert!(told.iter().all(|told| told.acknowledged), "every event must be acknowledged");
    let twice = told.iter().position(|told| told.created > 1);
    assert_eq!(twice.map(|place| &cars[place]), None, "created twice");
    let unknown = told.iter().filter(|told| told.unknown).count() as u64;
    let (all, recorded) = (cars.len() as u64, journal.recorded);
    assert!(recorded <= all, "{recorded} of {all} events were told to be recorded now");
    assert!(recorded >= all - unknown, "{recorded} of {all} recorded, {unknown} unknown");
}

/// All events that are stored, by their keys.
async fn stored(park: &SmartPark) -> HashMap<(String, String, Direction, Timestamp), Event> {
    let (mut events, mut cursor) = (HashMap::new(), None);
    loop {
        let page = park.events().get_events(EventFilter::default(), 1000, cursor).await.unwrap();
        for event in page.events {
            let key = (event.camera_id.clone(), event.track_id.clone());
            let twice = events.insert((key.0, key.1, event.direction, event.timestamp), event);
            assert_eq!(twice, None, "one key is stored twice");
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            return events;
        }
    }
}

/// One row a car, as it was sent and as it was told.
fn assert_stored(
    cars: &[Car],
    journal: &Journal,
    events: &HashMap<(String, String, Direction, Timestamp), Event>,
) {
    for (car, told) in cars.iter().zip(&journal.told) {
        let key = (car.camera_id.clone(), car.track_id.clone(), car.direction, car.at);
        let event = events.get(&key).unwrap_or_else(|| panic!("acknowledged and lost: {car:?}"));
        let kept = (event.floor_id, event.vehicle_type, event.confidence);
        assert_eq!(kept, (car.floor_id, car.vehicle_type, f64::from(car.confidence) / 100.0));
        let kept = (event.id, event.count_delta);
        let first = told.first.as_ref();
        assert!(first.is_none_or(|told| told.stored == kept), "{car:?}: {told:?}, not {kept:?}");
    }
    assert_eq!(events.len(), cars.len(), "events are stored that were never sent");
}

/// The counts are those of the fold, and of what each event did.
fn assert_counts<K>(floors: &[Floor], fold: &Fold, events: &HashMap<K, Event>) {
    let counts = floors.iter().map(|floor| (floor.id, floor.current_vehicles)).collect();
    assert_eq!(fold.counts, counts, "the counts are not those of the fold");
    let mut moved = fold.counts.clone();
    for event in events.values() {
        *moved.get_mut(&event.floor_id).unwrap() -= event.count_delta;
    }
    assert!(moved.values().all(|rest| *rest == 0), "counts that no event made: {moved:?}");
}

/// Statistics are those of the cars: of all time, of windows that cut hours, of single floors.
async fn assert_statistics(park: &SmartPark, cars: &[Car], fold: &Fold) {
    let (first, last) = (cars[0].at, cars[cars.len() - 1].at);
    let day = SignedDuration::from_hours(24);
    let all = last.as_microsecond() - first.as_microsecond();
    let after = |micros| first + SignedDuration::from_micros(micros);
    let (cut, middle) = (after(all / 9 + 123_456_789), after(all / 2));
    for (start, end) in [(first, last + day), (cut, cut + day), (cut, middle)] {
        for floor_id in [None, Some(1), Some(3)] {
            let events = park.events();
            let told = events.get_event_statistics_between(start, end, floor_id).await.unwrap();
            let counted = statistics(cars, fold, (start, end), floor_id);
            assert_eq!(told, counted, "floor {floor_id:?} from {start} to {end}");
        }
    }
}
