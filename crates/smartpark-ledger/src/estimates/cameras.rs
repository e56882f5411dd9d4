//! Which camera errs.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{EstimateOperations, aside, lock};
use crate::{
    CameraLine, Direction, Error, EventFilter, Floor, FloorName, Result,
    estimate::cameras::{
        self, Judged, Miss, Part, SaidLine, Seen, Window, judge, lines, nights, parts, twins,
    },
    limits::{DEFAULT_QUALITY_DAYS, MAX_PAGE_ROWS, MAX_QUALITY_DAYS, MAX_TWIN_EVENTS},
    store::nights::NightRecount,
};

/// The least busy hour of a site is that of the last four weeks.
const BUSY_DAYS: u32 = 28;

/// What the balance of floors tells of the cameras.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraQuality {
    /// The quiet hour at which the window begins.
    pub start: Timestamp,
    /// The last quiet hour: the window ends there.
    pub end: Timestamp,
    /// Days between them.
    pub days: usize,
    /// The probability that no camera errs.
    pub nothing_wrong: f64,
    /// Each line of each camera, by the camera's id and the floor.
    pub cameras: Vec<CameraJudgement>,
    /// The balance of each floor, by its id.
    pub parts: Vec<Part>,
}

/// What is known of one line of a camera.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraJudgement {
    /// What the balance of floors tells.
    pub judged: Judged,
    /// The other cameras of which this one or one of them errs.
    pub one_of: Vec<String>,
    /// The camera on the same line, and what this one misses of the vehicles that it sees.
    pub twin: Option<(String, Miss)>,
}

impl EstimateOperations<'_> {
    /// Which cameras err, from the balance of floors over so many days before the last quiet hour.
    /// What comes onto a floor must leave it: a camera is named only if its probability to err is
    /// above 0.9. Where cameras are follows from [`Options::camera_lines`](crate::Options), else
    /// from what they sent.
    ///
    /// ```
    /// # smartpark_ledger::doctest(async |park| {
    /// let told = park.estimates().get_camera_quality(28).await?;
    /// assert!(told.cameras.is_empty()); // Nobody has sent an event yet.
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] for days out of 1–84; [`Error::Unavailable`].
    pub async fn get_camera_quality(self, days: u32) -> Result<CameraQuality> {
        if !(1..=MAX_QUALITY_DAYS).contains(&days) {
            return Err(Error::invalid("days", "must be a whole number from 1 to 84"));
        }
        // Nobody closes it, so it is always given in the end.
        let _turn = self.park.walks.acquire().await;
        let (ends, window) = self.window(days).await?;
        let (told, parts) = aside(move || (judge(&window), parts(&window))).await?;
        let span = (ends.first(), ends.last());
        let (start, end) = match span {
            (Some(start), Some(end)) => (*start, *end),
            _ => (self.park.now(), self.park.now()),
        };
        let mut twins = self.twins((start, end)).await?;
        let judgement = |judged: Judged| {
            let is_other = |id: &&String| **id != judged.camera_id;
            let set = told.one_of.iter().find(|set| set.contains(&judged.camera_id));
            CameraJudgement {
                one_of: set.into_iter().flatten().filter(is_other).cloned().collect(),
                twin: twins.remove(&judged.camera_id),
                judged,
            }
        };
        let cameras = told.cameras.into_iter().map(judgement).collect();
        let days = ends.len().saturating_sub(1);
        let nothing_wrong = told.nothing_wrong;
        Ok(CameraQuality { start, end, days, nothing_wrong, cameras, parts })
    }

    /// The same over 28 days, judged anew once an hour: for lists that must not take long.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn get_camera_survey(self) -> Result<CameraQuality> {
        let hour = self.park.now().as_second().div_euclid(3600);
        let kept = lock(&self.park.estimates.cameras).clone();
        if let Some((_, told)) = kept.filter(|(of, _)| *of == hour) {
            return Ok(told);
        }
        let told = self.get_camera_quality(DEFAULT_QUALITY_DAYS).await?;
        *lock(&self.park.estimates.cameras) = Some((hour, told.clone()));
        Ok(told)
    }

    /// The ends of the nights, and what happened between them.
    async fn window(self, days: u32) -> Result<(Vec<Timestamp>, Window)> {
        let (engine, now) = (&self.park.engine, self.park.now());
        let zone = self.park.time_zone().await;
        let back = SignedDuration::from_hours(24 * i64::from(days.max(BUSY_DAYS) + 2));
        let from = now.checked_sub(back).unwrap_or(Timestamp::MIN).as_microsecond();
        let busy = engine.busy_hours((from, now.as_microsecond())).await?;
        let busy: Vec<(Timestamp, u64)> = busy
            .into_iter()
            .filter_map(|(at, events)| Some((Timestamp::from_microsecond(at).ok()?, events)))
            .collect();
        let days = usize::try_from(days).unwrap_or(usize::MAX);
        let ends = nights(&zone, &busy, now, days);
        let micros: Vec<i64> = ends.iter().map(|end| end.as_microsecond()).collect();
        let found = engine.night_traffic(micros).await?;
        let said = said(&self.park.options.camera_lines, &engine.floors().await?);
        let days = ends.len().saturating_sub(1);
        let lines = lines(days, &found.traffic, &said);
        let recounts = self.recounts(&ends, &found.recounts).await?;
        Ok((ends, Window { days, lines, recounts }))
    }

    /// What a floor held at the end of the night that is nearest to each recount: floor, day, and
    /// what was found, moved by the events that lie between.
    async fn recounts(
        self,
        ends: &[Timestamp],
        counted: &[NightRecount],
    ) -> Result<Vec<(i64, usize, i64)>> {
        let mut recounts = Vec::new();
        for recount in counted {
            let place = Timestamp::from_microsecond(recount.place).unwrap_or(Timestamp::MIN);
            let next = ends.partition_point(|end| *end <= place);
            let (Some(before), Some(after)) = (ends.get(next.wrapping_sub(1)), ends.get(next))
            else {
                continue;
            };
            let is_after = after.duration_since(place) <= place.duration_since(*before);
            // Day `n` ends with the end number `n + 1`.
            let Some(day) = (next - usize::from(!is_after)).checked_sub(1) else { continue };
            let end = self.count_at(recount.floor_id, ends[day + 1]).await?;
            let held = if is_after {
                end
            } else {
                let counted = self.count_at(recount.floor_id, place).await?;
                end.zip(counted).map(|(end, counted)| end + recount.found - counted)
            };
            recounts.extend(held.map(|held| (recount.floor_id, day, held)));
        }
        Ok(recounts)
    }

    /// A floor's count at an instant; `None` if nothing is known of that time any more.
    async fn count_at(self, floor_id: i64, at: Timestamp) -> Result<Option<i64>> {
        let counts = match self.park.engine.counts_at(at).await {
            Ok(counts) => counts,
            Err(Error::TooOld { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let count = counts.iter().find(|count| count.floor_id == floor_id);
        Ok(count.map(|count| count.current_vehicles))
    }

    /// What cameras miss of the vehicles that another camera on the same line sees.
    async fn twins(
        self,
        window: (Timestamp, Timestamp),
    ) -> Result<BTreeMap<String, (String, Miss)>> {
        let mut told = BTreeMap::new();
        for line in &self.park.options.camera_lines {
            let Some(other) = &line.twin_of else { continue };
            let one = self.crossings(&line.camera_id, window).await?;
            let two = self.crossings(other, window).await?;
            // Both lists must cover the same time.
            let begin = one.1.max(two.1);
            let cut = |seen: Vec<Seen>| -> Vec<Seen> {
                seen.into_iter().filter(|seen| seen.at >= begin).collect()
            };
            let found = twins(&cut(one.0), &cut(two.0));
            if let Some(miss) = found.first {
                told.insert(line.camera_id.clone(), (other.clone(), miss));
            }
            if let Some(miss) = found.second {
                told.insert(other.clone(), (line.camera_id.clone(), miss));
            }
        }
        Ok(told)
    }

    /// The last crossings of a camera on its floor, and since when they are complete.
    async fn crossings(
        self,
        camera_id: &str,
        (start, end): (Timestamp, Timestamp),
    ) -> Result<(Vec<Seen>, Timestamp)> {
        let said = said(&self.park.options.camera_lines, &self.park.engine.floors().await?);
        let floor_id = said.iter().find(|line| line.camera_id == camera_id).map(|line| line.to);
        let filter = EventFilter {
            camera_id: Some(camera_id.to_owned()),
            floor_id,
            start: Some(start),
            end: Some(end),
            ..EventFilter::default()
        };
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.park.engine.events(filter.clone(), MAX_PAGE_ROWS, cursor).await?;
            seen.extend(page.events.iter().map(|event| Seen {
                at: event.timestamp,
                direction: match event.direction {
                    Direction::Entry => cameras::Direction::Entry,
                    Direction::Exit => cameras::Direction::Exit,
                },
            }));
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok((seen, start));
            }
            if seen.len() >= MAX_TWIN_EVENTS {
                let first = seen.iter().map(|seen| seen.at).min().unwrap_or(start);
                return Ok((seen, first));
            }
        }
    }
}

/// The lines that the configuration names, as far as their floors exist.
fn said(lines: &[CameraLine], floors: &[Floor]) -> Vec<SaidLine> {
    let id = |named: &FloorName| match named {
        FloorName::Id(id) => Some(*id),
        FloorName::Name(name) => floors.iter().find(|floor| floor.name == *name).map(|it| it.id),
    };
    let line = |line: &CameraLine| {
        let from = match &line.from {
            Some(named) => Some(id(named)?),
            None => None,
        };
        Some(SaidLine { camera_id: line.camera_id.clone(), from, to: id(&line.floor)? })
    };
    lines.iter().filter_map(line).collect()
}
