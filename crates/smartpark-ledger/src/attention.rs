//! What needs a person: drawn from what is stored, so that every server says the same and a restart
//! forgets nothing.

mod cameras;
mod lag;
mod not_counted;
mod recount;
mod silence;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::{
    Attention, AttentionItem, AttentionKind, AttentionLevel, Error, Event, EventFilter, Floor,
    Refusal, RefusalReason, Result, SmartPark,
    count::{Fullness, Since, Walk, may_be_nearly_full},
    limits::{ATTENTION_KEPT, ATTENTION_REACHES, MAX_ATTENTION_ITEMS},
    model::{CameraLag, FloorAtLimit},
};

pub(crate) use lag::lags;

/// How far back events are looked at, in hours.
const DAY: u32 = 24;
/// So many events at the limit, or refused, are more than a slip.
const MANY: u64 = 10;

/// The last answer, which is given again for a while. Whoever asks while it is drawn waits for it.
#[derive(Debug, Default)]
pub(crate) struct Drawn(Mutex<Option<Attention>>);

impl SmartPark {
    /// What needs a person, the most urgent first: floors that are full or nearly full, cameras
    /// that fell silent, events that were refused or found a floor at its limit. One answer is
    /// given for some seconds.
    ///
    /// ```
    /// # use smartpark_ledger::AttentionKind;
    /// # smartpark_ledger::doctest(async |park| {
    /// park.floors().recount(1, 50, "full since the morning", None).await?;
    /// let attention = park.get_attention().await?;
    /// assert_eq!(attention.items[0].kind, AttentionKind::FloorFull);
    /// assert_eq!(attention.items[0].floor.as_deref(), Some("Ground Floor"));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the store cannot be read.
    pub async fn get_attention(&self) -> Result<Attention> {
        let mut drawn = self.attention.0.lock().await;
        let now = self.now();
        let is_fresh = |attention: &&Attention| {
            let age = now.duration_since(attention.checked_at);
            (0..ATTENTION_KEPT.as_nanos().cast_signed()).contains(&age.as_nanos())
        };
        if let Some(attention) = drawn.as_ref().filter(is_fresh) {
            return Ok(attention.clone());
        }
        let attention = Attention { items: self.draw(now).await?, checked_at: now };
        *drawn = Some(attention.clone());
        Ok(attention)
    }

    async fn draw(&self, now: Timestamp) -> Result<Vec<AttentionItem>> {
        let floors = self.floors().get_all_floors().await?;
        let mut items = Vec::new();
        for floor in floors.iter().filter(|floor| floor.is_active) {
            let at = Walk { count: floor.current_vehicles, slots: floor.total_slots };
            if may_be_nearly_full(at) {
                items.extend(fullness(floor, self.fullness(floor.id, now).await?));
            }
        }
        let day_ago = ago(now, DAY).as_microsecond();
        for at_limit in self.engine.at_limit(day_ago).await? {
            items.extend(drift(&floors, at_limit));
        }
        items.extend(self.suggested_recounts(&items).await?);
        items.extend(self.erring_cameras().await?);
        items.extend(self.events().get_refusals(DAY).await?.iter().map(refused));
        let uncounted = self.events().get_not_counted(DAY).await?;
        items.extend(uncounted.iter().filter_map(not_counted::item));
        let lags = self.events().get_camera_lags().await?;
        // A camera that is being answered is not silent, whatever its clock says.
        let silent = self.silent_cameras(now).await?.into_iter().filter(|item| {
            !lags.iter().any(|lag| lag.is_told && Some(&lag.camera_id) == item.camera_id.as_ref())
        });
        items.extend(silent);
        items.extend(lags.iter().filter(|lag| lag.is_told).map(behind));
        items.extend(self.clock_fault().await?);
        items.extend(self.kept_too_long(now).await?);
        items.extend(self.backup_overdue(now).await);
        items.sort_by(|one, other| {
            let key = |item: &AttentionItem| (item.level, item.kind, std::cmp::Reverse(item.count));
            let name = |item: &AttentionItem| (item.floor_id, item.camera_id.clone());
            key(one).cmp(&key(other)).then_with(|| name(one).cmp(&name(other)))
        });
        items.truncate(MAX_ATTENTION_ITEMS);
        Ok(items)
    }

    /// That this server does not trust its own clock.
    async fn clock_fault(&self) -> Result<Option<AttentionItem>> {
        let Err(Error::ClockDistrusted { why }) = self.require_clock().await else {
            return Ok(None);
        };
        let advice = "Set the clock of the server, best by NTP. If it is right, accept it: \
                      smartpark clock accept.";
        Ok(Some(AttentionItem {
            detail: format!(
                "The server does not trust its own clock: {why}. It records no recounts, no \
                 changes of floors and no events without a timestamp."
            ),
            ..item(AttentionKind::TimeDistrusted, AttentionLevel::High, advice)
        }))
    }

    /// That events stay longer than they should, since a clock alone must not delete them.
    async fn kept_too_long(&self, now: Timestamp) -> Result<Option<AttentionItem>> {
        let Some(days) = self.options.retention_days else { return Ok(None) };
        // Two nights behind: one cleanup a night is always up to a day late.
        let due = ago(now, (days + 2).saturating_mul(24)).as_microsecond();
        let earliest = match self.engine.horizon().await? {
            None => self.engine.earliest_event().await?,
            horizon => horizon,
        };
        let Some(earliest) = earliest.filter(|earliest| *earliest < due) else { return Ok(None) };
        let advice = "If the server's clock is right, delete them: smartpark cleanup \
                      --older-than-days with the number of days to keep.";
        Ok(Some(AttentionItem {
            since: Timestamp::from_microsecond(earliest).ok(),
            count: Some(days.into()),
            detail: format!(
                "Events older than {days} days are still kept: the server has not run long enough \
                 to know by its own time that they are so old."
            ),
            ..item(AttentionKind::EventsKept, AttentionLevel::Low, advice)
        }))
    }

    /// Since when a floor is full or nearly full: looks back farther until that is known.
    async fn fullness(&self, floor_id: i64, now: Timestamp) -> Result<Option<Fullness>> {
        // The current count reaches to the last fact, and that may be ahead of a clock.
        let end = i64::MAX;
        let mut last = None;
        for hours in ATTENTION_REACHES {
            let window = (ago(now, hours).as_microsecond(), end);
            match self.engine.fullness(floor_id, window).await {
                Ok(fullness) => last = Some(fullness),
                // It was removed, or there is no such past any more.
                Err(Error::NotFound(_) | Error::TooOld { .. }) => break,
                Err(error) => return Err(error),
            }
            if last.is_some_and(|fullness| !fullness.is_open()) {
                break;
            }
        }
        Ok(last)
    }

    async fn silent_cameras(&self, now: Timestamp) -> Result<Vec<AttentionItem>> {
        let starts = silence::starts(now.as_microsecond());
        let hours = self.engine.camera_hours(&starts, silence::HOURS).await?;
        let mut silent = silence::silent(&starts, hours);
        silent.truncate(MAX_ATTENTION_ITEMS);
        let mut items = Vec::new();
        for (camera_id, expected) in silent {
            let filter =
                EventFilter { camera_id: Some(camera_id.clone()), ..EventFilter::default() };
            let last = self.events().get_events(filter, 1, None).await?.events.pop();
            items.push(fell_silent(camera_id, expected, last.as_ref()));
        }
        Ok(items)
    }
}

fn ago(now: Timestamp, hours: u32) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(hours.into())).unwrap_or(Timestamp::MIN)
}

/// A thing of which nothing more is known.
pub(crate) fn item(
    kind: AttentionKind,
    level: AttentionLevel,
    advice: &'static str,
) -> AttentionItem {
    AttentionItem {
        kind,
        level,
        floor_id: None,
        floor: None,
        camera_id: None,
        reason: None,
        count: None,
        since: None,
        last: None,
        detail: String::new(),
        advice,
    }
}

fn fullness(floor: &Floor, fullness: Option<Fullness>) -> Option<AttentionItem> {
    let Fullness { walk, full, nearly } = fullness?;
    let since = |since| match since {
        Since::No | Since::Unknown => None,
        Since::Before => Some(None),
        Since::At(at) => Some(Timestamp::from_microsecond(at).ok()),
    };
    let (since, how, plain) = match (since(full), since(nearly)) {
        (Some(since), _) => {
            let advice = "Send cars to other floors. Where slots are free all the same, count \
                          the vehicles and enter their number (recount).";
            let full = item(AttentionKind::FloorFull, AttentionLevel::High, advice);
            (since, "full", full)
        }
        (None, Some(since)) => {
            let advice = "Be ready to send cars to other floors.";
            let nearly = item(AttentionKind::FloorNearlyFull, AttentionLevel::Medium, advice);
            (since, "nearly full", nearly)
        }
        (None, None) => return None,
    };
    let (name, Walk { count, slots }) = (&floor.name, walk);
    Some(AttentionItem {
        floor_id: Some(floor.id),
        floor: Some(name.clone()),
        count: Some(count.unsigned_abs()),
        since,
        detail: format!("{name} is {how}: {count} of {slots} slots are taken."),
        ..plain
    })
}

fn drift(floors: &[Floor], at_limit: FloorAtLimit) -> Option<AttentionItem> {
    let floor = floors.iter().find(|floor| floor.id == at_limit.floor_id)?;
    let events = at_limit.events.unsigned_abs();
    let level = if events < MANY { AttentionLevel::Low } else { AttentionLevel::Medium };
    let advice = "Count the vehicles on the floor and enter their number (recount). Where it comes \
                  again, a camera there misses vehicles.";
    Some(AttentionItem {
        floor_id: Some(floor.id),
        floor: Some(floor.name.clone()),
        count: Some(events),
        last: Timestamp::from_microsecond(at_limit.last_at).ok(),
        detail: format!(
            "Entries to a full or exits from an empty floor on {} in the last 24 hours: {events}. \
             Its count has drifted.",
            floor.name
        ),
        ..item(AttentionKind::EventsAtLimit, level, advice)
    })
}

fn refused(refusal: &Refusal) -> AttentionItem {
    let (why, advice) = match refusal.reason {
        RefusalReason::UnknownFloor => (
            "they name a floor that does not exist",
            "Set the camera's floor_id to a floor that exists, or add the floor.",
        ),
        RefusalReason::Future => (
            "their time is ahead of the server's clock",
            "Set the camera's clock, best by NTP. Where all cameras are named, check the server's.",
        ),
        RefusalReason::TooOld => (
            "they are older than the retention horizon",
            "Set the camera's clock, best by NTP, or keep events longer (retention).",
        ),
        RefusalReason::Invalid => (
            "they cannot be read, or their fields do not fit",
            "Check what the camera sends: each answer says what does not fit.",
        ),
        RefusalReason::Differs => (
            "they repeat an event but say something else, and the first one stands",
            "Check that no two cameras share a camera_id and that track_ids are not used again.",
        ),
    };
    let level = match refusal.reason {
        RefusalReason::Differs => AttentionLevel::Low,
        _ if refusal.events < MANY => AttentionLevel::Medium,
        _ => AttentionLevel::High,
    };
    let whom = refusal.camera_id.as_deref().unwrap_or("unnamed cameras");
    AttentionItem {
        camera_id: refusal.camera_id.clone(),
        reason: Some(refusal.reason),
        count: Some(refusal.events),
        last: Some(refusal.last_at),
        detail: format!(
            "Events of {whom} not taken in the last 24 hours: {}; {why}.",
            refusal.events
        ),
        ..item(AttentionKind::EventsRefused, level, advice)
    }
}

fn behind(lag: &CameraLag) -> AttentionItem {
    let advice = "Set the camera's clock and time zone, best by NTP. If it sends a backlog, wait \
                  until it has ended.";
    let (camera_id, age) = (&lag.camera_id, lag::words(lag.micros));
    AttentionItem {
        camera_id: Some(camera_id.clone()),
        count: Some((lag.micros / 1_000_000).unsigned_abs()),
        detail: format!(
            "All that {camera_id} sends is old when it arrives, by at least {age}: its clock seems \
             to be behind. Its vehicles are counted where they do not belong."
        ),
        ..item(AttentionKind::CameraBehind, AttentionLevel::High, advice)
    }
}

fn fell_silent(camera_id: String, expected: u64, last: Option<&Event>) -> AttentionItem {
    let advice = "Check the camera's power, network and view. What it saw meanwhile and sends \
                  later is still counted in its place.";
    let since = last.map(|event| event.timestamp);
    let when = since.map_or_else(|| "for long".to_owned(), |at| format!("since {at}"));
    AttentionItem {
        since,
        last: since,
        count: Some(expected),
        detail: format!(
            "{camera_id} has sent nothing {when}; about {expected} events are usual in its silent \
             hours."
        ),
        camera_id: Some(camera_id),
        ..item(AttentionKind::CameraSilent, AttentionLevel::High, advice)
    }
}
