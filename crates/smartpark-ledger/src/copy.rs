//! Copying a whole site from one database to another, whatever the engines are.
//!
//! Facts are carried over with their ids and times, the answers that were given among them; what
//! is derived from them is built anew in the target, by the code that `check --repair` uses, and
//! then proved by `check`. So nothing has to be read from the source in one moment: a copy goes
//! through the source page by page, again and again until both hold the same at one time, and
//! where a run ends early the next one puts in what is missing. Until it is finished the target
//! says so, and everybody else refuses it.

use std::sync::Arc;

use serde::Serialize;

use crate::{
    Options, Result, SmartPark,
    check::Report,
    limits::COPY_PASSES,
    store::{
        Engine,
        transfer::{FIRST, LAST, Mark, Table, Totals},
    },
};

/// How far a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Events are being carried over.
    Events {
        /// How many were compared, and put in where they were missing.
        done: u64,
        /// How many there are.
        all: u64,
    },
    /// What is derived is being built.
    Deriving,
    /// The target is being checked.
    Checking,
}

/// What a copy did, and what the target holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Copied {
    /// Floors in the target.
    pub floors: u64,
    /// Events in the target.
    pub events: u64,
    /// Adjustments in the target.
    pub adjustments: u64,
    /// Events that this run put in; the others an earlier one had.
    pub written: u64,
    /// How often it went through the source.
    pub passes: u32,
    /// Whether source and target were found to hold the same. Where they were not, the source was
    /// written to all the time, and the target stays unfinished.
    pub complete: bool,
    /// What the check of the target found; it is made where the copy is complete. A target with
    /// violations stays unfinished: its source has them, too.
    pub check: Report,
}

impl Copied {
    /// Whether the target is whole, and can be used from now on.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.complete && self.check.is_clean()
    }
}

/// A copy that is under way.
struct Copy<'a> {
    source: &'a Engine,
    target: &'a Engine,
    /// Events that were put in.
    written: u64,
}

impl SmartPark {
    /// Copies the site in the database `from` to the database `to`, which is made where it is
    /// missing, and must be empty or an unfinished copy of the same source: then it goes on with
    /// that. The source is only read, and may be in use; the copy is finished when the target
    /// holds all that the source does, so in the end nobody must write to that any more. Nobody
    /// may use the target before.
    ///
    /// ```
    /// # use smartpark_ledger::{Options, SmartPark};
    /// # smartpark_ledger::doctest(async |park| {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let at = |name: &str| format!("sqlite://{}/{name}.db", folder.path().display());
    /// # let (from, to) = (at("from"), at("to"));
    /// # SmartPark::open(&from).await?.seed().seed_floors().await?;
    /// let copied = SmartPark::copy(&from, &to, Options::default(), |_| {}).await?;
    /// assert!(copied.is_finished() && copied.floors == 4);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::NotEmpty`] where the target holds something else; [`Error::Unusable`] also where
    /// it is an unfinished copy of another database, or holds what the source does not;
    /// [`Error::Unavailable`]: what was carried over stays, and doing it again goes on from there.
    ///
    /// [`Error::NotEmpty`]: crate::Error::NotEmpty
    /// [`Error::Unusable`]: crate::Error::Unusable
    /// [`Error::Unavailable`]: crate::Error::Unavailable
    pub async fn copy(
        from: &str,
        to: &str,
        options: Options,
        mut told: impl FnMut(Progress),
    ) -> Result<Copied> {
        let options = Arc::new(options);
        let source = Engine::connect(from, &options).await?;
        let target = Engine::create_for_copy(to, &options).await?;
        // A server that runs there has it. (Any number may run on PostgreSQL.)
        let _alone = target.lock_for_copy()?;
        let mut copy = Copy { source: &source, target: &target, written: 0 };
        let copied = copy.run(&mut told).await;
        source.close().await;
        target.close().await;
        copied
    }
}

impl Copy<'_> {
    async fn run(&mut self, told: &mut impl FnMut(Progress)) -> Result<Copied> {
        let mut mark = self.source.copy_mark().await?;
        self.target.copy_begin(mark).await?;
        let mut wanted = self.source.copy_totals().await?;
        let mut passes = 0;
        let (complete, held) = loop {
            passes += 1;
            self.pass(mark, &wanted, told).await?;
            mark = self.source.copy_mark().await?;
            wanted = self.source.copy_totals().await?;
            let held = self.target.copy_totals().await?;
            if wanted == held || passes == COPY_PASSES {
                break (wanted == held, held);
            }
        };
        let mut copied = Copied {
            floors: held.frame.floors.len() as u64,
            events: held.events(),
            adjustments: held.adjustments(),
            written: self.written,
            passes,
            complete,
            check: Report::default(),
        };
        if complete {
            told(Progress::Deriving);
            self.target.copy_derive(mark).await?;
            told(Progress::Checking);
            copied.check = self.target.check(false).await?;
        }
        if copied.is_finished() {
            self.target.copy_finish(mark).await?;
        }
        Ok(copied)
    }

    /// Goes through all that the source has, once.
    async fn pass(
        &mut self,
        mark: Mark,
        totals: &Totals,
        told: &mut impl FnMut(Progress),
    ) -> Result<()> {
        let mut frame = totals.frame.clone();
        self.target.copy_frame(mark, frame.clone()).await?;
        for table in Table::ALL {
            let mut after = FIRST;
            let mut done = 0;
            while after != LAST {
                let rows = self.source.copy_read(table, (after, LAST)).await?;
                if !rows.floor_ids().is_subset(&frame.floor_ids()) {
                    // A floor that was made meanwhile.
                    frame = self.source.copy_totals().await?.frame;
                    self.target.copy_frame(mark, frame.clone()).await?;
                }
                let read = rows.len();
                let full = read == table.page();
                let upto = rows.last_key().filter(|_| full).unwrap_or(LAST);
                let (reached, written) =
                    self.target.copy_put(mark, table, (after, upto), rows).await?;
                after = reached;
                if table == Table::Events {
                    self.written += written;
                    if reached == upto {
                        done += read as u64;
                    }
                    told(Progress::Events { done, all: totals.events().max(done) });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_copy_that_was_killed_before_it_began_is_no_database_to_use() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| format!("sqlite://{}/{name}.db", folder.path().display());
        let (from, to) = (at("from"), at("to"));
        let source = SmartPark::open(&from).await.expect("a source");
        source.seed().seed_floors().await.expect("floors");
        let options = Arc::new(Options::default());
        let target = Engine::create_for_copy(&to, &options).await.expect("a target");
        target.close().await;

        let used = SmartPark::open(&to).await.expect_err("it is no database to use");
        assert!(used.to_string().contains("unfinished copy"), "{used}");
        let copied = SmartPark::copy(&from, &to, Options::default(), |_| {}).await;
        assert!(copied.expect("the same copy goes on").is_finished());
        let park = SmartPark::open(&to).await.expect("a whole database");
        assert_eq!(park.floors().get_all_floors().await.expect("floors").len(), 4);
    }
}
