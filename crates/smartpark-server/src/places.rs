//! Places for connections: so many and no more. Where all are taken, those make room that use
//! theirs least, so that no number of idle or slow clients keeps others out.
//!
//! Nobody is told apart by address: behind a proxy all have the same one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

use super::activity::{Activity, Use};
use crate::files;
use smartpark_ledger::limits::{
    FRESH, LEAST_STAY, MAX_CONNECTIONS, MAX_REQUESTS, MAX_TLS_CONNECTIONS, SPARE_FILES,
};

/// One of so many places is made free at a time: looking for them reads all places, and a flood of
/// newcomers is not to cost that for each of them.
const FREED_PART: usize = 64;
/// How long it is waited for a place before those are looked for again that could make room.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The places of a server.
#[derive(Debug)]
pub(super) struct Places {
    most: usize,
    /// How long a request that has begun is left alone.
    least_stay: Duration,
    /// And a connection that is new.
    fresh: Duration,
    taken: Mutex<Taken>,
    left: Notify,
    /// A permit for each request at once.
    requests: Arc<Semaphore>,
    /// When slow requests were last looked for.
    ended: Mutex<Option<Instant>>,
}

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    by: HashMap<u64, Arc<Activity>>,
}

/// Why a request has to be refused: there are as many as there may be.
#[derive(Debug)]
pub(super) struct TooMany;

/// A place that a connection has; free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    /// The places it is one of.
    pub(super) places: Arc<Places>,
    number: u64,
    /// What goes on on the connection.
    pub(super) activity: Arc<Activity>,
}

impl Place {
    /// A turn for one more request.
    ///
    /// # Errors
    /// Where too many are in flight; then the slowest of them are ended.
    pub(super) fn turn(&self) -> Result<OwnedSemaphorePermit, TooMany> {
        let turn = Arc::clone(&self.places.requests).try_acquire_owned();
        turn.map_err(|_| {
            self.places.end_slow();
            TooMany
        })
    }
}

impl Places {
    /// As many as a server may have here.
    pub(super) fn new(is_encrypted: bool) -> Self {
        let wanted = if is_encrypted { MAX_TLS_CONNECTIONS } else { MAX_CONNECTIONS };
        let most = most(wanted, files::allowed());
        if most < wanted {
            tracing::warn!(
                "at most {most} connections instead of {wanted}: the system lets this process \
                 open too few files; raise that to {} (ulimit -n, LimitNOFILE=)",
                wanted + SPARE_FILES
            );
        }
        Self::with(most, LEAST_STAY, FRESH)
    }

    fn with(most: usize, least_stay: Duration, fresh: Duration) -> Self {
        Self {
            most,
            least_stay,
            fresh,
            taken: Mutex::default(),
            left: Notify::new(),
            requests: Arc::new(Semaphore::new(MAX_REQUESTS)),
            ended: Mutex::default(),
        }
    }

    /// How many there are.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// How many are taken now.
    pub(super) fn taken(&self) -> usize {
        self.lock().by.len()
    }

    /// A place, as soon as there is one; where there is none, others are told to leave.
    pub(super) async fn take(self: &Arc<Self>) -> Place {
        loop {
            if let Some(place) = self.take_free() {
                return place;
            }
            self.make_room();
            timeout(LOOK_AGAIN, self.left.notified()).await.ok();
        }
    }

    fn take_free(self: &Arc<Self>) -> Option<Place> {
        let mut taken = self.lock();
        if taken.by.len() >= self.most {
            return None;
        }
        let number = taken.next;
        taken.next += 1;
        let activity = Arc::new(Activity::new(self.least_stay, self.fresh));
        taken.by.insert(number, Arc::clone(&activity));
        Some(Place { places: Arc::clone(self), number, activity })
    }

    /// Tells those to leave that have been idle longest. Where nobody is, those whose request
    /// takes longest, which is the client's doing: the server answers what it has in less. Where
    /// there is none either, those that came first of many newcomers; then the oldest streams and
    /// downloads: those are bounded, and clients go on where they broke off.
    pub(super) fn make_room(&self) {
        self.free(|_| true);
    }

    /// Does the same with those whose requests take longest, where there are too many requests or
    /// too large answers. Looks are not worth more than one every [`LOOK_AGAIN`].
    pub(super) fn end_slow(&self) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.is_none_or(|at| at.elapsed() >= LOOK_AGAIN) {
            *ended = Some(Instant::now());
            self.free(|of| matches!(of, Use::Slow(_)));
        }
    }

    fn free(&self, may_leave: impl Fn(Use) -> bool) {
        let taken = self.lock();
        let mut found: Vec<(Use, &Activity)> = Vec::with_capacity(taken.by.len());
        found.extend(taken.by.values().filter_map(|it| Some((it.spare()?, &**it))));
        found.retain(|(of, _)| may_leave(*of));
        let Some(kind) = found.iter().map(|(of, _)| of.kind()).min() else { return };
        found.retain(|(of, _)| of.kind() == kind);
        // Where most are busy, newcomers must not drive out each other: a request will be slow
        // before long.
        if matches!(found[0].0, Use::Fresh(_)) && found.len() < self.most.div_ceil(2) {
            return;
        }
        let leaving = found.len().min(self.most.div_ceil(FREED_PART));
        if leaving < found.len() {
            found.select_nth_unstable_by_key(leaving, |(of, _)| *of);
        }
        found[..leaving].iter().for_each(|(_, activity)| activity.ask_to_leave());
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many places there are where so many are wanted and so many files allowed.
fn most(wanted: usize, files: Option<usize>) -> usize {
    let left = files.map_or(wanted, |files| files.saturating_sub(SPARE_FILES).max(files / 4));
    wanted.min(left).max(1)
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.lock().by.remove(&self.number);
        self.places.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3_600);

    /// Full places, each a little younger than the one before it.
    async fn full(most: usize, least_stay: Duration) -> (Arc<Places>, Vec<Place>) {
        filled(Places::with(most, least_stay, Duration::ZERO)).await
    }

    async fn filled(places: Places) -> (Arc<Places>, Vec<Place>) {
        let (most, places) = (places.most, Arc::new(places));
        let mut taken = Vec::new();
        for _ in 0..most {
            taken.push(places.take().await);
        }
        (places, taken)
    }

    /// Which of the places is told to leave, if somebody is to make room now.
    async fn leaving(places: &Places, taken: &[Place]) -> Vec<usize> {
        places.make_room();
        let mut leaving = Vec::new();
        for (number, place) in taken.iter().enumerate() {
            let told = timeout(Duration::ZERO, place.activity.told_to_leave()).await;
            leaving.extend(told.is_ok().then_some(number));
        }
        leaving
    }

    #[tokio::test]
    async fn who_was_idle_longest_makes_room() {
        let (places, taken) = full(4, LONG).await;
        assert_eq!(leaving(&places, &taken).await, [0]);
        // A request makes a connection young again.
        drop(taken[0].activity.begin());
        assert_eq!(leaving(&places, &taken).await, [1]);
    }

    #[tokio::test]
    async fn a_request_that_has_just_begun_is_left_alone_and_a_long_one_is_not() {
        for (least_stay, expected) in [(LONG, vec![]), (Duration::ZERO, vec![0])] {
            let (places, taken) = full(3, least_stay).await;
            let mut busy: Vec<_> = taken.iter().map(|place| place.activity.begin()).collect();
            assert_eq!(leaving(&places, &taken).await, expected);
            // Whoever is idle goes before that, however short it was.
            drop(busy.pop());
            assert_eq!(leaving(&places, &taken).await, [2]);
        }
    }

    #[tokio::test]
    async fn streams_make_room_last() {
        let (places, taken) = full(3, Duration::ZERO).await;
        let mut busy: Vec<_> = taken.iter().map(|place| place.activity.begin()).collect();
        busy[0].is_long();
        assert_eq!(leaving(&places, &taken).await, [1]);
        busy[1].is_long();
        busy[2].is_long();
        assert_eq!(leaving(&places, &taken).await, [0]);
        drop(busy);
        drop(taken[0].activity.begin());
        assert_eq!(leaving(&places, &taken).await, [1]);
    }

    #[tokio::test]
    async fn newcomers_drive_each_other_out_only_where_they_are_many() {
        let (places, taken) = filled(Places::with(4, LONG, LONG)).await;
        assert_eq!(leaving(&places, &taken).await, [0]);
        let _busy: Vec<_> = taken[..3].iter().map(|place| place.activity.begin()).collect();
        assert_eq!(leaving(&places, &taken).await, [0; 0]);

        let (places, taken) = filled(Places::with(4, Duration::ZERO, LONG)).await;
        let _slow = taken[2].activity.begin();
        assert_eq!(leaving(&places, &taken).await, [2]);
    }

    #[tokio::test]
    async fn who_is_told_while_idle_and_then_asks_may_stay() {
        let (places, taken) = full(1, LONG).await;
        places.make_room();
        let _begun = taken[0].activity.begin();
        let told = timeout(Duration::ZERO, taken[0].activity.told_to_leave()).await;
        assert!(told.is_err());
    }

    #[tokio::test]
    async fn a_newcomer_gets_the_place_of_who_leaves() {
        let (places, mut taken) = full(2, LONG).await;
        let oldest = taken.remove(0);
        let leaves = tokio::spawn(async move { oldest.activity.told_to_leave().await });
        let newcomer = places.take().await;
        leaves.await.unwrap();
        assert_eq!(places.lock().by.len(), 2);
        drop(newcomer);
        assert_eq!(places.lock().by.len(), 1);
    }

    #[tokio::test]
    async fn so_many_requests_and_no_more_and_the_slowest_end() {
        let (places, taken) = full(3, Duration::ZERO).await;
        let busy = taken[1].activity.begin();
        let turns: Vec<_> = (0..MAX_REQUESTS).map(|_| taken[1].turn().unwrap()).collect();
        assert!(taken[2].turn().is_err());
        let told = |place: &Place| {
            let activity = Arc::clone(&place.activity);
            async move { timeout(Duration::ZERO, activity.told_to_leave()).await.is_ok() }
        };
        assert_eq!([told(&taken[0]).await, told(&taken[1]).await], [false, true]);
        drop((busy, turns));
        assert!(taken[2].turn().is_ok());
        assert_eq!(places.requests.available_permits(), MAX_REQUESTS);
    }

    /// Of many that are idle only some leave, the oldest.
    #[tokio::test]
    async fn some_make_room_at_once_and_not_all() {
        let (places, taken) = full(3 * FREED_PART, LONG).await;
        assert_eq!(leaving(&places, &taken).await, [0, 1, 2]);
    }

    #[test]
    fn few_files_mean_few_places() {
        assert_eq!(most(10_240, None), 10_240);
        assert_eq!(most(10_240, Some(1_048_576)), 10_240);
        assert_eq!(most(10_240, Some(1_024)), 1_024 - SPARE_FILES);
        assert_eq!(most(10_240, Some(100)), 25);
        assert_eq!(most(10_240, Some(0)), 1);
    }
}
