//! Refused events, counted by camera and reason. They are counted in memory, so that nobody who is
//! refused waits, and added to the store some seconds later, so that every server on one database
//! shows those of all. They are no facts: a crash loses what was not added yet.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::{
    Error, EventOperations, Recorded, Refusal, RefusalReason, Result,
    limits::{MAX_REFUSAL_HOURS, MAX_REFUSED_CAMERAS, REFUSALS_KEPT_HOURS},
    metrics::ByCamera,
    model::RefusedInHour,
};

/// An hour in microseconds.
const HOUR: i64 = 3_600_000_000;

/// The hour of the refusal, the camera (empty where it has no name) and the reason.
type Key = (i64, String, RefusalReason);

/// What this process refused and has not stored yet.
#[derive(Debug, Default)]
pub struct Refusals {
    counted: Mutex<Counted>,
    /// Held while counts are on their way to the store: whoever reads both would miss them.
    moving: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Counted {
    /// How many, and when the last of them.
    counts: BTreeMap<Key, (i64, i64)>,
    /// How many since the process began, for its metrics.
    ever: ByCamera<RefusalReason>,
    /// The hour that goes on, and the cameras that were named in it.
    hour: i64,
    cameras: HashSet<String>,
}

impl Counted {
    fn note(&mut self, now: i64, camera_id: Option<&str>, reason: RefusalReason) {
        self.ever.add(camera_id, reason);
        let hour = now.div_euclid(HOUR) * HOUR;
        if self.hour != hour {
            self.hour = hour;
            self.cameras.clear();
            // What could not be stored for so long is forgotten, as it would be in the store.
            let oldest = hour - i64::from(REFUSALS_KEPT_HOURS) * HOUR;
            self.counts.retain(|(hour, ..), _| *hour >= oldest);
        }
        let camera_id = camera_id.filter(|camera_id| {
            let fits = self.cameras.len() < MAX_REFUSED_CAMERAS;
            self.cameras.contains(*camera_id)
                || (fits && self.cameras.insert((*camera_id).to_owned()))
        });
        self.add((hour, camera_id.unwrap_or_default().to_owned(), reason), (1, now));
    }

    fn add(&mut self, key: Key, (events, at): (i64, i64)) {
        let count = self.counts.entry(key).or_default();
        *count = (count.0 + events, count.1.max(at));
    }
}

impl Refusals {
    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What this process refused since it began, by camera and reason.
    pub fn ever(&self) -> Vec<(Option<String>, RefusalReason, u64)> {
        self.counted().ever.all()
    }
}

impl EventOperations<'_> {
    /// Counts an event that was refused before it was one (fields do not fit), or a message in
    /// which no event could be read.
    pub fn note_invalid(self, camera_id: Option<&str>) {
        let now = self.park.now().as_microsecond();
        self.park.refusals.counted().note(now, camera_id, RefusalReason::Invalid);
    }

    /// Counts those of these answers that are refusals; `cameras` are those of the events.
    pub(crate) fn note_refusals(self, cameras: &[String], answers: &[Result<Recorded>]) {
        let refused = cameras.iter().zip(answers).filter_map(|(camera_id, answer)| {
            let reason = match answer {
                Err(Error::UnknownFloor) => RefusalReason::UnknownFloor,
                Err(Error::InFuture { .. }) => RefusalReason::Future,
                Err(Error::TooOld { .. }) => RefusalReason::TooOld,
                Err(Error::Invalid(faults)) => {
                    let named = !faults.iter().any(|fault| fault.field == "camera_id");
                    return Some((named.then_some(camera_id), RefusalReason::Invalid));
                }
                Ok(recorded) if !recorded.differs.is_empty() => RefusalReason::Differs,
                Ok(_) | Err(_) => return None,
            };
            Some((Some(camera_id), reason))
        });
        let mut refused = refused.peekable();
        if refused.peek().is_some() {
            let now = self.park.now().as_microsecond();
            let mut counted = self.park.refusals.counted();
            refused.for_each(|(camera_id, reason)| {
                counted.note(now, camera_id.map(String::as_str), reason);
            });
        }
    }

    /// The events that were refused in the last `hours`, at most a week, by every process on this
    /// database, by camera and reason, most events first. They are counted by the hour: of the
    /// hour in which the window begins all are told. What another process refused in the last
    /// seconds may be missing.
    ///
    /// ```
    /// # use smartpark_ledger::{Direction, NewEvent, RefusalReason, VehicleType};
    /// # smartpark_ledger::doctest(async |park| {
    /// let nowhere = NewEvent::new("cam_001", 99, "t2", VehicleType::Car, Direction::Entry);
    /// park.events().record_event(nowhere).await.unwrap_err();
    /// let refusals = park.events().get_refusals(24).await?;
    /// assert_eq!(refusals[0].camera_id.as_deref(), Some("cam_001"));
    /// assert_eq!((refusals[0].reason, refusals[0].events), (RefusalReason::UnknownFloor, 1));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] for hours out of 1–168; [`Error::Unavailable`].
    pub async fn get_refusals(self, hours: u32) -> Result<Vec<Refusal>> {
        if !(1..=MAX_REFUSAL_HOURS).contains(&hours) {
            return Err(Error::invalid("hours", "must be a whole number from 1 to 168"));
        }
        let from = hours_ago(self.park.now(), hours);
        let refusals = &self.park.refusals;
        let _still = refusals.moving.lock().await;
        let mut sums: BTreeMap<(String, RefusalReason), (i64, i64)> = BTreeMap::new();
        let mut add = |camera_id: String, reason, events, last_at: i64| {
            let sum = sums.entry((camera_id, reason)).or_default();
            *sum = (sum.0 + events, sum.1.max(last_at));
        };
        for stored in self.park.engine.refusals(from).await? {
            add(stored.camera_id, stored.reason, stored.events, stored.last_at);
        }
        for ((hour, camera_id, reason), (events, last_at)) in &refusals.counted().counts {
            if *hour >= from {
                add(camera_id.clone(), *reason, *events, *last_at);
            }
        }
        let refusal =
            |((camera_id, reason), (events, last_at)): ((String, _), (i64, i64))| Refusal {
                camera_id: (!camera_id.is_empty()).then_some(camera_id),
                reason,
                events: events.unsigned_abs(),
                last_at: Timestamp::from_microsecond(last_at).unwrap_or(Timestamp::MIN),
            };
        let mut all: Vec<Refusal> = sums.into_iter().map(refusal).collect();
        all.sort_by_key(|refusal| std::cmp::Reverse(refusal.events));
        Ok(all)
    }

    /// Adds what this process refused to the store, where every process sees it. The server does
    /// it every few seconds, and [`SmartPark::close`](crate::SmartPark::close) for the last time.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: it is kept, for the next time.
    pub async fn store_refusals(self) -> Result<()> {
        let refusals = &self.park.refusals;
        let _moving = refusals.moving.lock().await;
        let counts = std::mem::take(&mut refusals.counted().counts);
        if counts.is_empty() {
            return Ok(());
        }
        let row = |((hour, camera_id, reason), (events, last_at)): (&Key, &(i64, i64))| {
            let camera_id = camera_id.clone();
            RefusedInHour {
                hour: *hour,
                camera_id,
                reason: *reason,
                events: *events,
                last_at: *last_at,
            }
        };
        let rows = counts.iter().map(row).collect();
        let oldest = hours_ago(self.park.now(), REFUSALS_KEPT_HOURS);
        let stored = self.park.engine.add_refusals(rows, oldest).await;
        if stored.is_err() {
            let mut counted = refusals.counted();
            counts.into_iter().for_each(|(key, count)| counted.add(key, count));
        }
        stored
    }
}

/// The hour that was so many hours ago.
fn hours_ago(now: Timestamp, hours: u32) -> i64 {
    let ago = SignedDuration::from_hours(hours.into());
    let at = now.checked_sub(ago).unwrap_or(Timestamp::MIN).as_microsecond();
    at.div_euclid(HOUR) * HOUR
}

/// Stores what is refused, again and again, until the server stops. What is left then is stored
/// when the park is closed.
pub async fn keep_stored(park: crate::SmartPark, mut stopping: watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(crate::limits::REFUSALS_INTERVAL);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            _ = stopping.wait_for(|stopping| *stopping) => return,
            _ = tick.tick() => {}
        }
        if let Err(error) = park.events().store_refusals().await {
            tracing::debug!("refused events stay counted in memory for now: {error}");
        }
        if let Err(error) = park.events().store_not_counted().await {
            tracing::debug!("what was not counted stays in memory for now: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cameras_beyond_the_bound_share_one_name_until_the_next_hour() {
        let mut counted = Counted::default();
        let mut note = |now: i64, n: usize| {
            counted.note(now, Some(&format!("cam{n}")), RefusalReason::Future);
            counted.counts.len()
        };
        for n in 0..MAX_REFUSED_CAMERAS {
            assert_eq!(note(7, n), n + 1);
        }
        assert_eq!(note(8, MAX_REFUSED_CAMERAS), MAX_REFUSED_CAMERAS + 1);
        assert_eq!(note(9, MAX_REFUSED_CAMERAS + 1), MAX_REFUSED_CAMERAS + 1);
        assert_eq!(note(10, 0), MAX_REFUSED_CAMERAS + 1);
        assert_eq!(note(HOUR, MAX_REFUSED_CAMERAS), MAX_REFUSED_CAMERAS + 2);
        let count =
            |hour, name: &str| counted.counts[&(hour, name.to_owned(), RefusalReason::Future)];
        assert_eq!((count(0, ""), count(0, "cam0"), count(0, "cam1")), ((2, 9), (2, 10), (1, 7)));
    }
}
