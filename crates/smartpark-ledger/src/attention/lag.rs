//! Cameras whose clocks are behind: all that they send is old when it arrives. Pure.
//!
//! The lag of a camera is the smallest age of its last live events at their receipt. A camera that
//! was offline sends old events, too, but in batches; and a batch ends with a fresh event. A wrong
//! clock has none.

use std::collections::BTreeMap;

use crate::model::{CameraLag, Receipt};

/// So many live posts of a camera are looked at.
const LOOKED_AT: usize = 50;
/// A post of more events of a camera than these is a backlog.
const BACKLOG: usize = 10;
/// A lag from here on is told, in microseconds …
const FROM: i64 = 120_000_000;
/// … after so many posts …
const MANY: usize = 20;
/// … over so long.
const LONG: i64 = 2 * 3_600_000_000;
/// A lag of an hour or more is no delay of a network: it is told at once …
const HOUR: i64 = 3_600_000_000;
/// … after so many posts.
const SOME: usize = 5;

/// The live posts of a camera, newest first: when each was received, and its least age.
type Posts = [(i64, i64)];

/// The lags of the cameras among these receipts, which stand newest first.
pub(crate) fn lags(receipts: &[Receipt]) -> Vec<CameraLag> {
    let mut cameras: BTreeMap<&str, Vec<(i64, i64, usize)>> = BTreeMap::new();
    for receipt in receipts {
        let posts = cameras.entry(&receipt.camera_id).or_default();
        let age = receipt.received_at - receipt.timestamp;
        match posts.last_mut() {
            Some((at, least, events)) if *at == receipt.received_at => {
                (*least, *events) = (age.min(*least), *events + 1);
            }
            _ => posts.push((receipt.received_at, age, 1)),
        }
    }
    let lag = |(camera_id, posts): (&str, Vec<(i64, i64, usize)>)| {
        let live = posts.into_iter().filter(|(_, _, events)| *events <= BACKLOG);
        let posts: Vec<(i64, i64)> = live.take(LOOKED_AT).map(|(at, age, _)| (at, age)).collect();
        let lag = posts.iter().map(|(_, age)| *age).min()?.max(0);
        let is_told = is_told(lag, &posts);
        Some(CameraLag { camera_id: camera_id.to_owned(), micros: lag, is_told })
    };
    cameras.into_iter().filter_map(lag).collect()
}

/// Whether a lag is one of the clock rather than of the way here.
fn is_told(lag: i64, posts: &Posts) -> bool {
    let (Some(newest), Some(oldest)) = (posts.first(), posts.last()) else { return false };
    let is_long = posts.len() >= MANY && newest.0 - oldest.0 >= LONG;
    lag >= HOUR && posts.len() >= SOME || lag >= FROM && is_long
}

/// A lag in words: whole hours look like a time zone.
pub(super) fn words(micros: i64) -> String {
    let minutes = micros / 60_000_000;
    let (hours, rest) = ((minutes + 2) / 60, (minutes + 2) % 60);
    match (hours, rest) {
        (48.., _) => format!("{} days", hours / 24),
        (1.., 0..=4) => format!("{hours} h, which looks like a time zone"),
        (1.., _) => format!("{} h {} min", minutes / 60, minutes % 60),
        _ => format!("{minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    fn receipt(received_at: i64, age: i64) -> Receipt {
        Receipt { camera_id: "cam".into(), received_at, timestamp: received_at - age }
    }

    fn told(receipts: Vec<Receipt>) -> (i64, bool) {
        let lag = lags(&receipts).pop().expect("a camera");
        (lag.micros, lag.is_told)
    }

    #[test]
    fn a_camera_an_hour_behind_is_told_after_some_posts_and_minutes_after_hours() {
        let posts = |n: i64, every: i64, age: i64| {
            (0..n).map(|n| receipt(100 * HOUR - n * every, age)).collect::<Vec<_>>()
        };
        assert_eq!(told(posts(4, 1, 65 * MINUTE)), (65 * MINUTE, false));
        assert_eq!(told(posts(5, 1, 65 * MINUTE)), (65 * MINUTE, true));
        assert_eq!(told(posts(50, MINUTE, 3 * MINUTE)), (3 * MINUTE, false));
        assert_eq!(told(posts(20, 7 * MINUTE, 3 * MINUTE)), (3 * MINUTE, true));
        assert_eq!(told(posts(20, 7 * MINUTE, MINUTE)), (MINUTE, false));
        // One fresh event tells that the clock is right.
        let mut with_fresh = posts(20, 7 * MINUTE, 65 * MINUTE);
        with_fresh.insert(3, receipt(100 * HOUR - 20 * MINUTE, 1_000));
        assert!(!told(with_fresh).1);
    }

    #[test]
    fn a_backlog_is_not_judged() {
        let mut receipts: Vec<Receipt> =
            (0..30_i64).map(|n| receipt(100 * HOUR - n / 15, 9 * HOUR)).collect();
        assert!(lags(&receipts).is_empty());
        receipts.insert(0, receipt(100 * HOUR + 5, 2_000));
        assert_eq!(told(receipts), (2_000, false));
    }

    #[test]
    fn lags_are_told_in_words() {
        let table = [
            (3 * MINUTE, "3 min"),
            (61 * MINUTE, "1 h, which looks like a time zone"),
            (119 * MINUTE, "2 h, which looks like a time zone"),
            (65 * MINUTE, "1 h 5 min"),
            (20_000 * 24 * HOUR, "20000 days"),
        ];
        for (lag, expected) in table {
            assert_eq!(words(lag), expected);
        }
    }
}
