//! How often somebody may ask: a bucket each, which fills at the rate and from which every request
//! takes one.
//!
//! A bucket is one number: the instant at which it will be full again. The number of buckets is
//! bounded. Those that are full say nothing and are thrown away; where none is, whoever is new
//! shares one bucket with all others that are.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use smartpark_ledger::limits::RATE_BURST_SECONDS;

/// How often full buckets are looked for at most: that reads all of them.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// The buckets of one rate.
#[derive(Debug)]
pub(super) struct Buckets<K> {
    /// The time in which one request's worth comes in.
    interval: Duration,
    /// How many there are at most.
    most: usize,
    state: Mutex<State<K>>,
}

/// Instants are told as the time since the server began.
#[derive(Debug)]
struct State<K> {
    full_at: HashMap<K, Duration>,
    /// The bucket of those for whom there is no room.
    others_full_at: Duration,
    next_sweep: Duration,
}

impl<K: Eq + Hash> Buckets<K> {
    /// At most `most` buckets that fill with `per_second`.
    pub(super) fn new(per_second: NonZeroU32, most: usize) -> Self {
        let (others_full_at, next_sweep) = (Duration::ZERO, Duration::ZERO);
        let state = State { full_at: HashMap::new(), others_full_at, next_sweep };
        Self { interval: Duration::from_secs(1) / per_second.get(), most, state: Mutex::new(state) }
    }

    /// Takes one from the bucket of `who`.
    ///
    /// # Errors
    /// The time after which there is one again.
    pub(super) fn take(&self, who: K, now: Duration) -> Result<(), Duration> {
        // A bucket holds as much as comes in while this goes by.
        let depth = Duration::from_secs(RATE_BURST_SECONDS.into());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        if state.full_at.len() >= self.most && now >= state.next_sweep {
            state.full_at.retain(|_, full_at| *full_at > now);
            state.next_sweep = now + SWEEP_INTERVAL;
        }
        let has_room = state.full_at.len() < self.most || state.full_at.contains_key(&who);
        let full_at = if has_room {
            state.full_at.entry(who).or_default()
        } else {
            &mut state.others_full_at
        };
        let after = (*full_at).max(now) + self.interval;
        if after > now + depth {
            return Err(after - now - depth);
        }
        *full_at = after;
        Ok(())
    }
}

/// Whom an address stands for. Of IPv6 every client has 2^64, which count as one.
pub(super) fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(per_second: u32, most: usize) -> Buckets<u32> {
        Buckets::new(NonZeroU32::new(per_second).unwrap(), most)
    }

    #[test]
    fn a_burst_is_let_through_and_then_the_rate() {
        let buckets = buckets(4, 10);
        let at = Duration::from_millis;
        let taken = |now| (0..100).filter(|_| buckets.take(1, at(now)).is_ok()).count();
        assert_eq!(taken(0), 40);
        assert_eq!(buckets.take(1, at(0)), Err(at(250)));
        assert_eq!(buckets.take(1, at(100)), Err(at(150)));
        assert_eq!(taken(1_000), 4);
        assert_eq!(taken(100_000), 40);
        assert_eq!(buckets.take(2, at(100_000)), Ok(()));
    }

    #[test]
    fn there_are_never_more_than_so_many() {
        let buckets = buckets(1, 3);
        let number = || buckets.state.lock().unwrap().full_at.len();
        let second = Duration::from_secs(1);
        for who in 0..13 {
            assert_eq!(buckets.take(who, Duration::ZERO), Ok(()));
        }
        assert_eq!(number(), 3);
        // The ten that found no room have emptied the bucket that they share.
        assert_eq!(buckets.take(99, Duration::ZERO), Err(second));
        // The first three keep theirs.
        assert_eq!(buckets.take(0, Duration::ZERO), Ok(()));
        // Two of them are full again by then.
        assert_eq!(buckets.take(99, second), Ok(()));
        assert_eq!(number(), 2);
    }

    #[test]
    fn an_ipv6_client_has_one_bucket_for_all_its_addresses() {
        let parse = |text: &str| household(text.parse().unwrap());
        assert_eq!(parse("2001:db8:1:2::1"), parse("2001:db8:1:2:ffff::7"));
        assert_ne!(parse("2001:db8:1:2::1"), parse("2001:db8:1:3::1"));
        assert_eq!(parse("::ffff:192.0.2.1"), parse("192.0.2.1"));
        assert_ne!(parse("192.0.2.1"), parse("192.0.2.2"));
    }
}
