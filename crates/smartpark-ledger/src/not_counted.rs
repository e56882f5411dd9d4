//! What devices sent and SmartPark did not count, by camera, reason and sentence. As with refused
//! events ([`crate::refusals`]) it is counted in memory and added to the store some seconds later,
//! so that every server on one database shows what all of them left uncounted.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

use crate::{
    Error, EventOperations, NotCounted, Result,
    limits::{MAX_NOT_COUNTED, MAX_NOT_COUNTED_CHARS, MAX_REFUSAL_HOURS, REFUSALS_KEPT_HOURS},
    metrics::ByCamera,
    model::NotCountedInHour,
};

/// An hour in microseconds.
const HOUR: i64 = 3_600_000_000;

/// The hour, the camera (empty for a message that belongs to none), the reason and the sentence.
type Key = (i64, String, String, String);

/// What this process did not count and has not stored yet.
#[derive(Debug, Default)]
pub struct Uncounted {
    counted: Mutex<Counted>,
    /// Held while counts are on their way to the store: a reader of both would miss them.
    moving: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Counted {
    /// How often, and when the last time.
    counts: BTreeMap<Key, (i64, i64)>,
    /// How often since the process began, for its metrics.
    ever: ByCamera<&'static str>,
}

impl Counted {
    fn note(&mut self, now: i64, camera_id: Option<&str>, reason: &'static str, detail: &str) {
        self.ever.add(camera_id, reason);
        let hour = hour_of(now);
        let detail: String = detail.chars().take(MAX_NOT_COUNTED_CHARS).collect();
        let camera = camera_id.unwrap_or_default().to_owned();
        let mut key = (hour, camera, reason.to_owned(), detail);
        if self.counts.len() >= MAX_NOT_COUNTED && !self.counts.contains_key(&key) {
            key.3 = String::new();
            if !self.counts.contains_key(&key) {
                key.1 = String::new();
            }
            // What could not be stored for so long is forgotten, as it would be in the store.
            let oldest = hour - i64::from(REFUSALS_KEPT_HOURS) * HOUR;
            self.counts.retain(|(hour, ..), _| *hour >= oldest);
        }
        self.add(key, (1, now));
    }

    fn add(&mut self, key: Key, (times, at): (i64, i64)) {
        let count = self.counts.entry(key).or_default();
        *count = (count.0 + times, count.1.max(at));
    }
}

impl Uncounted {
    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often this process did not count something since it began, by camera and reason.
    pub fn ever(&self) -> Vec<(Option<String>, &'static str, u64)> {
        self.counted().ever.all()
    }
}

impl EventOperations<'_> {
    /// Notes that something a device sent was not counted: `reason` is one word, `detail` a
    /// sentence for a person. It must hold no plate and no name of a person. Without a camera the
    /// message belongs to none.
    pub fn note_not_counted(self, camera_id: Option<&str>, reason: &'static str, detail: &str) {
        let now = self.park.now().as_microsecond();
        self.park.uncounted.counted().note(now, camera_id, reason, detail);
    }

    /// What was not counted in the last `hours`, at most a week, by every process on this database,
    /// most often first. It is summed by the hour: of the hour in which the window begins all is
    /// told. What another process left uncounted in the last seconds may be missing.
    ///
    /// ```
    /// # smartpark_ledger::doctest(async |park| {
    /// let detail = "region 3 is not configured";
    /// park.events().note_not_counted(Some("gate"), "not_configured", detail);
    /// let not_counted = park.events().get_not_counted(24).await?;
    /// assert_eq!((not_counted[0].detail.as_str(), not_counted[0].times), (detail, 1));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] for hours out of 1–168; [`Error::Unavailable`].
    pub async fn get_not_counted(self, hours: u32) -> Result<Vec<NotCounted>> {
        if !(1..=MAX_REFUSAL_HOURS).contains(&hours) {
            return Err(Error::invalid("hours", "must be a whole number from 1 to 168"));
        }
        let from = hours_ago(self.park.now(), hours);
        let uncounted = &self.park.uncounted;
        let _still = uncounted.moving.lock().await;
        let mut sums: BTreeMap<(String, String, String), (i64, i64)> = BTreeMap::new();
        let mut add = |name, (times, last_at): (i64, i64)| {
            let sum = sums.entry(name).or_default();
            *sum = (sum.0 + times, sum.1.max(last_at));
        };
        for row in self.park.engine.not_counted(from).await? {
            add((row.camera_id, row.reason, row.detail), (row.times, row.last_at));
        }
        for ((hour, camera_id, reason, detail), count) in &uncounted.counted().counts {
            if *hour >= from {
                add((camera_id.clone(), reason.clone(), detail.clone()), *count);
            }
        }
        let mut all: Vec<NotCounted> = sums
            .into_iter()
            .map(|((camera_id, reason, detail), (times, last_at))| NotCounted {
                camera_id: (!camera_id.is_empty()).then_some(camera_id),
                reason,
                detail,
                times: times.unsigned_abs(),
                last_at: Timestamp::from_microsecond(last_at).unwrap_or(Timestamp::MIN),
            })
            .collect();
        all.sort_by_key(|entry| std::cmp::Reverse(entry.times));
        Ok(all)
    }

    /// Adds what this process did not count to the store, where every process sees it.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: it is kept, for the next time.
    pub async fn store_not_counted(self) -> Result<()> {
        let uncounted = &self.park.uncounted;
        let _moving = uncounted.moving.lock().await;
        let counts = std::mem::take(&mut uncounted.counted().counts);
        if counts.is_empty() {
            return Ok(());
        }
        let row = |((hour, camera_id, reason, detail), (times, last_at)): (&Key, &(i64, i64))| {
            NotCountedInHour {
                hour: *hour,
                camera_id: camera_id.clone(),
                reason: reason.clone(),
                detail: detail.clone(),
                times: *times,
                last_at: *last_at,
            }
        };
        let rows = counts.iter().map(row).collect();
        let oldest = hours_ago(self.park.now(), REFUSALS_KEPT_HOURS);
        let stored = self.park.engine.add_not_counted(rows, oldest).await;
        if stored.is_err() {
            let mut counted = uncounted.counted();
            counts.into_iter().for_each(|(key, count)| counted.add(key, count));
        }
        stored
    }
}

fn hour_of(micros: i64) -> i64 {
    micros.div_euclid(HOUR) * HOUR
}

/// The hour that was so many hours ago.
fn hours_ago(now: Timestamp, hours: u32) -> i64 {
    let ago = SignedDuration::from_hours(hours.into());
    hour_of(now.checked_sub(ago).unwrap_or(Timestamp::MIN).as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_beyond_the_bound_share_one_a_reason() {
        let mut counted = Counted::default();
        for n in 0..MAX_NOT_COUNTED + 5 {
            counted.note(7, Some("gate"), "not_configured", &format!("rule {n} is not configured"));
        }
        assert_eq!(counted.counts.len(), MAX_NOT_COUNTED + 1);
        let shared = (0, String::new(), "not_configured".to_owned(), String::new());
        assert_eq!(counted.counts[&shared], (5, 7));
        let long = "x".repeat(MAX_NOT_COUNTED_CHARS + 1);
        counted.counts.clear();
        counted.note(7, None, "unreadable", &long);
        let key = counted.counts.keys().next().unwrap();
        assert_eq!(key.3.len(), MAX_NOT_COUNTED_CHARS);
    }
}
