//! Cameras that fell silent: those that sent nothing in the last hours, where in the same hours of
//! the same weekday, in the weeks before, they sent so much that this is no chance. Pure.

use std::collections::BTreeMap;

use crate::model::CameraHour;

/// An hour in microseconds.
const HOUR: i64 = 3_600_000_000;
/// So many hours are looked at: a day, and the hour that goes on.
pub(super) const HOURS: i64 = 25;
/// So many weeks are compared with.
const WEEKS: i64 = 4;
/// In so many of them the camera must have sent something: one week is no habit.
const MIN_WEEKS: usize = 2;
/// Silence is told from so many expected events on. Of eight that come independently none comes
/// in one of three thousand cases.
const MIN_EXPECTED: i64 = 8;

/// The first hours of the stretches that are compared: the last day, and the same a week ago, two
/// weeks ago …
pub(super) fn starts(now: i64) -> Vec<i64> {
    let first = (now.div_euclid(HOUR) + 1 - HOURS) * HOUR;
    (0..=WEEKS).map(|week| first - week * 7 * 24 * HOUR).collect()
}

/// The events of a camera by week and hour; the first week is that of now.
type Weeks = Vec<[i64; HOURS as usize]>;

/// The cameras that fell silent, with the number of events that was to be expected since.
pub(super) fn silent(starts: &[i64], hours: Vec<CameraHour>) -> Vec<(String, u64)> {
    let mut cameras: BTreeMap<String, Weeks> = BTreeMap::new();
    for CameraHour { camera_id, hour, events } in hours {
        let stretches = starts.iter().zip(0_usize..);
        let place = stretches.map(|(start, week)| (week, (hour - start) / HOUR, hour >= *start));
        let place = place.filter(|(_, hour, after)| *after && *hour < HOURS);
        for (week, hour, _) in place {
            let weeks = cameras
                .entry(camera_id.clone())
                .or_insert_with(|| vec![[0; HOURS as usize]; starts.len()]);
            // It lies within the stretch, so it is small.
            weeks[week][usize::try_from(hour).unwrap_or(0)] += events;
        }
    }
    let expected = |(camera_id, weeks): (String, Weeks)| Some((camera_id, expected(&weeks)?));
    cameras.into_iter().filter_map(expected).collect()
}

/// How many events were to be expected since the camera fell silent, if it did.
fn expected(weeks: &Weeks) -> Option<u64> {
    let (now, before) = weeks.split_first()?;
    let quiet = now.iter().rev().take_while(|events| **events == 0).count();
    // The hour that goes on is silent, too, but it is not over: nothing is expected of it yet.
    let last = now.len() - 1;
    let hours = (now.len() - quiet).min(last)..last;
    let sums: Vec<i64> = before.iter().map(|week| week[hours.clone()].iter().sum()).collect();
    let known = sums.iter().filter(|sum| **sum > 0).count();
    let expected = sums.iter().sum::<i64>() / WEEKS;
    let is_silent = known >= MIN_WEEKS && expected >= MIN_EXPECTED;
    is_silent.then_some(expected.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten past noon on some day.
    const NOW: i64 = 1_770_897_600_000_000 + 600_000_000;

    /// Whether a camera is silent that sent in each of these weeks so many events in the hours
    /// that begin so many hours before the one that goes on.
    fn told(sent: &[(i64, &[i64], i64)]) -> Option<u64> {
        let starts = starts(NOW);
        let noon = NOW.div_euclid(HOUR) * HOUR;
        let mut hours = Vec::new();
        for (week, ago, events) in sent {
            hours.extend(ago.iter().map(|ago| CameraHour {
                camera_id: "cam".into(),
                hour: noon - (week * 7 * 24 + ago) * HOUR,
                events: *events,
            }));
        }
        silent(&starts, hours).pop().map(|(_, expected)| expected)
    }

    #[test]
    fn a_camera_is_silent_where_so_many_events_were_usual() {
        let usual: [(i64, &[i64], i64); 4] =
            [(1, &[1, 2, 3], 5), (2, &[1, 2, 3], 5), (3, &[1, 2, 3], 5), (4, &[1, 2, 3], 5)];
        let with = |last: &[i64]| {
            let mut sent = usual.to_vec();
            sent.push((0, last, 1));
            told(&sent)
        };
        // Silent for three hours, two, one (in which five events are no proof), not at all.
        assert_eq!(with(&[4]), Some(15));
        assert_eq!(with(&[3]), Some(10));
        assert_eq!(with(&[2]), None);
        assert_eq!(with(&[1]), None);
        assert_eq!(with(&[0]), None);
        // Without any event of the last day.
        assert_eq!(told(&usual), Some(15));
        // At this time of the week it is always silent.
        assert_eq!(told(&[(1, &[5], 90), (2, &[5], 90), (0, &[4], 1)]), None);
        // What the hour that goes on brought in other weeks is not expected yet.
        assert_eq!(told(&[(1, &[0], 90), (2, &[0], 90), (0, &[3], 1)]), None);
        // One week is no habit, two are.
        assert_eq!(told(&[(1, &[1], 90), (0, &[3], 1)]), None);
        assert_eq!(told(&[(1, &[1], 90), (2, &[1], 1), (0, &[3], 1)]), Some(22));
        // The day before yesterday is farther back than is looked.
        assert_eq!(told(&[(1, &[25], 90), (2, &[25], 90)]), None);
    }
}
