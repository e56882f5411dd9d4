//! The operations on withdrawals: facts that a person takes back.

use crate::{
    Error, NewWithdrawal, Result, SmartPark, Withdrawal, WithdrawalEffect, WithdrawalSelection,
    events::fitting_limit,
};

/// The operations on withdrawals; from [`SmartPark::withdrawals`].
#[derive(Clone, Copy, Debug)]
pub struct WithdrawalOperations<'a> {
    pub(crate) park: &'a SmartPark,
}

impl WithdrawalOperations<'_> {
    /// What a withdrawal would do now; changes nothing.
    ///
    /// # Errors
    /// As [`WithdrawalOperations::withdraw`]; a selection of which nothing is there is no error.
    pub async fn preview(self, selection: WithdrawalSelection) -> Result<WithdrawalEffect> {
        let faults = selection.faults();
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        self.park.engine.preview_withdrawal(selection).await
    }

    /// Takes facts back: counts, statistics and history are then as if these had never been
    /// recorded. The named facts are those that are there when the withdrawal begins; what arrives
    /// later counts, also the same events once more. A change on each floor tells of it. The same
    /// key again is answered as it was the first time. Withdrawing a withdrawal has its facts count
    /// again, except those that were recorded anew meanwhile.
    ///
    /// ```
    /// # use smartpark_ledger::{Direction, NewEvent, NewWithdrawal, VehicleType};
    /// # use smartpark_ledger::WithdrawalSelection;
    /// # smartpark_ledger::doctest(async |park| {
    /// let entry = NewEvent::new("cam_001", 1, "t1", VehicleType::Car, Direction::Entry);
    /// let recorded = park.events().record_event(entry).await?;
    /// let events = vec![recorded.event.id];
    /// let withdrawal = NewWithdrawal {
    ///     selection: WithdrawalSelection { events, ..WithdrawalSelection::default() },
    ///     reason: "a shadow".into(),
    ///     author: Some("Kim".into()),
    ///     key: "6c1f9e".into(),
    /// };
    /// let withdrawal = park.withdrawals().withdraw(withdrawal).await?;
    /// assert_eq!((withdrawal.effect.events, withdrawal.effect.floors[0].vehicles), (1, 0));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::NothingToWithdraw`], [`Error::NotFound`] for a withdrawal that
    /// does not exist; [`Error::Unavailable`]: unknown, the same again with the same key settles
    /// it.
    pub async fn withdraw(self, withdrawal: NewWithdrawal) -> Result<Withdrawal> {
        let faults = withdrawal.faults();
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        self.park.require_clock().await?;
        self.park.engine.withdraw(withdrawal).await
    }

    /// Withdrawals, the latest first, at most `limit`; `before` is the id of the last one on the
    /// page before.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit out of 1–1000; [`Error::Unavailable`].
    pub async fn list(self, before: Option<i64>, limit: u32) -> Result<Vec<Withdrawal>> {
        fitting_limit(limit)?;
        self.park.engine.withdrawals(before.unwrap_or(i64::MAX), limit).await
    }
}
