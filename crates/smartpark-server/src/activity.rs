//! What goes on on a connection: whether it is idle, since when, and when it has to end for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};

/// What goes on on a connection.
#[derive(Debug)]
pub(super) struct Activity {
    opened: Instant,
    /// How long a request that has begun is left alone.
    least_stay: Duration,
    /// How long an idle connection counts as one that will be used.
    fresh: Duration,
    begun: AtomicU64,
    in_flight: AtomicUsize,
    /// Those of them that last as long as their clients like.
    long: AtomicUsize,
    /// When it last became busy or idle, in nanoseconds after it was opened.
    turned: AtomicU64,
    leave: Notify,
}

/// The use that is made of a connection, and since when; what can be spared first is the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    /// No request.
    Idle(Instant),
    /// A request that should have been answered.
    Slow(Instant),
    /// No request yet: it may be on its way.
    Fresh(Instant),
    /// A stream, or another answer whose end is not known.
    Long(Instant),
}

impl Use {
    /// Which of them it is.
    pub(super) fn kind(self) -> u8 {
        match self {
            Self::Idle(_) => 0,
            Self::Slow(_) => 1,
            Self::Fresh(_) => 2,
            Self::Long(_) => 3,
        }
    }
}

impl Activity {
    /// That of a new connection, whose requests are left alone for some time, and itself for a
    /// shorter one.
    pub(super) fn new(least_stay: Duration, fresh: Duration) -> Self {
        Self {
            opened: Instant::now(),
            least_stay,
            fresh,
            begun: AtomicU64::new(0),
            in_flight: AtomicUsize::new(0),
            long: AtomicUsize::new(0),
            turned: AtomicU64::new(0),
            leave: Notify::new(),
        }
    }

    /// A request begins; it ends when the result is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> InFlight {
        self.begun.fetch_add(1, Ordering::Relaxed);
        if self.in_flight.fetch_add(1, Ordering::Relaxed) == 0 {
            self.turn();
        }
        InFlight { activity: Arc::clone(self), is_long: false }
    }

    fn turn(&self) {
        let after = u64::try_from(self.opened.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.turned.store(after, Ordering::Relaxed);
    }

    fn is_idle(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) == 0
    }

    /// What it is used for, if it can be spared.
    pub(super) fn spare(&self) -> Option<Use> {
        let since = self.opened + Duration::from_nanos(self.turned.load(Ordering::Relaxed));
        if self.is_idle() {
            let is_fresh = since.elapsed() < self.fresh;
            Some(if is_fresh { Use::Fresh(since) } else { Use::Idle(since) })
        } else if since.elapsed() < self.least_stay {
            None
        } else if self.long.load(Ordering::Relaxed) == 0 {
            Some(Use::Slow(since))
        } else {
            Some(Use::Long(since))
        }
    }

    /// Asks the connection to end.
    pub(super) fn ask_to_leave(&self) {
        self.leave.notify_one();
    }

    /// Waits until the connection was asked to end, and can still be spared: between asking and
    /// this a request may have come.
    pub(super) async fn told_to_leave(&self) {
        loop {
            self.leave.notified().await;
            if self.spare().is_some() {
                return;
            }
        }
    }

    /// Waits until there was nothing to do for too long: no first request within `head`, or no
    /// other within `idle`. (A request's head that stops in its middle is hyper's to notice; a
    /// connection that has not even shown which HTTP it speaks is not.)
    pub(super) async fn idle(&self, head: Duration, idle: Duration) {
        let (mut seen, mut wait) = (0, head);
        loop {
            sleep(wait).await;
            let begun = self.begun.load(Ordering::Relaxed);
            if begun == seen && self.is_idle() {
                return;
            }
            (seen, wait) = (begun, idle);
        }
    }
}

/// A request that has begun and not ended.
#[derive(Debug)]
pub(super) struct InFlight {
    activity: Arc<Activity>,
    is_long: bool,
}

impl InFlight {
    /// Its answer lasts as long as the client likes.
    pub(super) fn is_long(&mut self) {
        if !std::mem::replace(&mut self.is_long, true) {
            self.activity.long.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.is_long {
            self.activity.long.fetch_sub(1, Ordering::Relaxed);
        }
        if self.activity.in_flight.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.activity.turn();
        }
    }
}
