//! The car park as feeds, Home Assistant and targets of pushes see it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use smartpark_formats::{
    config::Connections,
    feed::{FloorView, Opening, SiteView},
};
use smartpark_ledger::{AttentionKind, EventFilter, Floor, Result, SmartPark};

use crate::Signs;

/// The name in paths and topics of a site that nobody named.
const DEFAULT_ID: &str = "smartpark";

/// The sites of a ledger.
#[derive(Clone, Debug)]
pub struct Sites {
    park: SmartPark,
    connections: Arc<Connections>,
    /// The name that people read.
    name: String,
    /// When the newest event of each floor happened, as of the floor's last change.
    newest: Arc<Mutex<NewestEvents>>,
}

/// By floor: its last change, and when its newest event happened as of then.
type NewestEvents = HashMap<i64, (Timestamp, Option<Timestamp>)>;

impl Sites {
    /// The site of `park`; `name` is what people call it.
    #[must_use]
    pub fn new(park: SmartPark, connections: Arc<Connections>, name: Option<&str>) -> Self {
        Self {
            park,
            connections,
            name: name.unwrap_or("SmartPark").to_owned(),
            newest: Arc::default(),
        }
    }

    /// The name of the site in paths and topics.
    #[must_use]
    pub fn id(&self) -> &str {
        let site = self.connections.site.as_ref();
        site.and_then(|site| site.id.as_deref()).unwrap_or(DEFAULT_ID)
    }

    /// All sites as they are now. This is the one place that knows where site data comes from.
    ///
    /// # Errors
    /// [`Error::Unavailable`](smartpark_ledger::Error::Unavailable) if the store cannot be read.
    pub async fn views(&self) -> Result<Vec<SiteView>> {
        let floors = self.park.floors().get_latest_floors().await?;
        let vouched = self.vouched().await?;
        let site = self.connections.site.as_ref();
        let mut floors: Vec<Floor> = floors.to_vec();
        floors.sort_by_key(|floor| floor.id);
        let mut views = Vec::with_capacity(floors.len());
        for floor in &floors {
            views.push(floor_view(floor, self.newest_event(floor).await?));
        }
        let is_closed = !floors.is_empty() && floors.iter().all(|floor| !floor.is_active);
        let described = floors.iter().map(|floor| floor.created_at).max();
        Ok(vec![SiteView {
            id: self.id().to_owned(),
            name: self.name.clone(),
            place: site.and_then(|site| site.place),
            address: site.and_then(|site| site.address.clone()),
            kind: site.and_then(|site| site.kind),
            operator: site.and_then(|site| site.operator.clone()),
            website: site.and_then(|site| site.website.clone()),
            opening_hours: site.and_then(|site| site.opening_hours.clone()),
            language: site.and_then(|site| site.language.clone()),
            max_height_cm: site.and_then(|site| site.max_height_cm),
            reserved_slots: site.map_or(0, |site| site.reserved_slots),
            facility_ref: self.connections.feeds.siri_facility_ref.clone(),
            opening: if is_closed { Opening::ClosedByPerson } else { Opening::Open },
            last_event: views.iter().filter_map(|floor| floor.last_event).max(),
            floors: views,
            vouched_at: vouched.at,
            is_silent: vouched.is_silent,
            described_at: described.unwrap_or(Timestamp::UNIX_EPOCH),
        }])
    }

    /// When the newest event of a floor happened. It is looked up once for each change of the
    /// floor.
    async fn newest_event(&self, floor: &Floor) -> Result<Option<Timestamp>> {
        let known = || self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((as_of, newest)) = known().get(&floor.id).copied()
            && as_of == floor.updated_at
        {
            return Ok(newest);
        }
        let filter = EventFilter { floor_id: Some(floor.id), ..EventFilter::default() };
        let page = self.park.events().get_events(filter, 1, None).await?;
        let newest = page.events.first().map(|event| event.timestamp);
        known().insert(floor.id, (floor.updated_at, newest));
        Ok(newest)
    }

    /// For when the numbers are vouched for.
    async fn vouched(&self) -> Result<Vouched> {
        let now = self.park.now();
        let mut heard = Signs::all(&self.park).await?;
        for seen in self.park.events().get_last_seen().await? {
            let last = heard.entry(seen.camera_id).or_insert(seen.at);
            *last = seen.at.max(*last);
        }
        let attention = self.park.get_attention().await?;
        let silent = attention.items.into_iter();
        let silent = silent.filter(|item| item.kind == AttentionKind::CameraSilent);
        let silent: Vec<String> = silent.filter_map(|item| item.camera_id).collect();
        Ok(vouched(&heard, &silent, now, self.connections.feeds.silent_after))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Vouched {
    at: Option<Timestamp>,
    is_silent: bool,
}

/// Numbers are vouched for now while every camera is heard as usual, and else for the last sign of
/// life of the one that fell silent first. If no camera at all was heard for `silent_after`, they
/// are not vouched for any more.
fn vouched(
    heard: &HashMap<String, Timestamp>,
    silent: &[String],
    now: Timestamp,
    silent_after: std::time::Duration,
) -> Vouched {
    let longest = SignedDuration::try_from(silent_after).unwrap_or(SignedDuration::MAX);
    let is_recent = |at: Timestamp| now.duration_since(at) <= longest;
    let Some(newest) = heard.values().max() else { return Vouched { at: None, is_silent: true } };
    if !is_recent(*newest) {
        return Vouched { at: Some(*newest), is_silent: true };
    }
    let last_signs = silent.iter().filter_map(|id| heard.get(id).copied());
    let first_gone = last_signs.filter(|at| !is_recent(*at)).min();
    Vouched { at: Some(first_gone.unwrap_or(now)), is_silent: false }
}

fn floor_view(floor: &Floor, last_event: Option<Timestamp>) -> FloorView {
    let number = |value: i64| u32::try_from(value.max(0)).unwrap_or(u32::MAX);
    FloorView {
        id: floor.id,
        name: floor.name.clone(),
        total: number(floor.total_slots),
        occupied: number(floor.current_vehicles.min(floor.total_slots)),
        is_active: floor.is_active,
        last_event,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LONG: Duration = Duration::from_secs(1_800);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_770_000_000 + seconds).unwrap()
    }

    fn judged(heard: &[(&str, i64)], silent: &[&str]) -> (Option<i64>, bool) {
        let heard = heard.iter().map(|(id, seconds)| ((*id).to_owned(), at(*seconds))).collect();
        let silent: Vec<String> = silent.iter().map(|id| (*id).to_owned()).collect();
        let vouched = vouched(&heard, &silent, at(0), LONG);
        let seconds = |at: Timestamp| at.as_second() - 1_770_000_000;
        (vouched.at.map(seconds), vouched.is_silent)
    }

    #[test]
    fn numbers_are_vouched_for_as_long_as_cameras_are_heard() {
        assert_eq!(judged(&[], &[]), (None, true));
        assert_eq!(judged(&[("a", -10)], &[]), (Some(0), false));
        assert_eq!(judged(&[("a", -1_801)], &[]), (Some(-1_801), true));
        // One that fell silent, and one that is heard.
        assert_eq!(judged(&[("a", -10), ("b", -7_200)], &["b"]), (Some(-7_200), false));
        // It sees no cars but says that it is alive.
        assert_eq!(judged(&[("a", -10), ("b", -20)], &["b"]), (Some(0), false));
        // One that was always quiet at this hour.
        assert_eq!(judged(&[("a", -10), ("b", -7_200)], &[]), (Some(0), false));
    }
}
