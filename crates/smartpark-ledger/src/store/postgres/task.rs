//! The one task that records: takes what waits as a group, tries it for as long as a request may
//! take, answers after the commit.

use std::{panic::AssertUnwindSafe, sync::Arc};

use deadpool_postgres::Pool;
use futures_util::FutureExt;
use tokio::sync::oneshot;

use super::{
    changes::Changes, partitions::Months, recording::Group, transaction::patiently,
    writes::catch_up,
};
use crate::{
    Options, Result,
    planted::planted,
    recorder::{self, Waiting, Work},
};

/// Tells that all before it is done, and ends the task.
pub(super) type Close = oneshot::Sender<()>;

/// The one task of a process that records.
pub(super) struct Task {
    pub(super) pool: Pool,
    pub(super) options: Arc<Options>,
    pub(super) months: Arc<Months>,
    pub(super) changes: Changes,
}

impl Task {
    pub(super) async fn run(self, mut waiting: Waiting<Close>) {
        while let Some(work) = waiting.next_async().await {
            match work {
                Work::Group(group) => {
                    // A defect in one transaction must not end the task: its connection is closed,
                    // which rolls back, and whoever waits is answered (the sender is dropped).
                    let done = AssertUnwindSafe(self.commit(group)).catch_unwind().await;
                    if done.is_err() {
                        tracing::error!("a write panicked; it was rolled back");
                    }
                }
                Work::Task(done, _room) => {
                    // Whoever closes may have given up waiting.
                    let _ = done.send(());
                    return;
                }
            }
        }
    }

    /// Records a group of batches in one transaction and answers each after the commit.
    async fn commit(&self, mut batches: recorder::Group) {
        let mut group = Group::new(batches.take_rows(), &self.options);
        let outcome = patiently!(self.attempt(&mut group));
        match &outcome {
            Ok(()) => self.changes.bump(),
            Err(error) => tracing::error!("a group of events could not be recorded: {error}"),
        }
        batches.answer(outcome.map(|()| group.into_answers()));
    }

    async fn attempt(&self, group: &mut Group) -> Result<()> {
        if planted("answer-before-commit") {
            catch_up(None).await?;
        }
        let now = self.options.clock.now().as_microsecond();
        self.months.ensure(&self.pool, now, group.instants()).await?;
        let outcome = group.record(&self.pool, now).await;
        if outcome.is_err() {
            self.months.forget();
        }
        outcome
    }
}
