//! A bounded number of seats for answers that last long, shared fairly: nobody can take them all
//! for good.
//!
//! While seats are free, anybody may have them. When all are taken, a newcomer gets the seat of a
//! holder who has at least two more than it: first the keys are compared, then the sessions and
//! then the addresses of one key (max-min fairness, level by level). The newest seat of the largest
//! holder is given away, so that those who sit longest stay. A client whose seat is given away
//! connects again and goes on where it was, or is told to come back later.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

/// The client that sits, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Holder {
    /// Its key; none if it needs none.
    pub(super) key: Option<i64>,
    /// The sum of its session, if it came with one.
    pub(super) session: Option<[u8; 32]>,
    /// The address that stands for it.
    pub(super) address: Option<IpAddr>,
}

/// What holders are compared by, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Share {
    Key(Option<i64>),
    Session(Option<[u8; 32]>),
    Address(Option<IpAddr>),
}

impl Holder {
    fn shares(&self) -> [Share; 3] {
        [Share::Key(self.key), Share::Session(self.session), Share::Address(self.address)]
    }
}

/// The seats.
#[derive(Debug)]
pub(super) struct Seats {
    most: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    /// The next number: those who come later have larger ones.
    next: u64,
    by: BTreeMap<u64, (Holder, Arc<Notify>)>,
    /// How many each holder has: there are far fewer holders than seats.
    counts: BTreeMap<Holder, usize>,
}

/// A seat that is taken; free again when this is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    number: u64,
    leave: Arc<Notify>,
}

impl Seat {
    /// Waits until somebody else has the seat.
    pub(super) async fn given_away(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.lock().remove(self.number);
    }
}

impl Seats {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, taken: Mutex::default() })
    }

    /// How many are taken.
    pub(super) fn taken(&self) -> usize {
        self.lock().by.len()
    }

    /// A seat: a free one, or that of a holder who has too many.
    pub(super) fn take(self: &Arc<Self>, holder: Holder) -> Option<Seat> {
        let mut taken = self.lock();
        if taken.by.len() >= self.most {
            let largest = taken.largest(&holder)?;
            let newest = taken.by.iter().rev().find(|(_, (other, _))| *other == largest);
            let number = *newest?.0;
            taken.remove(number)?.notify_one();
        }
        Some(self.seat(&mut taken, holder))
    }

    /// A free seat, as long as the key of the holder has less than half of all.
    pub(super) fn take_free(self: &Arc<Self>, holder: Holder) -> Option<Seat> {
        let mut taken = self.lock();
        let of_key = taken.counts.iter().filter(|(other, _)| other.key == holder.key);
        let has = || of_key.map(|(_, count)| count).sum::<usize>();
        if taken.by.len() >= self.most || (holder.key.is_some() && has() >= self.most / 2) {
            return None;
        }
        Some(self.seat(&mut taken, holder))
    }

    fn seat(self: &Arc<Self>, taken: &mut Taken, holder: Holder) -> Seat {
        let (number, leave) = (taken.next, Arc::new(Notify::new()));
        taken.next += 1;
        taken.by.insert(number, (holder, Arc::clone(&leave)));
        *taken.counts.entry(holder).or_default() += 1;
        Seat { seats: Arc::clone(self), number, leave }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Frees a seat; tells whom to notify.
    fn remove(&mut self, number: u64) -> Option<Arc<Notify>> {
        let (holder, leave) = self.by.remove(&number)?;
        if let Some(count) = self.counts.get_mut(&holder) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&holder);
            }
        }
        Some(leave)
    }

    /// The holder that makes room for a newcomer, when all seats are taken.
    fn largest(&self, newcomer: &Holder) -> Option<Holder> {
        let mut among: Vec<(&Holder, usize)> = self.counts.iter().map(|(h, n)| (h, *n)).collect();
        // Whether the newcomer is still among those that are compared. Once others have too many,
        // it is settled that one of them makes room.
        let mut competes = true;
        for (level, own) in newcomer.shares().into_iter().enumerate() {
            let mut counts: BTreeMap<Share, usize> = BTreeMap::new();
            for (holder, count) in &among {
                *counts.entry(holder.shares()[level]).or_default() += count;
            }
            let (largest, count) = counts.iter().max_by_key(|(_, count)| **count)?;
            let has = counts.get(&own).copied().unwrap_or(0);
            competes = competes && *count < has + 2;
            let chosen = if competes { own } else { *largest };
            among.retain(|(holder, _)| holder.shares()[level] == chosen);
        }
        among.first().filter(|_| !competes).map(|(holder, _)| **holder)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    fn holder(key: i64, session: u8, address: u8) -> Holder {
        Holder {
            key: Some(key),
            session: (session > 0).then_some([session; 32]),
            address: Some(Ipv4Addr::new(192, 0, 2, address).into()),
        }
    }

    /// So many seats, all taken by one holder.
    fn full(most: usize, by: Holder) -> (Arc<Seats>, Vec<Seat>) {
        let seats = Seats::new(most);
        let taken = (0..most).map(|_| seats.take(by).unwrap()).collect();
        (seats, taken)
    }

    fn is_given_away(seat: &Seat) -> bool {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let leave = std::pin::pin!(seat.given_away());
        leave.poll(&mut context).is_ready()
    }

    #[test]
    fn a_holder_of_all_seats_makes_room_until_others_have_as_many() {
        let others = [holder(2, 0, 1), holder(1, 1, 1), holder(1, 0, 2)];
        for other in others {
            let (seats, taken) = full(8, holder(1, 0, 1));
            let got: Vec<Seat> = std::iter::from_fn(|| seats.take(other)).collect();
            assert_eq!((got.len(), seats.taken()), (4, 8), "{other:?}");
            let given_away: Vec<bool> = taken.iter().map(is_given_away).collect();
            assert_eq!(given_away, [[false; 4], [true; 4]].concat(), "{other:?}");
            // Nobody has two more than anybody: from here on both are refused.
            assert!(seats.take(holder(1, 0, 1)).is_none());
        }
    }

    #[test]
    fn who_has_all_gets_no_more_and_a_seat_is_free_when_it_is_left() {
        let (seats, mut taken) = full(4, holder(1, 0, 1));
        assert!(seats.take(holder(1, 0, 1)).is_none());
        drop(taken.pop());
        assert_eq!(seats.taken(), 3);
        assert!(seats.take(holder(1, 0, 1)).is_some());
    }

    #[test]
    fn a_seat_that_was_given_away_frees_nothing_when_it_is_dropped() {
        let (seats, taken) = full(4, holder(1, 0, 1));
        let _other = seats.take(holder(2, 0, 1)).unwrap();
        drop(taken);
        assert_eq!(seats.taken(), 1);
    }

    #[test]
    fn many_sessions_and_addresses_of_one_key_are_one_key() {
        let seats = Seats::new(6);
        let _many: Vec<_> = (0..6).map(|n| seats.take(holder(1, n + 1, n)).unwrap()).collect();
        let other: Vec<_> = std::iter::from_fn(|| seats.take(holder(2, 0, 9))).collect();
        assert_eq!(other.len(), 3);
    }

    #[test]
    fn free_seats_are_for_one_key_only_up_to_the_half() {
        let seats = Seats::new(4);
        let key: Vec<_> = std::iter::from_fn(|| seats.take_free(holder(1, 0, 1))).collect();
        let free = Holder::default();
        let others: Vec<_> = std::iter::from_fn(|| seats.take_free(free)).collect();
        assert_eq!((key.len(), others.len()), (2, 2));
        assert!(seats.take_free(holder(2, 0, 1)).is_none());
        assert!(!key.iter().any(is_given_away));
    }

    proptest! {
        /// Whoever came before: a key that asks for as many as it can get has its fair share.
        #[test]
        fn every_key_can_have_its_fair_share(
            before in prop::collection::vec((0_i64..4, 0_u8..3, 0_u8..3), 0..60),
        ) {
            const MOST: usize = 12;
            let seats = Seats::new(MOST);
            let taken = before.iter().map(|(key, session, address)| {
                seats.take(holder(*key, *session, *address))
            });
            let _taken: Vec<_> = taken.collect();
            let keys: std::collections::BTreeSet<_> = before.iter().map(|it| it.0).collect();
            let got: Vec<_> = std::iter::from_fn(|| {
                (seats.taken() <= MOST).then(|| seats.take(holder(9, 0, 0))).flatten()
            }).take(MOST).collect();
            let kept = got.iter().filter(|seat| !is_given_away(seat)).count();
            prop_assert!(kept >= MOST / (keys.len() + 1), "{kept} of {MOST} for one of {keys:?}");
            prop_assert!(seats.taken() <= MOST);
        }
    }
}
