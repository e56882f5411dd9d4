//! The files in a folder of backups. Their names tell when each was begun, and whether it passed
//! the check: `smartpark-20261201T030000Z.db`, `smartpark-20261201T030000Z.unproven.db`.

use std::{fs, path::PathBuf};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use crate::{Error, Result, limits::BACKUP_CLOCK_ERROR};

const PREFIX: &str = "smartpark-";
const TIME: &str = "%Y%m%dT%H%M%SZ";

/// What is known of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It passed the check.
    Proved,
    /// It did not pass, or was not checked.
    Unproven,
    /// It was being written: a crash left it, if it is old.
    Begun,
}

/// A file that a plan made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BackupFile {
    pub(super) name: String,
    at: Timestamp,
    state: State,
}

/// The name of a file that is begun now.
pub(super) fn name(now: Timestamp, state: State) -> String {
    let ending = match state {
        State::Proved => ".db",
        State::Unproven | State::Begun => ".unproven.db",
    };
    format!("{PREFIX}{}{ending}", now.strftime(TIME))
}

fn read(name: String) -> Option<BackupFile> {
    let (at, ending) = name.strip_prefix(PREFIX)?.split_once('.')?;
    let state = match ending {
        "db" => State::Proved,
        "unproven.db" => State::Unproven,
        _ if ending.starts_with("unproven.db.new-") => State::Begun,
        _ => return None,
    };
    let at = TimeZone::UTC.to_timestamp(DateTime::strptime(TIME, at).ok()?).ok()?;
    Some(BackupFile { name, at, state })
}

/// The files of plans in a folder, oldest first. Other files are passed over.
pub(super) async fn list(folder: PathBuf) -> Result<Vec<BackupFile>> {
    let failed = |error: std::io::Error, folder: &PathBuf| {
        Error::Unavailable(format!("the folder of backups {}: {error}", folder.display()))
    };
    let read = tokio::task::spawn_blocking(move || {
        let entries = fs::read_dir(&folder).map_err(|error| failed(error, &folder))?;
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut files: Vec<BackupFile> = names.filter_map(read).collect();
        files.sort_by(|one, other| (one.at, &one.name).cmp(&(other.at, &other.name)));
        Ok(files)
    });
    read.await.map_err(|error| Error::Internal(format!("the folder of backups: {error}")))?
}

/// When the last backup that passed the check was begun. A file from far ahead of the clock, made
/// while the clock was wrong, says nothing.
pub(super) fn last(files: &[BackupFile], now: Timestamp) -> Option<Timestamp> {
    let proved = files.iter().filter(|file| file.state == State::Proved);
    let latest = now.checked_add(BACKUP_CLOCK_ERROR).unwrap_or(Timestamp::MAX);
    proved.map(|file| file.at).filter(|at| *at <= latest).max()
}

/// The files that are not needed any more: all but the newest `keep` that passed the check, and
/// what is unproven or was left by a crash before the newest of those. Files are in order of time.
pub(super) fn superseded(files: &[BackupFile], keep: usize) -> Vec<&BackupFile> {
    let proved = |file: &&BackupFile| file.state == State::Proved;
    let number = files.iter().filter(proved).count();
    let Some(newest) = files.iter().rfind(proved).map(|file| file.at) else { return Vec::new() };
    let excess = files.iter().filter(proved).take(number.saturating_sub(keep.max(1)));
    let failed = files.iter().filter(|file| !proved(file) && file.at < newest);
    excess.chain(failed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> Vec<BackupFile> {
        names.iter().map(|name| read((*name).to_owned()).unwrap()).collect()
    }

    #[test]
    fn names_tell_the_time_and_the_state() {
        let now = "2026-12-01T03:04:05.9Z".parse().unwrap();
        for state in [State::Proved, State::Unproven] {
            let file = read(name(now, state)).unwrap();
            assert_eq!((file.at.to_string().as_str(), file.state), ("2026-12-01T03:04:05Z", state));
        }
        let foreign = ["smartpark.db", "smartpark-old.db", "smartpark-20261301T000000Z.db"];
        for name in foreign.into_iter().chain(["smartpark-20261201T030405Z.db-wal", "x.db"]) {
            assert_eq!(read(name.to_owned()), None);
        }
    }

    #[test]
    fn the_newest_that_passed_stay_and_none_goes_for_one_that_failed() {
        let all = files(&[
            "smartpark-20261201T000000Z.db",
            "smartpark-20261202T000000Z.unproven.db",
            "smartpark-20261203T000000Z.db",
            "smartpark-20261204T000000Z.unproven.db.new-7-0",
            "smartpark-20261205T000000Z.db",
            "smartpark-20261206T000000Z.unproven.db",
        ]);
        let names = |keep| {
            let gone = superseded(&all, keep);
            gone.into_iter().map(|file| file.name[10..18].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(2), ["20261201", "20261202", "20261204"]);
        assert_eq!(names(9), ["20261202", "20261204"]);
        assert_eq!(names(0), ["20261201", "20261203", "20261202", "20261204"]);
        assert!(superseded(&all[5..], 1).is_empty());
    }

    #[test]
    fn a_file_from_a_wrong_clock_says_nothing() {
        let all = files(&["smartpark-20261201T000000Z.db", "smartpark-20300101T000000Z.db"]);
        let now = "2026-12-02T00:00:00Z".parse().unwrap();
        assert_eq!(last(&all, now).unwrap().to_string(), "2026-12-01T00:00:00Z");
        assert_eq!(last(&[], now), None);
    }
}
