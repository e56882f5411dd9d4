//! Backups that a server makes by itself: when the next is due, which files are deleted, and when a
//! person must look. The files of the folder tell all that, so a restart forgets nothing.

mod files;

use std::{fs, path::PathBuf, time::Duration};

use jiff::Timestamp;
use tokio::sync::Mutex;

use crate::{
    AttentionItem, AttentionKind, AttentionLevel, Error, Result, SmartPark,
    attention::item,
    check::Report,
    limits::{BACKUP_ALLOWED, BACKUP_RETRY},
};
use files::State;

/// Which backups a server makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupPlan {
    /// The folder that the files go to. It must exist.
    pub folder: PathBuf,
    /// How long after the last backup the next is made.
    pub every: Duration,
    /// How many backups that passed the check are kept.
    pub keep: usize,
}

/// A backup that was made by plan, and passed the check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupMade {
    /// The file.
    pub file: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// What was proved.
    pub report: Report,
    /// Older files that were deleted.
    pub deleted: usize,
}

/// How it stands with the backups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackupStatus {
    /// When the last backup that passed the check was begun.
    pub last: Option<Timestamp>,
    /// How many backups failed in this process.
    pub failures: u64,
    /// Why the last attempt of this process failed, if it did.
    pub fault: Option<String>,
}

/// What this process knows of its attempts.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<Log>);

#[derive(Clone, Debug, Default)]
struct Log {
    /// When the attempt that goes on, or the last one, began.
    begun: Option<Timestamp>,
    failures: u64,
    fault: Option<String>,
}

impl SmartPark {
    /// Makes a backup if the plan of the options has one due: writes it, proves it, and deletes the
    /// oldest. None if there is no plan, or none is due yet. After a failure the next is due ten
    /// minutes later.
    ///
    /// A backup that does not pass the check is an error. Its file is kept, as
    /// `….unproven.db`, until one passes, and none is deleted for it.
    ///
    /// # Errors
    /// Says why there is no backup: [`Error::Unavailable`], [`Error::Unusable`],
    /// [`Error::Internal`].
    pub async fn back_up_if_due(&self) -> Result<Option<BackupMade>> {
        let Some(plan) = &self.options.backups else { return Ok(None) };
        let now = self.now();
        let mut log = self.backups.0.lock().await.clone();
        let listed = files::list(plan.folder.clone()).await;
        let is_due = match &listed {
            _ if log.fault.is_some() => {
                log.begun.is_none_or(|begun| passed(begun, now) >= BACKUP_RETRY)
            }
            Ok(files) => is_due(files::last(files, now), plan.every, now),
            Err(_) => true,
        };
        if !is_due {
            return Ok(None);
        }
        log.begun = Some(now);
        *self.backups.0.lock().await = log.clone();
        let made = match listed {
            Ok(_) => self.back_up(plan, now).await,
            Err(error) => Err(error),
        };
        log.fault = made.as_ref().err().map(ToString::to_string);
        log.failures += u64::from(made.is_err());
        *self.backups.0.lock().await = log;
        made.map(Some)
    }

    async fn back_up(&self, plan: &BackupPlan, now: Timestamp) -> Result<BackupMade> {
        let unproven = plan.folder.join(files::name(now, State::Unproven));
        let bytes = self.backup(unproven.clone(), |_, _| {}).await?;
        let report = Self::check_backup(unproven.clone()).await?;
        if let Some(first) = report.violations.first() {
            return Err(Error::Internal(format!(
                "the backup {} does not pass the check, {} violations: {}",
                unproven.display(),
                report.violations.len(),
                first.detail
            )));
        }
        let file = plan.folder.join(files::name(now, State::Proved));
        // One file of this second that is there already is as good.
        fs::rename(&unproven, &file)
            .map_err(|error| Error::Unavailable(format!("{}: {error}", file.display())))?;
        let mut deleted = 0;
        let listed = files::list(plan.folder.clone()).await?;
        for old in files::superseded(&listed, plan.keep) {
            match fs::remove_file(plan.folder.join(&old.name)) {
                Ok(()) => deleted += 1,
                Err(error) => tracing::warn!("the old backup {} stays: {error}", old.name),
            }
        }
        Ok(BackupMade { file, bytes, report, deleted })
    }

    /// How it stands with the backups of the options' plan; none without a plan.
    pub async fn get_backup_status(&self) -> Option<BackupStatus> {
        let plan = self.options.backups.as_ref()?;
        let log = self.backups.0.lock().await.clone();
        let mut status = BackupStatus { last: None, failures: log.failures, fault: log.fault };
        match files::list(plan.folder.clone()).await {
            Ok(files) => status.last = files::last(&files, self.now()),
            Err(error) => status.fault = status.fault.or(Some(error.to_string())),
        }
        Some(status)
    }

    /// That there is no backup, or only an old one.
    pub(crate) async fn backup_overdue(&self, now: Timestamp) -> Option<AttentionItem> {
        let plan = self.options.backups.as_ref()?;
        let status = self.get_backup_status().await?;
        let begun = self.backups.0.lock().await.begun;
        if !is_overdue(&status, begun, plan.every, now) {
            return None;
        }
        let last = status.last.map_or_else(
            || "There is no backup".to_owned(),
            |last| format!("The last backup is of {last}"),
        );
        let why = status.fault.map_or_else(String::new, |fault| format!(" The last try: {fault}."));
        let (folder, hours) = (plan.folder.display(), plan.every.as_secs() as f64 / 3600.0);
        let advice = "See that the folder is there, has room and may be written to by the server. \
                      The server tries again every ten minutes.";
        Some(AttentionItem {
            since: status.last,
            detail: format!("{last} in {folder}; one is due every {hours:.1} h.{why}"),
            ..item(AttentionKind::BackupOverdue, AttentionLevel::High, advice)
        })
    }
}

/// How long it is from one instant to a later one; zero if it is not later.
fn passed(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

fn is_due(last: Option<Timestamp>, every: Duration, now: Timestamp) -> bool {
    last.is_none_or(|last| passed(last, now) >= every)
}

/// Whether a person must look: the last attempt failed, or there is none although one had time.
fn is_overdue(
    status: &BackupStatus,
    begun: Option<Timestamp>,
    every: Duration,
    now: Timestamp,
) -> bool {
    if status.fault.is_some() {
        return true;
    }
    let is_being_made = begun.is_some_and(|begun| passed(begun, now) < BACKUP_ALLOWED);
    let age = status.last.map(|last| passed(last, now));
    !is_being_made && age.is_none_or(|age| age > every + every / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_person_is_told_of_failures_and_of_backups_that_are_too_old() {
        let (now, day) = (at("2026-12-03T12:00:00Z"), Duration::from_secs(86_400));
        let status = |last: Option<&str>, fault: Option<&str>| BackupStatus {
            last: last.map(at),
            failures: 0,
            fault: fault.map(str::to_owned),
        };
        let table = [
            (status(Some("2026-12-03T00:00:00Z"), None), None, false),
            (status(Some("2026-12-02T00:00:00Z"), None), None, false),
            (status(Some("2026-12-01T23:59:59Z"), None), None, true),
            (status(Some("2026-12-03T00:00:00Z"), Some("full")), None, true),
            (status(None, None), None, true),
            (status(None, None), Some("2026-12-03T11:59:00Z"), false),
            (status(None, None), Some("2026-12-03T10:59:00Z"), true),
            (status(Some("2026-11-01T00:00:00Z"), None), Some("2026-12-03T11:59:00Z"), false),
        ];
        for (status, begun, expected) in table {
            assert_eq!(is_overdue(&status, begun.map(at), day, now), expected, "{status:?}");
        }
    }

    #[test]
    fn a_backup_is_due_when_the_last_is_old_enough() {
        let day = Duration::from_secs(86_400);
        let now = at("2026-12-03T12:00:00Z");
        assert!(is_due(None, day, now));
        assert!(is_due(Some(at("2026-12-02T12:00:00Z")), day, now));
        assert!(!is_due(Some(at("2026-12-02T12:00:01Z")), day, now));
        let later = now + Duration::from_secs(3_600);
        assert!(!is_due(Some(later), day, now));
    }
}
